/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SPARES_H
#define SPARES_H

/*
 * Cells set aside for a transaction, outside the locks, by class.  Taken, not
 * live, linked through their first word.
 */

#include "core.h"

struct cache_spares {
    uint32_t cells;
    uint32_t heads[SIZES_MAX];
};

/* A cell of the class from the spares (may be NULL) or the slabs; 0: none. */
uint32_t spares_take(struct cache *cache, struct cache_spares *spares,
                     unsigned class);
/* False: no memory; the cell is freed. */
bool spares_put(struct cache *cache, struct cache_spares **spares,
                unsigned class, uint32_t loc);
void spares_free(struct cache *cache, struct cache_spares *spares);

#endif
