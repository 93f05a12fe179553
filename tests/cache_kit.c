/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations on a cache, in a transaction each. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the above first
#include <cmocka.h>

#include "tests/cache_kit.h"

struct cache *kit_cache(size_t limit)
{
    struct cache_options options = {.databases = 2,
                                    .hash_key = "sixteen bytes.."};
    struct cache *cache = cache_new(&options);
    assert_non_null(cache);
    cache_set_limit(cache, limit);
    return cache;
}

int kit_tear_down(void **state)
{
    cache_check(*state);
    cache_free(*state);
    return 0;
}

struct cache_stats kit_stats(struct cache *cache)
{
    struct cache_stats stats;
    cache_stats(cache, KIT_NOW_MS, &stats);
    return stats;
}

struct cache_key kit_key(const struct cache *cache, const unsigned *number)
{
    return cache_key_of(cache, (const char *)number, sizeof *number);
}

bool kit_store(struct cache *cache, unsigned db, const struct cache_key *key,
               int64_t now_ms, const struct cache_write *write)
{
    struct cache_tx tx;
    bool room = true;
    cache_begin(&tx, cache, now_ms, key, 1);
    while (room && cache_put(&tx, db, key, write) != CACHE_OK) {
        cache_end(&tx);
        room = cache_make_room(&tx);
        cache_begin_again(&tx, key, 1);
    }
    cache_end(&tx);
    cache_tx_close(&tx);
    return room;
}

bool kit_put(struct cache *cache, unsigned db, unsigned number, int64_t now_ms,
             struct cache_write write)
{
    struct cache_key key = kit_key(cache, &number);
    return kit_store(cache, db, &key, now_ms, &write);
}

bool kit_put_len(struct cache *cache, unsigned db, unsigned number, size_t len)
{
    static const char zeros[CACHE_INLINE_MAX];
    return kit_put(cache, db, number, KIT_NOW_MS,
                   (struct cache_write){.value = zeros, .len = len});
}

bool kit_has(struct cache *cache, unsigned db, unsigned number)
{
    struct cache_key key = kit_key(cache, &number);
    struct cache_tx tx;
    struct cache_view view;
    cache_begin(&tx, cache, KIT_NOW_MS, &key, 1);
    bool found = cache_find(&tx, db, &key, 0, &view);
    cache_end(&tx);
    cache_tx_close(&tx);
    return found;
}

bool kit_drop(struct cache *cache, unsigned db, unsigned number)
{
    struct cache_key key = kit_key(cache, &number);
    struct cache_tx tx;
    cache_begin(&tx, cache, KIT_NOW_MS, &key, 1);
    bool found = cache_remove(&tx, db, &key);
    cache_end(&tx);
    cache_tx_close(&tx);
    return found;
}

struct cache_blob *kit_receive(struct cache *cache, size_t whole, size_t len)
{
    struct cache_blob *blob = cache_blob_new(cache, whole);
    assert_non_null(blob);
    for (size_t got = 0; got < len;) {
        size_t room = 0;
        char *to = cache_blob_room(blob, KIT_NOW_MS, &room);
        assert_non_null(to);
        if (room > len - got)
            room = len - got;
        for (size_t i = 0; i < room; i++)
            to[i] = kit_byte(got + i);
        cache_blob_advance(blob, room);
        got += room;
    }
    return blob;
}
