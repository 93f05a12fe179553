/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Evicting what expires next, nearly.  A walk through the slabs, in address
 * order and from where it stood last, takes what expires before a horizon; it
 * skips slabs where nothing does (slab->due_ms).  Having seen some slabs, or
 * all, it sets the horizon anew, by a sample of entries: so that about one in
 * thirty of them expires before.
 */

#include "evict.h"
#include "shard.h"
#include "walk.h"

enum {
    NEAREST_WINDOW = 1024, /* slabs for which a horizon is good */
    SAMPLE_SIZE = 64,      /* times, the second of which is the horizon */
    SAMPLE_PARTS = 16,     /* of the slabs, of each of which are taken ... */
    SAMPLE_EACH = 4,       /* ... so many, by looking at ... */
    SAMPLE_PROBES = 64,    /* ... so many slabs at most; */
    SAMPLE_ROUNDS = 4,     /* as often, if that is not enough */
};

struct found {
    uint32_t loc;
    uint64_t hash;
};

/* --------------------------------------------------------------- a sample */

/* The two smallest of some times, and how many there were. */
struct sample {
    int64_t first_ms, second_ms;
    unsigned count;
};

static void sample_add(struct sample *sample, int64_t at_ms)
{
    sample->count++;
    if (at_ms < sample->first_ms) {
        sample->second_ms = sample->first_ms;
        sample->first_ms = at_ms;
    } else if (at_ms < sample->second_ms) {
        sample->second_ms = at_ms;
    }
}

/* Up to `most` of a slab, from a random cell on; returns how many. */
static unsigned sample_slab(struct cache *cache, uint32_t number, unsigned most,
                            struct sample *sample)
{
    struct slabs *slabs = &cache->slabs;
    unsigned found = 0;
    struct slab *slab = slab_lock(slabs, number);
    if (!slab)
        return 0;
    unsigned cells = slab_class_of(slabs, slab)->count;
    unsigned from = (unsigned)(evict_dice(cache) % cells);
    bool empty = slab->class >= slabs->sizes.entries ||
                 atomic_load(&slab->due_ms) == INT64_MAX;
    for (unsigned i = 0; i < cells && found < most && !empty; i++) {
        unsigned cell = (from + i) % cells;
        if (!cell_is_live(slabs, slab, cell))
            continue;
        uint32_t loc = slab_cell_loc(slabs, slab, cell);
        int64_t at_ms = entry_expires_at(entry_at(cache, loc));
        if (at_ms == 0)
            continue;
        sample_add(sample, at_ms);
        found++;
    }
    if (found == 0 && !empty)
        walk_renew_due(cache, slab); /* it had some once */
    slab_unlock(slabs, slab);
    return found;
}

/* Of the slabs from `first` on, from a random one on. */
static void sample_part(struct cache *cache, uint32_t first, uint32_t count,
                        struct sample *sample)
{
    uint32_t from = (uint32_t)(evict_dice(cache) % count);
    unsigned found = 0, end = slabs_end(&cache->slabs);
    for (uint32_t i = 0; i < count && i < SAMPLE_PROBES && found < SAMPLE_EACH;
         i++) {
        uint32_t number = first + (from + i) % count;
        if (number < end)
            found += sample_slab(cache, number, SAMPLE_EACH - found, sample);
    }
}

/* INT64_MAX: no entry was found that expires. */
static int64_t horizon_of(struct cache *cache)
{
    struct sample sample = {INT64_MAX, INT64_MAX, 0};
    uint32_t count = slabs_end(&cache->slabs) / SAMPLE_PARTS + 1;
    for (unsigned i = 0;
         i < SAMPLE_ROUNDS * SAMPLE_PARTS && sample.count < SAMPLE_SIZE; i++)
        sample_part(cache, i % SAMPLE_PARTS * count, count, &sample);
    return sample.count < SAMPLE_SIZE / 2 ? sample.first_ms : sample.second_ms;
}

