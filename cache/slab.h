/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SLAB_H
#define SLAB_H

/*
 * Slabs: 64 KiB of cells of one size, and the pool they come from.
 *
 *   slab  | header | taken bits | live bits | [owners] | cells ... |
 *
 * A cell is *taken* from cell_take to cell_free, and *live* while an index
 * refers to it; a cell that is taken and not live is being filled or is held
 * by one thread alone, and nobody else may look into it.  A cell that is taken
 * is not reused while its class is locked.
 *
 * Slabs with free cells hang in four lists by how full they are: cells are
 * taken from the fullest, and the emptiest are the ones worth emptying.  Those
 * that could not be emptied, because somebody uses a cell of theirs where it
 * lies, are stuck: they are in a list of their own, filled before all others,
 * and left alone for a while.
 *
 * The pool knows every slab:
 *
 *      hole --populate--> stock --slab_take--> in use
 *        ^------purge-------'^----last cell freed---'
 *
 * Holes are not resident, the other two are.  Under locks slabs come from the
 * stock only, so that no system call is made under a lock (but for those that
 * begin and end a chunk).
 *
 * Locks, in this order: shard, class, pool.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "huge.h"
#include "lock.h"
#include "marks.h"
#include "sizes.h"

enum {
    SLAB_NONE = 0xffffffff, /* no slab number */
    SLAB_LISTS = 4,         /* by how full they are */
    SLAB_STUCK = 4,         /* the list of the stuck ones */
    SLAB_UNLISTED = 5,
    SLAB_CHUNK = 1024, /* slabs a chunk */
    SLAB_BITMAPS = 2,
};

struct slab {
    uint32_t next, prev; /* in its list, or in the stock */
    uint32_t number;
    uint16_t class, used;   /* used: cells taken */
    uint8_t list;           /* SLAB_UNLISTED: in none */
    bool leaving;           /* being emptied: nothing is taken from it */
    uint16_t hint;          /* no word before this has a free bit */
    _Atomic int64_t due_ms; /* no entry in it expires before */
    uint64_t bits[];        /* taken, live */
};

struct slab_class {
    struct lock lock;
    uint32_t lists[SLAB_UNLISTED]; /* heads; 3: the fullest */
    bool spare;                    /* counted in slabs.spare_classes */
    uint64_t free_cells;           /* in slabs that are not leaving */
    uint64_t taken_cells;
    uint64_t needed_cells; /* of the slabs counted in slabs.needed */
    uint64_t slabs;
} __attribute__((aligned(64)));

/* The state of a slab; in use: SLAB_USED plus its class, set with the class
 * locked, so that whoever read it and locks that class can see it again. */
enum slab_state { SLAB_UNKNOWN, SLAB_HOLE, SLAB_STOCK, SLAB_USED };

struct slabs {
    char *base; /* of the region: a location is an offset from here */
    struct sizes sizes;
    struct slab_class classes[SIZES_MAX];
    /* Classes with a slab's worth of free cells: emptying one pays. */
    atomic_uint spare_classes;
    atomic_uint stuck;       /* slabs */
    atomic_uint active;      /* classes with slabs */
    _Atomic uint32_t needed; /* slabs, if every class were packed densely */

    struct lock pool_lock;
    struct pages *pages;
    struct chunk *chunks[1024];
    unsigned chunk_count, hole_hint; /* no chunk before the hint has a hole */
    _Atomic uint8_t *states, *longs; /* by slab number */
    uint32_t slab_count;             /* all slab numbers are below */
    _Atomic uint32_t known;          /* as those that have ever been used */
    uint32_t stock_head;
    _Atomic uint32_t stock, resident, limit; /* slabs; resident: with stock */
    atomic_bool
        low; /* the stock came down to HUGE_LOW while there may be more */
    _Atomic uint64_t returned;
    struct huge huge;
    struct marks marks;
};

bool slabs_init(struct slabs *slabs, size_t address_bytes);
void slabs_release(struct slabs *slabs);

/* Of the tables of states and the like, touched as far as slabs are known. */
static inline size_t slabs_table_bytes(const struct slabs *slabs)
{
    return (size_t)2 * slabs->slab_count + slabs->slab_count / HUGE_GROUP + 1;
}

/* No slab is in use from this number on. */
static inline uint32_t slabs_end(const struct slabs *slabs)
{
    return atomic_load_explicit(&slabs->known, memory_order_acquire);
}

/* ------------------------------------------------------------- locations */

/* A location is an address in units of 8 bytes from the region's base. */
static inline void *slabs_at(const struct slabs *slabs, uint32_t loc)
{
    return slabs->base + (size_t)loc * 8;
}

static inline struct slab *slab_at(const struct slabs *slabs, uint32_t number)
{
    return (struct slab *)(void *)(slabs->base + (size_t)number * SIZES_SLAB);
}

static inline struct slab *slab_of(const struct slabs *slabs, uint32_t loc)
{
    return slab_at(slabs, loc >> 13);
}

static inline const struct size_class *slab_class_of(const struct slabs *slabs,
                                                     const struct slab *slab)
{
    return &slabs->sizes.classes[slab->class];
}

static inline uint32_t slab_cell_loc(const struct slabs *slabs,
                                     const struct slab *slab, unsigned cell)
{
    const struct size_class *class = slab_class_of(slabs, slab);
    return slab->number * (SIZES_SLAB / 8) +
           (class->first + cell * class->cell) / 8;
}

