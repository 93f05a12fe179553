/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MOVE_H
#define MOVE_H

/*
 * Emptying sparse slabs: what lives in the emptiest slab of a class is moved
 * into the others, and the slab is free.
 *
 *   leave: nothing is taken from the slab any more
 *   for each cell, some at a time:
 *       class locked:  note where it is and who owns it (by its hash)
 *       owner's shard locked: is it still there? copy, point index and list
 *                             to the copy, free the cell
 *   return: the slab is empty and goes to the stock
 */

#include "core.h"

/*
 * Moves up to `max` small cells, or fewer large ones, of the slab being
 * emptied, choosing one first if there is none.  False: nothing was done, no
 * slab is worth it.
 */
bool move_some(struct cache *cache, int64_t now_ms, unsigned max);

/*
 * The same for a cache of many classes with few slabs each (slabs_crowded),
 * whose free cells may be much together and too few in each of them: empties a
 * sparse slab into larger cells.
 */
bool move_sparse(struct cache *cache, int64_t now_ms, unsigned max);

/* Hands the slab being emptied back, whatever is left in it. */
void move_stop(struct cache *cache);

#endif
