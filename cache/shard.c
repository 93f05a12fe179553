/* SPDX-License-Identifier: BSD-3-Clause */
/* Entries in a shard: list, counters, freeing. */

#include <assert.h>

#include "cut.h"
#include "listen.h"
#include "long.h"
#include "shard.h"

uint64_t entry_hash(const struct cache *cache, const struct entry *entry)
{
    size_t len;
    const char *key = entry_key(entry, &len);
    return hash_in(hash_bytes(&cache->hash_key, key, len),
                   packed_number(entry_packed(entry)));
}

size_t entry_payload(const struct entry *entry)
{
    size_t len;
    const char *key = entry_key(entry, &len);
    uint32_t packed = entry_packed(entry);
    if (!(packed & ENTRY_EXT))
        return len + packed_value_here(packed);
    const struct entry_ext *ext =
        (const struct entry_ext *)(const void *)(key - sizeof *ext);
    return ext->key_len + ext->value_len;
}

void shard_tally(struct tally *tally, const struct entry *entry, int sign)
{
    uint32_t packed = entry_packed(entry);
    unsigned number = packed_number(packed);
    tally->counts[number] += (uint32_t)sign;
    if (packed & ENTRY_EXPIRY) {
        tally->expiring[number] += (uint32_t)sign;
        tally->expires += (uint32_t)sign;
    }
    size_t payload = entry_payload(entry);
    tally->payload += sign > 0 ? payload : -payload;
}

/* --------------------------------------------------------------- LRU list */

void shard_publish_next(struct cache *cache, const struct shard *shard)
{
    uint64_t bit = UINT64_C(1) << shard->number;
    uint64_t filled =
        atomic_load_explicit(&cache->filled, memory_order_relaxed);
    if (shard->tail == 0) {
        atomic_fetch_and_explicit(&cache->filled, ~bit, memory_order_relaxed);
        return;
    }
    _Atomic uint32_t *oldest = &cache->oldest[shard->number];
    uint32_t used = entry_at(cache, shard_next(shard))->used_ms;
    if (atomic_load_explicit(oldest, memory_order_relaxed) != used)
        atomic_store_explicit(oldest, used, memory_order_relaxed);
    if (!(filled & bit))
        atomic_fetch_or_explicit(&cache->filled, bit, memory_order_relaxed);
}

void shard_publish_expiring(struct cache *cache, const struct shard *shard)
{
    uint64_t bit = UINT64_C(1) << shard->number;
    bool told =
        atomic_load_explicit(&cache->expiring, memory_order_relaxed) & bit;
    if (told == (shard->tally.expires > 0))
        return;
    if (told)
        atomic_fetch_and_explicit(&cache->expiring, ~bit, memory_order_relaxed);
    else
        atomic_fetch_or_explicit(&cache->expiring, bit, memory_order_relaxed);
}

static inline void list_push(struct cache *cache, struct shard *shard,
                             uint32_t loc)
{
    struct entry *entry = entry_at(cache, loc);
    entry->prev = 0;
    entry->next = shard->head;
    if (shard->head != 0)
        entry_at(cache, shard->head)->prev = loc;
    shard->head = loc;
    if (shard->tail == 0) {
        shard->tail = loc;
        shard->candidate = shard->searched ? loc : 0;
        shard_publish_next(cache, shard);
    }
}

static inline void list_unlink(struct cache *cache, struct shard *shard,
                               uint32_t loc)
{
    struct entry *entry = entry_at(cache, loc);
    if (shard->cursor == loc)
        shard->cursor = entry->next;
    if (entry->prev != 0)
        entry_at(cache, entry->prev)->next = entry->next;
    else
        shard->head = entry->next;
    if (entry->next != 0) {
        entry_at(cache, entry->next)->prev = entry->prev;
    } else {
        shard->tail = entry->prev;
    }
    bool next = entry->next == 0;
    if (shard->candidate == loc) {
        /* Of the head, all that follows was searched. */
        shard->candidate = entry->prev != 0 ? entry->prev : entry->next;
        next = true;
    }
    if (next)
        shard_publish_next(cache, shard);
}

void shard_touch(struct cache *cache, struct shard *shard, uint32_t loc,
                 int64_t now_ms)
{
    struct entry *entry = entry_at(cache, loc);
    if (shard->head != loc) {
        list_unlink(cache, shard, loc);
        entry->used_ms = (uint32_t)now_ms;
        list_push(cache, shard, loc);
    } else {
        entry->used_ms = (uint32_t)now_ms;
        if (shard_next(shard) == loc)
            shard_publish_next(cache, shard);
    }
    if (shard->marking)
        cut_touched(cache, shard, loc);
}

void shard_relink(struct cache *cache, struct shard *shard, uint32_t from,
                  uint32_t to)
{
    struct entry *entry = entry_at(cache, to);
    if (shard->candidate == from)
        shard->candidate = to;
    if (entry->prev != 0)
        entry_at(cache, entry->prev)->next = to;
    else
        shard->head = to;
    if (entry->next != 0)
        entry_at(cache, entry->next)->prev = to;
    else
        shard->tail = to;
}

/* ---------------------------------------------------------------- entries */

void shard_add(struct cache *cache, struct shard *shard, uint32_t loc)
{
    struct entry *entry = entry_at(cache, loc);
    list_push(cache, shard, loc);
    shard_tally(&shard->tally, entry, 1);
    if (entry_expires_at(entry) != 0)
        shard_publish_expiring(cache, shard);
    if (shard->marks)
        cut_stored(cache, shard, loc);
    if (entry_ext(entry))
        cell_set_long(&cache->slabs, loc);
    cell_set_live(&cache->slabs, loc);
    int64_t at = entry_expires_at(entry);
    if (at != 0)
        slab_note_expiry(slab_of(&cache->slabs, loc), at);
}

void shard_take_out(struct cache *cache, struct shard *shard, uint32_t loc)
{
    struct entry *entry = entry_at(cache, loc);
    if (shard->marking)
        cut_gone(cache, shard, loc);
    list_unlink(cache, shard, loc);
    shard_tally(&shard->tally, entry, -1);
    if (entry_expires_at(entry) != 0)
        shard_publish_expiring(cache, shard);
    cell_clear_live(&cache->slabs, loc);
}

void shard_free_entry(struct cache *cache, uint32_t loc)
{
    long_drop(cache, entry_at(cache, loc));
    cell_free(&cache->slabs, loc);
}

void shard_drop(struct cache *cache, struct shard *shard, uint64_t hash,
                struct place place)
{
    uint32_t loc = place_loc(place);
    index_remove(cache, shard, hash, place);
    shard_take_out(cache, shard, loc);
    shard_free_entry(cache, loc);
}

void shard_lose(struct cache *cache, struct shard *shard, uint64_t hash,
                struct place place, enum cache_why why)
{
    listen_lost(cache, shard, place_loc(place), why);
    shard_drop(cache, shard, hash, place);
}