static inline unsigned slab_cell_number(const struct slabs *slabs,
                                        const struct slab *slab, uint32_t loc)
{
    const struct size_class *class = slab_class_of(slabs, slab);
    uint32_t offset = (loc & 8191) * 8 - class->first;
    return (unsigned)((uint64_t)offset * class->inverse >> 32);
}

/* ----------------------------------------------------------------- cells */

/* Takes a cell; 0: none is free and the stock has no slab. */
uint32_t cell_take(struct slabs *slabs, unsigned class);
/* The same, of slabs in use only, and of a larger class if that suits. */
uint32_t cell_take_in_use(struct slabs *slabs, unsigned class);
/* Asks for what freeing a taken cell, and filling it again, will touch. */
void cell_prefetch(const struct slabs *slabs, uint32_t loc);
/* Its live bit must be clear. */
void cell_free(struct slabs *slabs, uint32_t loc);

/* The live bit: set when an index refers to it, with the shard locked. */
void cell_set_live(struct slabs *slabs, uint32_t loc);
void cell_clear_live(struct slabs *slabs, uint32_t loc);
bool cell_is_live(const struct slabs *slabs, const struct slab *slab,
                  unsigned cell);

/* The class of a cell's slab, from the dense array of states. */
static inline unsigned cell_class(const struct slabs *slabs, uint32_t loc)
{
    return atomic_load_explicit(&slabs->states[loc >> 13],
                                memory_order_relaxed) -
           SLAB_USED;
}

/* Some entry in the slab of that cell has, or had, pieces. */
static inline void cell_set_long(struct slabs *slabs, uint32_t loc)
{
    atomic_store_explicit(&slabs->longs[loc >> 13], 1, memory_order_relaxed);
}
static inline bool cell_maybe_long(const struct slabs *slabs, uint32_t loc)
{
    return atomic_load_explicit(&slabs->longs[loc >> 13], memory_order_relaxed);
}

static inline uint32_t cell_size(const struct slabs *slabs, uint32_t loc)
{
    return slab_class_of(slabs, slab_of(slabs, loc))->cell;
}

/* The owners of a slab of index segments, one word a cell. */
static inline uint32_t *slab_owners(struct slab *slab)
{
    return (uint32_t *)(void *)((char *)slab + 128);
}

/* For the segment in a cell of it: a number for each of its 64 buckets. */
static inline uint32_t *slab_homes(struct slab *slab, unsigned cell)
{
    return (uint32_t *)(void *)((char *)slab + 192) + cell * 64;
}

/* Lowers the time before which nothing in the slab expires. */
void slab_note_expiry(struct slab *slab, int64_t expires_at_ms);

/* Locks the class of a slab in use and returns it; NULL: it is not in use.
 * slab_unlock ends that. */
struct slab *slab_lock(struct slabs *slabs, uint32_t number);
void slab_unlock(struct slabs *slabs, struct slab *slab);

/* ----------------------------------------------------------------- marks */

/* Frees every live cell without a mark; its class is locked.  The slab may be
 * gone afterwards, so the lock is dropped here. */
void slab_keep_marked(struct slabs *slabs, struct slab *slab);

/* True while more is resident than the limit allows. */
static inline bool slabs_exceed(const struct slabs *slabs)
{
    return atomic_load_explicit(&slabs->resident, memory_order_relaxed) >
           atomic_load_explicit(&slabs->limit, memory_order_relaxed);
}

/* True if no slab more may become resident. */
static inline bool slabs_full(const struct slabs *slabs)
{
    return atomic_load_explicit(&slabs->resident, memory_order_relaxed) >=
           atomic_load_explicit(&slabs->limit, memory_order_relaxed);
}

/* Slabs that would do if every class were packed densely. */
static inline uint32_t slabs_needed(const struct slabs *slabs)
{
    return atomic_load_explicit(&slabs->needed, memory_order_relaxed);
}

/* -------------------------------------------------------------- emptying */

/*
 * Picks the emptiest slab of a class and takes nothing from it any more;
 * NULL: the others have no room for what it holds.  sparse: whether they have
 * or not, but only a slab that is less than half full.  slab_return hands it
 * back; true if it was empty and is free.
 */
struct slab *slab_leave(struct slabs *slabs, unsigned class, bool sparse);
/* stuck: all of its cells were tried. */
bool slab_return(struct slabs *slabs, struct slab *slab, bool stuck);

/* True if some slab is not stuck and the others of the class have room for all
 * that it holds. */
bool slab_class_spare(const struct slabs *slabs, unsigned class);

/* True if an entry of class `small` may lie in a cell of class `large`. */
bool slabs_suits(const struct slabs *slabs, unsigned small, unsigned large);
/* True if some larger class would. */
static inline bool slabs_crowded(const struct slabs *slabs)
{
    return slabs_suits(slabs, 0, 1);
}

/* True if the slab of a cell is stuck. */
bool slab_is_stuck(struct slabs *slabs, uint32_t loc);
/* Some slabs of each class are worth a try again. */
void slabs_unstick(struct slabs *slabs);

/* ------------------------------------------------------------------ pool */

/* Outside all locks: makes up to `want` holes resident, within the limit;
 * returns how many. */
unsigned slabs_populate(struct slabs *slabs, unsigned want);
/* Likewise a whole group, as a huge page if the system has one.  It may take
 * milliseconds, in which others wait who do the same: so only one thread does.
 * False: that is not wanted, or none may be. */
bool slabs_populate_group(struct slabs *slabs);
/* Outside all locks: purges up to `want` slabs of the stock; returns how many,
 * fewer also if another thread is at it. */
unsigned slabs_purge(struct slabs *slabs, unsigned want);

#endif
