/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STASH_H
#define STASH_H

/*
 * A cell that an evicted entry of a shard has left, kept for the shard's next
 * entry.  At the limit each new entry takes a cell and makes another go, and
 * threads that do so would meet twice for each at the lock of the class, with
 * the slabs' headers on their way from core to core.
 *
 * One a shard; taken, not live.  A slab with such a cell cannot be emptied, so
 * they go back when slabs are to be.
 */

#include "core.h"

/* With the shard locked: its cell, if it is of the class; else 0, and the shard
 * has none any more. */
uint32_t stash_take(struct cache *cache, struct shard *shard, unsigned class);
/* With the shard locked, which has none: the cell becomes it. */
void stash_put(struct cache *cache, struct shard *shard, uint32_t loc);
/* Outside all locks: frees all; false: there were none. */
bool stash_empty(struct cache *cache);

#endif
