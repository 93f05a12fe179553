/* SPDX-License-Identifier: BSD-3-Clause */
/* The checker: walks shards and slabs and holds them against each other. */

#include <stdio.h>
#include <stdlib.h>

#include "cut.h"
#include "index_chain.h"
#include "long.h"
#include "shard.h"

struct sums {
    uint64_t entries, entry_cells, segments;
};

static void fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: the cache is not as it should be: %s\n", file, line,
            what);
    abort();
}

#define CHECK(holds)                                                           \
    do {                                                                       \
        if (!(holds))                                                          \
            fail(__FILE__, __LINE__, #holds);                                  \
    } while (0)

static bool is_taken(const struct slab *slab, unsigned cell)
{
    return slab->bits[cell / 64] >> cell % 64 & 1;
}

/* The cell is taken, live, and of the class that fits. */
static void check_cell(struct cache *cache, uint32_t loc, bool live)
{
    struct slab *slab = slab_of(&cache->slabs, loc);
    unsigned cell = slab_cell_number(&cache->slabs, slab, loc);
    CHECK(cell < slab_class_of(&cache->slabs, slab)->count);
    CHECK(slab_cell_loc(&cache->slabs, slab, cell) == loc);
    CHECK(is_taken(slab, cell));
    CHECK(cell_is_live(&cache->slabs, slab, cell) == live);
}

static void check_chain(struct cache *cache, struct shard *shard,
                        uint32_t entry, uint32_t first, size_t len)
{
    uint32_t before = entry;
    size_t bytes = 0;
    for (uint32_t at = first; at != 0;) {
        struct piece *piece = piece_at(cache, at);
        check_cell(cache, at, piece->kind != PIECE_FULL);
        CHECK(piece->prev == before);
        CHECK(piece->first == (at == first));
        CHECK(piece_shard(piece) == shard->number);
        CHECK(piece->state == PIECE_ATTACHED);
        CHECK(piece->len <= piece_room(cache, piece->kind));
        bytes += piece->len;
        before = at;
        at = piece->next;
    }
    CHECK(bytes == len);
}

static void check_entry(struct cache *cache, struct shard *shard, uint32_t loc)
{
    struct entry *entry = entry_at(cache, loc);
    uint64_t hash = entry_hash(cache, entry);
    check_cell(cache, loc, true);
    CHECK(shard_of(cache, hash) == shard);
    struct place place = index_find_loc(cache, shard, hash, loc);
    CHECK(place.bucket);
    CHECK(place.bucket->tags[place.slot] == (uint8_t)(hash >> 50));
    int64_t at = entry_expires_at(entry);
    if (at != 0) {
        CHECK(slab_of(&cache->slabs, loc)->due_ms <= at);
    }
    const struct entry_ext *ext = entry_ext(entry);
    if (!ext)
        return;
    size_t here = packed_value_here(entry_packed(entry));
    check_chain(cache, shard, loc, ext->pieces, ext->value_len - here);
    check_chain(cache, shard, loc, ext->key_pieces,
                ext->key_len > ENTRY_KEY_HERE ? ext->key_len - ENTRY_KEY_FIRST
                                              : 0);
}

/* Every slot is filled without a gap, and counted. */
static void check_index(struct cache *cache, struct shard *shard)
{
    uint64_t items = 0, overflows = 0;
    for (uint32_t number = 0; number < shard->buckets; number++) {
        struct bucket *bucket = index_bucket(cache, shard, number);
        bool ended = false;
        for (; bucket; bucket = index_more(cache, shard, bucket)) {
            for (unsigned slot = 0; slot < INDEX_SLOTS; slot++) {
                uint32_t loc = bucket->locs[slot];
                CHECK(!loc || !ended);
                ended |= loc == 0;
                items += loc != 0;
                if (loc) {
                    CHECK(index_bucket_of(
                              shard, entry_hash(cache, entry_at(cache, loc))) ==
                          number);
                }
            }
            CHECK(!bucket->more || !ended);
            overflows += bucket->more != 0;
        }
    }
    CHECK(items == shard->items);
    CHECK(overflows == shard->overflows);
}

/* Nothing behind it may be evicted. */
static void check_candidate(struct cache *cache, const struct shard *shard)
{
    uint32_t at = shard->tail;
    while (shard->searched && at != shard->candidate) {
        CHECK(at != 0 && entry_expires_at(entry_at(cache, at)) == 0);
        at = entry_at(cache, at)->prev;
    }
    CHECK(shard->searched || shard->candidate == 0);
}

static void check_shard(struct cache *cache, struct shard *shard,
                        struct sums *sums)
{
    uint64_t count = 0, payload = 0, counted = 0, expiring = 0, counts = 0;
    uint32_t before = 0;
    for (uint32_t at = shard->head; at != 0;) {
        struct entry *entry = entry_at(cache, at);
        CHECK(entry->prev == before);
        check_entry(cache, shard, at);
        payload += entry_payload(entry);
        expiring += entry_expires_at(entry) != 0;
        count++;
        before = at;
        at = entry->next;
    }
    CHECK(shard->tail == before);
    CHECK(count == shard->items || shard->cut);
    CHECK(payload == shard->tally.payload);
    for (unsigned n = 0; n < ENTRY_NUMBERS; n++) {
        counted += shard->tally.counts[n];
        counts += shard->tally.expiring[n];
    }
    CHECK(counted == count);
    CHECK(counts == expiring);
    CHECK(!shard->tail == !(cache->filled >> shard->number & 1));
    CHECK(!shard->tail || cache->oldest[shard->number] ==
                              entry_at(cache, shard_next(shard))->used_ms);
    CHECK(expiring == shard->tally.expires);
    CHECK(!expiring == !(cache->expiring >> shard->number & 1));
    check_candidate(cache, shard);
    if (shard->stash)
        check_cell(cache, shard->stash, false);
    CHECK(!shard->stash || cache->stashed);
    check_index(cache, shard);
    sums->entries += count;
}

static void check_slab(struct cache *cache, struct slab *slab,
                       struct sums *sums, uint64_t *taken)
{
    struct slabs *slabs = &cache->slabs;
    const struct size_class *size = slab_class_of(slabs, slab);
    unsigned used = 0, live = 0;
    for (unsigned cell = 0; cell < size->count; cell++) {
        used += is_taken(slab, cell);
        live += cell_is_live(slabs, slab, cell);
        CHECK(is_taken(slab, cell) || !cell_is_live(slabs, slab, cell));
        CHECK(is_taken(slab, cell) || slab->hint <= cell / 64);
    }
    CHECK(used == slab->used && (used > 0 || slab->leaving));
    CHECK(slab->leaving ||
          slab->list == (used == size->count
                             ? (unsigned)SLAB_UNLISTED
                             : used * SLAB_LISTS / size->count) ||
          (slab->list == SLAB_STUCK && used < size->count));
    if (slab->class < slabs->sizes.entries)
        sums->entry_cells += live;
    *taken += used;
}

static void check_slabs(struct cache *cache, struct sums *sums)
{
    struct slabs *slabs = &cache->slabs;
    uint64_t taken[SIZES_MAX] = {0}, count[SIZES_MAX] = {0};
    uint32_t used = 0, stock = 0, spare = 0, stuck = 0, sum = 0;
    for (uint32_t number = 0; number < slabs->slab_count; number++) {
        unsigned state = slabs->states[number];
        stock += state == SLAB_STOCK;
        if (state < SLAB_USED)
            continue;
        struct slab *slab = slab_at(slabs, number);
        stuck += slab->list == SLAB_STUCK;
        CHECK(slab->number == number);
        CHECK(slab->class == state - SLAB_USED);
        check_slab(cache, slab, sums, &taken[slab->class]);
        count[slab->class]++;
        used++;
    }
    CHECK(stock == slabs->stock);
    CHECK(used + stock == slabs->resident);
    CHECK(stuck == slabs->stuck);
    for (unsigned i = 0; i < slabs->sizes.count; i++) {
        const struct slab_class *class = &slabs->classes[i];
        uint64_t cells = count[i] * slabs->sizes.classes[i].count;
        struct slab *leaving = cache->moving.slab;
        if (leaving && leaving->class == i)
            cells -= slabs->sizes.classes[i].count - leaving->used;
        CHECK(class->slabs == count[i]);
        CHECK(class->taken_cells == taken[i]);
        CHECK(class->free_cells == cells - taken[i]);
        uint64_t needed = (taken[i] + slabs->sizes.classes[i].count - 1) /
                          slabs->sizes.classes[i].count;
        CHECK(class->needed_cells == needed * slabs->sizes.classes[i].count);
        sum += (uint32_t)needed;
        bool listed = false;
        for (int list = 0; list < SLAB_LISTS; list++)
            listed |= class->lists[list] != SLAB_NONE;
        CHECK(class->spare ==
              (listed && class->free_cells >= slabs->sizes.classes[i].count));
        spare += class->spare;
    }
    CHECK(spare == slabs->spare_classes);
    CHECK(sum == slabs_needed(slabs));
}

void cache_check(struct cache *cache)
{
    struct sums sums = {0};
    for (unsigned i = 0; i < cache->shard_count; i++)
        check_shard(cache, &cache->shards[i], &sums);
    check_slabs(cache, &sums);
    CHECK(sums.entries == sums.entry_cells || cut_active(cache));
}
