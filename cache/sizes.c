/* SPDX-License-Identifier: BSD-3-Clause */
/* Computes the table of size classes. */

#include <assert.h>

#include "sizes.h"
#include "slab.h"

static struct size_class *add(struct sizes *sizes, uint32_t cell,
                              uint32_t first, uint32_t count, uint32_t words)
{
    assert(sizes->count < SIZES_MAX);
    struct size_class *class = &sizes->classes[sizes->count++];
    *class = (struct size_class){
        .cell = cell,
        .first = first,
        .inverse = (uint32_t)((UINT64_C(1) << 32) / cell + 1),
        .count = (uint16_t)count,
        .words = (uint16_t)words,
    };
    return class;
}

/* As many cells of at least that size as fit behind header and bitmaps. */
static uint32_t cells_of(uint32_t cell, uint32_t *words, uint32_t *first)
{
    uint32_t count = SIZES_SLAB / cell;
    for (;; count--) {
        *words = (count + 63) / 64;
        *first = (uint32_t)sizeof(struct slab) + SLAB_BITMAPS * 8 * *words;
        if (*first + count * cell <= SIZES_SLAB)
            return count;
    }
}

/* From this size on every number of cells a slab has a class. */
enum { SIZES_EVERY = 960 };

static uint32_t next_size(uint32_t cell)
{
    if (cell < 256)
        return cell + 8;
    uint32_t words, first, fewer = cells_of(cell, &words, &first) - 1;
    uint32_t step = cells_of(cell + cell / 32, &words, &first);
    if (cell < SIZES_EVERY && step < fewer)
        fewer = step;
    /* As large as that number of cells allows. */
    words = (fewer + 63) / 64;
    first = (uint32_t)sizeof(struct slab) + SLAB_BITMAPS * 8 * words;
    return (SIZES_SLAB - first) / fewer & ~7u;
}

void sizes_init(struct sizes *sizes)
{
    *sizes = (struct sizes){0};
    uint32_t words, first, count;
    for (uint32_t cell = SIZES_CELL_MIN; cell <= SIZES_CELL_MAX;
         cell = next_size(cell)) {
        count = cells_of(cell, &words, &first);
        add(sizes, cell, first, count, words);
    }
    sizes->entries = sizes->count;
    assert(sizes->classes[sizes->entries - 1].cell == SIZES_CELL_MAX);

    static const uint32_t pieces[] = {15, 8, 1};
    for (unsigned i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        first = (uint32_t)sizeof(struct slab) + SLAB_BITMAPS * 8;
        uint32_t cell = (SIZES_SLAB - first) / pieces[i] & ~7u;
        add(sizes, cell, first, pieces[i], 1);
    }
    add(sizes, SIZES_SEGMENT, SIZES_SEGMENT, 15, 1);

    unsigned class = 0;
    for (uint32_t size = 0; size <= SIZES_CELL_MAX; size += 8) {
        if (size > sizes->classes[class].cell)
            class ++;
        sizes->by_size[size / 8] = (uint8_t) class;
    }
}
