/* SPDX-License-Identifier: BSD-3-Clause */
/* The governor: from a budget and the resident size to a limit for slabs. */

#include "governor.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "cache/cache.h"
#include "cache/pages.h"
#include "conf/conf.h"
#include "log.h"
#include "platform.h"
#include "pool.h"

enum {
    WINDOW = 3,            /* seconds over which the base is looked at */
    WINDOW_MS = 1000,      /* one of them */
    FALL = 256,            /* the base falls by this part of the rest a tick */
    RESERVE = 1 << 20,     /* what the books cannot know in time */
    LAG = 64 * 4096,       /* a thread's pages that the kernel may count late */
    LEAST_SLABS = 2 << 20, /* with fewer nothing can be stored */
    FOLLOW_MS = 1000,      /* a share of the machine is looked at anew */
    DECAY_MS = 100,
    UNKNOWN = 16 << 20,  /* a share of who knows how much */
    LEAST_POOL = 1 << 20 /* clients have it whatever the budget */
};

struct governor {
    struct cache *cache;
    struct pool *pool;
    const struct platform *platform;
    struct log *log;
    _Atomic int64_t share; /* the clients': bytes, or minus percent */

    pthread_mutex_t lock;        /* guards the next four */
    int64_t asked;               /* the budget: bytes, or minus percent */
    uint64_t wanted;             /* its bytes, for the next tick to apply */
    struct governor_state state; /* only the main thread writes it */
    bool kept;                   /* as in struct governor_progress */

    /* The main thread's alone.  least[i]: the least of what was neither slab
     * nor client's in each of the last seconds. */
    uint64_t least[WINDOW];
    int64_t window_ms, rebuild_ms, follow_ms, decay_ms;
    bool warned;
};

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static uint64_t least_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ------------------------------------------------------------ measurements */

static void measure(struct governor *governor, struct cache_stats *stats)
{
    struct governor_state *state = &governor->state;
    const struct platform *platform = governor->platform;
    cache_stats(governor->cache, platform->wall_ms(platform->ctx), stats);
    uint64_t resident = platform->resident(platform->ctx);
    /* Without a reading the books must do. */
    if (resident == 0)
        resident = state->base_bytes + stats->resident_bytes +
                   pool_used(governor->pool);
    state->resident_bytes = resident;
}

struct governor *governor_new(struct cache *cache, struct pool *pool,
                              const struct platform *platform, struct log *log,
                              unsigned threads)
{
    struct governor *governor = calloc(1, sizeof *governor);
    if (!governor)
        return NULL;
    governor->cache = cache;
    governor->pool = pool;
    governor->platform = platform;
    governor->log = log;
    pthread_mutex_init(&governor->lock, NULL);

    int64_t now_ms = platform->monotonic_us(platform->ctx) / 1000;
    struct governor_state *state = &governor->state;
    struct cache_stats stats;
    measure(governor, &stats);
    state->base_bytes = less(state->resident_bytes, stats.resident_bytes);
    state->reserve_bytes = RESERVE + (uint64_t)threads * LAG;
    governor->window_ms = now_ms;
    for (int i = 0; i < WINDOW; i++)
        governor->least[i] = state->base_bytes;
    return governor;
}

void governor_free(struct governor *governor)
{
    if (!governor)
        return;
    pthread_mutex_destroy(&governor->lock);
    free(governor);
}

/* ----------------------------------------------------------------- the budget
 */

/* 0: nothing tells. */
static uint64_t share_of_machine(const struct governor *governor,
                                 int64_t percent)
{
    const struct platform *platform = governor->platform;
    uint64_t share = platform->memory(platform->ctx) / 100 * (uint64_t)percent;
    return least_of(share, (uint64_t)conf_option(CONF_maxmemory)->most);
}

uint64_t governor_bytes_of(const struct governor *governor, int64_t budget)
{
    if (budget >= 0)
        return (uint64_t)budget;
    uint64_t share = share_of_machine(governor, -budget);
    return share > 0 ? share : UNKNOWN;
}

/* Without an answer of the system what was in force stays, until there is one.
 */
void governor_set_budget(struct governor *governor, int64_t budget)
{
    uint64_t bytes =
        budget < 0 ? share_of_machine(governor, -budget) : (uint64_t)budget;
    pthread_mutex_lock(&governor->lock);
    governor->asked = budget;
    if (bytes > 0)
        governor->wanted = bytes;
    else if (governor->wanted == 0)
        governor->wanted = UNKNOWN;
    pthread_mutex_unlock(&governor->lock);
}

uint64_t governor_budget(struct governor *governor)
{
    pthread_mutex_lock(&governor->lock);
    uint64_t bytes = governor->wanted;
    pthread_mutex_unlock(&governor->lock);
    return bytes;
}

