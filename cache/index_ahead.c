/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What look-ups will need, asked for ahead.
 *
 * Nothing is locked: what is found, right or torn, old or new, is only where to
 * look ahead.  What is read was slabs once, and is addressable for good.
 */

#include "fetch.h"
#include "index.h"
#include "index_chain.h"
#include "long.h"

#define RACY __attribute__((no_sanitize("thread"), no_sanitize("address")))

enum {
    VALUE_LINES = 4,
    /* What is read of an entry, in units of locations.  One that is none, as
     * its bucket was reused meanwhile, must not end where the slabs do. */
    HEAD_MOST = (ENTRY_HEAD + 8 + sizeof(struct entry_ext)) / 8,
};

/* 0: there is none yet. */
static inline uint32_t bucket_ahead(const struct cache *cache, uint64_t hash)
{
    unsigned shard = shard_number(cache, hash);
    uint32_t buckets =
        atomic_load_explicit(&cache->buckets[shard], memory_order_relaxed);
    if (buckets == 0)
        return 0;
    return bucket_loc(cache, shard, INDEX_PRIMARY, bucket_of(buckets, hash));
}

uint32_t index_prefetch(const struct cache *cache, uint64_t hash)
{
    uint32_t at = bucket_ahead(cache, hash);
    __builtin_prefetch(slabs_at(&cache->slabs, at));
    return at;
}

/* 0: there is none; what was read may be torn. */
static inline uint32_t more_ahead(const struct cache *cache, unsigned shard,
                                  uint32_t more)
{
    if (more == 0 || more / INDEX_SEGMENT >= CORE_SEGMENTS)
        return 0;
    return bucket_loc(cache, shard, INDEX_OVERFLOW, more - 1);
}

RACY void index_prefetch_more(const struct cache *cache,
                              const struct shard *shard, uint32_t at)
{
    const volatile struct bucket *bucket = slabs_at(&cache->slabs, at);
    if (at != 0)
        __builtin_prefetch(slabs_at(
            &cache->slabs, more_ahead(cache, shard->number, bucket->more)));
}

struct cache_ahead cache_ahead(const struct cache *cache, unsigned db,
                               const struct cache_key *key)
{
    uint64_t hash = hash_in(key->hash, number_of(cache, db));
    unsigned shard = shard_number(cache, hash);
    uint32_t at = index_prefetch(cache, hash);
    if (at == 0)
        return (struct cache_ahead){.next = AHEAD_NONE};
    fetch_to_write(&cache->shards[shard]);
    return (struct cache_ahead){.at = at,
                                .tag = tag_of(hash),
                                .shard = (uint8_t)shard,
                                .next = AHEAD_BUCKET};
}

/* It can be read there; what was read may be torn, or not be an entry. */
static bool readable(const struct cache *cache, uint32_t loc)
{
    return loc != 0 &&
           ((uint64_t)loc + HEAD_MOST) >> 13 < slabs_end(&cache->slabs);
}

/* From a bucket to the entry, or to the next bucket of the chain. */
RACY static void look_in_bucket(const struct cache *cache,
                                struct cache_ahead *ahead)
{
    const volatile struct bucket *bucket = slabs_at(&cache->slabs, ahead->at);
    const volatile void *words = bucket->tags;
    struct tags tags = {((const volatile uint64_t *)words)[0],
                        ((const volatile uint32_t *)words)[2]};
    unsigned equal = tags_equal(tags, ahead->tag);
    if (!equal) {
        ahead->at = more_ahead(cache, ahead->shard, bucket->more);
        if (ahead->at == 0)
            return;
        ahead->next = AHEAD_BUCKET;
        __builtin_prefetch(slabs_at(&cache->slabs, ahead->at));
        return;
    }
    uint32_t loc = bucket->locs[__builtin_ctz(equal)];
    if (!readable(cache, loc))
        return;
    ahead->at = loc;
    ahead->next = AHEAD_ENTRY;
    fetch_to_write(entry_at(cache, loc));
    /* Used, it comes before what is now the head of its shard's list. */
    const volatile struct shard *shard = &cache->shards[ahead->shard];
    fetch_to_write(entry_at(cache, shard->head));
}

RACY static void look_at_entry(const struct cache *cache,
                               struct cache_ahead *ahead)
{
    uint32_t loc = ahead->at;
    const volatile struct entry *entry = entry_at(cache, loc);
    uint32_t packed = entry->packed;
    fetch_to_write(entry_at(cache, entry->prev));
    fetch_to_write(entry_at(cache, entry->next));
    if (packed & ENTRY_EXT) {
        const volatile struct entry_ext *ext =
            (const volatile void *)(entry->rest +
                                    (packed & ENTRY_EXPIRY ? 8 : 0));
        uint32_t pieces = ext->pieces;
        fetch_to_write(piece_at(cache, pieces));
        if (readable(cache, pieces)) {
            ahead->at = pieces;
            ahead->next = AHEAD_PIECE;
        }
        return;
    }
    size_t size = ENTRY_HEAD + packed_key_offset(packed) +
                  packed_key_here(packed) + packed_value_here(packed);
    /* In the same page, mostly: not waited for. */
    size_t from = (uintptr_t)entry % FETCH_LINE;
    for (size_t at = FETCH_LINE;
         at < from + size && at < VALUE_LINES * FETCH_LINE; at += FETCH_LINE)
        __builtin_prefetch((const char *)entry_at(cache, loc) - from + at);
}

RACY static void look_at_piece(const struct cache *cache, uint32_t loc)
{
    const volatile struct piece *piece = piece_at(cache, loc);
    __builtin_prefetch(piece_at(cache, piece->next));
    __builtin_prefetch(piece_at(cache, piece->later));
}

/* The step that is next says whether another one follows. */
static void take_step(const struct cache *cache, struct cache_ahead *ahead)
{
    enum ahead_step step = ahead->next;
    if (step == AHEAD_NONE)
        return;
    ahead->next = AHEAD_NONE;
    if (step == AHEAD_BUCKET)
        look_in_bucket(cache, ahead);
    else if (step == AHEAD_ENTRY)
        look_at_entry(cache, ahead);
    else
        look_at_piece(cache, ahead->at);
}

void cache_ahead_steps(const struct cache *cache, struct cache_ahead *ahead,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        take_step(cache, &ahead[i]);
}
