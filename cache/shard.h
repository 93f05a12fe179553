/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHARD_H
#define SHARD_H

/*
 * A shard: entries that share a lock.  Its LRU list runs from head, the most
 * recently used, to tail, the next to be evicted; `oldest` of the cache has a
 * copy of the time of what goes next, so that the oldest of all can be found
 * without locks.  All functions want the shard locked.
 */

#include "core.h"
#include "index.h"

/* Adds an entry whose cell is filled: list, counters, live bit. */
void shard_add(struct cache *cache, struct shard *shard, uint32_t loc);
/* Takes an entry out of list and counters; it is not live any more. */
void shard_take_out(struct cache *cache, struct shard *shard, uint32_t loc);
/* Frees the cell and the pieces of an entry that was taken out. */
void shard_free_entry(struct cache *cache, uint32_t loc);
/* All of that, and out of the index. */
void shard_drop(struct cache *cache, struct shard *shard, uint64_t hash,
                struct place place);
/* The same, of an entry that is to go though nobody asked for it. */
void shard_lose(struct cache *cache, struct shard *shard, uint64_t hash,
                struct place place, enum cache_why why);
/* Makes an entry the most recently used. */
void shard_touch(struct cache *cache, struct shard *shard, uint32_t loc,
                 int64_t now_ms);
/* After an entry moved: the list follows. */
void shard_relink(struct cache *cache, struct shard *shard, uint32_t from,
                  uint32_t to);

/* Adds to (1) or subtracts from (-1) a tally what an entry counts for. */
void shard_tally(struct tally *tally, const struct entry *entry, int sign);
/* After what goes next changed: the cache's copy of its time follows. */
void shard_publish_next(struct cache *cache, const struct shard *shard);
/* After the count of entries with an expiry changed. */
void shard_publish_expiring(struct cache *cache, const struct shard *shard);

/* The entry to be evicted next, by its last use; it may have to be searched
 * for (evict.h).  0: the shard is empty. */
static inline uint32_t shard_next(const struct shard *shard)
{
    return shard->searched ? shard->candidate : shard->tail;
}

static inline bool number_is_dead(const struct cache *cache, unsigned number)
{
    return atomic_load_explicit(&cache->dead, memory_order_relaxed) >> number &
           1;
}

#endif
