/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MARKS_H
#define MARKS_H

/*
 * The marks of a cut (cut.h): a bit for each cell of an entry.  A cut asks for
 * the mark of every slot of the index, in random order, so they lie dense, not
 * with the cells:
 *
 *   at      slab number -> its first word; 0: none yet
 *   has     slab number -> how many
 *   words   | - | slab 7's | slab 2's | slab 9's | ...
 *
 * A slab gets its words when marking begins or, later, when it is taken from
 * the stock; one that is taken again uses its own again.  All of it is there
 * during a cut only.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slab;
struct slabs;

struct marks {
    _Atomic uint32_t *at;
    uint8_t *has; /* with the pool locked */
    _Atomic uint64_t *words;
    size_t bytes;    /* of words, in address space */
    size_t expected; /* bytes that will be resident, of both */
    /* With the pool locked: */
    bool active;
    uint32_t used; /* words */
    /* Of those who mark alone: */
    size_t released; /* bytes of words given back so far */
};

/* Bytes that marking the cells of all slabs may take; that are taken now. */
size_t marks_wanted(const struct slabs *slabs);
size_t marks_resident(const struct slabs *slabs);

/* Slabs fewer that may be resident for it. */
uint32_t marks_slabs(const struct slabs *slabs);

/* From here on slabs get words when they are taken; false: the system grants no
 * addresses. */
bool marks_begin(struct slabs *slabs);
/* Those of these numbers that are in use now get theirs. */
void marks_give(struct slabs *slabs, uint32_t first, uint32_t end);
/* For pool.c, with the pool locked: a slab of that class is taken; false: there
 * are no words for it. */
bool marks_taken(struct slabs *slabs, uint32_t number, unsigned class);
/* Nobody asks for marks any more: gives a part of their memory back; false:
 * that was all. */
bool marks_end(struct slabs *slabs);
/* All of it. */
void marks_release(struct slabs *slabs);

/* The mark of a cell; set with the shard of its entry locked. */
void cell_set_mark(struct slabs *slabs, uint32_t loc);
void cell_clear_mark(struct slabs *slabs, uint32_t loc);
bool cell_is_marked(const struct slabs *slabs, uint32_t loc);
void cell_prefetch_mark(const struct slabs *slabs, uint32_t loc);

/* The marks of 64 cells of a slab in use. */
uint64_t marks_word(const struct slabs *slabs, const struct slab *slab,
                    unsigned word);

#endif