/* What clients had would become part of the base otherwise, and cost entries.
 */
static void decay_heap(struct governor *governor, int64_t now_ms)
{
    if (now_ms < governor->decay_ms)
        return;
    governor->decay_ms = now_ms + DECAY_MS;
    pages_decay_heap();
}

/* A share of the machine or container follows it.  Its files are read without
 * the lock; a budget that was set meanwhile stays. */
static void follow_machine(struct governor *governor, int64_t now_ms)
{
    if (now_ms < governor->follow_ms)
        return;
    governor->follow_ms = now_ms + FOLLOW_MS;
    pthread_mutex_lock(&governor->lock);
    int64_t asked = governor->asked;
    pthread_mutex_unlock(&governor->lock);
    uint64_t bytes = asked < 0 ? share_of_machine(governor, -asked) : 0;
    if (bytes == 0)
        return;
    pthread_mutex_lock(&governor->lock);
    bool changed = governor->asked == asked && governor->wanted != bytes;
    if (changed)
        governor->wanted = bytes;
    pthread_mutex_unlock(&governor->lock);
    if (changed && governor->log)
        log_write(governor->log, LOG_NOTICE,
                  "There is more or less memory than before: %d%% of it are "
                  "%" PRIu64 " bytes",
                  (int)-asked, bytes);
}

void governor_set_clients_share(struct governor *governor, int64_t share)
{
    atomic_store(&governor->share, share);
}

/* ------------------------------------------------------------------- the base
 */

/* The least of what was neither slab nor client's, over the window; nothing
 * can be learned while clients hold much. */
static bool look_at_base(struct governor *governor, uint64_t rest,
                         uint64_t *steady, int64_t now_ms)
{
    uint64_t used = pool_used(governor->pool);
    bool quiet = used <= governor->state.pool_bytes / 8;
    uint64_t base = quiet ? less(rest, used) : 0;
    if (now_ms - governor->window_ms >= WINDOW_MS) {
        governor->window_ms = now_ms;
        for (int i = WINDOW - 1; i > 0; i--)
            governor->least[i] = governor->least[i - 1];
        governor->least[0] = base;
    }
    governor->least[0] = least_of(governor->least[0], base);
    *steady = governor->least[0];
    for (int i = 1; i < WINDOW; i++)
        *steady = least_of(*steady, governor->least[i]);
    return quiet;
}

/*
 * Learns the base.  Clients' freed buffers look like base until the allocator
 * has given them back, and must not cost entries: so the base rises to what
 * was there throughout the window, and at once only by as much as would
 * exceed the budget otherwise.  It falls slowly, so as not to swing.  A part
 * of the reserve is for small errors, so that not each of them costs entries.
 */
static void learn_base(struct governor *governor, uint64_t slab_bytes,
                       int64_t now_ms)
{
    struct governor_state *state = &governor->state;
    uint64_t rest = less(state->resident_bytes, slab_bytes), steady;
    bool quiet = look_at_base(governor, rest, &steady, now_ms);
    uint64_t slack = state->reserve_bytes / 4;
    uint64_t forced = less(rest, state->pool_bytes + slack);
    if (state->base_bytes < forced)
        state->base_bytes = forced;
    else if (state->base_bytes + slack < steady)
        state->base_bytes = steady;
    else if (quiet && state->base_bytes > rest + slack)
        state->base_bytes -= (state->base_bytes - rest) / FALL;
}

/* ----------------------------------------------------------------- limits */

static uint64_t pool_of(uint64_t budget, int64_t share)
{
    uint64_t bytes =
        share < 0 ? budget / 100 * (uint64_t)-share : (uint64_t)share;
    return most_of(least_of(bytes, budget / 2), LEAST_POOL);
}

/* The least budget that leaves room for slabs, with the pool that it has. */
static uint64_t floor_of(const struct governor_state *state, int64_t share)
{
    uint64_t need = state->base_bytes + state->reserve_bytes + LEAST_SLABS;
    uint64_t pool = need; /* half of all */
    if (share >= 0)
        pool = least_of(pool, (uint64_t)share);
    else if (share > -50)
        pool = need / (uint64_t)(100 + share) * (uint64_t)-share + 100;
    return need + most_of(pool, LEAST_POOL);
}

static void set_pool(struct governor *governor)
{
    struct governor_state *state = &governor->state;
    state->pool_bytes =
        pool_of(state->budget_bytes, atomic_load(&governor->share));
    pool_set_limit(governor->pool, state->pool_bytes);
}

