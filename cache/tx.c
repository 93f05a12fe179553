/* SPDX-License-Identifier: BSD-3-Clause */
/* Transactions: which shards are locked, and cells set aside for them. */

#include "index.h"
#include "long.h"
#include "room.h"
#include "spares.h"

void cache_tx_init(struct cache_tx *tx, struct cache *cache, int64_t now_ms)
{
    *tx = (struct cache_tx){.cache = cache, .now_ms = now_ms};
}

void cache_begin(struct cache_tx *tx, struct cache *cache, int64_t now_ms,
                 const struct cache_key *keys, size_t count)
{
    cache_tx_init(tx, cache, now_ms);
    cache_begin_again(tx, keys, count);
}

/* Locks the shards of many keys.  Kept out of the way of one. */
__attribute__((noinline)) static void
begin_many(struct cache_tx *tx, const struct cache_key *keys, size_t count)
{
    struct cache *cache = tx->cache;
    uint64_t shards = 0;
    for (size_t i = 0; i < count; i++)
        shards |= UINT64_C(1) << shard_of(cache, keys[i].hash)->number;
    tx->shards = shards;
    for (; shards != 0; shards &= shards - 1)
        lock_take(&cache->shards[__builtin_ctzll(shards)].lock);
}

void cache_begin_again(struct cache_tx *tx, const struct cache_key *keys,
                       size_t count)
{
    if (count != 1) {
        begin_many(tx, keys, count);
        return;
    }
    struct shard *shard = shard_of(tx->cache, keys[0].hash);
    tx->shards = UINT64_C(1) << shard->number;
    lock_take(&shard->lock);
}

/* If but one shard is locked, what goes for a new entry can go with it. */
static void pay_here(struct cache_tx *tx, struct shard *shard)
{
    if (tx->taken == 0 || tx->shards & (tx->shards - 1))
        return;
    size_t gone = room_pay_here(tx->cache, shard, tx->class, tx->now_ms);
    tx->taken -= gone < tx->taken ? gone : tx->taken;
}

/* Of one that has changed the cache, or has locked several shards. */
__attribute__((noinline)) static void end_all(struct cache_tx *tx)
{
    for (uint64_t shards = tx->shards; shards != 0; shards &= shards - 1) {
        struct shard *shard = &tx->cache->shards[__builtin_ctzll(shards)];
        if (tx->reserve == CACHE_TX_READY)
            index_release(tx->cache, shard);
        pay_here(tx, shard);
        lock_drop(&shard->lock);
    }
    if (tx->reserve == CACHE_TX_READY)
        tx->reserve = CACHE_TX_PLAIN;
    tx->shards = 0;
    if (tx->taken > 0)
        room_pay(tx->cache, tx->taken, tx->now_ms);
    tx->taken = 0;
}

void cache_end(struct cache_tx *tx)
{
    uint64_t shards = tx->shards;
    bool one = shards != 0 && (shards & (shards - 1)) == 0;
    if (!one || tx->taken > 0 || tx->reserve == CACHE_TX_READY) {
        end_all(tx);
        return;
    }
    tx->shards = 0;
    lock_drop(&tx->cache->shards[__builtin_ctzll(shards)].lock);
}

/* What was reserved for puts that are not to come.  Until then each try adds
 * to what the one before has reserved. */
static void give_up(struct cache_tx *tx)
{
    for (unsigned i = 0; i < tx->cache->shard_count; i++) {
        struct shard *shard = &tx->cache->shards[i];
        lock_take(&shard->lock);
        if (shard->reserved > 0)
            index_release(tx->cache, shard);
        lock_drop(&shard->lock);
    }
    tx->reserve = CACHE_TX_PLAIN;
}

void cache_tx_close(struct cache_tx *tx)
{
    if (tx->reserve != CACHE_TX_PLAIN)
        give_up(tx);
    spares_free(tx->cache, tx->spares);
    tx->spares = NULL;
}

static bool set_aside(struct cache_tx *tx, unsigned class)
{
    uint32_t loc = room_take(tx->cache, class, tx->now_ms);
    return loc != 0 && spares_put(tx->cache, &tx->spares, class, loc);
}

bool cache_make_room(struct cache_tx *tx)
{
    return set_aside(tx, tx->wanted);
}

bool cache_provide(struct cache_tx *tx, size_t key_len,
                   const struct cache_write *write)
{
    if (key_len > ENTRY_KEY_HERE &&
        !set_aside(tx, long_key_class(tx->cache, key_len)))
        return false;
    return set_aside(tx, put_class(tx->cache, key_len, write));
}

enum cache_result cache_ready(struct cache_tx *tx, const struct cache_key *keys,
                              size_t count)
{
    uint32_t more[CORE_SHARDS] = {0};
    for (size_t i = 0; i < count; i++)
        more[shard_of(tx->cache, keys[i].hash)->number]++;
    tx->reserve = CACHE_TX_TRIED;
    for (unsigned i = 0; i < tx->cache->shard_count; i++)
        if (more[i] > 0 && !index_reserve(tx->cache, &tx->cache->shards[i],
                                          more[i], tx->spares)) {
            tx->wanted = sizes_of_segment(&tx->cache->slabs.sizes);
            return CACHE_NO_ROOM;
        }
    tx->reserve = CACHE_TX_READY;
    return CACHE_OK;
}
