/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SLAB_BITS_H
#define SLAB_BITS_H

/*
 * Where the bits of a slab's cells are, for the files slab*.c.  The taken bits
 * are read and written with the class locked; the others by anybody.
 */

#include "slab.h"

enum { BITS_LIVE = 1 };

static inline _Atomic uint64_t *slab_word(const struct slabs *slabs,
                                          const struct slab *slab,
                                          unsigned bitmap, unsigned cell)
{
    size_t words = slab_class_of(slabs, slab)->words;
    const uint64_t *word = slab->bits + bitmap * words + cell / 64;
    return (_Atomic uint64_t *)(uintptr_t)word;
}

#endif
