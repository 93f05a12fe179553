/* SPDX-License-Identifier: BSD-3-Clause */
/* A full cache, and who has to go: first what is worth nothing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "cache/core.h"
#include "cache/cut.h"

enum { NOW_MS = 1000000, MB = 1 << 20, LIMIT = 16 * MB, VALUE = 100 };

static int set_up(void **state)
{
    struct cache_options options = {.databases = 2,
                                    .hash_key = "sixteen bytes.."};
    struct cache *cache = cache_new(&options);
    assert_non_null(cache);
    cache_set_limit(cache, LIMIT);
    *state = cache;
    return 0;
}

static int tear_down(void **state)
{
    cache_check(*state);
    cache_free(*state);
    return 0;
}

static struct cache_stats stats_of(struct cache *cache)
{
    struct cache_stats stats;
    cache_stats(cache, NOW_MS, &stats);
    return stats;
}

/* False: refused. */
static bool put(struct cache *cache, unsigned number, struct cache_write write)
{
    struct cache_key key =
        cache_key_of(cache, (const char *)&number, sizeof number);
    struct cache_tx tx;
    bool room = true;
    cache_begin(&tx, cache, NOW_MS, &key, 1);
    while (room && cache_put(&tx, 0, &key, &write) != CACHE_OK) {
        cache_end(&tx);
        room = cache_make_room(&tx);
        cache_begin_again(&tx, &key, 1);
    }
    cache_end(&tx);
    cache_tx_close(&tx);
    return room;
}

static bool put_small(struct cache *cache, unsigned number)
{
    static const char value[VALUE];
    return put(cache, number,
               (struct cache_write){.value = value, .len = sizeof value});
}

static void drop(struct cache *cache, unsigned number)
{
    struct cache_key key =
        cache_key_of(cache, (const char *)&number, sizeof number);
    struct cache_tx tx;
    cache_begin(&tx, cache, NOW_MS, &key, 1);
    cache_remove(&tx, 0, &key);
    cache_end(&tx);
    cache_tx_close(&tx);
}

/* Returns how many entries there are then. */
static unsigned fill(struct cache *cache)
{
    unsigned number = 0;
    while (stats_of(cache).evicted == 0)
        for (unsigned i = 0; i < 500; i++)
            assert_true(put_small(cache, number++));
    while (cache_step(cache, NOW_MS))
        ;
    return number;
}

static void what_was_flushed_makes_room_where_nothing_is_evicted(void **state)
{
    struct cache *cache = *state;
    unsigned number = fill(cache);
    cache_set_policy(cache, CACHE_NO_EVICTION);
    assert_true(cache_flush_all(cache));
    for (unsigned i = 0; i < number / 2; i++) {
        assert_true(put_small(cache, number + i));
        if (i % 1000 == 0)
            cache_step(cache, NOW_MS);
    }
}

static void what_waits_to_be_freed_goes_before_others(void **state)
{
    struct cache *cache = *state;
    enum { LARGE = LIMIT / 2 };
    struct cache_blob *blob = cache_blob_new(cache, LARGE);
    size_t room;
    for (size_t got = 0; got < LARGE; got += room) {
        char *to = cache_blob_room(blob, NOW_MS, &room);
        assert_non_null(to);
        memset(to, 0, room);
        cache_blob_advance(blob, room);
    }
    assert_true(put(cache, 0, (struct cache_write){.blob = blob}));
    unsigned number = 1;
    while (stats_of(cache).resident_bytes < LIMIT)
        assert_true(put_small(cache, number++));
    uint64_t evicted = stats_of(cache).evicted;
    drop(cache, 0);
    for (unsigned i = 0; i < LARGE / 2 / VALUE / 2; i++)
        assert_true(put_small(cache, number + i));
    assert_in_range(stats_of(cache).evicted - evicted, 0, 10);
}

/* However fast others store, none of them has to do all that the flush left. */
static void after_a_flush_nobody_waits_for_its_end(void **state)
{
    struct cache *cache = *state;
    cache_set_limit(cache, 4 * LIMIT);
    unsigned number = fill(cache), longest = 0, stored = 0;
    cache_set_policy(cache, CACHE_NO_EVICTION);
    assert_true(cache_flush_all(cache));
    while (!cut_active(cache))
        assert_true(cache_step(cache, NOW_MS));
    for (; cut_active(cache); stored++) {
        unsigned swept = cache->cut.shard;
        assert_true(put_small(cache, number + stored));
        if (atomic_load(&cache->cut.phase) == CUT_SWEEP &&
            cache->cut.shard > swept + longest)
            longest = cache->cut.shard - swept;
    }
    printf("%u stored meanwhile, one swept %u shards\n", stored, longest);
    assert_true(stored > number / 100);
    assert_in_range(longest, 0, 2);
    assert_int_equal(cache_count(cache, 0), stored);
}

/* While marks are in use a slab is taken and given up again and again. */
static void slabs_come_and_go_during_a_cut(void **state)
{
    struct cache *cache = *state;
    unsigned number = fill(cache);
    assert_true(cache_flush_all(cache));
    for (unsigned steps = 0; steps < 10000 && !cut_active(cache); steps++)
        cache_step(cache, NOW_MS);
    assert_true(cut_active(cache));
    for (unsigned i = 0; i < 200000; i++) {
        put(cache, number, (struct cache_write){.value = "", .len = 0});
        drop(cache, number);
        if (i % 2000 == 0)
            cache_step(cache, NOW_MS);
    }
    assert_in_range(stats_of(cache).scratch_bytes, 0, MB);
    while (cache_step(cache, NOW_MS))
        ;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_flushed_makes_room_where_nothing_is_evicted),
        TEST(what_waits_to_be_freed_goes_before_others),
        TEST(after_a_flush_nobody_waits_for_its_end),
        TEST(slabs_come_and_go_during_a_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
