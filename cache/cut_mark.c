/* SPDX-License-Identifier: BSD-3-Clause */
/* Marks: setting them, and keeping them right meanwhile. */

#include "cut_mark.h"

#include <assert.h>

#include "long.h"
#include "shard.h"

/* ------------------------------------------------------- keeping marks right
 */

static void count_cells(struct cut *cut, unsigned class, int64_t n)
{
    atomic_fetch_add_explicit(&cut->cells[class], (uint64_t)n,
                              memory_order_relaxed);
}

static void tally(struct cache *cache, struct shard *shard, uint32_t loc,
                  int sign)
{
    struct cut *cut = &cache->cut;
    unsigned class = cell_class(&cache->slabs, loc);
    struct entry *entry = entry_at(cache, loc);
    const struct entry_ext *ext = entry_ext(entry);
    shard_tally(&shard->marked, entry, sign);
    count_cells(cut, class, sign);
    atomic_fetch_add_explicit(&cut->entries, (uint64_t)(int64_t)sign,
                              memory_order_relaxed);
    if (!ext || ext->pieces == 0)
        return;
    const struct sizes *sizes = &cache->slabs.sizes;
    struct long_plan plan = long_plan(cache, ext->value_len);
    count_cells(cut, sizes_of_piece(sizes, PIECE_FULL),
                sign * (int64_t)plan.full);
    count_cells(cut, sizes_of_piece(sizes, PIECE_MEDIUM),
                sign * (int64_t)plan.medium);
    count_cells(cut, sizes_of_piece(sizes, PIECE_SMALL),
                sign * (int64_t)plan.small);
}

void cut_stored(struct cache *cache, struct shard *shard, uint32_t loc)
{
    /* The cell may have a mark from an entry that had it before. */
    cell_set_mark(&cache->slabs, loc);
    if (shard->marking)
        tally(cache, shard, loc, 1);
}

void cut_touched(struct cache *cache, struct shard *shard, uint32_t loc)
{
    if (shard->cursor == loc) /* it was the head already */
        shard->cursor = entry_at(cache, loc)->next;
    if (cell_is_marked(&cache->slabs, loc))
        return;
    cell_set_mark(&cache->slabs, loc);
    tally(cache, shard, loc, 1);
}

void cut_gone(struct cache *cache, struct shard *shard, uint32_t loc)
{
    if (!cell_is_marked(&cache->slabs, loc))
        return;
    cell_clear_mark(&cache->slabs, loc);
    tally(cache, shard, loc, -1);
}

void cut_resized(struct cache *cache, struct shard *shard, uint32_t loc,
                 size_t from, size_t to)
{
    if (cell_is_marked(&cache->slabs, loc))
        shard->marked.payload += to - from;
}

/* ----------------------------------------------------------------- marking */

void cut_begin_marks(struct cache *cache)
{
    struct cut *cut = &cache->cut;
    cut->horizon_ms = 0;
    cut->levelling = false;
    for (unsigned i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        lock_take(&shard->lock);
        shard->marked = (struct tally){0};
        shard->cursor = shard->head;
        shard->marking = shard->marks = true;
        lock_drop(&shard->lock);
    }
}

void cut_end_marks(struct cache *cache)
{
    for (unsigned i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        lock_take(&shard->lock);
        shard->marking = shard->marks = false;
        shard->cursor = 0;
        lock_drop(&shard->lock);
    }
}

uint64_t cut_count_left(const struct cache *cache, const struct shard *shard)
{
    uint64_t left = 0;
    for (unsigned n = 0; n < ENTRY_NUMBERS; n++)
        if (!number_is_dead(cache, n))
            left += shard->tally.counts[n] - shard->marked.counts[n];
    return left;
}

/* Slabs that the marked entries and their index would fill. */
static uint64_t slabs_marked(const struct cache *cache)
{
    const struct slabs *slabs = &cache->slabs;
    uint64_t entries = atomic_load(&cache->cut.entries);
    uint64_t segments =
        entries / CUT_DENSE * 5 / 4 / INDEX_SEGMENT + cache->shard_count;
    uint64_t sum = segments / 15 + 1;
    for (unsigned i = 0; i < slabs->sizes.count; i++) {
        unsigned count = slabs->sizes.classes[i].count;
        uint64_t cells =
            atomic_load_explicit(&cache->cut.cells[i], memory_order_relaxed);
        sum += (cells + count - 1) / count;
    }
    return sum;
}

/* What has expired, or was flushed, shall not cost others their place. */
static bool drop_worthless(struct cache *cache, struct shard *shard,
                           uint32_t loc, int64_t now_ms)
{
    const struct entry *entry = entry_at(cache, loc);
    bool dead = number_is_dead(cache, packed_number(entry_packed(entry)));
    if (!dead && !entry_expired(entry, now_ms))
        return false;
    uint64_t hash = entry_hash(cache, entry);
    struct place place = index_find_loc(cache, shard, hash, loc);
    assert(place.bucket);
    shard_lose(cache, shard, hash, place, CACHE_EXPIRED);
    return true;
}

/* Marks the next entry of a shard if it is not older than the horizon; returns
 * its age, or -1 if nothing is left to mark. */
static int64_t mark_next(struct cache *cache, struct shard *shard,
                         int64_t now_ms, int64_t horizon_ms)
{
    int64_t age_ms = -1;
    lock_take_politely(&shard->lock);
    if (shard->cursor != 0) {
        const struct entry *entry = entry_at(cache, shard->cursor);
        age_ms = entry_age_ms(entry->used_ms, now_ms);
        if (number_is_dead(cache, packed_number(entry_packed(entry))) &&
            cut_count_left(cache, shard) == 0)
            age_ms = -1; /* all that follows is dead: it is cut off */
        else if (age_ms <= horizon_ms &&
                 !drop_worthless(cache, shard, shard->cursor, now_ms))
            cut_touched(cache, shard, shard->cursor);
    }
    if (shard->cursor != 0) /* for the next round; it was not read yet */
        __builtin_prefetch(entry_at(cache, shard->cursor));
    else
        age_ms = -1;
    lock_drop(&shard->lock);
    return age_ms;
}

bool cut_mark_round(struct cache *cache, int64_t now_ms)
{
    struct cut *cut = &cache->cut;
    int64_t sum_ms = 0;
    unsigned cursors = 0, behind = 0;
    for (unsigned i = 0; i < cache->shard_count; i++) {
        int64_t age_ms =
            mark_next(cache, &cache->shards[i], now_ms, cut->horizon_ms);
        if (age_ms < 0)
            continue;
        sum_ms += age_ms;
        cursors++;
        behind += age_ms <= cut->horizon_ms;
    }
    if (cut->levelling && cut->limit != UINT32_MAX)
        return behind > 0;
    if (cursors > 0 && sum_ms / cursors > cut->horizon_ms)
        cut->horizon_ms = sum_ms / cursors;
    cut->levelling = slabs_marked(cache) > cut->limit;
    return cursors > 0;
}
