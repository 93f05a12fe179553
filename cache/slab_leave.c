/* SPDX-License-Identifier: BSD-3-Clause */
/* Which slabs are worth emptying, and which cannot be. */

#include "slab_lists.h"

enum {
    LEAVE_LOOKS = 8,   /* slabs looked at to find an empty one */
    UNSTICK_SOME = 64, /* slabs of a class at a time */
};

bool slab_class_spare(const struct slabs *slabs, unsigned class)
{
    return __atomic_load_n(&slabs->classes[class].spare, __ATOMIC_RELAXED);
}

static struct slab *emptiest(struct slabs *slabs, struct slab_class *class)
{
    for (int list = 0; list < SLAB_LISTS; list++) {
        if (class->lists[list] == SLAB_NONE)
            continue;
        struct slab *best = slab_at(slabs, class->lists[list]), *at = best;
        for (int i = 0; i < LEAVE_LOOKS; i++) {
            if (at->used < best->used)
                best = at;
            at = slab_at(slabs, at->next);
        }
        return best;
    }
    return NULL;
}

struct slab *slab_leave(struct slabs *slabs, unsigned number, bool sparse)
{
    struct slab_class *class = &slabs->classes[number];
    lock_take(&class->lock);
    struct slab *slab = class->spare || sparse ? emptiest(slabs, class) : NULL;
    if (slab && sparse && slab->list >= SLAB_LISTS / 2)
        slab = NULL;
    if (slab) {
        slab_list_drop(slabs, class, slab);
        slab->leaving = true;
        class_count(&class->free_cells,
                    slab->used - (int64_t)slab_class_of(slabs, slab)->count);
        class_update_spare(slabs, class);
    }
    lock_drop(&class->lock);
    return slab;
}

bool slab_return(struct slabs *slabs, struct slab *slab, bool stuck)
{
    struct slab_class *class = &slabs->classes[slab->class];
    lock_take(&class->lock);
    slab->leaving = false;
    bool emptied = slab->used == 0;
    if (emptied) {
        slab_end(slabs, class, slab);
    } else {
        unsigned count = slab_class_of(slabs, slab)->count;
        class_count(&class->free_cells, (int64_t)count - slab->used);
        if (slab->used < count)
            slab_list_add(slabs, class, slab,
                          stuck ? (unsigned)SLAB_STUCK
                                : slab_list_of(slabs, class, slab),
                          true);
        class_update_spare(slabs, class);
    }
    lock_drop(&class->lock);
    return emptied;
}

bool slab_is_stuck(struct slabs *slabs, uint32_t loc)
{
    struct slab *slab = slab_of(slabs, loc);
    struct slab_class *class = &slabs->classes[slab->class];
    lock_take(&class->lock);
    bool stuck = slab->list == SLAB_STUCK;
    lock_drop(&class->lock);
    return stuck;
}

void slabs_unstick(struct slabs *slabs)
{
    if (atomic_load_explicit(&slabs->stuck, memory_order_relaxed) == 0)
        return;
    for (unsigned i = 0; i < slabs->sizes.count; i++) {
        struct slab_class *class = &slabs->classes[i];
        lock_take(&class->lock);
        for (int n = 0;
             n < UNSTICK_SOME && class->lists[SLAB_STUCK] != SLAB_NONE; n++) {
            struct slab *slab = slab_at(slabs, class->lists[SLAB_STUCK]);
            slab_list_drop(slabs, class, slab);
            slab_list_add(slabs, class, slab, slab_list_of(slabs, class, slab),
                          true);
        }
        class_update_spare(slabs, class);
        lock_drop(&class->lock);
    }
}
