/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers about a cache, summed when asked for. */

#include "holes.h"
#include "pages.h"
#include "shard.h"

static uint64_t sum(struct cache *cache, unsigned db, bool expiring)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        lock_take(&shard->lock);
        unsigned number = number_of(cache, db);
        count += expiring ? shard->tally.expiring[number]
                          : shard->tally.counts[number];
        lock_drop(&shard->lock);
    }
    return count;
}

uint64_t cache_count(struct cache *cache, unsigned db)
{
    return sum(cache, db, false);
}

uint64_t cache_count_expiring(struct cache *cache, unsigned db)
{
    return sum(cache, db, true);
}

static void add_shard(struct cache *cache, struct shard *shard, int64_t now_ms,
                      struct cache_stats *out)
{
    uint64_t dead = atomic_load(&cache->dead);
    out->hits += shard->hits;
    out->misses += shard->misses;
    out->evicted += shard->evicted;
    out->expired += shard->expired;
    out->evicted_bytes += shard->evicted_bytes;
    out->payload_bytes += shard->tally.payload;
    for (unsigned n = 0; n < ENTRY_NUMBERS; n++) {
        out->entries += shard->tally.counts[n];
        out->expiring += shard->tally.expiring[n];
        if (dead >> n & 1)
            out->flushed_entries += shard->tally.counts[n];
    }
    if (shard->tail != 0) {
        uint32_t idle =
            entry_age_ms(entry_at(cache, shard_next(shard))->used_ms, now_ms);
        if (idle > out->oldest_idle_ms)
            out->oldest_idle_ms = idle;
    }
}

static void add_slabs(struct cache *cache, struct cache_stats *out)
{
    struct slabs *slabs = &cache->slabs;
    for (unsigned i = 0; i < slabs->sizes.count; i++) {
        struct slab_class *class = &slabs->classes[i];
        lock_take(&class->lock);
        if (i == sizes_of_segment(&slabs->sizes))
            out->index_bytes = class->slabs * SIZES_SLAB;
        else
            out->live_bytes +=
                class->taken_cells * slabs->sizes.classes[i].cell;
        lock_drop(&class->lock);
    }
    uint64_t limit = atomic_load(&slabs->limit);
    uint64_t resident = atomic_load(&slabs->resident);
    out->limit_bytes = limit * SIZES_SLAB;
    out->resident_bytes = resident * SIZES_SLAB;
    out->stock_bytes = (uint64_t)atomic_load(&slabs->stock) * SIZES_SLAB;
    out->huge_bytes =
        (uint64_t)atomic_load(&slabs->huge.count) * HUGE_GROUP * SIZES_SLAB;
    out->scratch_bytes = marks_resident(&cache->slabs);
    out->excess_bytes = resident > limit ? (resident - limit) * SIZES_SLAB : 0;
    out->slabs_returned = atomic_load(&slabs->returned);
}

static void collect(struct cache *cache, int64_t now_ms,
                    struct cache_stats *out)
{
    *out = (struct cache_stats){0};
    for (unsigned i = 0; i < cache->shard_count; i++) {
        lock_take(&cache->shards[i].lock);
        add_shard(cache, &cache->shards[i], now_ms, out);
        lock_drop(&cache->shards[i].lock);
    }
    add_slabs(cache, out);
    out->moved = atomic_load(&cache->moved);
    out->moved_bytes = atomic_load(&cache->moved_bytes);
}

void cache_stats(struct cache *cache, int64_t now_ms, struct cache_stats *out)
{
    collect(cache, now_ms, out);
#define X(name, help)                                                          \
    out->name -= __atomic_load_n(&cache->zero.name, __ATOMIC_RELAXED);
    CACHE_COUNTERS(X)
#undef X
}

void cache_reset_counters(struct cache *cache)
{
    struct cache_stats now;
    collect(cache, 0, &now);
#define X(name, help)                                                          \
    __atomic_store_n(&cache->zero.name, now.name, __ATOMIC_RELAXED);
    CACHE_COUNTERS(X)
#undef X
}

static uint64_t table_bytes(const struct cache *cache)
{
    size_t directory =
        (size_t)CORE_SEGMENTS * cache->shard_count * sizeof(uint32_t);
    uint64_t bytes = pages_resident((const void *)cache->slabs.states,
                                    slabs_table_bytes(&cache->slabs));
    for (int kind = 0; kind < 2; kind++)
        bytes += pages_resident((const void *)cache->segments[kind], directory);
    return bytes;
}

/* Chunks are in address order.  What lies behind the last that was ever there
 * has not been touched. */
static uint64_t between_bytes(struct cache *cache)
{
    struct slabs *slabs = &cache->slabs;
    uint32_t at = 0, end = slabs_end(slabs);
    uint64_t bytes = 0;
    for (unsigned i = 0; at < end; i++) {
        lock_take(&slabs->pool_lock);
        uint32_t next = i < slabs->chunk_count ? slabs->chunks[i]->first : end;
        lock_drop(&slabs->pool_lock);
        if (next > at)
            bytes += pages_resident(slab_at(slabs, at),
                                    (size_t)(next - at) * SIZES_SLAB);
        at = next + SLAB_CHUNK;
    }
    return bytes;
}

void cache_places(struct cache *cache, struct cache_places *out)
{
    *out = (struct cache_places){
        .region = cache->slabs.base,
        .region_len = (size_t)cache->slabs.slab_count * SIZES_SLAB,
        .between = between_bytes(cache),
        .tables = table_bytes(cache),
    };
}

size_t cache_purge(struct cache *cache, size_t most)
{
    return slabs_purge(&cache->slabs, (unsigned)most);
}
