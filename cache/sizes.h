/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIZES_H
#define SIZES_H

/*
 * The size classes of cells.  Cells for entries go in steps of 8 bytes up to
 * 256, then in steps of about 1/32, each as large as its number a slab allows;
 * from about 1 KiB on every number a slab has a class.
 * Behind them come the classes of pieces of long values and of segments of the
 * index, which are cells like any other.
 *
 *   class   0 .. entries-1     entries, 16 to 8184 bytes
 *           entries + 0, 1, 2  pieces: 15, 8 and 1 a slab
 *           entries + 3        index segments: 15 of 4096 bytes a slab
 */

#include <stddef.h>
#include <stdint.h>

enum {
    SIZES_SLAB = 65536,
    SIZES_CELL_MIN = 16,
    SIZES_CELL_MAX = 8184, /* largest cell of an entry */
    SIZES_SEGMENT = 4096,
    SIZES_MAX = 192, /* more than there are classes */
};

struct size_class {
    uint32_t cell;    /* bytes */
    uint32_t first;   /* offset of the first cell in its slab */
    uint32_t inverse; /* ceil(2^32 / cell): turns offsets into numbers */
    uint16_t count;   /* cells a slab */
    uint16_t words;   /* of one bitmap */
};

struct sizes {
    unsigned count, entries; /* all classes; those of entries */
    struct size_class classes[SIZES_MAX];
    uint8_t by_size[SIZES_CELL_MAX / 8 + 1]; /* smallest class that holds */
};

void sizes_init(struct sizes *sizes);

enum size_piece { PIECE_SMALL, PIECE_MEDIUM, PIECE_FULL };

static inline unsigned sizes_of_piece(const struct sizes *s, enum size_piece p)
{
    return s->entries + (unsigned)p;
}

static inline unsigned sizes_of_segment(const struct sizes *sizes)
{
    return sizes->entries + 3;
}

/* The class for an entry of that many bytes, at most SIZES_CELL_MAX. */
static inline unsigned sizes_of_entry(const struct sizes *sizes, size_t size)
{
    return sizes->by_size[(size + 7) / 8];
}

#endif
