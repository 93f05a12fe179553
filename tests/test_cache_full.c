/* SPDX-License-Identifier: BSD-3-Clause */
/* A full cache, and who has to go: first what is worth nothing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
// cmocka wants the above first
#include <cmocka.h>

#include "cache/cut.h"
#include "tests/cache_kit.h"

enum { LIMIT = 16 * KIT_MB, VALUE = 100 };

static int set_up(void **state)
{
    *state = kit_cache(LIMIT);
    return 0;
}

static bool put_small(struct cache *cache, unsigned number)
{
    return kit_put_len(cache, 0, number, VALUE);
}

/* Returns how many entries there are then. */
static unsigned fill(struct cache *cache)
{
    unsigned number = 0;
    while (kit_stats(cache).evicted == 0)
        for (unsigned i = 0; i < 500; i++)
            assert_true(put_small(cache, number++));
    while (cache_step(cache, KIT_NOW_MS))
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
            cache_step(cache, KIT_NOW_MS);
    }
}

static void what_waits_to_be_freed_goes_before_others(void **state)
{
    struct cache *cache = *state;
    enum { LARGE = LIMIT / 2 };
    struct cache_write large = {.blob = kit_receive(cache, LARGE, LARGE)};
    assert_true(kit_put(cache, 0, 0, KIT_NOW_MS, large));
    unsigned number = 1;
    while (kit_stats(cache).resident_bytes < LIMIT)
        assert_true(put_small(cache, number++));
    uint64_t evicted = kit_stats(cache).evicted;
    kit_drop(cache, 0, 0);
    for (unsigned i = 0; i < LARGE / 2 / VALUE / 2; i++)
        assert_true(put_small(cache, number + i));
    assert_in_range(kit_stats(cache).evicted - evicted, 0, 10);
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
        assert_true(cache_step(cache, KIT_NOW_MS));
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
        cache_step(cache, KIT_NOW_MS);
    assert_true(cut_active(cache));
    for (unsigned i = 0; i < 200000; i++) {
        kit_put_len(cache, 0, number, 0);
        kit_drop(cache, 0, number);
        if (i % 2000 == 0)
            cache_step(cache, KIT_NOW_MS);
    }
    assert_in_range(kit_stats(cache).scratch_bytes, 0, KIT_MB);
    while (cache_step(cache, KIT_NOW_MS))
        ;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, kit_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_flushed_makes_room_where_nothing_is_evicted),
        TEST(what_waits_to_be_freed_goes_before_others),
        TEST(after_a_flush_nobody_waits_for_its_end),
        TEST(slabs_come_and_go_during_a_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
