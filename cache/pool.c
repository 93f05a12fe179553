/* SPDX-License-Identifier: BSD-3-Clause */
/* The pool: which slabs are holes, in stock or in use, within the limit. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "pages.h"
#include "poison.h"
#include "pool.h"

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
    size_t bytes = (size_t)2 * slabs->slab_count;
    void *states = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (states == MAP_FAILED)
        return false;
    slabs->states = states;
    slabs->longs = slabs->states + slabs->slab_count;
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
    for (unsigned i = 0; i < slabs->chunk_count; i++) {
        unpoison(slabs->chunks[i]->base, PAGES_CHUNK);
        pages_give(slabs->pages, slabs->chunks[i]->base);
        free(slabs->chunks[i]);
    }
    pages_free(slabs->pages);
    marks_release(slabs);
    munmap((void *)slabs->states, (size_t)2 * slabs->slab_count);
}

/* ------------------------------------------------------------------ stock */

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

static bool chunk_add(struct slabs *slabs)
{
    if (slabs->chunk_count == sizeof slabs->chunks / sizeof slabs->chunks[0])
        return false;
    struct chunk *chunk = malloc(sizeof *chunk);
    char *base = chunk ? pages_take(slabs->pages) : NULL;
    if (!base) {
        free(chunk);
        return false;
    }
    chunk->base = base;
    chunk->first = (uint32_t)((size_t)(base - slabs->base) / SIZES_SLAB);
    chunk->holes = SLAB_CHUNK;
    chunk->hole = 0;
    for (unsigned i = 0; i < SLAB_CHUNK; i++) {
        chunk->next[i] = (uint16_t)(i + 1);
        set_state(slabs, chunk->first + i, SLAB_HOLE);
    }
    unsigned at = slabs->chunk_count++;
    while (at > 0 && slabs->chunks[at - 1]->first > chunk->first) {
        slabs->chunks[at] = slabs->chunks[at - 1];
        at--;
    }
    slabs->chunks[at] = chunk; /* in address order */
    if (chunk->first + SLAB_CHUNK > get(&slabs->known))
        atomic_store_explicit(&slabs->known, chunk->first + SLAB_CHUNK,
                              memory_order_release);
    if (slabs->hole_hint > at)
        slabs->hole_hint = at;
    return true;
}

/* The lowest hole, so that the high chunks empty; SLAB_NONE: no addresses. */
static uint32_t hole_pop(struct slabs *slabs)
{
    unsigned *at = &slabs->hole_hint;
    while (*at < slabs->chunk_count && slabs->chunks[*at]->holes == 0)
        ++*at;
    if (*at == slabs->chunk_count && !chunk_add(slabs))
        return SLAB_NONE;
    struct chunk *chunk = slabs->chunks[*at];
    uint32_t number = chunk->first + chunk->hole;
    chunk->hole = chunk->next[chunk->hole];
    chunk->holes--;
    return number;
}

static void hole_push(struct slabs *slabs, uint32_t number)
{
    unsigned low = 0, high = slabs->chunk_count;
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        if (slabs->chunks[middle]->first <= number)
            low = middle;
        else
            high = middle;
    }
    struct chunk *chunk = slabs->chunks[low];
    unsigned in_chunk = number - chunk->first;
    assert(in_chunk < SLAB_CHUNK);
    chunk->next[in_chunk] = chunk->hole;
    chunk->hole = (uint16_t)in_chunk;
    chunk->holes++;
    set_state(slabs, number, SLAB_HOLE);
    if (slabs->hole_hint > low)
        slabs->hole_hint = low;
    if (chunk->holes < SLAB_CHUNK || slabs->chunk_count == 1)
        return;
    /* An empty chunk goes back to where chunks come from. */
    for (unsigned i = 0; i < SLAB_CHUNK; i++)
        set_state(slabs, chunk->first + i, SLAB_UNKNOWN);
    slabs->chunk_count--;
    for (unsigned i = low; i < slabs->chunk_count; i++)
        slabs->chunks[i] = slabs->chunks[i + 1];
    pages_give(slabs->pages, chunk->base);
    free(chunk);
}

unsigned slabs_populate(struct slabs *slabs, unsigned want)
{
    unsigned made = 0;
    while (made < want) {
        uint32_t number = SLAB_NONE;
        lock_take(&slabs->pool_lock);
        if (get(&slabs->resident) + marks_slabs(slabs) < get(&slabs->limit)) {
            number = hole_pop(slabs);
            if (number != SLAB_NONE)
                add(&slabs->resident, 1);
        }
        lock_drop(&slabs->pool_lock);
        if (number == SLAB_NONE)
            break;
        struct slab *slab = slab_at(slabs, number);
        bool resident = pages_populate((char *)slab, SIZES_SLAB);
        lock_take(&slabs->pool_lock);
        if (resident) {
            slab->number = number;
            stock_push(slabs, slab);
        } else {
            hole_push(slabs, number);
            add(&slabs->resident, -1);
        }
        lock_drop(&slabs->pool_lock);
        if (!resident)
            break;
        made++;
    }
    return made;
}

unsigned slabs_purge(struct slabs *slabs, unsigned want)
{
    unsigned purged = 0;
    while (purged < want) {
        struct slab *slab = NULL;
        lock_take(&slabs->pool_lock);
        if (get(&slabs->stock) > 0) {
            slab = slab_at(slabs, slabs->stock_head);
            slabs->stock_head = slab->next;
            add(&slabs->stock, -1);
        }
        lock_drop(&slabs->pool_lock);
        if (!slab)
            break;
        uint32_t number = slab->number;
        pages_purge((char *)slab, SIZES_SLAB);
        lock_take(&slabs->pool_lock);
        hole_push(slabs, number);
        add(&slabs->resident, -1);
        lock_drop(&slabs->pool_lock);
        atomic_fetch_add_explicit(&slabs->returned, 1, memory_order_relaxed);
        purged++;
    }
    return purged;
}
