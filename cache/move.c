/* SPDX-License-Identifier: BSD-3-Clause */
/* Moving entries, pieces and index segments out of sparse slabs. */

#include "move.h"
#include "cut.h"
#include "long.h"
#include "shard.h"

enum {
    MOVE_BATCH = 16,
    MOVE_UNIT = 256, /* bytes that cost as much again as moving any cell */
};

/* A cell to be moved, as it was when its class was locked. */
struct guess {
    uint32_t loc;
    uint64_t owner; /* an entry's hash, a piece's shard, a segment's owner */
};

static bool is_segment(const struct cache *cache, unsigned class)
{
    return class == sizes_of_segment(&cache->slabs.sizes);
}

static bool is_entry(const struct cache *cache, unsigned class)
{
    return class < cache->slabs.sizes.entries;
}

static uint64_t owner_of(struct cache *cache, struct slab *slab, uint32_t loc)
{
    unsigned cell = slab_cell_number(&cache->slabs, slab, loc);
    if (is_entry(cache, slab->class))
        return entry_hash(cache, entry_at(cache, loc));
    if (is_segment(cache, slab->class))
        return __atomic_load_n(&slab_owners(slab)[cell], __ATOMIC_RELAXED);
    return piece_shard(piece_at(cache, loc));
}

/*
 * Fetches the neighbours in the list, which a move will write to.  Reads the
 * links without the shard's lock, on purpose: they are only where to look
 * ahead.
 */
__attribute__((no_sanitize("thread"))) static void
fetch_neighbours(const struct cache *cache, uint32_t loc)
{
    const volatile struct entry *entry = entry_at(cache, loc);
    __builtin_prefetch(entry_at(cache, entry->prev), 1);
    __builtin_prefetch(entry_at(cache, entry->next), 1);
}

/* The next live cells of the slab being emptied; 0: that was all. */
static unsigned guess_some(struct cache *cache, struct guess *guesses,
                           unsigned max)
{
    struct moving *moving = &cache->moving;
    struct slabs *slabs = &cache->slabs;
    struct slab *slab = moving->slab;
    unsigned count = 0, cells = slab_class_of(slabs, slab)->count;
    lock_take_politely(&slabs->classes[slab->class].lock);
    for (; moving->cell < cells && count < max; moving->cell++) {
        if (!cell_is_live(slabs, slab, moving->cell))
            continue;
        guesses[count].loc = slab_cell_loc(slabs, slab, moving->cell);
        __builtin_prefetch(slabs_at(slabs, guesses[count++].loc));
    }
    for (unsigned i = 0; i < count; i++) {
        uint32_t loc = guesses[i].loc;
        guesses[i].owner = owner_of(cache, slab, loc);
        if (is_entry(cache, slab->class))
            fetch_neighbours(cache, loc);
    }
    slab_unlock(slabs, slab);
    return count;
}

/* ---------------------------------------------------------------- movers */

static size_t entry_size(struct entry *entry)
{
    return (size_t)(entry_value(entry) - (char *)entry) +
           packed_value_here(entry_packed(entry));
}

/* False: no cell to move it to. */
static bool move_entry(struct cache *cache, struct shard *shard,
                       const struct guess *guess, int64_t now_ms)
{
    struct place place = index_find_loc(cache, shard, guess->owner, guess->loc);
    if (!place.bucket)
        return true; /* it was dropped meanwhile */
    struct slabs *slabs = &cache->slabs;
    struct entry *entry = entry_at(cache, guess->loc);
    bool dead = number_is_dead(cache, packed_number(entry_packed(entry)));
    if (dead || entry_expired(entry, now_ms)) {
        shard_lose(cache, shard, guess->owner, place, CACHE_EXPIRED);
        return true;
    }
    uint32_t to = cell_take_in_use(slabs, cell_class(slabs, guess->loc));
    if (to == 0)
        return false;
    size_t size = entry_size(entry);
    memcpy(entry_at(cache, to), entry, size);
    place.bucket->locs[place.slot] = to;
    shard_relink(cache, shard, guess->loc, to);
    long_moved(cache, to);
    int64_t at = entry_expires_at(entry_at(cache, to));
    cell_set_live(slabs, to);
    if (at != 0)
        slab_note_expiry(slab_of(slabs, to), at);
    cell_clear_live(slabs, guess->loc);
    cell_free(slabs, guess->loc);
    atomic_fetch_add_explicit(&cache->moved, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&cache->moved_bytes, size, memory_order_relaxed);
    return true;
}

