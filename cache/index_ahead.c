/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What look-ups will need, asked for ahead.
 *
 *   hash --> bucket --> entry --> its value, its neighbours in the list
 *
 * Each arrow is a wait for memory.  Taken for many keys at once the waits
 * overlap: all buckets are asked for before the first is read, and so on.
 *
 * Nothing is locked: what is found, right or torn, old or new, is only where to
 * look ahead.  What is read was slabs once, and is addressable for good.
 */

#include "fetch.h"
#include "index.h"
#include "index_chain.h"

#define RACY __attribute__((no_sanitize("thread"), no_sanitize("address")))

enum { VALUE_LINES = 4 };

static inline const struct bucket *bucket_ahead(const struct cache *cache,
                                                uint64_t hash)
{
    unsigned shard = shard_number(cache, hash);
    uint32_t buckets =
        atomic_load_explicit(&cache->buckets[shard], memory_order_relaxed);
    if (buckets == 0)
        return NULL;
    return bucket_in(cache, shard, INDEX_PRIMARY, bucket_of(buckets, hash));
}

void index_prefetch(const struct cache *cache, uint64_t hash)
{
    __builtin_prefetch(bucket_ahead(cache, hash));
}

void cache_prefetch(const struct cache *cache, unsigned db,
                    const struct cache_key *key)
{
    uint64_t hash = hash_in(key->hash, number_of(cache, db));
    fetch_to_write(&cache->shards[shard_number(cache, hash)]);
    index_prefetch(cache, hash);
}

RACY uint32_t cache_prefetch_entry(const struct cache *cache, unsigned db,
                                   const struct cache_key *key)
{
    uint64_t hash = hash_in(key->hash, number_of(cache, db));
    const volatile struct bucket *bucket = bucket_ahead(cache, hash);
    if (!bucket)
        return 0;
    uint8_t tags[INDEX_SLOTS];
    const volatile uint32_t *words = (const volatile uint32_t *)bucket->tags;
    for (unsigned i = 0; i < INDEX_SLOTS / 4; i++) {
        uint32_t word = words[i];
        memcpy(tags + 4 * i, &word, 4);
    }
    unsigned equal = tags_equal(tags, tag_of(hash));
    uint32_t loc = equal ? bucket->locs[__builtin_ctz(equal)] : 0;
    uint32_t more = equal ? 0 : bucket->more;
    if (more / INDEX_SEGMENT < CORE_SEGMENTS && more > 0)
        __builtin_prefetch(bucket_in(cache, shard_number(cache, hash),
                                     INDEX_OVERFLOW, more - 1));
    if (loc >> 13 >= slabs_end(&cache->slabs))
        return 0;
    /* Used, it comes before what is now the head of its shard's list. */
    const volatile struct shard *shard =
        &cache->shards[shard_number(cache, hash)];
    fetch_to_write(entry_at(cache, shard->head));
    fetch_to_write(entry_at(cache, loc));
    __builtin_prefetch((const char *)entry_at(cache, loc) + FETCH_LINE);
    return loc;
}

RACY void cache_prefetch_use(const struct cache *cache, uint32_t loc)
{
    if (loc == 0)
        return;
    const volatile struct entry *entry = entry_at(cache, loc);
    uint32_t packed = entry->packed;
    fetch_to_write(entry_at(cache, entry->prev));
    fetch_to_write(entry_at(cache, entry->next));
    size_t size = ENTRY_HEAD + packed_key_offset(packed) +
                  packed_key_here(packed) + packed_value_here(packed);
    size_t from = (uintptr_t)entry % FETCH_LINE;
    for (size_t at = 2 * FETCH_LINE;
         at < from + size && at < VALUE_LINES * FETCH_LINE; at += FETCH_LINE)
        __builtin_prefetch((const char *)entry_at(cache, loc) - from + at);
}
