/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GARBAGE_H
#define GARBAGE_H

/*
 * Chains of pieces that nobody uses any more.  A value of 512 MiB has 8200 of
 * them, too many to be freed at once by whoever deletes it: so a few are, and
 * the rest waits here until a step, or whoever wants memory, frees it.
 *
 *   garbage --> piece --prev--> piece --prev--> ...     the first of each chain
 *                 |next           |next
 *               piece           piece
 */

#include "core.h"

/* Frees the first pieces of a chain that is in no entry; the rest waits. */
void garbage_add(struct cache *cache, uint32_t first);
/* Frees some of what waits; false: nothing does. */
bool garbage_free(struct cache *cache);

#endif
