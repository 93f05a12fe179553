/* SPDX-License-Identifier: BSD-3-Clause */
/* Cells that shards keep. */

#include <assert.h>

#include "stash.h"

uint32_t stash_take(struct cache *cache, struct shard *shard, unsigned class)
{
    uint32_t loc = shard->stash;
    shard->stash = 0;
    if (loc == 0 || cell_class(&cache->slabs, loc) == class)
        return loc;
    cell_free(&cache->slabs, loc);
    return 0;
}

void stash_put(struct cache *cache, struct shard *shard, uint32_t loc)
{
    assert(shard->stash == 0);
    shard->stash = loc;
    if (!atomic_load_explicit(&cache->stashed, memory_order_relaxed))
        atomic_store_explicit(&cache->stashed, true, memory_order_relaxed);
}

bool stash_empty(struct cache *cache)
{
    bool some = false;
    /* Cleared first: whoever puts one later sees it so, and sets it again. */
    if (!atomic_exchange(&cache->stashed, false))
        return false;
    for (unsigned i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        lock_take(&shard->lock);
        if (shard->stash != 0) {
            cell_free(&cache->slabs, shard->stash);
            shard->stash = 0;
            some = true;
        }
        lock_drop(&shard->lock);
    }
    return some;
}