static bool move_segment(struct cache *cache, const struct guess *guess)
{
    struct slabs *slabs = &cache->slabs;
    unsigned kind = guess->owner >> 6 & 1;
    struct shard *shard = &cache->shards[guess->owner & 63];
    _Atomic uint32_t *at =
        &cache->segments[kind][(guess->owner >> 7) * cache->shard_count +
                               shard->number];
    bool moved = true;
    lock_take_politely(&shard->lock);
    if (atomic_load_explicit(at, memory_order_relaxed) == guess->loc) {
        uint32_t to = cell_take(slabs, sizes_of_segment(&slabs->sizes));
        moved = to != 0;
        if (moved) {
            struct slab *slab = slab_of(slabs, to);
            memcpy(slabs_at(slabs, to), slabs_at(slabs, guess->loc),
                   SIZES_SEGMENT);
            struct slab *old = slab_of(slabs, guess->loc);
            memcpy(slab_homes(slab, slab_cell_number(slabs, slab, to)),
                   slab_homes(old, slab_cell_number(slabs, old, guess->loc)),
                   INDEX_SEGMENT * sizeof(uint32_t));
            __atomic_store_n(
                &slab_owners(slab)[slab_cell_number(slabs, slab, to)],
                (uint32_t)guess->owner, __ATOMIC_RELAXED);
            atomic_store_explicit(at, to, memory_order_relaxed);
            cell_set_live(slabs, to);
            cell_clear_live(slabs, guess->loc);
            cell_free(slabs, guess->loc);
        }
    }
    lock_drop(&shard->lock);
    return moved;
}

static bool move_one(struct cache *cache, unsigned class,
                     const struct guess *guess, int64_t now_ms)
{
    if (is_segment(cache, class))
        return move_segment(cache, guess);
    struct shard *shard = is_entry(cache, class) ? shard_of(cache, guess->owner)
                                                 : &cache->shards[guess->owner];
    lock_take_politely(&shard->lock);
    bool moved = true;
    if (is_entry(cache, class))
        moved = move_entry(cache, shard, guess, now_ms);
    else if (cell_is_live(&cache->slabs, slab_of(&cache->slabs, guess->loc),
                          slab_cell_number(&cache->slabs,
                                           slab_of(&cache->slabs, guess->loc),
                                           guess->loc)))
        long_move(cache, shard, guess->loc);
    lock_drop(&shard->lock);
    return moved;
}

/* ---------------------------------------------------------------- choosing */

/* The class with the most to gain. */
static struct slab *choose(struct cache *cache)
{
    struct slabs *slabs = &cache->slabs;
    unsigned best = SIZES_MAX;
    double most = 0;
    for (unsigned i = 0; i < slabs->sizes.count; i++) {
        if (!slab_class_spare(slabs, i))
            continue;
        double gain = (double)__atomic_load_n(&slabs->classes[i].free_cells,
                                              __ATOMIC_RELAXED) /
                      slabs->sizes.classes[i].count;
        if (gain > most) {
            most = gain;
            best = i;
        }
    }
    return best < SIZES_MAX ? slab_leave(slabs, best, false) : NULL;
}

/* Of many classes with few slabs each, one that is less than half full. */
static struct slab *choose_sparse(struct cache *cache)
{
    struct slabs *slabs = &cache->slabs;
    struct slab *slab = NULL;
    for (unsigned i = slabs->sizes.entries; i-- > 0 && !slab;)
        if (__atomic_load_n(&slabs->classes[i].free_cells, __ATOMIC_RELAXED) >
            0)
            slab = slab_leave(slabs, i, true);
    return slab;
}

static bool move(struct cache *cache, int64_t now_ms, unsigned max, bool sparse)
{
    struct moving *moving = &cache->moving;
    struct guess guesses[MOVE_BATCH];
    bool useful = true;
    lock_take(&moving->lock);
    if (cut_active(cache)) {
        lock_drop(&moving->lock);
        return false;
    }
    if (!moving->slab) {
        moving->slab = sparse ? choose_sparse(cache) : choose(cache);
        moving->cell = 0;
    }
    useful = moving->slab != NULL;
    while (moving->slab && max > 0) {
        unsigned class = moving->slab->class;
        unsigned cost = 1 + cache->slabs.sizes.classes[class].cell / MOVE_UNIT;
        unsigned most = (max + cost - 1) / cost;
        unsigned count =
            guess_some(cache, guesses, most < MOVE_BATCH ? most : MOVE_BATCH);
        bool room = true;
        for (unsigned i = 0; i < count && is_entry(cache, class); i++)
            index_prefetch(cache, guesses[i].owner);
        for (unsigned i = 0; i < count && room; i++)
            room = move_one(cache, class, &guesses[i], now_ms);
        max -= count * cost < max ? count * cost : max;
        if (count == 0 || !room) {
            /* Emptied; or what is left in it is in use where it lies. */
            useful = slab_return(&cache->slabs, moving->slab, room || sparse) ||
                     room;
            moving->slab = NULL;
        }
    }
    lock_drop(&moving->lock);
    return useful;
}

bool move_some(struct cache *cache, int64_t now_ms, unsigned max)
{
    return move(cache, now_ms, max, false);
}

bool move_sparse(struct cache *cache, int64_t now_ms, unsigned max)
{
    return slabs_crowded(&cache->slabs) && move(cache, now_ms, max, true);
}

void move_stop(struct cache *cache)
{
    struct moving *moving = &cache->moving;
    lock_take(&moving->lock);
    if (moving->slab)
        slab_return(&cache->slabs, moving->slab, false);
    moving->slab = NULL;
    lock_drop(&moving->lock);
}
