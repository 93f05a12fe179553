/* SPDX-License-Identifier: BSD-3-Clause */
/* Cells: taking them from the fullest slab, freeing them. */

#include <assert.h>
#include <string.h>

#include "poison.h"
#include "pool.h"
#include "slab_bits.h"
#include "slab_lists.h"

static struct slab *slab_begin(struct slabs *slabs, struct slab_class *class)
{
    unsigned number = (unsigned)(class - slabs->classes);
    struct slab *slab = slab_take(slabs, number);
    if (!slab)
        return NULL;
    const struct size_class *size = class_size(slabs, class);
    uint32_t own = slab->number;
    memset(slab, 0, sizeof *slab + SLAB_BITMAPS * 8 * (size_t)size->words);
    slab->number = own;
    slab->class = (uint16_t)number;
    slab->list = SLAB_UNLISTED;
    atomic_init(&slab->due_ms, INT64_MAX);
    atomic_store_explicit(&slabs->longs[own], 0, memory_order_relaxed);
    poison((char *)slab + size->first, SIZES_SLAB - size->first);
    if (class->slabs == 0)
        atomic_fetch_add_explicit(&slabs->active, 1, memory_order_relaxed);
    class_count(&class->slabs, 1);
    class_count(&class->free_cells, size->count);
    slab_list_add(slabs, class, slab, 0, false);
    return slab;
}

void slab_end(struct slabs *slabs, struct slab_class *class, struct slab *slab)
{
    slab_list_drop(slabs, class, slab);
    class_count(&class->slabs, -1);
    if (class->slabs == 0)
        atomic_fetch_sub_explicit(&slabs->active, 1, memory_order_relaxed);
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
    return NULL;
}

/* A free cell of a slab; there is one. */
static uint32_t take_from(struct slabs *slabs, struct slab_class *class,
                          struct slab *slab)
{
    unsigned cell = find_free(slab);
    assert(cell < slab_class_of(slabs, slab)->count);
    slab->bits[cell / 64] |= UINT64_C(1) << cell % 64;
    slab->used++;
    class_took(slabs, class, 1);
    class_count(&class->free_cells, -1);
    slab_list_update(slabs, class, slab);
    class_update_spare(slabs, class);
    uint32_t loc = slab_cell_loc(slabs, slab, cell);
    unpoison(slabs_at(slabs, loc), slab_class_of(slabs, slab)->cell);
    return loc;
}

/* With many classes and few slabs, the free cells of them all would be much. */
bool slabs_suits(const struct slabs *slabs, unsigned small, unsigned large)
{
    static const struct {
        unsigned slabs, eighths; /* fewer slabs a class; as much larger */
    } rules[] = {{4, 8}, {8, 4}, {16, 2}, {32, 1}};
    if (large <= small || large >= slabs->sizes.entries)
        return large == small;
    unsigned active =
        atomic_load_explicit(&slabs->active, memory_order_relaxed);
    uint32_t limit = atomic_load_explicit(&slabs->limit, memory_order_relaxed);
    uint32_t cell = slabs->sizes.classes[small].cell;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (limit < rules[i].slabs * active)
            return slabs->sizes.classes[large].cell <=
                   cell + cell * rules[i].eighths / 8;
    return false;
}

/* Of the slabs in use of one class; 0: they are full. */
static uint32_t take_in_use(struct slabs *slabs, unsigned number)
{
    struct slab_class *class = &slabs->classes[number];
    if (__atomic_load_n(&class->free_cells, __ATOMIC_RELAXED) == 0)
        return 0;
    lock_take(&class->lock);
    struct slab *slab = fullest(slabs, class);
    uint32_t loc = slab ? take_from(slabs, class, slab) : 0;
    lock_drop(&class->lock);
    return loc;
}

uint32_t cell_take_in_use(struct slabs *slabs, unsigned class)
{
    uint32_t loc = 0;
    for (unsigned i = class; loc == 0 && slabs_suits(slabs, class, i); i++)
        loc = take_in_use(slabs, i);
    return loc;
}

uint32_t cell_take(struct slabs *slabs, unsigned number)
{
    struct slab_class *class = &slabs->classes[number];
    lock_take(&class->lock);
    struct slab *slab = fullest(slabs, class);
    if (!slab)
        slab = slab_begin(slabs, class);
    uint32_t loc = slab ? take_from(slabs, class, slab) : 0;
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
    class_took(slabs, class, -1);
    poison(slabs_at(slabs, loc), slab_class_of(slabs, slab)->cell);
    if (!slab->leaving) {
        class_count(&class->free_cells, 1);
        if (slab->used == 0) {
            class_count(&class->free_cells,
                        -(int64_t)slab_class_of(slabs, slab)->count);
            slab_end(slabs, class, slab);
        } else {
            slab_list_update(slabs, class, slab);
        }
        class_update_spare(slabs, class);
    }
    lock_drop(&class->lock);
}

/* ------------------------------------------------------------------ marks */

void slab_keep_marked(struct slabs *slabs, struct slab *slab)
{
    struct slab_class *class = &slabs->classes[slab->class];
    const struct size_class *size = class_size(slabs, class);
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
    class_took(slabs, class, -(int64_t)freed);
    class_count(&class->free_cells, freed);
    if (freed > 0 && slab->used == 0) {
        class_count(&class->free_cells, -(int64_t)size->count);
        slab_end(slabs, class, slab);
    } else if (freed > 0) {
        slab_list_update(slabs, class, slab);
    }
    class_update_spare(slabs, class);
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
