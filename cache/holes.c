/* SPDX-License-Identifier: BSD-3-Clause */
/* Chunks come and go; their holes. */

#include "holes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "pages.h"
#include "poison.h"

enum { GROUPS = SLAB_CHUNK / HUGE_GROUP, NO_GROUP = GROUPS };

static const uint32_t all_holes = UINT32_MAX;

static void set_states(struct slabs *slabs, const struct chunk *chunk,
                       unsigned state)
{
    for (unsigned i = 0; i < SLAB_CHUNK; i++)
        atomic_store_explicit(&slabs->states[chunk->first + i], (uint8_t)state,
                              memory_order_release);
}

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
    assert(chunk->first % HUGE_GROUP == 0);
    chunk->count = SLAB_CHUNK;
    memset(chunk->holes, 0xff, sizeof chunk->holes);
    set_states(slabs, chunk, SLAB_HOLE);
    unsigned at = slabs->chunk_count++;
    while (at > 0 && slabs->chunks[at - 1]->first > chunk->first) {
        slabs->chunks[at] = slabs->chunks[at - 1];
        at--;
    }
    slabs->chunks[at] = chunk; /* in address order */
    uint32_t end = chunk->first + SLAB_CHUNK;
    if (end > slabs_end(slabs))
        atomic_store_explicit(&slabs->known, end, memory_order_release);
    if (slabs->hole_hint > at)
        slabs->hole_hint = at;
    return true;
}

/* An empty chunk goes back to where chunks come from. */
static void chunk_drop(struct slabs *slabs, unsigned at)
{
    struct chunk *chunk = slabs->chunks[at];
    set_states(slabs, chunk, SLAB_UNKNOWN);
    slabs->chunk_count--;
    for (unsigned i = at; i < slabs->chunk_count; i++)
        slabs->chunks[i] = slabs->chunks[i + 1];
    pages_give(slabs->pages, chunk->base);
    free(chunk);
}

void chunks_release(struct slabs *slabs)
{
    for (unsigned i = 0; i < slabs->chunk_count; i++) {
        unpoison(slabs->chunks[i]->base, PAGES_CHUNK);
        pages_give(slabs->pages, slabs->chunks[i]->base);
        free(slabs->chunks[i]);
    }
}

/* The hint is at a chunk with holes then. */
static bool find_holes(struct slabs *slabs)
{
    unsigned *at = &slabs->hole_hint;
    while (*at < slabs->chunk_count && slabs->chunks[*at]->count == 0)
        ++*at;
    return *at < slabs->chunk_count || chunk_add(slabs);
}

/* The lowest group that is all holes, or that is so in part. */
static unsigned find_group(const struct chunk *chunk, bool all)
{
    for (unsigned group = 0; group < GROUPS; group++)
        if (all ? chunk->holes[group] == all_holes
                : chunk->holes[group] != 0 && chunk->holes[group] != all_holes)
            return group;
    return NO_GROUP;
}

uint32_t hole_pop(struct slabs *slabs)
{
    if (!find_holes(slabs))
        return SLAB_NONE;
    struct chunk *chunk = slabs->chunks[slabs->hole_hint];
    unsigned group = find_group(chunk, false);
    if (group == NO_GROUP)
        group = find_group(chunk, true);
    uint32_t *holes = &chunk->holes[group];
    uint32_t in_group = (uint32_t)__builtin_ctz(*holes);
    *holes &= *holes - 1;
    chunk->count--;
    return chunk->first + group * HUGE_GROUP + in_group;
}

uint32_t hole_pop_group(struct slabs *slabs)
{
    if (!find_holes(slabs))
        return SLAB_NONE;
    for (unsigned i = slabs->hole_hint; i < slabs->chunk_count; i++) {
        struct chunk *chunk = slabs->chunks[i];
        unsigned group =
            chunk->count < HUGE_GROUP ? NO_GROUP : find_group(chunk, true);
        if (group == NO_GROUP)
            continue;
        chunk->holes[group] = 0;
        chunk->count -= HUGE_GROUP;
        return chunk->first + group * HUGE_GROUP;
    }
    return SLAB_NONE;
}

void hole_push(struct slabs *slabs, uint32_t number)
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
    chunk->holes[in_chunk / HUGE_GROUP] |= UINT32_C(1) << in_chunk % HUGE_GROUP;
    chunk->count++;
    atomic_store_explicit(&slabs->states[number], SLAB_HOLE,
                          memory_order_release);
    if (slabs->hole_hint > low)
        slabs->hole_hint = low;
    if (chunk->count == SLAB_CHUNK && slabs->chunk_count > 1)
        chunk_drop(slabs, low);
}
