/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CUT_H
#define CUT_H

/*
 * Dropping most of the cache at once, for a budget that was lowered a lot.
 * Evicting entry by entry would touch every victim; here only the survivors
 * are touched, and the index and the bitmaps are swept in address order.
 *
 *   give    every slab words for marks (marks.h)
 *   mark    from the most recent end of every shard's list, until the marked
 *           entries would fill the new limit:
 *
 *              head                cursor                         tail
 *               |  marked  marked  |   not yet seen ...             |
 *
 *   cut     at the cursors: the list ends there, the counters are those of the
 *           survivors, and everything without a mark is dead at once: look-ups
 *           pass over it
 *   sweep   the index, bucket by bucket, dropping what has no mark; contract
 *           it
 *   keep    slab by slab: the live cells are the marked ones
 *
 *   end     the marks' memory goes back
 *
 * What is left to do, emptying sparse slabs, is move.c's.
 *
 * While somebody wants to be told of each entry that goes (listen.h), and under
 * a policy that protects entries (evict.h) and has others to go, only what was
 * flushed is cut off: all that is alive is marked, whatever the limit.
 *
 * Whatever happens to an entry meanwhile keeps the marks right: one that is
 * touched or stored while its shard is being marked is marked and counted, one
 * that goes is counted off, and the cursor steps aside; those are the calls
 * below that shard.c makes.
 */

#include "core.h"
#include "evict.h"

/* Begins to cut down to so many slabs, unless that is under way. */
void cut_begin(struct cache *cache, uint32_t slabs);
/* Does a bounded piece of it; false: there is nothing to do. */
bool cut_step(struct cache *cache, int64_t now_ms);

/*
 * While flushed entries are being dropped what they had is not free yet.  Who
 * takes so many bytes of what is free does a share of the steps, so that they
 * are done before it is used up, and nobody has to wait for all of them.
 * Outside all locks.
 */
void cut_pay(struct cache *cache, size_t bytes, int64_t now_ms);

static inline bool cut_active(const struct cache *cache)
{
    return atomic_load_explicit(&cache->cut.phase, memory_order_relaxed) !=
           CUT_IDLE;
}

/* True if nothing may be cut off but what was flushed: somebody wants to hear
 * of each, or the policy protects entries and has others to go for a lower
 * limit. */
static inline bool cut_spares_all(const struct cache *cache)
{
    return (evict_protects(cache) &&
            (!slabs_exceed(&cache->slabs) || cache_evicts(cache))) ||
           atomic_load_explicit(&cache->listening, memory_order_relaxed) ==
               CACHE_TELL_EACH;
}

/* With the shard locked, by shard.c: a new entry was stored (not yet live); an
 * entry was touched while its shard is being marked; an entry goes; the length
 * of a value changes by so much. */
void cut_stored(struct cache *cache, struct shard *shard, uint32_t loc);
void cut_touched(struct cache *cache, struct shard *shard, uint32_t loc);
void cut_gone(struct cache *cache, struct shard *shard, uint32_t loc);
void cut_resized(struct cache *cache, struct shard *shard, uint32_t loc,
                 size_t from, size_t to);

/* True for a slot of the index whose entry was cut off. */
static inline bool cut_is_dead(const struct cache *cache,
                               const struct shard *shard, uint32_t loc)
{
    return shard->cut && !cell_is_marked(&cache->slabs, loc);
}

#endif