static void set_limits(struct governor *governor)
{
    struct governor_state *state = &governor->state;
    state->floor_bytes = floor_of(state, atomic_load(&governor->share));
    state->floor_above_budget = state->floor_bytes > state->budget_bytes;
    uint64_t others =
        state->base_bytes + state->pool_bytes + state->reserve_bytes;
    uint64_t limit = less(state->budget_bytes, others);
    if (limit != state->slab_limit_bytes)
        cache_set_limit(governor->cache, limit);
    state->slab_limit_bytes = limit;
}

/* Once for every budget. */
static void warn_floor(struct governor *governor)
{
    const struct governor_state *state = &governor->state;
    if (!state->floor_above_budget || governor->warned)
        return;
    governor->warned = true;
    if (governor->log)
        log_write(governor->log, LOG_WARNING,
                  "The floor of %" PRIu64
                  " bytes is above the budget of %" PRIu64
                  ": with less than that little or nothing can be stored",
                  state->floor_bytes, state->budget_bytes);
}

/* --------------------------------------------------------------- rebuilding */

static void begin_rebuild(struct governor *governor, uint64_t from,
                          int64_t now_ms)
{
    struct governor_state *state = &governor->state;
    if (!state->rebuilding) {
        state->rebuilds++;
        state->rebuild_from_bytes = from;
        governor->rebuild_ms = now_ms;
    }
    state->rebuilding = true;
    state->rebuild_to_bytes = state->budget_bytes;
    if (governor->log)
        log_write(governor->log, LOG_NOTICE,
                  "The budget is lowered from %" PRIu64 " to %" PRIu64
                  " bytes, of which %" PRIu64 " are resident",
                  from, state->budget_bytes, state->resident_bytes);
}

static void end_rebuild(struct governor *governor, int64_t now_ms)
{
    struct governor_state *state = &governor->state;
    state->rebuilding = false;
    state->last_rebuild_ms = (uint64_t)(now_ms - governor->rebuild_ms);
    if (governor->log)
        log_write(governor->log, LOG_NOTICE,
                  "The lower budget is kept: %" PRIu64 " of %" PRIu64
                  " bytes are resident after %" PRIu64 " ms",
                  state->resident_bytes, state->budget_bytes,
                  state->last_rebuild_ms);
}

static void adopt_budget(struct governor *governor, int64_t now_ms)
{
    struct governor_state *state = &governor->state;
    uint64_t wanted = governor->wanted;
    governor->kept =
        wanted == state->budget_bytes && state->resident_bytes <= wanted;
    if (wanted == state->budget_bytes)
        return;
    uint64_t from = state->budget_bytes;
    state->budget_bytes = wanted;
    governor->warned = false;
    if (wanted < from && state->resident_bytes > wanted)
        begin_rebuild(governor, from, now_ms);
    else if (state->rebuilding)
        state->rebuild_to_bytes = wanted;
}

void governor_tick(struct governor *governor, int64_t now_ms)
{
    struct governor_state *state = &governor->state;
    struct cache_stats stats;
    follow_machine(governor, now_ms);
    decay_heap(governor, now_ms);
    pthread_mutex_lock(&governor->lock);
    measure(governor, &stats);
    adopt_budget(governor, now_ms);
    if (state->budget_bytes > 0) {
        set_pool(governor);
        learn_base(governor, stats.resident_bytes + stats.scratch_bytes,
                   now_ms);
        set_limits(governor);
        warn_floor(governor);
        if (state->rebuilding && state->resident_bytes <= state->budget_bytes)
            end_rebuild(governor, now_ms);
    }
    pthread_mutex_unlock(&governor->lock);
}

bool governor_slice(struct governor *governor, int64_t now_ms,
                    unsigned slice_us)
{
    const struct platform *platform = governor->platform;
    int64_t end_us = platform->monotonic_us(platform->ctx) + slice_us;
    while (cache_step(governor->cache, now_ms))
        if (platform->monotonic_us(platform->ctx) >= end_us)
            return true;
    return false;
}

void governor_state(struct governor *governor, struct governor_state *out)
{
    pthread_mutex_lock(&governor->lock);
    *out = governor->state;
    pthread_mutex_unlock(&governor->lock);
}

void governor_progress(struct governor *governor, struct governor_progress *out)
{
    const struct governor_state *state = &governor->state;
    pthread_mutex_lock(&governor->lock);
    uint64_t budget = governor->wanted;
    *out = (struct governor_progress){
        .budget_bytes = budget,
        .resident_bytes = state->resident_bytes,
        .remaining_bytes = less(state->resident_bytes, budget),
        .floor_bytes = state->floor_bytes,
        .done = governor->kept && budget == state->budget_bytes,
    };
    pthread_mutex_unlock(&governor->lock);
}
