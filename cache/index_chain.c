/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments, overflow buckets, chains. */

#include <string.h>

#include "index_chain.h"
#include "spares.h"

/* --------------------------------------------------------------- segments */

bool segment_add(struct cache *cache, struct shard *shard, unsigned kind,
                 uint32_t bucket, struct cache_spares *spares)
{
    struct slabs *slabs = &cache->slabs;
    unsigned class = sizes_of_segment(&slabs->sizes);
    if (bucket / INDEX_SEGMENT >= CORE_SEGMENTS)
        return false;
    uint32_t loc = spares_take(cache, spares, class);
    if (loc == 0)
        return false;
    memset(slabs_at(slabs, loc), 0, SIZES_SEGMENT);
    struct slab *slab = slab_of(slabs, loc);
    unsigned cell = slab_cell_number(slabs, slab, loc);
    __atomic_store_n(&slab_owners(slab)[cell],
                     bucket / INDEX_SEGMENT << 7 | kind << 6 | shard->number,
                     __ATOMIC_RELAXED);
    atomic_store_explicit(segment_at(cache, shard, kind, bucket), loc,
                          memory_order_relaxed);
    cell_set_live(slabs, loc);
    return true;
}

void segment_drop(struct cache *cache, struct shard *shard, unsigned kind,
                  uint32_t bucket)
{
    _Atomic uint32_t *at = segment_at(cache, shard, kind, bucket);
    uint32_t loc = atomic_load_explicit(at, memory_order_relaxed);
    atomic_store_explicit(at, 0, memory_order_relaxed);
    cell_clear_live(&cache->slabs, loc);
    cell_free(&cache->slabs, loc);
}

/* --------------------------------------------------------------- overflow */

bool overflow_ready(struct cache *cache, struct shard *shard, uint32_t number,
                    struct cache_spares *spares)
{
    return segment_exists(cache, shard, INDEX_OVERFLOW, number) ||
           segment_add(cache, shard, INDEX_OVERFLOW, number, spares);
}

/* Where the home of an overflow bucket is noted. */
static uint32_t *home_of(const struct cache *cache, const struct shard *shard,
                         uint32_t number)
{
    const struct slabs *slabs = &cache->slabs;
    uint32_t loc = atomic_load_explicit(
        segment_at(cache, shard, INDEX_OVERFLOW, number), memory_order_relaxed);
    struct slab *slab = slab_of(slabs, loc);
    return slab_homes(slab, slab_cell_number(slabs, slab, loc)) +
           number % INDEX_SEGMENT;
}

static struct bucket *overflow_add(struct cache *cache, struct shard *shard,
                                   uint32_t home, struct bucket *last,
                                   struct cache_spares *spares)
{
    if (!overflow_ready(cache, shard, shard->overflows, spares))
        return NULL;
    uint32_t number = shard->overflows++;
    struct bucket *bucket = bucket_at(cache, shard, INDEX_OVERFLOW, number);
    memset(bucket, 0, sizeof *bucket);
    *home_of(cache, shard, number) = home;
    last->more = number + 1;
    return bucket;
}

/*
 * A segment goes only when half of the one below is free as well, so that a
 * bucket that is split or merged finds the buckets again that it has just
 * freed.
 */
void overflow_drop(struct cache *cache, struct shard *shard,
                   struct bucket *before)
{
    uint32_t number = before->more - 1, end = --shard->overflows;
    before->more = 0;
    if (number != end) {
        uint32_t home = *home_of(cache, shard, end);
        struct bucket *at = index_bucket(cache, shard, home);
        while (at->more != end + 1)
            at = index_more(cache, shard, at);
        *bucket_at(cache, shard, INDEX_OVERFLOW, number) =
            *bucket_at(cache, shard, INDEX_OVERFLOW, end);
        *home_of(cache, shard, number) = home;
        at->more = number + 1;
    }
    uint32_t above = end + INDEX_SEGMENT / 2;
    if (above % INDEX_SEGMENT == 0 && above > shard->reserved &&
        segment_exists(cache, shard, INDEX_OVERFLOW, above))
        segment_drop(cache, shard, INDEX_OVERFLOW, above);
}

/* ----------------------------------------------------------------- chains */

bool chain_add(struct cache *cache, struct shard *shard, uint32_t home,
               uint8_t tag, uint32_t loc, struct cache_spares *spares)
{
    struct bucket *bucket = index_bucket(cache, shard, home);
    while (bucket->more)
        bucket = index_more(cache, shard, bucket);
    unsigned slot = slots_used(bucket);
    if (slot == INDEX_SLOTS) {
        bucket = overflow_add(cache, shard, home, bucket, spares);
        if (!bucket)
            return false;
        slot = 0;
    }
    bucket->tags[slot] = tag;
    bucket->locs[slot] = loc;
    return true;
}

void chain_remove(struct cache *cache, struct shard *shard, uint32_t home,
                  struct place place)
{
    struct bucket *before = NULL, *last = index_bucket(cache, shard, home);
    while (last->more) {
        before = last;
        last = index_more(cache, shard, last);
    }
    unsigned end = slots_used(last) - 1;
    place.bucket->tags[place.slot] = last->tags[end];
    place.bucket->locs[place.slot] = last->locs[end];
    last->tags[end] = 0;
    last->locs[end] = 0;
    if (end == 0 && before)
        overflow_drop(cache, shard, before);
}
