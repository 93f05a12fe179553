/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps of a cut; cut.h has the picture. */

#include <assert.h>

#include "cut_mark.h"
#include "listen.h"
#include "move.h"
#include "shard.h"

enum {
    CUT_SLABS = 64,   /* slabs given words, or kept, in one step */
    CUT_BUCKETS = 32, /* buckets swept or merged in one step */
    CUT_AHEAD = 4,    /* buckets whose marks are fetched ahead */
    CUT_PAYS = 32,    /* steps done by one who stores something */
};

static uint64_t count_alive(const struct cache *cache,
                            const struct shard *shard)
{
    uint64_t alive = 0;
    for (unsigned n = 0; n < ENTRY_NUMBERS; n++)
        alive += number_is_dead(cache, n) ? 0 : shard->tally.counts[n];
    return alive;
}

/* Rather too many: all that is alive is marked, every bucket swept and merged,
 * every slab given words and kept. */
static uint32_t count_steps(struct cache *cache)
{
    uint64_t alive = 0, buckets = 0;
    for (unsigned i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        lock_take(&shard->lock);
        alive += count_alive(cache, shard);
        buckets += shard->buckets;
        lock_drop(&shard->lock);
    }
    return (uint32_t)(alive / cache->shard_count + 2 * buckets / CUT_BUCKETS +
                      2 * slabs_end(&cache->slabs) / CUT_SLABS +
                      2 * cache->shard_count);
}

void cut_begin(struct cache *cache, uint32_t slabs)
{
    struct cut *cut = &cache->cut;
    lock_take(&cut->lock);
    if (!cut_active(cache) && !marks_begin(&cache->slabs)) {
        cut->vain = true; /* without memory for marks: one by one */
    } else if (!cut_active(cache)) {
        cut->limit = slabs;
        cut->at = 0;
        for (unsigned i = 0; i < SIZES_MAX; i++)
            atomic_store(&cut->cells[i], 0);
        atomic_store(&cut->entries, 0);
        atomic_store(&cut->phase, CUT_GIVE);
        atomic_store(&cut->left, count_steps(cache));
        move_stop(cache); /* nothing moves until this is over */
    }
    lock_drop(&cut->lock);
}

/* ----------------------------------------------------------------- phases */

/* Numbers of the next slabs; false: there are no more. */
static bool next_slabs(struct cache *cache, uint32_t *first, uint32_t *end)
{
    struct cut *cut = &cache->cut;
    *first = cut->at;
    *end = slabs_end(&cache->slabs);
    if (*end > *first + CUT_SLABS)
        *end = *first + CUT_SLABS;
    cut->at = *end;
    return *first < *end;
}

static bool give_some(struct cache *cache)
{
    uint32_t first, end;
    if (!next_slabs(cache, &first, &end))
        return false;
    marks_give(&cache->slabs, first, end);
    return true;
}

static bool keep_some(struct cache *cache)
{
    struct slabs *slabs = &cache->slabs;
    uint32_t number, end;
    if (!next_slabs(cache, &number, &end))
        return false;
    for (; number < end; number++) {
        struct slab *slab = slab_lock(slabs, number);
        if (slab && slab->class < slabs->sizes.entries)
            slab_keep_marked(slabs, slab);
        else if (slab)
            slab_unlock(slabs, slab);
    }
    return true;
}

/* What the shard drops by being cut. */
static void count_evicted(struct cache *cache, struct shard *shard)
{
    uint64_t dropped = cut_count_left(cache, shard), all = 0;
    for (unsigned n = 0; n < ENTRY_NUMBERS; n++)
        all += shard->tally.counts[n] - shard->marked.counts[n];
    if (dropped == 0)
        return;
    cache->cut.lost = true;
    /* Of the bytes its share: some may be of flushed databases. */
    double payload = (double)(shard->tally.payload - shard->marked.payload);
    shard->evicted += dropped;
    shard->evicted_bytes +=
        (uint64_t)(payload * (double)dropped / (double)all) +
        dropped * ENTRY_HEAD;
}

static void cut_shard(struct cache *cache, struct shard *shard)
{
    lock_take(&shard->lock);
    shard->marking = false;
    if (shard->cursor != 0) {
        uint32_t last = entry_at(cache, shard->cursor)->prev;
        if (last != 0)
            entry_at(cache, last)->next = 0;
        else
            shard->head = 0;
        shard->tail = last;
        if (shard->searched && !cell_is_marked(&cache->slabs, shard->candidate))
            shard->candidate = last; /* it was behind the cut */
        shard->cursor = 0;
        shard->cut = true;
        cache->cut.vain = false;
        shard_publish_next(cache, shard);
        count_evicted(cache, shard);
        shard->tally = shard->marked;
        shard_publish_expiring(cache, shard);
    }
    lock_drop(&shard->lock);
}

