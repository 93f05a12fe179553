/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding slots of the index, and asking for them ahead. */

#include "cut.h"
#include "index.h"
#include "index_chain.h"
#include "long.h"

uint32_t index_bucket_of(const struct shard *shard, uint64_t hash)
{
    return bucket_of(shard->buckets, hash);
}

struct bucket *index_bucket(const struct cache *cache,
                            const struct shard *shard, uint32_t number)
{
    return bucket_at(cache, shard, INDEX_PRIMARY, number);
}

struct bucket *index_more(const struct cache *cache, const struct shard *shard,
                          const struct bucket *bucket)
{
    if (bucket->more == 0)
        return NULL;
    return bucket_at(cache, shard, INDEX_OVERFLOW, bucket->more - 1);
}

void index_prefetch(const struct cache *cache, uint64_t hash)
{
    const struct shard *shard =
        &cache->shards[hash >> 1 >> (cache->shard_shift - 1)];
    uint32_t buckets = __atomic_load_n(&shard->buckets, __ATOMIC_RELAXED);
    if (buckets > 0)
        __builtin_prefetch(
            bucket_at(cache, shard, INDEX_PRIMARY, bucket_of(buckets, hash)));
}

/* ---------------------------------------------------------------- look-up */

/* Bit i of the result: tags[i] may be the tag, and is if bit i is the lowest
 * (a carry can make a false one above a true one; the key decides). */
static inline unsigned tags_equal(const uint8_t tags[INDEX_SLOTS], uint8_t tag)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t low, high = 0;
    memcpy(&low, tags, 8);
    memcpy(&high, tags + 8, 4);
    low ^= ones * tag;
    high ^= ones * tag;
    low = (low - ones) & ~low & tops;
    high = (high - ones) & ~high & tops;
    /* One bit a byte to one bit a slot. */
    unsigned first =
        (unsigned)((low >> 7) * UINT64_C(0x0102040810204080) >> 56);
    unsigned last =
        (unsigned)((high >> 7) * UINT64_C(0x0102040810204080) >> 56);
    return first | (last & 15) << 8;
}

/*
 * Reads a bucket without its lock, on purpose: what it finds, right or torn,
 * old or new, is only where to look ahead.
 */
__attribute__((no_sanitize("thread"), no_sanitize("address"))) void
index_prefetch_entry(const struct cache *cache, uint64_t hash)
{
    const struct shard *shard =
        &cache->shards[hash >> 1 >> (cache->shard_shift - 1)];
    uint32_t buckets = __atomic_load_n(&shard->buckets, __ATOMIC_RELAXED);
    if (buckets == 0)
        return;
    const volatile struct bucket *bucket =
        bucket_at(cache, shard, INDEX_PRIMARY, bucket_of(buckets, hash));
    const volatile uint32_t *words = (const volatile uint32_t *)bucket->tags;
    uint32_t seen[INDEX_SLOTS / 4];
    for (unsigned i = 0; i < INDEX_SLOTS / 4; i++)
        seen[i] = words[i];
    unsigned equal = tags_equal((const uint8_t *)seen, tag_of(hash));
    for (; equal; equal &= equal - 1) {
        uint32_t loc = bucket->locs[__builtin_ctz(equal)];
        __builtin_prefetch(entry_at(cache, loc));
    }
}

static inline bool key_is(const struct cache *cache, const struct entry *entry,
                          unsigned number, const struct cache_key *key)
{
    uint32_t packed = entry_packed(entry);
    if (packed_number(packed) != number)
        return false;
    if (!(packed & ENTRY_EXT))
        return (packed >> 13 & 255) == key->len &&
               memcmp(entry->rest + packed_key_offset(packed), key->ptr,
                      key->len) == 0;
    return long_key_is(cache, entry, key);
}

bool index_find(const struct cache *cache, const struct shard *shard,
                unsigned number, const struct cache_key *key,
                struct place *place)
{
    if (shard->buckets == 0)
        return false;
    uint64_t hash = hash_in(key->hash, number);
    struct bucket *bucket =
        bucket_at(cache, shard, INDEX_PRIMARY, index_bucket_of(shard, hash));
    for (; bucket; bucket = index_more(cache, shard, bucket)) {
        unsigned equal = tags_equal(bucket->tags, tag_of(hash));
        for (; equal; equal &= equal - 1) {
            unsigned slot = (unsigned)__builtin_ctz(equal);
            uint32_t loc = bucket->locs[slot];
            if (loc && !cut_is_dead(cache, shard, loc) &&
                key_is(cache, entry_at(cache, loc), number, key)) {
                *place = (struct place){bucket, slot};
                return true;
            }
        }
    }
    return false;
}

bool index_find_loc(const struct cache *cache, const struct shard *shard,
                    uint64_t hash, uint32_t loc, struct place *place)
{
    if (shard->buckets == 0)
        return false;
    struct bucket *bucket =
        bucket_at(cache, shard, INDEX_PRIMARY, index_bucket_of(shard, hash));
    for (; bucket; bucket = index_more(cache, shard, bucket))
        for (unsigned slot = 0; slot < INDEX_SLOTS; slot++)
            if (bucket->locs[slot] == loc && !cut_is_dead(cache, shard, loc)) {
                *place = (struct place){bucket, slot};
                return true;
            }
    return false;
}
