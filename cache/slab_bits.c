/* SPDX-License-Identifier: BSD-3-Clause */
/* The live bits of cells; when a slab's first entry is due. */

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

void cell_prefetch(const struct slabs *slabs, uint32_t loc)
{
    enum { LINE = 64, LINES = 4 }; /* more follow by themselves */
    const struct slab *slab = slab_of(slabs, loc);
    const struct size_class *size =
        &slabs->sizes.classes[cell_class(slabs, loc)];
    uint32_t offset = (loc & 8191) * 8 - size->first;
    unsigned word = (unsigned)((uint64_t)offset * size->inverse >> 32) / 64;
    const char *cell = slabs_at(slabs, loc);
    __builtin_prefetch(slab);
    __builtin_prefetch(slab->bits + word);
    __builtin_prefetch(slab->bits + BITS_LIVE * size->words + word);
    for (uint32_t at = LINE; at < size->cell && at < LINES * LINE; at += LINE)
        __builtin_prefetch(cell + at);
}

void slab_note_expiry(struct slab *slab, int64_t expires_at_ms)
{
    int64_t due = atomic_load_explicit(&slab->due_ms, memory_order_relaxed);
    while (expires_at_ms < due &&
           !atomic_compare_exchange_weak(&slab->due_ms, &due, expires_at_ms))
        ;
}
