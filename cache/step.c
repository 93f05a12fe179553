/* SPDX-License-Identifier: BSD-3-Clause */
/* Outstanding work, a bounded piece at a time. */

#include <assert.h>

#include "cut.h"
#include "evict.h"
#include "garbage.h"
#include "index.h"
#include "move.h"
#include "room.h"
#include "shard.h"
#include "stash.h"
#include "walk.h"

enum {
    STEP_EVICTIONS = 64, /* entries a step */
    STEP_MOVES = 64,
    STEP_PURGES = 2, /* slabs a step: each is a system call */
    STEP_CRAWL = 8,
    STEP_DEAD = 64,
    STOCK_GROWING = 8, /* slabs kept ready while the cache grows */
    GROWING_MS = 100,  /* since the stock was used up last */
    STOCK_IDLE = 16,   /* more than this in stock for long goes back */
    STOCK_QUIET = 4,   /* likewise, when nobody takes slabs */
    TIDY_QUIET = 1,    /* free slabs of all classes that are not worth moving */
    QUIET_LOOKS = 10,
    LOOK_MS = 100,
    CUT_SHARE = 8,       /* more than 1/8 above the limit: cut, do not evict */
    CUT_LEAST = 64,      /* slabs; below, evicting is soon done */
    FLUSH_LEAST = 10000, /* entries, likewise */
    FLUSH_SLACK = 16,    /* part of the limit that is free while it lasts */
};

