/* SPDX-License-Identifier: BSD-3-Clause */
/* The live bits and the marks of cells; when a slab's first entry is due. */

#include "slab_bits.h"

static void set_bit(struct slabs *slabs, uint32_t loc, unsigned bitmap)
{
    struct slab *slab = slab_of(slabs, loc);
    unsigned cell = slab_cell_number(slabs, slab, loc);
    atomic_fetch_or_explicit(slab_word(slabs, slab, bitmap, cell),
                             UINT64_C(1) << cell % 64, memory_order_release);
}

static void clear_bit(struct slabs *slabs, uint32_t loc, unsigned bitmap)
{
    struct slab *slab = slab_of(slabs, loc);
    unsigned cell = slab_cell_number(slabs, slab, loc);
    atomic_fetch_and_explicit(slab_word(slabs, slab, bitmap, cell),
                              ~(UINT64_C(1) << cell % 64),
                              memory_order_release);
}

static bool get_bit(const struct slabs *slabs, const struct slab *slab,
                    unsigned bitmap, unsigned cell)
{
    return atomic_load_explicit(slab_word(slabs, slab, bitmap, cell),
                                memory_order_acquire) >>
               cell % 64 &
           1;
}

void cell_set_live(struct slabs *slabs, uint32_t loc)
{
    set_bit(slabs, loc, BITS_LIVE);
}

void cell_clear_live(struct slabs *slabs, uint32_t loc)
{
    clear_bit(slabs, loc, BITS_LIVE);
}

bool cell_is_live(const struct slabs *slabs, const struct slab *slab,
                  unsigned cell)
{
    return get_bit(slabs, slab, BITS_LIVE, cell);
}

void cell_set_mark(struct slabs *slabs, uint32_t loc)
{
    set_bit(slabs, loc, BITS_MARKS);
}

void cell_clear_mark(struct slabs *slabs, uint32_t loc)
{
    clear_bit(slabs, loc, BITS_MARKS);
}

/*
 * The word with the mark of a cell, and which bit it is.  The class comes from
 * the dense array of states: the slab's header may be far, and this is asked
 * for every slot of an index.
 */
static const uint64_t *mark_of(const struct slabs *slabs, uint32_t loc,
                               unsigned *bit)
{
    uint32_t number = loc >> 13;
    unsigned state =
        atomic_load_explicit(&slabs->states[number], memory_order_relaxed);
    const struct size_class *size = &slabs->sizes.classes[state - SLAB_USED];
    uint32_t offset = (loc & 8191) * 8 - size->first;
    unsigned cell = (unsigned)((uint64_t)offset * size->inverse >> 32);
    *bit = cell % 64;
    return slab_at(slabs, number)->bits + BITS_MARKS * size->words + cell / 64;
}

bool cell_is_marked(const struct slabs *slabs, uint32_t loc)
{
    unsigned bit;
    const uint64_t *word = mark_of(slabs, loc, &bit);
    return __atomic_load_n(word, __ATOMIC_ACQUIRE) >> bit & 1;
}

void cell_prefetch_mark(const struct slabs *slabs, uint32_t loc)
{
    unsigned bit;
    __builtin_prefetch(mark_of(slabs, loc, &bit));
}

void slab_note_expiry(struct slab *slab, int64_t expires_at_ms)
{
    int64_t due = atomic_load_explicit(&slab->due_ms, memory_order_relaxed);
    while (expires_at_ms < due &&
           !atomic_compare_exchange_weak(&slab->due_ms, &due, expires_at_ms))
        ;
}

void slab_clear_marks(struct slabs *slabs, struct slab *slab)
{
    for (unsigned i = 0; i < slab_class_of(slabs, slab)->words; i++)
        atomic_store_explicit(slab_word(slabs, slab, BITS_MARKS, i * 64), 0,
                              memory_order_relaxed);
}
