/* SPDX-License-Identifier: BSD-3-Clause */
/* What the cache gives back, and how it gets there. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "tests/cache_kit.h"

enum { MB = KIT_MB, KEYS = 16384 };

/* Not worth packing more densely. */
enum { SPARE_SLABS = 16 };

/* Steps until nothing is left to do, the clock going on; returns how many. */
static unsigned settle(struct cache *cache)
{
    unsigned steps = 0;
    for (int64_t now_ms = KIT_NOW_MS; now_ms < KIT_NOW_MS + 5000; now_ms += 10)
        while (cache_step(cache, now_ms))
            steps++;
    return steps;
}

static void put(struct cache *cache, unsigned number, int64_t now_ms)
{
    struct cache_write write = {.value = "0123456789abcdef", .len = 16};
    assert_true(kit_put(cache, 0, number, now_ms, write));
}

/* All of the keys in one transaction, which is given up after so many tries
 * that found no room. */
static bool put_together(struct cache *cache, unsigned tries)
{
    static unsigned numbers[KEYS];
    static struct cache_key keys[KEYS];
    struct cache_write write = {.value = "", .len = 0};
    struct cache_tx tx;
    enum cache_result result;
    cache_tx_init(&tx, cache, KIT_NOW_MS);
    for (unsigned i = 0; i < KEYS; i++) {
        numbers[i] = i;
        keys[i] = cache_key_of(cache, (char *)&numbers[i], sizeof numbers[i]);
        assert_true(cache_provide(&tx, sizeof numbers[i], &write));
    }
    for (;;) {
        cache_begin_again(&tx, keys, KEYS);
        result = cache_ready(&tx, keys, KEYS);
        for (unsigned i = 0; i < KEYS && result == CACHE_OK; i++)
            assert_int_equal(cache_put(&tx, 0, &keys[i], &write), CACHE_OK);
        cache_end(&tx);
        if (result == CACHE_OK || tries-- == 0)
            break;
        assert_true(cache_make_room(&tx));
    }
    cache_tx_close(&tx);
    cache_check(cache);
    return result == CACHE_OK;
}

static void what_was_reserved_goes_when_the_puts_are_done(void **state)
{
    (void)state;
    struct cache *alone = kit_cache(64 * MB), *together = kit_cache(64 * MB);
    for (unsigned i = 0; i < KEYS; i++)
        put(alone, i, KIT_NOW_MS);
    assert_true(put_together(together, KEYS));
    assert_int_equal(kit_stats(together).entries, KEYS);
    settle(together);
    assert_in_range(kit_stats(together).index_bytes, 1,
                    kit_stats(alone).index_bytes + SPARE_SLABS * CACHE_SLAB);
    assert_true(cache_flush_all(together));
    settle(together);
    assert_int_equal(kit_stats(together).index_bytes, 0);
    cache_free(alone);
    cache_free(together);
}

static void what_was_reserved_goes_when_it_is_given_up(void **state)
{
    (void)state;
    struct cache *cache = kit_cache(64 * MB);
    assert_false(put_together(cache, 0));
    assert_int_equal(kit_stats(cache).entries, 0);
    settle(cache);
    assert_int_equal(kit_stats(cache).index_bytes, 0);
    cache_free(cache);
}

/* The threads that store read the clock later than the one that shrinks. */
static void an_entry_from_the_future_does_not_stop_a_cut(void **state)
{
    (void)state;
    enum { ENTRIES = 300000 };
    unsigned steps[2];
    for (int ahead = 0; ahead < 2; ahead++) {
        struct cache *cache = kit_cache(64 * MB);
        for (unsigned i = 0; i < ENTRIES; i++)
            put(cache, i, KIT_NOW_MS);
        put(cache, ENTRIES, KIT_NOW_MS + (ahead ? 10000 : 0));
        cache_set_limit(cache, 4 * MB);
        steps[ahead] = settle(cache);
        struct cache_stats stats = kit_stats(cache);
        assert_in_range(stats.resident_bytes, 1, 4 * MB);
        assert_true(stats.entries > 20000);
        cache_check(cache);
        cache_free(cache);
    }
    assert_in_range(steps[1], steps[0] / 2, steps[0] * 5 / 4);
}