static uint32_t get(const _Atomic uint32_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

/* Drops what nobody misses, then what the policy lets go; for a lower limit,
 * which comes first, the oldest when that is nothing. */
static bool evict_some(struct cache *cache, int64_t now_ms)
{
    if (walk_dead(cache, STEP_DEAD) ||
        walk_expired(cache, now_ms, STEP_CRAWL) > 0 ||
        atomic_load_explicit(&cache->crawl.active, memory_order_relaxed))
        return true;
    unsigned evicted = 0;
    while (evicted < STEP_EVICTIONS &&
           (evict_one(cache, now_ms) ||
            (slabs_exceed(&cache->slabs) && !cache_evicts(cache) &&
             evict_oldest(cache, now_ms))))
        evicted++;
    return evicted > 0;
}

/* A cut takes some memory itself, which must not come on top of what might be
 * resident before.  True while room for it, and for `more` slabs, is still
 * being made. */
static bool make_scratch(struct cache *cache, uint64_t more, int64_t now_ms)
{
    const struct slabs *slabs = &cache->slabs;
    uint64_t needed = slabs_needed(slabs);
    uint64_t scratch = marks_wanted(slabs) / SIZES_SLAB + 1 + more;
    uint32_t most =
        slabs_exceed(slabs) ? get(&cache->before) : get(&slabs->limit);
    if (get(&slabs->resident) + scratch <= most)
        return false;
    if (get(&slabs->stock) > 0) {
        slabs_purge(&cache->slabs, STEP_PURGES);
        return true;
    }
    if (needed + scratch > most)
        return evict_some(cache, now_ms);
    return move_some(cache, now_ms, STEP_MOVES);
}

/* The limit is below what is held: evict until what is left could fit, then
 * empty slabs until it does, and give back what is free. */
static bool shrink_some(struct cache *cache, uint32_t limit, int64_t now_ms)
{
    struct slabs *slabs = &cache->slabs;
    if (get(&slabs->stock) > 0) {
        slabs_purge(slabs, STEP_PURGES);
        return true;
    }
    uint64_t needed = slabs_needed(slabs);
    if (needed > limit + limit / CUT_SHARE && needed > CUT_LEAST &&
        !cache->cut.vain && !cut_spares_all(cache)) {
        if (!make_scratch(cache, 0, now_ms))
            cut_begin(cache, limit);
        return true;
    }
    if (needed > limit && evict_some(cache, now_ms))
        return true;
    return move_some(cache, now_ms, STEP_MOVES);
}

static bool step_shrink(struct cache *cache, int64_t now_ms)
{
    const struct slabs *slabs = &cache->slabs;
    uint32_t limit = get(&slabs->limit), resident = get(&slabs->resident);
    if (resident > limit && shrink_some(cache, limit, now_ms))
        return true;
    atomic_store_explicit(&cache->held, resident > limit ? resident - limit : 0,
                          memory_order_relaxed);
    return false;
}

/* Nobody has taken a slab for a second. */
static bool is_quiet(const struct cache *cache)
{
    return cache->quiet_looks >= QUIET_LOOKS;
}

/* What was kept so that others need not wait for it. */
static void trim_indexes(struct cache *cache)
{
    for (unsigned i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        lock_take_politely(&shard->lock);
        index_trim(cache, shard);
        lock_drop(&shard->lock);
    }
}

/* From time to time: what of the stock has nobody used since the last time?
 * And have stuck slabs come loose? */
static void look_around(struct cache *cache, uint32_t stock)
{
    struct slabs *slabs = &cache->slabs;
    uint32_t idle = cache->stock_low;
    uint32_t keep = is_quiet(cache) ? STOCK_QUIET : STOCK_IDLE;
    if (get(&slabs->huge.count) > 0 && !huge_is_much(get(&slabs->resident)))
        keep = HUGE_GROUP; /* what is left of the last one */
    cache->stock_low = stock;
    cache->quiet_looks = idle == stock ? cache->quiet_looks + 1 : 0;
    if (idle > keep)
        cache->trimming = (idle - keep) / 4 + 1;
    if (is_quiet(cache))
        trim_indexes(cache);
    slabs_unstick(slabs);
}

/* After a flush: much is dropped at once, little by the walk. */
static bool step_flush(struct cache *cache, int64_t now_ms)
{
    if (!atomic_load_explicit(&cache->flushed, memory_order_relaxed))
        return false;
    uint64_t dead = 0, all = 0;
    for (unsigned i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        lock_take(&shard->lock);
        for (unsigned n = 0; n < ENTRY_NUMBERS; n++) {
            all += shard->tally.counts[n];
            dead += number_is_dead(cache, n) ? shard->tally.counts[n] : 0;
        }
        lock_drop(&shard->lock);
    }
    bool much = dead > FLUSH_LEAST && dead > all / 2;
    /* What is stored meanwhile must not cost what was stored just before. */
    uint32_t more = get(&cache->slabs.limit) / FLUSH_SLACK;
    if (much && make_scratch(cache, more, now_ms))
        return true;
    atomic_store(&cache->flushed, false);
    if (much)
        cut_begin(cache, get(&cache->slabs.limit));
    return much;
}

/* Those who store make slabs resident one by one if none is in stock; a huge
 * page is made here, where nobody waits for it: each time that one is asked
 * for, not after what was free has been given back. */
static bool refill(struct slabs *slabs, uint32_t stock, bool asked)
{
    if (asked && stock < HUGE_GROUP && slabs_populate_group(slabs))
        return true;
    return stock < STOCK_GROWING && slabs_populate(slabs, 2) > 0;
}

/* Keeps a few slabs ready while the cache grows, so that nobody has to wait
 * for the system; returns those that nobody has used for a while. */
static bool step_stock(struct cache *cache, int64_t now_ms)
{
    struct slabs *slabs = &cache->slabs;
    uint32_t stock = get(&slabs->stock);
    if (stock < cache->stock_low)
        cache->stock_low = stock;
    bool asked =
        atomic_exchange_explicit(&slabs->low, false, memory_order_relaxed);
    asked |= __atomic_exchange_n(&cache->grew, false, __ATOMIC_RELAXED);
    if (asked)
        cache->grown_ms = now_ms;
    if (now_ms >= cache->grown_ms && now_ms - cache->grown_ms < GROWING_MS &&
        refill(slabs, stock, asked))
        return true;
    if (now_ms - cache->looked_ms >= LOOK_MS || now_ms < cache->looked_ms) {
        cache->looked_ms = now_ms;
        look_around(cache, stock);
    }
    if (cache->trimming > 0) {
        slabs_purge(slabs, STEP_PURGES);
        cache->trimming -=
            cache->trimming < STEP_PURGES ? cache->trimming : STEP_PURGES;
    }
    return cache->trimming > 0;
}

/* After many entries went, the slabs that are left are packed again. */
static bool step_tidy(struct cache *cache, int64_t now_ms)
{
    struct slabs *slabs = &cache->slabs;
    if (atomic_load_explicit(&slabs->spare_classes, memory_order_relaxed) == 0)
        return false;
    uint64_t used = get(&slabs->resident) - get(&slabs->stock);
    uint64_t needed = slabs_needed(slabs);
    uint64_t spare =
        is_quiet(cache) ? needed / 64 + TIDY_QUIET : needed / 16 + STOCK_IDLE;
    if (used <= needed + spare)
        return false;
    return move_some(cache, now_ms, STEP_MOVES);
}

/* Slabs are to be emptied: no shard may keep a cell of one. */
static void step_stash(struct cache *cache)
{
    const struct slabs *slabs = &cache->slabs;
    if (atomic_load_explicit(&slabs->spare_classes, memory_order_relaxed) > 0 ||
        !slabs_full(slabs) || slabs_exceed(slabs))
        stash_empty(cache);
}

bool cache_step(struct cache *cache, int64_t now_ms)
{
    step_stash(cache);
    if (garbage_free(cache) || cut_step(cache, now_ms) ||
        step_flush(cache, now_ms) || step_shrink(cache, now_ms))
        return true;
    bool more = step_stock(cache, now_ms);
    more |= walk_dead(cache, STEP_DEAD);
    if (atomic_load_explicit(&cache->crawling, memory_order_relaxed))
        more |=
            walk_expired(cache, now_ms, STEP_CRAWL) > 0 ||
            atomic_load_explicit(&cache->crawl.active, memory_order_relaxed);
    more |= evict_search(cache);
    return more || step_tidy(cache, now_ms);
}

bool cache_grows(const struct cache *cache)
{
    return __atomic_load_n(&cache->grew, __ATOMIC_RELAXED) ||
           atomic_load_explicit(&cache->slabs.low, memory_order_relaxed);
}

void cache_set_limit(struct cache *cache, size_t bytes)
{
    size_t most = cache->slabs.slab_count;
    size_t limit = bytes / SIZES_SLAB;
    limit = limit < most ? limit : most;
    size_t old = atomic_load(&cache->slabs.limit);
    size_t resident = atomic_load(&cache->slabs.resident);
    if (limit == old)
        return;
    if (limit < old)
        atomic_store(&cache->before,
                     (uint32_t)(old > resident ? old : resident));
    atomic_store(&cache->slabs.limit, (uint32_t)limit);
    atomic_store(&cache->cut.vain, false);
    atomic_store(&cache->held, 0);
}

size_t cache_held(const struct cache *cache)
{
    return (size_t)atomic_load_explicit(&cache->held, memory_order_relaxed) *
           SIZES_SLAB;
}

bool cache_is_strewn(const struct cache *cache)
{
    return atomic_load_explicit(&cache->slabs.stuck, memory_order_relaxed) > 0;
}

void cache_set_huge_pages(struct cache *cache, bool wanted)
{
    atomic_store(&cache->slabs.huge.wanted, wanted);
}

void cache_set_crawling(struct cache *cache, bool crawling)
{
    atomic_store(&cache->crawling, crawling);
}
