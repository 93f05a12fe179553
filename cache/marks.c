/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the marks of cells are. */

#include <assert.h>
#include <sys/mman.h>

#include "marks.h"
#include "slab.h"

enum {
    WORDS_MOST = SIZES_SLAB / SIZES_CELL_MIN / 64, /* of a slab */
    RELEASE_BYTES = 1 << 20,                       /* in one go */
    RESERVE_MORE = 1024,                           /* slabs */
};

/* ----------------------------------------------------------------- memory */

static void *reserve(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static size_t tables_bytes(const struct slabs *slabs)
{
    return slabs->slab_count * (sizeof *slabs->marks.at + 1);
}

/* Read by whoever wants to know how much it is. */
static void set_used(struct marks *marks, uint32_t used)
{
    __atomic_store_n(&marks->used, used, __ATOMIC_RELAXED);
}

void marks_release(struct slabs *slabs)
{
    struct marks *marks = &slabs->marks;
    if (marks->at)
        munmap((void *)marks->at, tables_bytes(slabs));
    if (marks->words)
        munmap((char *)marks->words + marks->released,
               marks->bytes - marks->released);
    marks->at = NULL;
    marks->has = NULL;
    marks->words = NULL;
    marks->bytes = marks->released = 0;
    __atomic_store_n(&marks->expected, 0, __ATOMIC_RELAXED);
    set_used(marks, 0);
}

/* For the most words that slabs can need, twice: what is given first is dense,
 * and what is given a second time is as much as any class needs. */
static bool reserve_all(struct slabs *slabs)
{
    struct marks *marks = &slabs->marks;
    size_t most = atomic_load_explicit(&slabs->resident, memory_order_relaxed);
    size_t limit = atomic_load_explicit(&slabs->limit, memory_order_relaxed);
    most = (most > limit ? most : limit) + RESERVE_MORE;
    marks->bytes = 2 * most * WORDS_MOST * 8;
    marks->at = reserve(tables_bytes(slabs));
    marks->has = (uint8_t *)(marks->at + slabs->slab_count);
    marks->words = reserve(marks->bytes);
    if (marks->at && marks->words)
        return true;
    marks_release(slabs);
    return false;
}

static size_t bytes_of(const struct slabs *slabs, uint64_t words)
{
    return words * 8 + slabs_end(slabs) * (sizeof *slabs->marks.at + 1);
}

size_t marks_wanted(const struct slabs *slabs)
{
    uint64_t words = 0;
    for (unsigned i = 0; i < slabs->sizes.entries; i++)
        words += __atomic_load_n(&slabs->classes[i].slabs, __ATOMIC_RELAXED) *
                 slabs->sizes.classes[i].words;
    /* Some are taken while it goes on. */
    return bytes_of(slabs, words + words / 8);
}

size_t marks_resident(const struct slabs *slabs)
{
    const struct marks *marks = &slabs->marks;
    uint32_t used = __atomic_load_n(&marks->used, __ATOMIC_RELAXED);
    return used > 0 ? bytes_of(slabs, used) : 0;
}

uint32_t marks_slabs(const struct slabs *slabs)
{
    size_t expected = __atomic_load_n(&slabs->marks.expected, __ATOMIC_RELAXED);
    size_t now = marks_resident(slabs);
    size_t bytes = expected > now ? expected : now;
    return (uint32_t)((bytes + SIZES_SLAB - 1) / SIZES_SLAB);
}

/* ------------------------------------------------------------- their time */

/* False: there are no more words. */
static bool give(struct slabs *slabs, uint32_t number, unsigned class)
{
    struct marks *marks = &slabs->marks;
    if (class >= slabs->sizes.entries)
        return true;
    unsigned words = slabs->sizes.classes[class].words;
    uint32_t at =
        atomic_load_explicit(&marks->at[number], memory_order_relaxed);
    if (words <= marks->has[number]) {
        for (unsigned i = 0; i < words; i++)
            atomic_store_explicit(&marks->words[at + i], 0,
                                  memory_order_relaxed);
        return true;
    }
    if (at != 0)
        words = WORDS_MOST;
    if (((size_t)marks->used + words) * 8 > marks->bytes)
        return false;
    atomic_store_explicit(&marks->at[number], marks->used,
                          memory_order_relaxed);
    marks->has[number] = (uint8_t)words;
    set_used(marks, marks->used + words);
    return true;
}

bool marks_begin(struct slabs *slabs)
{
    if (!reserve_all(slabs))
        return false;
    lock_take(&slabs->pool_lock);
    slabs->marks.active = true;
    __atomic_store_n(&slabs->marks.expected, marks_wanted(slabs),
                     __ATOMIC_RELAXED);
    set_used(&slabs->marks, 1);
    lock_drop(&slabs->pool_lock);
    return true;
}

void marks_give(struct slabs *slabs, uint32_t first, uint32_t end)
{
    struct marks *marks = &slabs->marks;
    lock_take(&slabs->pool_lock);
    for (uint32_t number = first; number < end; number++) {
        unsigned state =
            atomic_load_explicit(&slabs->states[number], memory_order_relaxed);
        if (state >= SLAB_USED &&
            atomic_load_explicit(&marks->at[number], memory_order_relaxed) ==
                0) {
            bool given = give(slabs, number, state - SLAB_USED);
            assert(given); /* reserve_all saw them all */
            (void)given;
        }
    }
    lock_drop(&slabs->pool_lock);
}

bool marks_taken(struct slabs *slabs, uint32_t number, unsigned class)
{
    return !slabs->marks.active || give(slabs, number, class);
}

bool marks_end(struct slabs *slabs)
{
    struct marks *marks = &slabs->marks;
    lock_take(&slabs->pool_lock);
    marks->active = false;
    lock_drop(&slabs->pool_lock);
    if (marks->released < (size_t)marks->used * 8 &&
        marks->bytes - marks->released > RELEASE_BYTES) {
        munmap((char *)marks->words + marks->released, RELEASE_BYTES);
        marks->released += RELEASE_BYTES;
        return true;
    }
    marks_release(slabs);
    return false;
}

/* ------------------------------------------------------------------- bits */

/* The word with the mark of a cell, and which bit it is.  The class comes from
 * the dense array of states: the slab's header may be far. */
static _Atomic uint64_t *word_of(const struct slabs *slabs, uint32_t loc,
                                 unsigned *bit)
{
    uint32_t number = loc >> 13;
    const struct size_class *size =
        &slabs->sizes.classes[cell_class(slabs, loc)];
    uint32_t offset = (loc & 8191) * 8 - size->first;
    unsigned cell = (unsigned)((uint64_t)offset * size->inverse >> 32);
    *bit = cell % 64;
    return slabs->marks.words +
           atomic_load_explicit(&slabs->marks.at[number],
                                memory_order_relaxed) +
           cell / 64;
}

void cell_set_mark(struct slabs *slabs, uint32_t loc)
{
    unsigned bit;
    _Atomic uint64_t *word = word_of(slabs, loc, &bit);
    assert(word >= slabs->marks.words + 1);
    atomic_fetch_or_explicit(word, UINT64_C(1) << bit, memory_order_release);
}

void cell_clear_mark(struct slabs *slabs, uint32_t loc)
{
    unsigned bit;
    _Atomic uint64_t *word = word_of(slabs, loc, &bit);
    atomic_fetch_and_explicit(word, ~(UINT64_C(1) << bit),
                              memory_order_release);
}

bool cell_is_marked(const struct slabs *slabs, uint32_t loc)
{
    unsigned bit;
    _Atomic uint64_t *word = word_of(slabs, loc, &bit);
    return atomic_load_explicit(word, memory_order_acquire) >> bit & 1;
}

void cell_prefetch_mark(const struct slabs *slabs, uint32_t loc)
{
    unsigned bit;
    __builtin_prefetch((const void *)word_of(slabs, loc, &bit));
}

uint64_t marks_word(const struct slabs *slabs, const struct slab *slab,
                    unsigned word)
{
    uint32_t at = atomic_load_explicit(&slabs->marks.at[slab->number],
                                       memory_order_relaxed);
    return atomic_load_explicit(&slabs->marks.words[at + word],
                                memory_order_acquire);
}