/* What a cut itself needs does not come on top of what was allowed before. */
static void a_cut_stays_within_the_old_limit(void **state)
{
    (void)state;
    enum { ENTRIES = 300000, BEFORE = 8 * MB, AFTER = 2 * MB };
    struct cache *cache = kit_cache(BEFORE);
    for (unsigned i = 0; i < ENTRIES; i++)
        put(cache, i, KIT_NOW_MS + i / 1000);
    assert_in_range(kit_stats(cache).resident_bytes, BEFORE - 4 * CACHE_SLAB,
                    BEFORE);
    cache_set_limit(cache, AFTER);
    uint64_t scratch = 0;
    while (cache_step(cache, KIT_NOW_MS + 1000)) {
        struct cache_stats stats = kit_stats(cache);
        assert_in_range(stats.resident_bytes + stats.scratch_bytes, 0, BEFORE);
        if (stats.scratch_bytes > scratch)
            scratch = stats.scratch_bytes;
    }
    assert_true(scratch > 0);
    assert_int_equal(kit_stats(cache).scratch_bytes, 0);
    assert_in_range(kit_stats(cache).resident_bytes, 1, AFTER);
    cache_check(cache);
    cache_free(cache);
}

/* By little or by much, in a full cache: what goes is not much more than what
 * the limit falls by, though every slab has entries of all ages. */
static void no_more_goes_than_must(void **state)
{
    (void)state;
    enum { FULL = 32 * MB };
    static const unsigned percents[] = {1, 3, 10, 30, 80};
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
        struct cache *cache = kit_cache(FULL);
        unsigned number = 0;
        while (kit_stats(cache).evicted == 0)
            for (unsigned n = 0; n < 1000; n++)
                put(cache, number++, KIT_NOW_MS);
        for (unsigned n = 0; n < number; n++) /* so that ages are mixed */
            put(cache, n * 7919u % number, KIT_NOW_MS + n / 100);
        size_t fall = FULL / 100 * percents[i];
        uint64_t live = kit_stats(cache).live_bytes;
        uint64_t resident = kit_stats(cache).resident_bytes;
        cache_set_limit(cache, FULL - fall);
        settle(cache);
        assert_in_range(kit_stats(cache).resident_bytes, 1, FULL - fall);
        fall = resident - kit_stats(cache).resident_bytes;
        printf("%u %%: %.3f times the fall\n", percents[i],
               (double)(live - kit_stats(cache).live_bytes) / (double)fall);
        assert_in_range(live - kit_stats(cache).live_bytes, 0, fall * 5 / 4);
        cache_free(cache);
    }
}

/* When nobody stores anything, little is kept beside what is left. */
static void little_is_kept_when_it_is_quiet(void **state)
{
    (void)state;
    enum { ENTRIES = 100000, PART = 20, INDEX = 8, READY = 4, TIDY = 2 };
    struct cache *cache = kit_cache(64 * MB);
    for (unsigned i = 0; i < ENTRIES; i++)
        put(cache, i, KIT_NOW_MS);
    for (unsigned i = 0; i < ENTRIES; i++)
        if (i % PART != 0)
            assert_true(kit_drop(cache, 0, i));
    settle(cache);
    struct cache_stats stats = kit_stats(cache);
    assert_int_equal(stats.entries, ENTRIES / PART);
    uint64_t needed = stats.live_bytes / CACHE_SLAB + 1;
    assert_in_range(stats.index_bytes, 1, INDEX * CACHE_SLAB);
    assert_in_range(stats.resident_bytes / CACHE_SLAB, needed,
                    needed + INDEX + READY + TIDY);
    put(cache, ENTRIES, KIT_NOW_MS); /* the index takes again what it needs */
    for (unsigned i = 0; i < ENTRIES; i++)
        put(cache, i, KIT_NOW_MS);
    cache_check(cache);
    cache_free(cache);
}

static void ages_go_as_far_as_they_can(void **state)
{
    (void)state;
    const int64_t now_ms = 1700000000000;
    assert_int_equal(entry_age_ms((uint32_t)now_ms, now_ms), 0);
    assert_int_equal(entry_age_ms((uint32_t)(now_ms - 1), now_ms), 1);
    assert_int_equal(entry_age_ms((uint32_t)(now_ms + 1), now_ms), 0);
    assert_int_equal(entry_age_ms((uint32_t)(now_ms + 3600000), now_ms), 0);
    int64_t days_49 = INT64_C(49) * 24 * 3600 * 1000;
    assert_int_equal(entry_age_ms((uint32_t)(now_ms - days_49), now_ms),
                     days_49);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_reserved_goes_when_the_puts_are_done),
        cmocka_unit_test(what_was_reserved_goes_when_it_is_given_up),
        cmocka_unit_test(an_entry_from_the_future_does_not_stop_a_cut),
        cmocka_unit_test(a_cut_stays_within_the_old_limit),
        cmocka_unit_test(no_more_goes_than_must),
        cmocka_unit_test(little_is_kept_when_it_is_quiet),
        cmocka_unit_test(ages_go_as_far_as_they_can),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
