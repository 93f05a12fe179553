/* SPDX-License-Identifier: BSD-3-Clause */
/* Evicting: the policies that go by the last use. */

#include "evict.h"

#include <assert.h>

#include "cut.h"
#include "fetch.h"
#include "listen.h"
#include "shard.h"
#include "stash.h"

enum {
    SEARCH_STEPS = 32,  /* entries of a shard looked at with it locked */
    SEARCH_MOST = 2048, /* by one who wants an entry evicted now */
    SEARCH_SHARDS = 8,  /* searched in one step */
};

/* Where an entry is in the index; *hash: of its key.  If that was found out
 * when it was looked at ahead, and nothing else is in the cell by now, it is
 * right. */
static struct place place_of(const struct cache *cache,
                             const struct shard *shard, uint32_t loc,
                             uint64_t *hash)
{
    const struct ahead *ahead = shard->ahead;
    if (ahead->loc == loc) {
        struct place place = index_find_loc(cache, shard, ahead->hash, loc);
        *hash = ahead->hash;
        if (place.bucket)
            return place;
    }
    *hash = entry_hash(cache, entry_at(cache, loc));
    return index_find_loc(cache, shard, *hash, loc);
}

/* keep: its cell stays with the shard, which has none; it is a short one. */
static size_t drop(struct cache *cache, struct shard *shard, uint32_t loc,
                   bool keep, int64_t now_ms)
{
    const struct entry *entry = entry_at(cache, loc);
    size_t cell = cell_size(&cache->slabs, loc);
    size_t bytes = entry_payload(entry);
    uint64_t hash;
    struct place place = place_of(cache, shard, loc, &hash);
    assert(place.bucket);
    listen_lost(cache, shard, loc,
                entry_expired(entry, now_ms) ? CACHE_EXPIRED : CACHE_EVICTED);
    index_remove(cache, shard, hash, place);
    shard_take_out(cache, shard, loc);
    if (keep)
        stash_put(cache, shard, loc);
    else
        shard_free_entry(cache, loc);
    return bytes > cell ? bytes : cell;
}

size_t evict_drop(struct cache *cache, struct shard *shard, uint32_t loc,
                  int64_t now_ms)
{
    return drop(cache, shard, loc, false, now_ms);
}

/*
 * Asks for what the next evictions of a shard (locked) will read.  Other shards
 * have their turns in between, and by then it is there: each time, the next
 * three come a step nearer.
 *
 *   the third's entry --> the second's bucket --> the rest of the next's chain
 */
static void evict_ahead(const struct cache *cache, struct shard *shard)
{
    struct ahead *ahead = shard->ahead;
    uint32_t next = shard_next(shard);
    uint32_t second = next == 0 ? 0 : entry_at(cache, next)->prev;
    index_prefetch_more(cache, shard, ahead[1].bucket);
    ahead[0] = ahead[1];
    ahead[1] = (struct ahead){0};
    if (second == 0)
        return;
    const struct entry *entry = entry_at(cache, second);
    const char *third = (const char *)entry_at(cache, entry->prev);
    __builtin_prefetch(third);
    __builtin_prefetch(third + FETCH_LINE);
    if (entry_packed(entry) & ENTRY_EXT)
        return;
    uint64_t hash = entry_hash(cache, entry);
    ahead[1] = (struct ahead){hash, second, index_prefetch(cache, hash)};
    cell_prefetch(&cache->slabs, second);
}

/* The policy lets it go. */
static bool may_go(const struct cache *cache, const struct entry *entry)
{
    uint32_t packed = entry_packed(entry);
    return packed & ENTRY_EXPIRY ||
           number_is_dead(cache, packed_number(packed));
}

/* Moves the candidate of a shard (locked) on to an entry that may go, by
 * `steps` entries at most; returns how many it passed.  *found: it is one. */
static unsigned search(struct cache *cache, struct shard *shard, unsigned steps,
                       bool *found)
{
    unsigned passed = 0;
    uint32_t at = shard->candidate;
    for (*found = false; at != 0 && !*found; passed++) {
        const struct entry *entry = entry_at(cache, at);
        *found = may_go(cache, entry);
        if (*found || passed == steps || entry->prev == 0)
            break;
        at = entry->prev;
    }
    if (passed > 0) {
        shard->candidate = at;
        shard_publish_next(cache, shard);
    }
    return passed;
}

/* A number that is mostly another one each time. */
static unsigned next_turn(struct cache *cache)
{
    unsigned turn =
        atomic_load_explicit(&cache->evict_turn, memory_order_relaxed);
    atomic_store_explicit(&cache->evict_turn, turn + 1, memory_order_relaxed);
    return turn;
}

/*
 * Of the shards in `among`, the one whose next entry is the oldest; of those
 * whose are equally old, another one each time.  Many are used in the same
 * millisecond, and while one is left as old as the last, nothing is older.
 */
static unsigned oldest_of(struct cache *cache, uint64_t among, unsigned turn,
                          int64_t now_ms)
{
    uint32_t least =
        atomic_load_explicit(&cache->least_used_ms, memory_order_relaxed);
    unsigned best = 0;
    int64_t best_age = -1;
    for (unsigned i = 0; i < cache->shard_count; i++) {
        unsigned at = (turn + i) & (cache->shard_count - 1);
        if (!(among >> at & 1))
            continue;
        uint32_t used =
            atomic_load_explicit(&cache->oldest[at], memory_order_relaxed);
        if (used == least)
            return at;
        uint32_t age = entry_age_ms(used, now_ms);
        if ((int64_t)age > best_age) {
            best_age = age;
            best = at;
        }
    }
    atomic_store_explicit(
        &cache->least_used_ms,
        atomic_load_explicit(&cache->oldest[best], memory_order_relaxed),
        memory_order_relaxed);
    return best;
}

