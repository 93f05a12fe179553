/* SPDX-License-Identifier: BSD-3-Clause */
/* The index at work: insertion and removal, growing and contracting. */

#include <assert.h>
#include <string.h>

#include "cut.h"
#include "index_chain.h"
#include "long.h"

/* The bucket that `number`, as the last one, was split from. */
static uint32_t buddy_of(uint32_t number)
{
    return number & (UINT32_MAX >> 1 >> __builtin_clz(number));
}

/* A chain taken apart, to be put together anew. */
enum { LOOSE_BUCKETS = INDEX_SEGMENT / 2 };

struct loose {
    unsigned count;
    uint32_t locs[LOOSE_BUCKETS * INDEX_SLOTS];
    uint8_t tags[LOOSE_BUCKETS * INDEX_SLOTS];
};

/* False, and nothing done, if the chain is too long. */
static bool take_apart(struct cache *cache, struct shard *shard,
                       struct bucket *first, struct loose *loose)
{
    unsigned buckets = 0;
    for (struct bucket *at = first; at; at = index_more(cache, shard, at))
        if (++buckets > LOOSE_BUCKETS)
            return false;
    loose->count = 0;
    for (struct bucket *at = first; at; at = index_more(cache, shard, at))
        for (unsigned slot = 0; slot < INDEX_SLOTS && at->locs[slot]; slot++) {
            loose->tags[loose->count] = at->tags[slot];
            loose->locs[loose->count++] = at->locs[slot];
        }
    /* From the end, so that what is left is a chain all the time. */
    while (first->more) {
        struct bucket *before = first;
        while (index_more(cache, shard, before)->more)
            before = index_more(cache, shard, before);
        overflow_drop(cache, shard, before);
    }
    memset(first, 0, sizeof *first);
    return true;
}

/* Adds a loose slot to a bucket.  All loose slots together need at most one
 * overflow bucket more than taking apart has freed. */
static void put_back(struct cache *cache, struct shard *shard, uint32_t bucket,
                     const struct loose *loose, unsigned i)
{
    bool added =
        chain_add(cache, shard, bucket, loose->tags[i], loose->locs[i], NULL);
    assert(added);
    (void)added;
}

static void set_buckets(struct cache *cache, struct shard *shard,
                        uint32_t number)
{
    shard->buckets = number;
    atomic_store_explicit(&cache->buckets[shard->number], number,
                          memory_order_relaxed);
}

/* Adds bucket number `buckets` and moves to it, from its buddy, what belongs
 * there.  Does nothing if there is no segment for it. */
static void split(struct cache *cache, struct shard *shard,
                  struct cache_spares *spares)
{
    struct loose loose;
    uint32_t number = shard->buckets;
    if (number % INDEX_SEGMENT == 0 &&
        !segment_add(cache, shard, INDEX_PRIMARY, number, spares))
        return;
    struct bucket *buddy = index_bucket(cache, shard, buddy_of(number));
    if (!take_apart(cache, shard, buddy, &loose)) {
        if (number % INDEX_SEGMENT == 0)
            segment_drop(cache, shard, INDEX_PRIMARY, number);
        return;
    }
    memset(index_bucket(cache, shard, number), 0, sizeof(struct bucket));
    set_buckets(cache, shard, number + 1);
    for (unsigned i = 0; i < loose.count; i++)
        __builtin_prefetch(entry_at(cache, loose.locs[i]));
    for (unsigned i = 0; i < loose.count; i++) {
        uint64_t hash = entry_hash(cache, entry_at(cache, loose.locs[i]));
        put_back(cache, shard, index_bucket_of(shard, hash), &loose, i);
    }
}

/* Takes the last bucket away and adds what it has to its buddy, for which no
 * key need be read. */
static bool merge(struct cache *cache, struct shard *shard)
{
    struct loose loose;
    uint32_t number = shard->buckets - 1;
    struct bucket *bucket = index_bucket(cache, shard, number);
    bool empty = bucket->locs[0] == 0;
    if (!(empty || overflow_ready(cache, shard, shard->overflows, NULL)) ||
        !take_apart(cache, shard, bucket, &loose))
        return false;
    set_buckets(cache, shard, number);
    for (unsigned i = 0; i < loose.count; i++)
        put_back(cache, shard, buddy_of(number), &loose, i);
    if (number % INDEX_SEGMENT == 0)
        segment_drop(cache, shard, INDEX_PRIMARY, number);
    return true;
}

bool index_contract(struct cache *cache, struct shard *shard, unsigned sparse)
{
    if (shard->items < (uint64_t)shard->buckets * sparse && shard->buckets > 1)
        return merge(cache, shard);
    return false;
}

/* The slot's entry was cut off: what it has besides its cell goes. */
static void drop_dead(struct cache *cache, struct shard *shard, uint32_t loc)
{
    shard->items--;
    if (cell_maybe_long(&cache->slabs, loc))
        long_drop(cache, entry_at(cache, loc));
}