/* --------------------------------------------------------------- the walk */

/* The next entry of the slab where the walk stands that expires before the
 * horizon; false: there is none, and it stands at the next slab. */
static bool look(struct cache *cache, struct nearest *nearest,
                 struct found *found)
{
    struct slabs *slabs = &cache->slabs;
    struct slab *slab = slab_lock(slabs, nearest->slab);
    bool good = slab && slab->class < slabs->sizes.entries;
    bool due = good && atomic_load(&slab->due_ms) <= nearest->horizon_ms;
    unsigned cells = due ? slab_class_of(slabs, slab)->count : 0;
    for (; nearest->cell < cells; nearest->cell++) {
        if (!cell_is_live(slabs, slab, nearest->cell))
            continue;
        uint32_t loc = slab_cell_loc(slabs, slab, nearest->cell);
        const struct entry *entry = entry_at(cache, loc);
        if (!entry_expired(entry, nearest->horizon_ms))
            continue;
        *found = (struct found){loc, entry_hash(cache, entry)};
        nearest->cell++;
        slab_unlock(slabs, slab);
        return true;
    }
    if (due)
        walk_renew_due(cache, slab);
    if (good && atomic_load(&slab->due_ms) < nearest->least_ms) {
        nearest->least_ms = atomic_load(&slab->due_ms);
        nearest->least_slab = nearest->slab;
    }
    if (slab)
        slab_unlock(slabs, slab);
    nearest->slab++;
    nearest->cell = 0;
    nearest->seen++;
    return false;
}

/* False: it has seen as many slabs as the horizon is good for. */
static bool advance(struct cache *cache, struct nearest *nearest,
                    struct found *found)
{
    uint32_t end = slabs_end(&cache->slabs);
    while (nearest->seen < NEAREST_WINDOW && nearest->seen < end) {
        if (nearest->slab >= end)
            nearest->slab = nearest->cell = 0;
        if (look(cache, nearest, found))
            return true;
    }
    return false;
}

/* Without a sample, since few entries expire, the slab goes first where the
 * earliest of those is that were seen. */
static void set_horizon(struct cache *cache, struct nearest *nearest)
{
    nearest->horizon_ms = horizon_of(cache);
    if (nearest->horizon_ms == INT64_MAX && nearest->least_ms != INT64_MAX) {
        nearest->horizon_ms = nearest->least_ms;
        nearest->slab = nearest->least_slab;
        nearest->cell = 0;
    } else if (nearest->horizon_ms == INT64_MAX) {
        nearest->horizon_ms = 0;
    }
    nearest->least_ms = INT64_MAX;
    nearest->seen = 0;
}

static size_t drop(struct cache *cache, const struct found *found,
                   int64_t horizon_ms, int64_t now_ms)
{
    struct shard *shard = shard_of(cache, found->hash);
    size_t bytes = 0;
    lock_take(&shard->lock);
    if (index_find_loc(cache, shard, found->hash, found->loc).bucket &&
        entry_expired(entry_at(cache, found->loc), horizon_ms))
        bytes = evict_drop(cache, shard, found->loc, now_ms);
    lock_drop(&shard->lock);
    return bytes;
}

size_t evict_nearest(struct cache *cache, int64_t now_ms)
{
    struct nearest *nearest = &cache->nearest;
    /* All of them, twice: then there is none. */
    unsigned windows = 2 * (slabs_end(&cache->slabs) / NEAREST_WINDOW + 2);
    struct found found;
    size_t bytes = 0;
    lock_take(&nearest->lock);
    while (bytes == 0 && windows > 0 &&
           atomic_load_explicit(&cache->expiring, memory_order_relaxed) != 0) {
        if (advance(cache, nearest, &found)) {
            bytes = drop(cache, &found, nearest->horizon_ms, now_ms);
        } else {
            set_horizon(cache, nearest);
            windows--;
        }
    }
    lock_drop(&nearest->lock);
    return bytes;
}