size_t evict_oldest(struct cache *cache, int64_t now_ms)
{
    unsigned turn = next_turn(cache);
    for (;;) {
        uint64_t filled =
            atomic_load_explicit(&cache->filled, memory_order_relaxed);
        if (filled == 0)
            return 0;
        struct shard *shard =
            &cache->shards[oldest_of(cache, filled, turn, now_ms)];
        lock_take(&shard->lock);
        size_t bytes = shard->tail == 0
                           ? 0
                           : evict_drop(cache, shard, shard->tail, now_ms);
        evict_ahead(cache, shard);
        lock_drop(&shard->lock);
        if (bytes > 0)
            return bytes;
    }
}

size_t evict_here(struct cache *cache, struct shard *shard, unsigned class,
                  int64_t now_ms)
{
    uint32_t policy =
        atomic_load_explicit(&cache->policy, memory_order_relaxed);
    uint32_t loc = shard->tail;
    if (policy != CACHE_ALLKEYS_LRU || shard->stash != 0 || loc == shard->head)
        return 0;
    const struct entry *entry = entry_at(cache, loc);
    if (cell_class(&cache->slabs, loc) != class)
        return 0;
    if (entry->used_ms !=
            atomic_load_explicit(&cache->least_used_ms, memory_order_relaxed) ||
        entry_packed(entry) & ENTRY_EXT)
        return 0;
    size_t bytes = drop(cache, shard, loc, true, now_ms);
    evict_ahead(cache, shard);
    return bytes;
}

/* The same, of those with an expiry.  A candidate that was not one is moved on,
 * and may not be the oldest then. */
static size_t evict_oldest_expiring(struct cache *cache, int64_t now_ms)
{
    unsigned turn = next_turn(cache);
    uint64_t among =
        atomic_load_explicit(&cache->expiring, memory_order_relaxed);
    for (unsigned passed = 0; among != 0 && passed < SEARCH_MOST;) {
        unsigned number = oldest_of(cache, among, turn, now_ms);
        struct shard *shard = &cache->shards[number];
        bool found;
        size_t bytes = 0;
        lock_take(&shard->lock);
        unsigned moved = search(cache, shard, SEARCH_STEPS, &found);
        if (moved == 0 && found)
            bytes = evict_drop(cache, shard, shard->candidate, now_ms);
        else if (moved == 0)
            among &= ~(UINT64_C(1) << number); /* all of it was searched */
        lock_drop(&shard->lock);
        passed += moved;
        if (bytes > 0)
            return bytes;
    }
    /* The policy is new, and the steps have not searched everything yet. */
    return among != 0 ? evict_nearest(cache, now_ms) : 0;
}

bool evict_search(struct cache *cache)
{
    bool more = false;
    if (atomic_load_explicit(&cache->policy, memory_order_relaxed) !=
        CACHE_VOLATILE_LRU)
        return false;
    for (unsigned i = 0; i < SEARCH_SHARDS; i++) {
        struct shard *shard =
            &cache->shards[cache->search_turn++ & (cache->shard_count - 1)];
        bool found;
        lock_take_politely(&shard->lock);
        if (shard->searched)
            more |= search(cache, shard, SEARCH_STEPS, &found) > 0;
        lock_drop(&shard->lock);
    }
    return more;
}

bool evict_dead(struct cache *cache)
{
    bool dropped = false;
    if (atomic_load(&cache->dead) == 0)
        return false;
    for (unsigned i = 0; i < cache->shard_count && !dropped; i++) {
        struct shard *shard = &cache->shards[i];
        lock_take(&shard->lock);
        const struct entry *entry = entry_at(cache, shard->tail);
        if (shard->tail != 0 &&
            number_is_dead(cache, packed_number(entry_packed(entry)))) {
            evict_drop(cache, shard, shard->tail, 0);
            dropped = true;
        }
        lock_drop(&shard->lock);
    }
    return dropped;
}

bool cache_evicts(const struct cache *cache)
{
    if (evict_expiring_only(cache))
        return atomic_load_explicit(&cache->expiring, memory_order_relaxed) !=
               0;
    return atomic_load_explicit(&cache->policy, memory_order_relaxed) !=
           CACHE_NO_EVICTION;
}

size_t evict_one(struct cache *cache, int64_t now_ms)
{
    switch (atomic_load_explicit(&cache->policy, memory_order_relaxed)) {
    case CACHE_ALLKEYS_LRU:
        return evict_oldest(cache, now_ms);
    case CACHE_VOLATILE_LRU:
        return evict_oldest_expiring(cache, now_ms);
    case CACHE_VOLATILE_TTL:
        return evict_nearest(cache, now_ms);
    case CACHE_ALLKEYS_RANDOM:
    case CACHE_VOLATILE_RANDOM:
        return evict_random(cache, now_ms);
    default:
        return 0;
    }
}

void cache_set_policy(struct cache *cache, enum cache_policy policy)
{
    lock_take(&cache->cut.lock);
    atomic_store(&cache->policy, policy);
    for (unsigned i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        lock_take(&shard->lock);
        shard->searched = policy == CACHE_VOLATILE_LRU;
        shard->candidate = shard->searched ? shard->tail : 0;
        shard_publish_next(cache, shard);
        lock_drop(&shard->lock);
    }
    lock_drop(&cache->cut.lock);
}
