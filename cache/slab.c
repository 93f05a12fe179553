/* SPDX-License-Identifier: BSD-3-Clause */
/* Cells: taking them from the fullest slab, freeing, emptying a slab. */

#include <assert.h>
#include <string.h>

#include "poison.h"
#include "pool.h"
#include "slab.h"
#include "slab_bits.h"

enum {
    LEAVE_LOOKS = 8,   /* slabs looked at to find an empty one */
    UNSTICK_SOME = 64, /* slabs of a class at a time */
};

static const struct size_class *sizes_at(const struct slabs *slabs,
                                         const struct slab_class *class)
{
    return &slabs->sizes.classes[class - slabs->classes];
}

/* ------------------------------------------------ lists, circular by prev */

static void list_add(struct slabs *slabs, struct slab_class *class,
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

static void list_drop(struct slabs *slabs, struct slab_class *class,
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

/* The list for a slab as full as this one. */
static unsigned list_of(const struct slabs *slabs,
                        const struct slab_class *class, const struct slab *slab)
{
    unsigned count = sizes_at(slabs, class)->count;
    return slab->used == count ? (unsigned)SLAB_UNLISTED
                               : slab->used * SLAB_LISTS / count;
}

/* After `used` changed: into the list it belongs to now. */
static void list_update(struct slabs *slabs, struct slab_class *class,
                        struct slab *slab)
{
    unsigned list = list_of(slabs, class, slab);
    if (slab->list == SLAB_STUCK && list != SLAB_UNLISTED)
        return;
    if (list == slab->list)
        return;
    list_drop(slabs, class, slab);
    if (list != SLAB_UNLISTED)
        list_add(slabs, class, slab, list, false);
}

/* Counters are written with the class locked and read by anybody. */
static void add(uint64_t *counter, int64_t n)
{
    __atomic_store_n(counter, *counter + (uint64_t)n, __ATOMIC_RELAXED);
}

/* Some slab may be emptied. */
static bool some_listed(const struct slab_class *class)
{
    for (int list = 0; list < SLAB_LISTS; list++)
        if (class->lists[list] != SLAB_NONE)
            return true;
    return false;
}

static void update_spare(struct slabs *slabs, struct slab_class *class)
{
    bool spare = class->free_cells >= sizes_at(slabs, class)->count &&
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

/* ------------------------------------------------------------------ cells */

static struct slab *slab_begin(struct slabs *slabs, struct slab_class *class)
{
    unsigned number = (unsigned)(class - slabs->classes);
    struct slab *slab = slab_take(slabs, number);
    if (!slab)
        return NULL;
    const struct size_class *size = sizes_at(slabs, class);
    uint32_t own = slab->number;
    memset(slab, 0, sizeof *slab + SLAB_BITMAPS * 8 * (size_t)size->words);
    slab->number = own;
    slab->class = (uint16_t)number;
    slab->list = SLAB_UNLISTED;
    atomic_init(&slab->due_ms, INT64_MAX);
    atomic_store_explicit(&slabs->longs[own], 0, memory_order_relaxed);
    poison((char *)slab + size->first, SIZES_SLAB - size->first);
    add(&class->slabs, 1);
    add(&class->free_cells, size->count);
    list_add(slabs, class, slab, 0, false);
    return slab;
}

static void slab_end(struct slabs *slabs, struct slab_class *class,
                     struct slab *slab)
{
    list_drop(slabs, class, slab);
    add(&class->slabs, -1);
    unpoison(slab, SIZES_SLAB);
    slab_give(slabs, slab);
}

/* The first free bit; there is one. */
static unsigned find_free(struct slab *slab)
{
    unsigned word = slab->hint;
    while (slab->bits[word] == UINT64_MAX)
        word++;
    slab->hint = (uint16_t)word;
    return word * 64 + (unsigned)__builtin_ctzll(~slab->bits[word]);
}

static struct slab *fullest(struct slabs *slabs, struct slab_class *class)
{
    for (int list = SLAB_STUCK; list >= 0; list--)
        if (class->lists[list] != SLAB_NONE)
            return slab_at(slabs, class->lists[list]);
    return slab_begin(slabs, class);
}

uint32_t cell_take(struct slabs *slabs, unsigned number)
{
    struct slab_class *class = &slabs->classes[number];
    uint32_t loc = 0;
    lock_take(&class->lock);
    struct slab *slab = fullest(slabs, class);
    if (slab) {
        unsigned cell = find_free(slab);
        assert(cell < slab_class_of(slabs, slab)->count);
        slab->bits[cell / 64] |= UINT64_C(1) << cell % 64;
        slab->used++;
        add(&class->taken_cells, 1);
        add(&class->free_cells, -1);
        list_update(slabs, class, slab);
        update_spare(slabs, class);
        loc = slab_cell_loc(slabs, slab, cell);
        unpoison(slabs_at(slabs, loc), slab_class_of(slabs, slab)->cell);
    }
    lock_drop(&class->lock);
    return loc;
}

void cell_free(struct slabs *slabs, uint32_t loc)
{
    struct slab *slab = slab_of(slabs, loc);
    struct slab_class *class = &slabs->classes[slab->class];
    lock_take(&class->lock);
    unsigned cell = slab_cell_number(slabs, slab, loc);
    uint64_t bit = UINT64_C(1) << cell % 64;
    assert(slab->bits[cell / 64] & bit);
    assert(!cell_is_live(slabs, slab, cell));
    slab->bits[cell / 64] &= ~bit;
    if (slab->hint > cell / 64)
        slab->hint = (uint16_t)(cell / 64);
    slab->used--;
    add(&class->taken_cells, -1);
    poison(slabs_at(slabs, loc), slab_class_of(slabs, slab)->cell);
    if (!slab->leaving) {
        add(&class->free_cells, 1);
        if (slab->used == 0) {
            add(&class->free_cells,
                -(int64_t)slab_class_of(slabs, slab)->count);
            slab_end(slabs, class, slab);
        } else {
            list_update(slabs, class, slab);
        }
        update_spare(slabs, class);
    }
    lock_drop(&class->lock);
}

/* ------------------------------------------------------------------ marks */

void slab_keep_marked(struct slabs *slabs, struct slab *slab)
{
    struct slab_class *class = &slabs->classes[slab->class];
    const struct size_class *size = sizes_at(slabs, class);
    unsigned freed = 0;
    for (unsigned i = 0; i < size->words; i++) {
        _Atomic uint64_t *live = slab_word(slabs, slab, BITS_LIVE, i * 64);
        /* A mark is set before its cell becomes live: in this order a live
         * cell without a mark is one that was cut. */
        uint64_t dead = atomic_load_explicit(live, memory_order_acquire);
        dead &= ~marks_word(slabs, slab, i);
        if (dead == 0)
            continue;
        atomic_fetch_and_explicit(live, ~dead, memory_order_relaxed);
        slab->bits[i] &= ~dead;
        freed += (unsigned)__builtin_popcountll(dead);
        if (slab->hint > i)
            slab->hint = (uint16_t)i;
#ifdef POISON_ON
        for (; dead != 0; dead &= dead - 1)
            poison(slabs_at(
                       slabs,
                       slab_cell_loc(slabs, slab,
                                     i * 64 + (unsigned)__builtin_ctzll(dead))),
                   size->cell);
#endif
    }
    assert(!slab->leaving);
    slab->used -= freed;
    add(&class->taken_cells, -(int64_t)freed);
    add(&class->free_cells, freed);
    if (freed > 0 && slab->used == 0) {
        add(&class->free_cells, -(int64_t)size->count);
        slab_end(slabs, class, slab);
    } else if (freed > 0) {
        list_update(slabs, class, slab);
    }
    update_spare(slabs, class);
    lock_drop(&class->lock);
}

/* ---------------------------------------------------------------- locking */

struct slab *slab_lock(struct slabs *slabs, uint32_t number)
{
    unsigned state =
        atomic_load_explicit(&slabs->states[number], memory_order_acquire);
    if (state < SLAB_USED)
        return NULL;
    struct slab_class *class = &slabs->classes[state - SLAB_USED];
    lock_take_politely(&class->lock);
    if (atomic_load_explicit(&slabs->states[number], memory_order_acquire) ==
        state)
        return slab_at(slabs, number);
    lock_drop(&class->lock);
    return NULL;
}

void slab_unlock(struct slabs *slabs, struct slab *slab)
{
    lock_drop(&slabs->classes[slab->class].lock);
}

/* --------------------------------------------------------------- emptying */

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

uint64_t slabs_needed(const struct slabs *slabs)
{
    uint64_t needed = 0;
    for (unsigned i = 0; i < slabs->sizes.count; i++) {
        uint64_t taken =
            __atomic_load_n(&slabs->classes[i].taken_cells, __ATOMIC_RELAXED);
        unsigned count = slabs->sizes.classes[i].count;
        needed += (taken + count - 1) / count;
    }
    return needed;
}

struct slab *slab_leave(struct slabs *slabs, unsigned number)
{
    struct slab_class *class = &slabs->classes[number];
    lock_take(&class->lock);
    struct slab *slab = class->spare ? emptiest(slabs, class) : NULL;
    if (slab) {
        list_drop(slabs, class, slab);
        slab->leaving = true;
        add(&class->free_cells,
            slab->used - (int64_t)slab_class_of(slabs, slab)->count);
        update_spare(slabs, class);
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
        add(&class->free_cells, (int64_t)count - slab->used);
        if (slab->used < count)
            list_add(slabs, class, slab,
                     stuck ? (unsigned)SLAB_STUCK : list_of(slabs, class, slab),
                     true);
        update_spare(slabs, class);
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
            list_drop(slabs, class, slab);
            list_add(slabs, class, slab, list_of(slabs, class, slab), true);
        }
        update_spare(slabs, class);
        lock_drop(&class->lock);
    }
}
