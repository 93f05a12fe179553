/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef POOL_H
#define POOL_H

/* The pool's side towards slab.c; the rest of it is in slab.h. */

#include "slab.h"

/* A resident slab of the stock, only `number` set; NULL: there is none.  One
 * may be taken while the limit is exceeded: it is resident already.  With the
 * class locked. */
struct slab *slab_take(struct slabs *slabs, unsigned class);
void slab_give(struct slabs *slabs, struct slab *slab);

#endif
