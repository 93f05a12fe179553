/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INDEX_CHAIN_H
#define INDEX_CHAIN_H

/*
 * What an index is built of: segments, overflow buckets, chains.
 *
 *   bucket --more--> overflow bucket --more--> overflow bucket
 *
 * Overflow buckets are numbered without a gap: when one is freed, the last one
 * takes its number.  To find who points to that one, every overflow bucket has
 * the number of the bucket that its chain begins with, in the slab that holds
 * its segment (slab_homes), so that no entry need be read.
 */

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "index.h"

static inline uint8_t tag_of(uint64_t hash)
{
    return (uint8_t)(hash >> 50);
}

/* By the number of the shard, which is not looked at. */
static inline _Atomic uint32_t *segment_in(const struct cache *cache,
                                           unsigned shard, unsigned kind,
                                           uint32_t bucket)
{
    return &cache->segments[kind][bucket / INDEX_SEGMENT * cache->shard_count +
                                  shard];
}

static inline uint32_t bucket_loc(const struct cache *cache, unsigned shard,
                                  unsigned kind, uint32_t bucket)
{
    uint32_t loc = atomic_load_explicit(segment_in(cache, shard, kind, bucket),
                                        memory_order_relaxed);
    return loc + bucket % INDEX_SEGMENT * (uint32_t)sizeof(struct bucket) / 8;
}

static inline struct bucket *bucket_in(const struct cache *cache,
                                       unsigned shard, unsigned kind,
                                       uint32_t bucket)
{
    return slabs_at(&cache->slabs, bucket_loc(cache, shard, kind, bucket));
}

static inline _Atomic uint32_t *segment_at(const struct cache *cache,
                                           const struct shard *shard,
                                           unsigned kind, uint32_t bucket)
{
    return segment_in(cache, shard->number, kind, bucket);
}

static inline struct bucket *bucket_at(const struct cache *cache,
                                       const struct shard *shard, unsigned kind,
                                       uint32_t bucket)
{
    return bucket_in(cache, shard->number, kind, bucket);
}

/* The tags of a bucket, the first eight and the others: in words that are read
 * as such, not put together. */
struct tags {
    uint64_t low;
    uint32_t high;
};

static inline struct tags tags_of(const struct bucket *bucket)
{
    struct tags tags;
    memcpy(&tags.low, bucket->tags, 8);
    memcpy(&tags.high, bucket->tags + 8, 4);
    return tags;
}

/* Bit i of the result: tag number i may be the tag, and is if bit i is the
 * lowest (a carry can make a false one above a true one; the key decides). */
static inline unsigned tags_equal(struct tags tags, uint8_t tag)
{
#ifdef __SSE2__
    __m128i all = _mm_set_epi64x((long long)tags.high, (long long)tags.low);
    __m128i equal = _mm_cmpeq_epi8(all, _mm_set1_epi8((char)tag));
    return (unsigned)_mm_movemask_epi8(equal) & ((1u << INDEX_SLOTS) - 1);
#else
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t low = tags.low ^ ones * tag;
    uint64_t high = tags.high ^ ones * tag;
    low = (low - ones) & ~low & tops;
    high = (high - ones) & ~high & tops;
    /* One bit a byte to one bit a slot. */
    unsigned first =
        (unsigned)((low >> 7) * UINT64_C(0x0102040810204080) >> 56);
    unsigned last =
        (unsigned)((high >> 7) * UINT64_C(0x0102040810204080) >> 56);
    return first | (last & 15) << 8;
#endif
}

/* Slots in use, which are the first ones: counted, since it is anybody's guess
 * where a search would end. */
static inline unsigned slots_used(const struct bucket *bucket)
{
    unsigned used = 0;
    for (unsigned slot = 0; slot < INDEX_SLOTS; slot++)
        used += bucket->locs[slot] != 0;
    return used;
}

static inline uint32_t bucket_of(uint32_t buckets, uint64_t hash)
{
    uint32_t high = UINT32_MAX >> __builtin_clz(buckets);
    uint32_t at = (uint32_t)hash & high;
    return at < buckets ? at : at & high >> 1;
}

/* The bucket (number) of a hash; the shard has buckets. */
static inline uint32_t index_bucket_of(const struct shard *shard, uint64_t hash)
{
    return bucket_of(shard->buckets, hash);
}

static inline struct bucket *index_bucket(const struct cache *cache,
                                          const struct shard *shard,
                                          uint32_t number)
{
    return bucket_at(cache, shard, INDEX_PRIMARY, number);
}

/* The next bucket of a chain, or NULL. */
static inline struct bucket *index_more(const struct cache *cache,
                                        const struct shard *shard,
                                        const struct bucket *bucket)
{
    if (bucket->more == 0)
        return NULL;
    return bucket_at(cache, shard, INDEX_OVERFLOW, bucket->more - 1);
}

/* False: no memory for a segment. */
bool segment_add(struct cache *cache, struct shard *shard, unsigned kind,
                 uint32_t bucket, struct cache_spares *spares);
void segment_drop(struct cache *cache, struct shard *shard, unsigned kind,
                  uint32_t bucket);
static inline bool segment_exists(const struct cache *cache,
                                  const struct shard *shard, unsigned kind,
                                  uint32_t bucket)
{
    return atomic_load_explicit(segment_at(cache, shard, kind, bucket),
                                memory_order_relaxed) != 0;
}

/* Makes sure that overflow bucket `number` has a segment. */
bool overflow_ready(struct cache *cache, struct shard *shard, uint32_t number,
                    struct cache_spares *spares);
/* Frees the empty overflow bucket behind `before`. */
void overflow_drop(struct cache *cache, struct shard *shard,
                   struct bucket *before);

/* Adds a slot to the chain of bucket number `home`; false: no memory. */
bool chain_add(struct cache *cache, struct shard *shard, uint32_t home,
               uint8_t tag, uint32_t loc, struct cache_spares *spares);
/* Removes a slot of that chain by moving the chain's last slot into it. */
void chain_remove(struct cache *cache, struct shard *shard, uint32_t home,
                  struct place place);

#endif
