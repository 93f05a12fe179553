/* SPDX-License-Identifier: BSD-3-Clause */
/* Databases are numbers: emptied and swapped without a look at what is in. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the above first
#include <cmocka.h>

#include "tests/cache_kit.h"

static int set_up(void **state)
{
    *state = kit_cache(16 * KIT_MB);
    return 0;
}

static void fill(struct cache *cache, unsigned db, unsigned count, int64_t ttl)
{
    for (unsigned number = 0; number < count; number++)
        kit_put(cache, db, number, KIT_NOW_MS,
                (struct cache_write){
                    .value = "", .expires_at_ms = ttl ? KIT_NOW_MS + ttl : 0});
}

static void swapping_swaps_all(void **state)
{
    struct cache *cache = *state;
    fill(cache, 0, 100, 0);
    fill(cache, 1, 70, 1000);
    cache_swap(cache, 0, 1);
    assert_int_equal(cache_count(cache, 0), 70);
    assert_int_equal(cache_count_expiring(cache, 0), 70);
    assert_int_equal(cache_count(cache, 1), 100);
    assert_int_equal(cache_count_expiring(cache, 1), 0);
    for (unsigned number = 0; number < 100; number++) {
        assert_int_equal(kit_has(cache, 0, number), number < 70);
        assert_true(kit_has(cache, 1, number));
    }
    cache_swap(cache, 1, 0);
    assert_int_equal(cache_count(cache, 0), 100);
}

static void swapping_with_itself_is_nothing(void **state)
{
    struct cache *cache = *state;
    fill(cache, 1, 10, 0);
    cache_swap(cache, 1, 1);
    assert_int_equal(cache_count(cache, 1), 10);
}

static void one_that_was_swapped_is_flushed_alone(void **state)
{
    struct cache *cache = *state;
    fill(cache, 0, 100, 0);
    cache_swap(cache, 0, 1);
    fill(cache, 0, 50, 0);
    assert_true(cache_flush(cache, 1));
    assert_int_equal(cache_count(cache, 0), 50);
    assert_int_equal(cache_count(cache, 1), 0);
    cache_swap(cache, 0, 1); /* the dead do not come along */
    assert_int_equal(cache_count(cache, 0), 0);
    while (cache_step(cache, KIT_NOW_MS))
        ;
    assert_int_equal(kit_stats(cache).entries, 50);
    for (unsigned number = 0; number < 50; number++)
        assert_true(kit_has(cache, 1, number));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, kit_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(swapping_swaps_all),
        TEST(swapping_with_itself_is_nothing),
        TEST(one_that_was_swapped_is_flushed_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
