/* SPDX-License-Identifier: BSD-3-Clause */
/* Counting and telling what goes by itself. */

#include "listen.h"

#include <assert.h>

#include "shard.h"
#include "view.h"

void cache_set_listener(struct cache *cache, cache_lost *lost, void *ctx)
{
    cache->lost = lost;
    cache->lost_ctx = ctx;
}

/* A cut under way is either over when this returns, or will be told. */
void cache_listen(struct cache *cache, enum cache_listening how)
{
    assert(how == CACHE_TELL_NOTHING || cache->lost);
    lock_take(&cache->cut.lock);
    atomic_store(&cache->listening, how);
    lock_drop(&cache->cut.lock);
}

static bool somebody_listens(const struct cache *cache)
{
    return atomic_load_explicit(&cache->listening, memory_order_relaxed) !=
           CACHE_TELL_NOTHING;
}

/* The client's number of a database. */
static unsigned database_of(const struct cache *cache, unsigned number)
{
    unsigned db = 0;
    while (number_of(cache, db) != number)
        db++;
    return db;
}

void listen_lost(struct cache *cache, struct shard *shard, uint32_t loc,
                 enum cache_why why)
{
    struct entry *entry = entry_at(cache, loc);
    unsigned number = packed_number(entry_packed(entry));
    if (number_is_dead(cache, number))
        return;
    if (why == CACHE_EXPIRED) {
        shard->expired++;
    } else {
        shard->evicted++;
        shard->evicted_bytes += ENTRY_HEAD + entry_payload(entry);
    }
    if (!somebody_listens(cache))
        return;
    struct cache_view view;
    view_fill(cache, loc, entry->used_ms, &view);
    cache->lost(cache->lost_ctx, why, database_of(cache, number), &view);
}

void listen_cut(struct cache *cache)
{
    if (somebody_listens(cache))
        cache->lost(cache->lost_ctx, CACHE_CUT, 0, NULL);
}