/* With cursors where they are; what is behind them is dead. */
static void cut_all(struct cache *cache)
{
    struct cut *cut = &cache->cut;
    cut->vain = true;
    for (unsigned i = 0; i < cache->shard_count; i++)
        cut_shard(cache, &cache->shards[i]);
    cut->shard = 0;
    assert(!cut->lost || atomic_load(&cache->listening) != CACHE_TELL_EACH);
}

/* Some buckets of the shard being swept; false: all shards are swept. */
static bool sweep_some(struct cache *cache)
{
    struct cut *cut = &cache->cut;
    if (cut->shard == cache->shard_count)
        return false;
    struct shard *shard = &cache->shards[cut->shard];
    bool more = shard->cut;
    lock_take_politely(&shard->lock);
    for (unsigned i = 0; i < CUT_BUCKETS && more; i++) {
        if (cut->at < shard->buckets) {
            index_sweep_ahead(cache, shard, cut->at + CUT_AHEAD);
            index_sweep(cache, shard, cut->at++);
        } else {
            more = index_contract(cache, shard, CUT_DENSE);
        }
    }
    if (!more) {
        shard->cut = false;
        if (shard->items == 0 && shard->buckets == 1)
            index_close(cache, shard);
        cut->shard++;
        cut->at = 0;
    }
    lock_drop(&shard->lock);
    return true;
}

/* Slabs that the survivors may need, as it is by now. */
static uint32_t limit_of(const struct cache *cache)
{
    return cut_spares_all(cache) ? UINT32_MAX
                                 : atomic_load(&cache->slabs.limit);
}

/* The limit was raised again before anything was cut off, or nothing may be. */
static bool is_pointless(struct cache *cache)
{
    uint32_t phase = atomic_load(&cache->cut.phase);
    return (phase == CUT_GIVE || phase == CUT_MARK) &&
           (!slabs_exceed(&cache->slabs) || cut_spares_all(cache)) &&
           atomic_load(&cache->dead) == 0;
}

static void step_locked(struct cache *cache, int64_t now_ms)
{
    struct cut *cut = &cache->cut;
    uint32_t phase = atomic_load(&cut->phase), next = phase;
    if (is_pointless(cache)) {
        cut_end_marks(cache);
        cut->at = 0;
        atomic_store(&cut->phase, CUT_END);
        return;
    }
    switch (phase) {
    case CUT_GIVE:
        if (!give_some(cache)) {
            cut_begin_marks(cache);
            next = CUT_MARK;
        }
        break;
    case CUT_MARK:
        cut->limit = limit_of(cache);
        if (!cut_mark_round(cache, now_ms)) {
            cut_all(cache);
            next = CUT_SWEEP;
        }
        break;
    case CUT_SWEEP:
        if (!sweep_some(cache))
            next = CUT_KEEP;
        break;
    case CUT_KEEP:
        if (!keep_some(cache)) {
            cut_end_marks(cache);
            next = CUT_END;
        }
        break;
    case CUT_END:
        if (!marks_end(&cache->slabs))
            next = CUT_IDLE;
        break;
    default:
        break;
    }
    if (next != phase) {
        cut->at = 0;
        atomic_store(&cut->phase, next);
    }
}

bool cut_step(struct cache *cache, int64_t now_ms)
{
    if (!cut_active(cache))
        return false;
    struct cut *cut = &cache->cut;
    lock_take(&cut->lock);
    step_locked(cache, now_ms);
    if (atomic_load(&cut->left) > 1)
        atomic_fetch_sub(&cut->left, 1);
    bool lost = cut->lost;
    cut->lost = false;
    lock_drop(&cut->lock);
    if (lost)
        listen_cut(cache);
    return true;
}

void cut_pay(struct cache *cache, size_t bytes, int64_t now_ms)
{
    const struct slabs *slabs = &cache->slabs;
    uint64_t limit = atomic_load(&slabs->limit);
    uint64_t resident = atomic_load(&slabs->resident);
    if (resident > limit || atomic_load(&cache->cut.phase) == CUT_END)
        return; /* it is paid for by evicting; it is over */
    uint64_t spare =
        (limit - resident + atomic_load(&slabs->stock)) * (uint64_t)SIZES_SLAB;
    double steps = CUT_PAYS;
    if (spare > bytes)
        steps = (double)atomic_load(&cache->cut.left) * (double)bytes /
                (double)spare;
    /* Of a part of a step, by chance. */
    steps += (double)(evict_dice(cache) >> 32) / 4294967296.0;
    for (unsigned i = 1; i <= steps && i <= CUT_PAYS; i++)
        if (!cut_step(cache, now_ms))
            return;
}
