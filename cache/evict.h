/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVICT_H
#define EVICT_H

/*
 * Who goes when somebody has to, by the policy.  Nobody goes that it protects,
 * unless a lower limit leaves no other way.
 *
 *   allkeys-lru    the oldest tail of all shards
 *   volatile-lru   the oldest candidate: a shard's list is searched from its
 *                  tail, and nothing that lies behind has an expiry
 *
 *             head                 candidate                      tail
 *              |   not looked at yet  |   none of these expires     |
 *
 *                  An entry that is touched moves to the head, and one never
 *                  gets or loses an expiry where it lies, so that the search
 *                  passes an entry once for each use of it.  Steps do it ahead.
 *   volatile-ttl   what expires before a horizon, slab by slab; a sample of the
 *                  entries tells how near it has to be (evict_nearest.c)
 *   random         a slot of a bucket of a shard (evict_random.c)
 */

#include "core.h"

/* Evicts an entry; returns about how many bytes it had, 0 if there is none that
 * may go.  Outside all locks. */
size_t evict_one(struct cache *cache, int64_t now_ms);
/* The same with a shard locked, of that one, if nothing in the others is older,
 * its cell is of the class, and the policy is allkeys-lru; the cell stays with
 * the shard (stash.h). */
size_t evict_here(struct cache *cache, struct shard *shard, unsigned class,
                  int64_t now_ms);
/* An entry of a flushed database, if that is the oldest of some shard. */
bool evict_dead(struct cache *cache);
/* Searches lists ahead for volatile-lru; false: nothing is left to do. */
bool evict_search(struct cache *cache);

/* True for a policy under which some or all entries never go. */
static inline bool evict_protects(const struct cache *cache)
{
    uint32_t policy =
        atomic_load_explicit(&cache->policy, memory_order_relaxed);
    return policy != CACHE_ALLKEYS_LRU && policy != CACHE_ALLKEYS_RANDOM;
}

/* True for a policy under which what has an expiry goes, and nothing else. */
static inline bool evict_expiring_only(const struct cache *cache)
{
    return evict_protects(cache) &&
           atomic_load_explicit(&cache->policy, memory_order_relaxed) !=
               CACHE_NO_EVICTION;
}

/* The same, of the oldest of all, whatever the policy. */
size_t evict_oldest(struct cache *cache, int64_t now_ms);

/* ------------------------------------------------- for the files evict*.c */

/* Drops an entry of a shard (locked), evicted or expired; its bytes. */
size_t evict_drop(struct cache *cache, struct shard *shard, uint32_t loc,
                  int64_t now_ms);
size_t evict_nearest(struct cache *cache, int64_t now_ms);
size_t evict_random(struct cache *cache, int64_t now_ms);

/* Numbers that differ from call to call. */
static inline uint64_t evict_dice(struct cache *cache)
{
    uint64_t x =
        atomic_fetch_add_explicit(&cache->evict_turn, 1, memory_order_relaxed);
    x = (x + 1) * UINT64_C(0x9E3779B97F4A7C15); /* as splitmix64 does */
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

#endif
