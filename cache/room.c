/* SPDX-License-Identifier: BSD-3-Clause */
/* What has to go when a cell is wanted and there is none. */

#include "room.h"

#include "cut.h"
#include "evict.h"
#include "garbage.h"
#include "move.h"
#include "stash.h"
#include "walk.h"

enum {
    ROOM_HOLES = 4,      /* slabs made resident at a time */
    ROOM_MOVES = 32,     /* entries moved at a time */
    ROOM_CRAWL = 8,      /* slabs searched for expired entries at a time */
    ROOM_EVICTIONS = 64, /* evictions in vain */
    ROOM_HELP = 64,      /* steps of a cut done by one who waits for its end */
    ROOM_UNSTICK = 16, /* evictions after which sparse slabs are tried again */
    PAY_EVICTIONS = 2, /* for a cell while too much is resident */
    PAY_MOVES = 8,
    PAY_A_MOVE = 96,   /* bytes taken for one more */
    TRY_EVICTIONS = 2, /* before a slab is begun */
    READY_MOST = 8,    /* slabs of the stock, at the limit */
    READY_PART = 64,   /* or this part of the limit, if it is less */
};

/*
 * While more is resident than may be, whoever takes a cell frees more than it
 * takes: otherwise what the steps free would be taken as fast.
 */
static void pay_excess(struct cache *cache, int64_t now_ms)
{
    if (!cache_evicts(cache))
        return;
    uint32_t limit =
        atomic_load_explicit(&cache->slabs.limit, memory_order_relaxed);
    if (slabs_needed(&cache->slabs) <= limit)
        move_some(cache, now_ms, PAY_MOVES);
    else
        for (unsigned i = 0; i < PAY_EVICTIONS; i++)
            evict_one(cache, now_ms);
}

/* Slabs that shall be ready at the limit. */
static uint32_t ready(const struct slabs *slabs)
{
    uint32_t part =
        atomic_load_explicit(&slabs->limit, memory_order_relaxed) / READY_PART;
    return part < READY_MOST ? part : (uint32_t)READY_MOST;
}

static bool is_ready(const struct slabs *slabs)
{
    return atomic_load_explicit(&slabs->stock, memory_order_relaxed) >=
           ready(slabs);
}

bool room_is_short(const struct cache *cache)
{
    const struct slabs *slabs = &cache->slabs;
    return slabs_full(slabs) &&
           (slabs_exceed(slabs) ||
            atomic_load_explicit(&slabs->stock, memory_order_relaxed) <=
                ready(slabs));
}

/* Packed densely, all that is held would leave enough free. */
static bool would_fit(const struct slabs *slabs)
{
    return slabs_needed(slabs) + ready(slabs) <=
           atomic_load_explicit(&slabs->limit, memory_order_relaxed);
}

void room_pay(struct cache *cache, size_t bytes, int64_t now_ms)
{
    struct slabs *slabs = &cache->slabs;
    if (cut_active(cache)) {
        cut_pay(cache, bytes, now_ms);
        return;
    }
    if (!slabs_full(slabs) || slabs_exceed(slabs) || is_ready(slabs))
        return;
    if (garbage_free(cache))
        return;
    bool evict = cache_evicts(cache) && !would_fit(slabs);
    if (bytes > SIZES_SLAB)
        bytes = SIZES_SLAB; /* many at once: the others wait for it */
    if (evict && walk_expired(cache, now_ms, ROOM_CRAWL) > 0)
        evict = false;
    size_t gone = 1;
    for (size_t sum = 0; evict && gone > 0 && sum < bytes; sum += gone)
        gone = evict_one(cache, now_ms);
    if (atomic_load_explicit(&slabs->spare_classes, memory_order_relaxed) > 0)
        move_some(cache, now_ms, PAY_MOVES + (unsigned)(bytes / PAY_A_MOVE));
}

size_t room_pay_here(struct cache *cache, struct shard *shard, unsigned class,
                     int64_t now_ms)
{
    const struct slabs *slabs = &cache->slabs;
    bool plain =
        slabs_full(slabs) && !slabs_exceed(slabs) && !is_ready(slabs) &&
        !cut_active(cache) && !would_fit(slabs) &&
        atomic_load_explicit(&slabs->spare_classes, memory_order_relaxed) ==
            0 &&
        atomic_load_explicit(&cache->garbage, memory_order_relaxed) == 0 &&
        now_ms < atomic_load_explicit(&cache->due_ms, memory_order_relaxed);
    return plain ? evict_here(cache, shard, class, now_ms) : 0;
}

/* A cell of a slab in use, for which one or two entries may have to go; that
 * is enough as long as sizes stay the same. */
static uint32_t take_evicting(struct cache *cache, unsigned class,
                              int64_t now_ms)
{
    struct slabs *slabs = &cache->slabs;
    while (garbage_free(cache))
        if (!room_is_short(cache))
            break;
    uint32_t loc = cell_take_in_use(slabs, class);
    bool evict = loc == 0 && room_is_short(cache) && !cut_active(cache) &&
                 slabs->sizes.classes[class].count > 1 && cache_evicts(cache);
    /* Better to move things together, if that is what is wanting. */
    if (evict &&
        atomic_load_explicit(&slabs->spare_classes, memory_order_relaxed) > 0)
        evict = !would_fit(slabs);
    for (unsigned i = 0; i < TRY_EVICTIONS && evict && loc == 0; i++) {
        if (walk_expired(cache, now_ms, ROOM_CRAWL) == 0) {
            size_t gone = evict_one(cache, now_ms);
            evict = gone > 0 && gone < SIZES_SLAB; /* that is a slab */
        }
        loc = cell_take_in_use(slabs, class);
    }
    return loc;
}

uint32_t room_take(struct cache *cache, unsigned class, int64_t now_ms)
{
    struct slabs *slabs = &cache->slabs;
    if (slabs_exceed(slabs))
        pay_excess(cache, now_ms);
    uint32_t found = take_evicting(cache, class, now_ms);
    if (found != 0)
        return found;
    for (unsigned evicted = 0, helped = 0;;) {
        uint32_t loc = cell_take(slabs, class);
        if (loc != 0)
            return loc;
        if (garbage_free(cache))
            continue;
        if (!slabs_full(slabs))
            __atomic_store_n(&cache->grew, true, __ATOMIC_RELAXED);
        if (slabs_populate(slabs, ROOM_HOLES) > 0)
            continue;
        /* While much is being dropped nothing moves.  After a flush that is
         * worth helping with; otherwise an evicted entry may leave the cell
         * that is wanted. */
        if (cut_active(cache) &&
            (!slabs_exceed(slabs) || evicted >= ROOM_EVICTIONS) &&
            helped < ROOM_HELP * (1 + evicted / ROOM_EVICTIONS) &&
            cut_step(cache, now_ms)) {
            helped++;
            continue;
        }
        if (atomic_load_explicit(&slabs->spare_classes, memory_order_relaxed) >
                0 &&
            move_some(cache, now_ms, ROOM_MOVES))
            continue;
        if (walk_expired(cache, now_ms, ROOM_CRAWL) > 0)
            continue;
        if (move_sparse(cache, now_ms, ROOM_MOVES))
            continue;
        if (!cache_evicts(cache)) {
            if (evict_dead(cache) || cut_step(cache, now_ms))
                continue;
            return 0;
        }
        if (!evict_one(cache, now_ms) && !cut_step(cache, now_ms) &&
            !stash_empty(cache))
            return 0;
        if (++evicted % ROOM_UNSTICK == 0) {
            stash_empty(cache);
            slabs_unstick(slabs); /* there may be room now */
        }
    }
}
