/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SLAB_LISTS_H
#define SLAB_LISTS_H

/* The lists of slabs that each class has, for the files slab*.c.  All with the
 * class locked. */

#include "slab.h"

static inline const struct size_class *
class_size(const struct slabs *slabs, const struct slab_class *class)
{
    return &slabs->sizes.classes[class - slabs->classes];
}

/* Counters are written with the class locked and read by anybody. */
static inline void class_count(uint64_t *counter, int64_t n)
{
    __atomic_store_n(counter, *counter + (uint64_t)n, __ATOMIC_RELAXED);
}

/* So many cells more are taken; the slabs needed for them follow. */
static inline void class_took(struct slabs *slabs, struct slab_class *class,
                              int64_t n)
{
    class_count(&class->taken_cells, n);
    unsigned count = class_size(slabs, class)->count;
    uint64_t taken = class->taken_cells, room = class->needed_cells;
    if (__builtin_expect(taken <= room && taken + count > room, 1))
        return;
    class->needed_cells = (taken + count - 1) / count * count;
    int64_t more = (int64_t)(class->needed_cells - room) / (int64_t)count;
    atomic_fetch_add_explicit(&slabs->needed, (uint32_t)more,
                              memory_order_relaxed);
}

void slab_list_add(struct slabs *slabs, struct slab_class *class,
                   struct slab *slab, unsigned list, bool at_end);
void slab_list_drop(struct slabs *slabs, struct slab_class *class,
                    struct slab *slab);
/* The list for a slab as full as this one. */
unsigned slab_list_of(const struct slabs *slabs, const struct slab_class *class,
                      const struct slab *slab);
/* After `used` changed: into the list it belongs to now. */
void slab_list_update(struct slabs *slabs, struct slab_class *class,
                      struct slab *slab);
/* After that, or after free_cells changed. */
void class_update_spare(struct slabs *slabs, struct slab_class *class);

/* slab.c: the slab has no cell in use; it goes to the stock. */
void slab_end(struct slabs *slabs, struct slab_class *class, struct slab *slab);

#endif
