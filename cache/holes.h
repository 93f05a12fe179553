/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HOLES_H
#define HOLES_H

/*
 * Chunks of addresses, and which of their slabs are holes: a bit for each, a
 * word for each group (huge.h).  For pool.c, with the pool locked.
 */

#include "slab.h"

struct chunk {
    char *base;
    uint32_t first; /* number of its first slab */
    unsigned count; /* of holes */
    uint32_t holes[SLAB_CHUNK / HUGE_GROUP];
};

/* The lowest hole, so that the high chunks empty, but rather one of a group
 * that has slabs; SLAB_NONE: no addresses are left. */
uint32_t hole_pop(struct slabs *slabs);
/* The first slab of the lowest group that is all holes; SLAB_NONE: none is,
 * though there are holes, or no addresses are left. */
uint32_t hole_pop_group(struct slabs *slabs);
void hole_push(struct slabs *slabs, uint32_t number);

void chunks_release(struct slabs *slabs);

#endif
