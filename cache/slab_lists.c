/* SPDX-License-Identifier: BSD-3-Clause */
/* The lists of a class: circular by prev. */

#include <assert.h>

#include "slab_lists.h"

void slab_list_add(struct slabs *slabs, struct slab_class *class,
                   struct slab *slab, unsigned list, bool at_end)
{
    assert(slab->list == SLAB_UNLISTED);
    slab->list = (uint8_t)list;
    uint32_t *head = &class->lists[list];
    if (list == SLAB_STUCK)
        atomic_fetch_add_explicit(&slabs->stuck, 1, memory_order_relaxed);
    if (*head == SLAB_NONE) {
        slab->next = slab->prev = slab->number;
        *head = slab->number;
        return;
    }
    struct slab *first = slab_at(slabs, *head);
    struct slab *last = slab_at(slabs, first->prev);
    slab->next = first->number;
    slab->prev = last->number;
    last->next = first->prev = slab->number;
    if (!at_end)
        *head = slab->number;
}

void slab_list_drop(struct slabs *slabs, struct slab_class *class,
                    struct slab *slab)
{
    if (slab->list == SLAB_UNLISTED)
        return;
    uint32_t *head = &class->lists[slab->list];
    if (slab->list == SLAB_STUCK)
        atomic_fetch_sub_explicit(&slabs->stuck, 1, memory_order_relaxed);
    if (slab->next == slab->number) {
        *head = SLAB_NONE;
    } else {
        slab_at(slabs, slab->prev)->next = slab->next;
        slab_at(slabs, slab->next)->prev = slab->prev;
        if (*head == slab->number)
            *head = slab->next;
    }
    slab->list = SLAB_UNLISTED;
}

unsigned slab_list_of(const struct slabs *slabs, const struct slab_class *class,
                      const struct slab *slab)
{
    unsigned count = class_size(slabs, class)->count;
    return slab->used == count ? (unsigned)SLAB_UNLISTED
                               : slab->used * SLAB_LISTS / count;
}

void slab_list_update(struct slabs *slabs, struct slab_class *class,
                      struct slab *slab)
{
    unsigned list = slab_list_of(slabs, class, slab);
    if (slab->list == SLAB_STUCK && list != SLAB_UNLISTED)
        return;
    if (list == slab->list)
        return;
    slab_list_drop(slabs, class, slab);
    if (list != SLAB_UNLISTED)
        slab_list_add(slabs, class, slab, list, false);
}

/* Some slab may be emptied. */
static bool some_listed(const struct slab_class *class)
{
    for (int list = 0; list < SLAB_LISTS; list++)
        if (class->lists[list] != SLAB_NONE)
            return true;
    return false;
}

void class_update_spare(struct slabs *slabs, struct slab_class *class)
{
    bool spare = class->free_cells >= class_size(slabs, class)->count &&
                 some_listed(class);
    if (spare == class->spare)
        return;
    __atomic_store_n(&class->spare, spare, __ATOMIC_RELAXED);
    if (spare)
        atomic_fetch_add_explicit(&slabs->spare_classes, 1,
                                  memory_order_relaxed);
    else
        atomic_fetch_sub_explicit(&slabs->spare_classes, 1,
                                  memory_order_relaxed);
}
