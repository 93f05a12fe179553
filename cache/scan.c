/* SPDX-License-Identifier: BSD-3-Clause */
/* Iteration. */

#include "cut.h"
#include "index_chain.h"
#include "shard.h"
#include "view.h"

/*
 * A cursor is (shard << 32 | position).  A position is the low 32 bits of a
 * hash, reversed: in this order the bucket of a hash covers one interval,
 * whatever the size of the index, and splitting a bucket splits its interval
 * in two.
 *
 *   depth 1   |        bucket 0       |        bucket 1       |
 *   depth 2   |  bucket 0 | bucket 2  |  bucket 1 | bucket 3  |
 *             0                                             2^32
 *
 * So a position that was the end of an interval lies at the start of one, or
 * (after buckets were merged) inside one, of which only the entries from there
 * on are left to show.
 */

static uint32_t reversed(uint32_t x)
{
    x = (x >> 1 & 0x55555555) | (x & 0x55555555) << 1;
    x = (x >> 2 & 0x33333333) | (x & 0x33333333) << 2;
    x = (x >> 4 & 0x0f0f0f0f) | (x & 0x0f0f0f0f) << 4;
    return __builtin_bswap32(x);
}

/* How many bits of a hash choose that bucket. */
static unsigned depth_of(uint32_t buckets, uint32_t bucket)
{
    unsigned bits = 31 - (unsigned)__builtin_clz(buckets);
    uint32_t half = UINT32_C(1) << bits;
    return bucket >= half || bucket + half < buckets ? bits + 1 : bits;
}

/* Shows the entries of a bucket whose positions are not before `from`. */
static void show_bucket(struct cache *cache, struct shard *shard,
                        uint32_t number, uint32_t from, unsigned database,
                        int64_t now_ms, cache_see *see, void *ctx)
{
    struct bucket *bucket = index_bucket(cache, shard, number);
    for (; bucket; bucket = index_more(cache, shard, bucket))
        for (unsigned slot = 0; slot < INDEX_SLOTS; slot++) {
            uint32_t loc = bucket->locs[slot];
            if (loc == 0)
                break;
            struct entry *entry = entry_at(cache, loc);
            if (cut_is_dead(cache, shard, loc))
                continue;
            if (packed_number(entry_packed(entry)) != database ||
                entry_expired(entry, now_ms))
                continue;
            if (from > 0 && reversed((uint32_t)entry_hash(cache, entry)) < from)
                continue;
            struct cache_view view;
            view_fill(cache, loc, now_ms, &view);
            see(ctx, &view);
        }
}

uint64_t cache_scan(struct cache *cache, unsigned db, uint64_t cursor,
                    int64_t now_ms, cache_see *see, void *ctx)
{
    uint64_t number = cursor >> 32, next = UINT64_C(1) << 32;
    uint32_t position = (uint32_t)cursor;
    if (number >= cache->shard_count)
        return 0;
    struct shard *shard = &cache->shards[number];
    lock_take(&shard->lock);
    if (shard->buckets > 0 && shard->tally.counts[number_of(cache, db)] > 0) {
        uint32_t bucket = index_bucket_of(shard, reversed(position));
        uint64_t width = next >> depth_of(shard->buckets, bucket);
        uint64_t first = position & ~(width - 1);
        show_bucket(cache, shard, bucket, first < position ? position : 0,
                    number_of(cache, db), now_ms, see, ctx);
        next = first + width;
    }
    lock_drop(&shard->lock);
    next += number << 32;
    return next >> 32 < cache->shard_count ? next : 0;
}

uint64_t cache_scan_somewhere(const struct cache *cache, uint64_t random)
{
    uint64_t number = random >> 32 & (cache->shard_count - 1);
    return number << 32 | (uint32_t)random;
}
