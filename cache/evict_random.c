/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Evicting at random.  A random slot of a random bucket either has an entry or
 * not; tried until one has, that takes every entry of a shard with the same
 * probability, and shards are about equally full.  (What lies in the third
 * bucket of a chain is passed over; there is next to none.)
 */

#include "cut.h"
#include "evict.h"
#include "index_chain.h"

enum {
    RANDOM_SLOTS = 2 * INDEX_SLOTS, /* of a bucket and its overflow bucket */
    RANDOM_TRIES = 8,               /* with a shard locked */
    RANDOM_SHARDS = 64,             /* so often; then it goes by other means */
};

/* 0: there is none, or not one that may go. */
static uint32_t pick(struct cache *cache, const struct shard *shard,
                     uint64_t dice)
{
    uint32_t number = (uint32_t)((dice >> 32) * shard->buckets >> 32);
    unsigned slot = (uint32_t)dice % RANDOM_SLOTS;
    const struct bucket *bucket = index_bucket(cache, shard, number);
    if (slot >= INDEX_SLOTS)
        bucket = index_more(cache, shard, bucket);
    uint32_t loc = bucket ? bucket->locs[slot % INDEX_SLOTS] : 0;
    if (loc == 0 || cut_is_dead(cache, shard, loc))
        return 0;
    return !evict_expiring_only(cache) ||
                   entry_packed(entry_at(cache, loc)) & ENTRY_EXPIRY
               ? loc
               : 0;
}

/* One of the bits that are set. */
static unsigned some_bit(uint64_t bits, uint64_t dice)
{
    unsigned skip =
        (unsigned)((dice >> 32) * (unsigned)__builtin_popcountll(bits) >> 32);
    for (; skip > 0; skip--)
        bits &= bits - 1;
    return (unsigned)__builtin_ctzll(bits);
}

static size_t evict_from(struct cache *cache, struct shard *shard,
                         int64_t now_ms)
{
    size_t bytes = 0;
    lock_take(&shard->lock);
    for (unsigned i = 0; i < RANDOM_TRIES && shard->buckets > 0 && !bytes;
         i++) {
        uint32_t loc = pick(cache, shard, evict_dice(cache));
        if (loc != 0)
            bytes = evict_drop(cache, shard, loc, now_ms);
    }
    lock_drop(&shard->lock);
    return bytes;
}

size_t evict_random(struct cache *cache, int64_t now_ms)
{
    const _Atomic uint64_t *having =
        evict_expiring_only(cache) ? &cache->expiring : &cache->filled;
    for (unsigned i = 0; i < RANDOM_SHARDS; i++) {
        uint64_t among = atomic_load_explicit(having, memory_order_relaxed);
        if (among == 0)
            return 0;
        struct shard *shard =
            &cache->shards[some_bit(among, evict_dice(cache))];
        size_t bytes = evict_from(cache, shard, now_ms);
        if (bytes > 0)
            return bytes;
    }
    /* Too few of all that may go, or too few at all. */
    return evict_expiring_only(cache) ? evict_nearest(cache, now_ms)
                                      : evict_oldest(cache, now_ms);
}
