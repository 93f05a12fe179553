/* SPDX-License-Identifier: BSD-3-Clause */
/* The pool: which slabs are holes, in stock or in use, within the limit. */

#include <string.h>
#include <sys/mman.h>

#include "holes.h"
#include "pages.h"
#include "pool.h"

enum { PURGE_LOOKS = 40 }; /* slabs: more than a group */

static uint32_t get(_Atomic uint32_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

/* Counters written under pool_lock, read by anybody. */
static void add(_Atomic uint32_t *at, int n)
{
    atomic_store_explicit(at, get(at) + (uint32_t)n, memory_order_relaxed);
}

static void set_state(struct slabs *slabs, uint32_t number, unsigned state)
{
    atomic_store_explicit(&slabs->states[number], (uint8_t)state,
                          memory_order_release);
}

bool slabs_init(struct slabs *slabs, size_t address_bytes)
{
    memset(slabs, 0, sizeof *slabs);
    sizes_init(&slabs->sizes);
    lock_init(&slabs->pool_lock);
    for (unsigned i = 0; i < slabs->sizes.count; i++) {
        lock_init(&slabs->classes[i].lock);
        for (int list = 0; list < SLAB_UNLISTED; list++)
            slabs->classes[i].lists[list] = SLAB_NONE;
    }
    slabs->stock_head = SLAB_NONE;
    slabs->slab_count = (uint32_t)(address_bytes / SIZES_SLAB);
    /* Touched only as far as slabs are known. */
    size_t bytes = slabs_table_bytes(slabs);
    void *states = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (states == MAP_FAILED)
        return false;
    slabs->states = states;
    slabs->longs = slabs->states + slabs->slab_count;
    slabs->huge.groups = slabs->longs + slabs->slab_count;
    slabs->pages = pages_new(address_bytes);
    if (!slabs->pages) {
        munmap(states, bytes);
        return false;
    }
    slabs->base = pages_base(slabs->pages);
    return true;
}

void slabs_release(struct slabs *slabs)
{
    chunks_release(slabs);
    pages_free(slabs->pages);
    marks_release(slabs);
    munmap((void *)slabs->states, slabs_table_bytes(slabs));
}

/* ------------------------------------------------------------------ stock */

/* True if so many slabs more may be resident. */
static bool may_grow(struct slabs *slabs, unsigned count)
{
    return get(&slabs->resident) + marks_slabs(slabs) + count <=
           get(&slabs->limit);
}

struct slab *slab_take(struct slabs *slabs, unsigned class)
{
    struct slab *slab = NULL;
    lock_take(&slabs->pool_lock);
    if (get(&slabs->stock) > 0 &&
        marks_taken(slabs, slabs->stock_head, class)) {
        slab = slab_at(slabs, slabs->stock_head);
        slabs->stock_head = slab->next;
        add(&slabs->stock, -1);
        set_state(slabs, slab->number, SLAB_USED + class);
        if (get(&slabs->stock) == HUGE_LOW && huge_wanted(slabs) &&
            may_grow(slabs, HUGE_GROUP))
            atomic_store_explicit(&slabs->low, true, memory_order_relaxed);
    }
    lock_drop(&slabs->pool_lock);
    return slab;
}

static void stock_push(struct slabs *slabs, struct slab *slab)
{
    slab->next = slabs->stock_head;
    slabs->stock_head = slab->number;
    add(&slabs->stock, 1);
    set_state(slabs, slab->number, SLAB_STOCK);
}

void slab_give(struct slabs *slabs, struct slab *slab)
{
    lock_take(&slabs->pool_lock);
    stock_push(slabs, slab);
    lock_drop(&slabs->pool_lock);
}

/* ------------------------------------------------------------------ holes */

/* Counts a hole as resident, or a group of them, and returns the first;
 * SLAB_NONE: no more may be, or there are no addresses. */
static uint32_t holes_take(struct slabs *slabs, unsigned count)
{
    uint32_t first = SLAB_NONE;
    lock_take(&slabs->pool_lock);
    if (may_grow(slabs, count))
        first = count == 1           ? hole_pop(slabs)
                : huge_wanted(slabs) ? hole_pop_group(slabs)
                                     : SLAB_NONE;
    if (first != SLAB_NONE)
        add(&slabs->resident, (int)count);
    lock_drop(&slabs->pool_lock);
    return first;
}

/* The holes are resident now, or (false) the system has no memory. */
static void holes_end(struct slabs *slabs, uint32_t first, unsigned count,
                      bool resident)
{
    for (unsigned i = count; i-- > 0;) {
        struct slab *slab = slab_at(slabs, first + i);
        if (resident) {
            slab->number = first + i;
            stock_push(slabs, slab);
        } else {
            hole_push(slabs, first + i);
            add(&slabs->resident, -1);
        }
    }
}

unsigned slabs_populate(struct slabs *slabs, unsigned want)
{
    for (unsigned made = 0; made < want; made++) {
        uint32_t number = holes_take(slabs, 1);
        if (number == SLAB_NONE)
            return made;
        char *from = (char *)slab_at(slabs, number);
        bool resident = pages_populate(from, SIZES_SLAB);
        if (!resident)
            pages_purge(from, SIZES_SLAB);
        lock_take(&slabs->pool_lock);
        holes_end(slabs, number, 1, resident);
        huge_skipped(slabs, 1);
        lock_drop(&slabs->pool_lock);
        if (!resident)
            return made;
    }
    return want;
}

bool slabs_populate_group(struct slabs *slabs)
{
    uint32_t first = holes_take(slabs, HUGE_GROUP);
    if (first == SLAB_NONE)
        return false;
    char *from = (char *)slab_at(slabs, first);
    bool huge, resident = pages_populate_huge(from, &huge);
    if (!resident)
        pages_purge(from, PAGES_HUGE);
    lock_take(&slabs->pool_lock);
    holes_end(slabs, first, HUGE_GROUP, resident);
    huge_made(slabs, first, huge);
    lock_drop(&slabs->pool_lock);
    return resident;
}

/* Where the slab of the stock is that is purged with the least work: rather not
 * one of a huge page.  NULL: there is none, or others are at it. */
static uint32_t *find_to_purge(struct slabs *slabs)
{
    uint32_t *link = &slabs->stock_head, *huge = NULL;
    for (unsigned i = 0; i < PURGE_LOOKS && *link != SLAB_NONE; i++) {
        enum huge_state state = huge_state(slabs, *link);
        if (state == HUGE_NONE)
            return link;
        if (state == HUGE_WHOLE && !huge)
            huge = link;
        link = &slab_at(slabs, *link)->next;
    }
    return huge;
}

/* Takes a slab out of the stock; SLAB_NONE: there is none to be purged. */
static uint32_t purge_begin(struct slabs *slabs, bool *huge)
{
    uint32_t number = SLAB_NONE;
    lock_take(&slabs->pool_lock);
    uint32_t *link = find_to_purge(slabs);
    if (link) {
        number = *link;
        *link = slab_at(slabs, number)->next;
        add(&slabs->stock, -1);
        *huge = huge_state(slabs, number) == HUGE_WHOLE;
        if (*huge)
            huge_leave(slabs, number);
    }
    lock_drop(&slabs->pool_lock);
    return number;
}

static void purge_end(struct slabs *slabs, uint32_t number, bool huge)
{
    lock_take(&slabs->pool_lock);
    if (huge)
        huge_left(slabs, number);
    hole_push(slabs, number);
    add(&slabs->resident, -1);
    lock_drop(&slabs->pool_lock);
    atomic_fetch_add_explicit(&slabs->returned, 1, memory_order_relaxed);
}

unsigned slabs_purge(struct slabs *slabs, unsigned want)
{
    unsigned purged = 0;
    uint32_t number;
    bool huge = false;
    while (purged < want && (number = purge_begin(slabs, &huge)) != SLAB_NONE) {
        char *slab = (char *)slab_at(slabs, number);
        if (huge)
            pages_purge_part(slab, SIZES_SLAB);
        else
            pages_purge(slab, SIZES_SLAB);
        purge_end(slabs, number, huge);
        purged++;
    }
    return purged;
}
