/* SPDX-License-Identifier: BSD-3-Clause */
/* What the main thread does for client-side caching, a piece at a time. */

#include "tracking_core.h"

/* It is still in every database in which it was read. */
static bool is_there(struct tracking *tracking, const struct track_key *key,
                     const struct cache_key *name, int64_t now_ms)
{
    uint32_t dbs = atomic_load_explicit(&key->dbs, memory_order_relaxed);
    struct cache_tx tx;
    struct cache_view view;
    bool there = true;
    cache_begin(&tx, tracking->server->cache, now_ms, name, 1);
    for (unsigned db = 0; there && dbs >> db; db++)
        if (dbs >> db & 1)
            there = cache_find(&tx, db, name, 0, &view);
    cache_end(&tx);
    return there;
}

/* A bucket: what has gone from the cache is told.  What never was there is
 * told as well, once more than it need be. */
static bool walk_on(struct tracking *tracking, int64_t now_ms)
{
    struct track_walk *walk = &tracking->walk;
    if (!track_walk_next(tracking->table, walk))
        return false;
    for (unsigned i = 0; i < walk->count; i++) {
        struct track_key *key = walk->keys[i];
        struct cache_key name =
            cache_key_of(tracking->server->cache, key->bytes, key->len);
        if (walk->crowded || !is_there(tracking, key, &name, now_ms))
            tracking_tell(tracking, track_take(tracking->table, &name), 0);
        track_let_go(tracking->table, key);
    }
    return true;
}

static bool walk_step(struct tracking *tracking, int64_t now_ms)
{
    if (atomic_exchange(&tracking->cut, false)) {
        tracking->walking = true;
        track_walk_begin(tracking->table, &tracking->walk);
    }
    for (int i = 0; tracking->walking && i < TRACKING_STEP_KEYS; i++)
        tracking->walking = walk_on(tracking, now_ms);
    return tracking->walking;
}

/* After a limit was lowered. */
static bool trim_step(struct tracking *tracking)
{
    for (int i = 0; i < TRACKING_STEP_KEYS; i++) {
        if (!track_is_over(tracking->table))
            return false;
        struct track_group *groups = track_take_any(
            tracking->table, atomic_fetch_add(&tracking->random, 1) *
                                 UINT64_C(0x9E3779B97F4A7C15));
        if (!groups)
            return false;
        tracking_tell(tracking, groups, 0);
    }
    return true;
}

bool tracking_step(struct tracking *tracking, int64_t now_ms)
{
    bool more = track_step(tracking->table);
    more |= trim_step(tracking);
    more |= walk_step(tracking, now_ms);
    return more;
}
