/* SPDX-License-Identifier: BSD-3-Clause */
/* Freeing long chains a bounded piece at a time. */

#include "garbage.h"
#include "long.h"

enum { GARBAGE_PIECES = 32 }; /* freed at a time: at most 2 MiB */

/* Frees the beginning of a chain; returns what is left. */
static uint32_t free_some(struct cache *cache, uint32_t at)
{
    for (unsigned n = 0; at != 0 && n < GARBAGE_PIECES; n++) {
        uint32_t next = piece_at(cache, at)->next;
        cell_free(&cache->slabs, at);
        at = next;
    }
    return at;
}

void garbage_add(struct cache *cache, uint32_t first)
{
    uint32_t rest = free_some(cache, first);
    if (rest == 0)
        return;
    lock_take(&cache->garbage_lock);
    piece_at(cache, rest)->prev =
        atomic_load_explicit(&cache->garbage, memory_order_relaxed);
    atomic_store_explicit(&cache->garbage, rest, memory_order_relaxed);
    lock_drop(&cache->garbage_lock);
}

bool garbage_free(struct cache *cache)
{
    if (atomic_load_explicit(&cache->garbage, memory_order_relaxed) == 0)
        return false;
    lock_take(&cache->garbage_lock);
    uint32_t first =
        atomic_load_explicit(&cache->garbage, memory_order_relaxed);
    if (first != 0)
        atomic_store_explicit(&cache->garbage, piece_at(cache, first)->prev,
                              memory_order_relaxed);
    lock_drop(&cache->garbage_lock);
    garbage_add(cache, first);
    return first != 0;
}