/* A chain too long to be taken apart: one dead slot after the other. */
static void sweep_long_chain(struct cache *cache, struct shard *shard,
                             uint32_t number)
{
    struct bucket *at = index_bucket(cache, shard, number);
    while (at) {
        unsigned slot = 0;
        while (slot < INDEX_SLOTS && at->locs[slot] &&
               !cut_is_dead(cache, shard, at->locs[slot]))
            slot++;
        if (slot == INDEX_SLOTS || at->locs[slot] == 0) {
            at = index_more(cache, shard, at);
            continue;
        }
        drop_dead(cache, shard, at->locs[slot]);
        chain_remove(cache, shard, number, (struct place){at, slot});
        /* Removing may have moved overflow buckets: from the start. */
        at = index_bucket(cache, shard, number);
    }
}

void index_sweep_ahead(const struct cache *cache, const struct shard *shard,
                       uint32_t number)
{
    if (number >= shard->buckets)
        return;
    const struct bucket *bucket = index_bucket(cache, shard, number);
    for (unsigned i = 0; i < INDEX_SLOTS && bucket->locs[i]; i++)
        cell_prefetch_mark(&cache->slabs, bucket->locs[i]);
    const struct bucket *more = index_more(cache, shard, bucket);
    if (more)
        __builtin_prefetch(more);
}

void index_sweep(struct cache *cache, struct shard *shard, uint32_t number)
{
    struct loose loose;
    struct bucket *first = index_bucket(cache, shard, number);
    if (!take_apart(cache, shard, first, &loose)) {
        sweep_long_chain(cache, shard, number);
        return;
    }
    /* All marks first: the look-ups miss the cache, but side by side. */
    bool dead[LOOSE_BUCKETS * INDEX_SLOTS];
    for (unsigned i = 0; i < loose.count; i++)
        dead[i] = cut_is_dead(cache, shard, loose.locs[i]);
    for (unsigned i = 0; i < loose.count; i++) {
        if (dead[i])
            drop_dead(cache, shard, loose.locs[i]);
        else
            put_back(cache, shard, number, &loose, i);
    }
}

static bool index_open(struct cache *cache, struct shard *shard,
                       struct cache_spares *spares)
{
    if (!segment_add(cache, shard, INDEX_PRIMARY, 0, spares))
        return false;
    set_buckets(cache, shard, 1);
    return true;
}

void index_trim(struct cache *cache, struct shard *shard)
{
    if (shard->overflows == 0 && shard->reserved == 0 &&
        segment_exists(cache, shard, INDEX_OVERFLOW, 0))
        segment_drop(cache, shard, INDEX_OVERFLOW, 0);
}

void index_close(struct cache *cache, struct shard *shard)
{
    assert(shard->items == 0 && shard->buckets <= 1 && shard->overflows == 0);
    if (shard->buckets == 0)
        return;
    set_buckets(cache, shard, 0);
    shard->reserved = 0;
    segment_drop(cache, shard, INDEX_PRIMARY, 0);
    for (uint32_t i = 0; segment_exists(cache, shard, INDEX_OVERFLOW, i);
         i += INDEX_SEGMENT)
        segment_drop(cache, shard, INDEX_OVERFLOW, i);
}

bool index_reserve(struct cache *cache, struct shard *shard, uint32_t more,
                   struct cache_spares *spares)
{
    if (shard->buckets == 0 && !index_open(cache, shard, spares))
        return false;
    uint32_t end = shard->overflows + more;
    shard->reserved = end;
    for (uint32_t i = shard->overflows; i < end; i += INDEX_SEGMENT)
        if (!overflow_ready(cache, shard, i, spares))
            return false;
    return overflow_ready(cache, shard, end, spares);
}

void index_release(struct cache *cache, struct shard *shard)
{
    /* As overflow_drop would have left it. */
    uint32_t first = shard->overflows + INDEX_SEGMENT / 2 + INDEX_SEGMENT - 1;
    first -= first % INDEX_SEGMENT;
    for (; segment_exists(cache, shard, INDEX_OVERFLOW, first);
         first += INDEX_SEGMENT)
        segment_drop(cache, shard, INDEX_OVERFLOW, first);
    shard->reserved = 0;
    if (shard->items == 0 && shard->buckets == 1 && !shard->cut)
        index_close(cache, shard);
}

bool index_insert(struct cache *cache, struct shard *shard, uint64_t hash,
                  uint32_t loc, struct cache_spares *spares)
{
    if (shard->buckets == 0 && !index_open(cache, shard, spares))
        return false;
    if (!chain_add(cache, shard, index_bucket_of(shard, hash), tag_of(hash),
                   loc, spares))
        return false;
    shard->items++;
    if (shard->items > (uint64_t)shard->buckets * INDEX_FULL)
        split(cache, shard, spares);
    return true;
}

void index_remove(struct cache *cache, struct shard *shard, uint64_t hash,
                  struct place place)
{
    chain_remove(cache, shard, index_bucket_of(shard, hash), place);
    shard->items--;
    if (!shard->cut)
        index_contract(cache, shard, INDEX_SPARSE);
    if (shard->items == 0 && shard->buckets == 1 && !shard->cut)
        index_close(cache, shard);
}
