/* SPDX-License-Identifier: BSD-3-Clause */
/* Dropping expired and flushed entries, slab by slab. */

#include "walk.h"
#include "shard.h"

enum {
    WALK_BATCH = 16,
    WALK_LOOKS = 64,     /* cells looked at with a class locked */
    WALK_PAUSE_MS = 100, /* between two walks for expired entries */
    WALK_SLABS = 16,     /* looked at by one call of walk_dead */
};

struct found {
    uint32_t loc;
    uint64_t hash;
};

static bool wanted(const struct cache *cache, const struct entry *entry,
                   int64_t now_ms)
{
    /* now_ms 0: a walk for dead databases. */
    return now_ms != 0
               ? entry_expired(entry, now_ms)
               : number_is_dead(cache, packed_number(entry_packed(entry)));
}

/* Notes entries of a slab (its class locked), from walk->cell on. */
static unsigned collect(struct cache *cache, struct slab *slab,
                        struct walk *walk, int64_t now_ms, struct found *found)
{
    struct slabs *slabs = &cache->slabs;
    unsigned count = 0, cells = slab_class_of(slabs, slab)->count;
    unsigned end =
        walk->cell + WALK_LOOKS < cells ? walk->cell + WALK_LOOKS : cells;
    for (; walk->cell < end && count < WALK_BATCH; walk->cell++) {
        if (!cell_is_live(slabs, slab, walk->cell))
            continue;
        uint32_t loc = slab_cell_loc(slabs, slab, walk->cell);
        const struct entry *entry = entry_at(cache, loc);
        if (wanted(cache, entry, now_ms))
            found[count++] = (struct found){loc, entry_hash(cache, entry)};
    }
    return count;
}

static unsigned drop(struct cache *cache, const struct found *found,
                     unsigned count, int64_t now_ms)
{
    unsigned dropped = 0;
    for (unsigned i = 0; i < count; i++)
        index_prefetch(cache, found[i].hash);
    for (unsigned i = 0; i < count; i++) {
        struct shard *shard = shard_of(cache, found[i].hash);
        lock_take_politely(&shard->lock);
        struct place place =
            index_find_loc(cache, shard, found[i].hash, found[i].loc);
        if (place.bucket &&
            wanted(cache, entry_at(cache, found[i].loc), now_ms)) {
            shard_lose(cache, shard, found[i].hash, place, CACHE_EXPIRED);
            dropped++;
        }
        lock_drop(&shard->lock);
    }
    return dropped;
}

/* An entry that comes while we look lowers due_ms itself. */
void walk_renew_due(struct cache *cache, struct slab *slab)
{
    struct slabs *slabs = &cache->slabs;
    int64_t earliest = INT64_MAX;
    atomic_store(&slab->due_ms, INT64_MAX);
    for (unsigned cell = 0; cell < slab_class_of(slabs, slab)->count; cell++) {
        if (!cell_is_live(slabs, slab, cell))
            continue;
        int64_t at =
            entry_expires_at(entry_at(cache, slab_cell_loc(slabs, slab, cell)));
        if (at != 0 && at < earliest)
            earliest = at;
    }
    if (earliest != INT64_MAX)
        slab_note_expiry(slab, earliest);
}

/* One batch of the slab where the walk stands, or on to the next slab. */
static unsigned advance(struct cache *cache, struct walk *walk, int64_t now_ms)
{
    struct found found[WALK_BATCH];
    unsigned count = 0;
    struct slab *slab = slab_lock(&cache->slabs, walk->slab);
    bool done = true;
    if (slab) {
        if (slab->class < cache->slabs.sizes.entries &&
            (now_ms == 0 || atomic_load(&slab->due_ms) <= now_ms)) {
            count = collect(cache, slab, walk, now_ms, found);
            done = walk->cell >= slab_class_of(&cache->slabs, slab)->count;
            if (done && now_ms != 0)
                walk_renew_due(cache, slab);
        }
        int64_t due = atomic_load(&slab->due_ms);
        if (done && due < walk->next_due_ms)
            walk->next_due_ms = due;
        slab_unlock(&cache->slabs, slab);
    }
    count = drop(cache, found, count, now_ms);
    if (done) {
        walk->slab++;
        walk->cell = 0;
    }
    return count;
}

unsigned walk_expired(struct cache *cache, int64_t now_ms, unsigned slabs)
{
    struct walk *walk = &cache->crawl;
    if (now_ms < atomic_load_explicit(&cache->due_ms, memory_order_relaxed) &&
        !atomic_load_explicit(&walk->active, memory_order_relaxed))
        return 0;
    if (!lock_try(&cache->crawl_lock))
        return 0;
    int64_t pause_ms = now_ms - walk->began_ms;
    if (!walk->active && (pause_ms >= WALK_PAUSE_MS || pause_ms < 0)) {
        walk->slab = 0;
        walk->cell = 0;
        walk->began_ms = now_ms;
        walk->next_due_ms = INT64_MAX;
        atomic_store(&cache->due_ms, INT64_MAX);
        atomic_store(&walk->active, true);
    }
    unsigned dropped = 0;
    uint32_t end = slabs_end(&cache->slabs), last = walk->slab + slabs;
    while (walk->active && walk->slab < last && walk->slab < end)
        dropped += advance(cache, walk, now_ms);
    if (walk->active && walk->slab >= end) {
        atomic_store(&walk->active, false);
        int64_t due = atomic_load(&cache->due_ms);
        while (walk->next_due_ms < due &&
               !atomic_compare_exchange_weak(&cache->due_ms, &due,
                                             walk->next_due_ms))
            ;
    }
    lock_drop(&cache->crawl_lock);
    return dropped;
}

/* Numbers whose last entry is gone can be used again. */
static void bury(struct cache *cache)
{
    uint64_t dead = atomic_load(&cache->dead), empty = dead;
    for (unsigned i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        lock_take(&shard->lock);
        for (unsigned n = 0; n < ENTRY_NUMBERS; n++)
            if (shard->tally.counts[n] != 0)
                empty &= ~(UINT64_C(1) << n);
        lock_drop(&shard->lock);
    }
    atomic_fetch_and(&cache->dead, ~empty);
}

bool walk_dead(struct cache *cache, unsigned max)
{
    struct walk *walk = &cache->sweep;
    if (atomic_load(&cache->dead) == 0)
        return false;
    if (walk->slab == 0 && walk->cell == 0)
        bury(cache); /* what others have dropped */
    uint32_t end = slabs_end(&cache->slabs);
    unsigned dropped = 0;
    for (unsigned i = 0; i < WALK_SLABS && dropped < max && walk->slab < end;
         i++)
        dropped += advance(cache, walk, 0);
    if (walk->slab >= end) {
        walk->slab = 0;
        walk->cell = 0;
        bury(cache);
    }
    return atomic_load(&cache->dead) != 0;
}
