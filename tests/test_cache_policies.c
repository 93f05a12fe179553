/* SPDX-License-Identifier: BSD-3-Clause */
/* Who goes, by the policy: what it protects stays, and what it prefers goes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "cache/evict.h"
#include "cache/index_chain.h"
#include "tests/cache_kit.h"
#include "tests/rng.h"

enum { LIMIT = 16 * KIT_MB, LEN = 100, HOUR_MS = 3600 * 1000 };

static const enum cache_policy volatiles[] = {
    CACHE_VOLATILE_LRU, CACHE_VOLATILE_TTL, CACHE_VOLATILE_RANDOM};
enum { VOLATILES = sizeof volatiles / sizeof *volatiles };

static bool put(struct cache *cache, unsigned number, int64_t expires_at_ms)
{
    static const char zeros[LEN];
    return kit_put(cache, 0, number, KIT_NOW_MS - 10000 + number / 100,
                   (struct cache_write){.value = zeros,
                                        .len = LEN,
                                        .expires_at_ms = expires_at_ms});
}

/* Every `part`th entry has an expiry; until it is full.  Returns how many. */
static unsigned fill(struct cache *cache, unsigned part)
{
    unsigned number = 0;
    while (kit_stats(cache).resident_bytes + KIT_MB < LIMIT)
        for (unsigned i = 0; i < 1000; i++, number++)
            assert_true(put(cache, number,
                            number % part == 0
                                ? KIT_NOW_MS + HOUR_MS + rng_mix(number) % 1000
                                : 0));
    assert_int_equal(kit_stats(cache).evicted, 0);
    return number;
}

static void settle(struct cache *cache)
{
    while (cache_step(cache, KIT_NOW_MS))
        ;
}

/* Until no more is taken; returns how many. */
static unsigned fill_gaps(struct cache *cache, unsigned number)
{
    unsigned first = number;
    while (put(cache, number, 0))
        number++;
    assert_in_range(kit_stats(cache).resident_bytes, 0,
                    kit_stats(cache).limit_bytes);
    return number - first;
}

static unsigned count(struct cache *cache, unsigned end, unsigned first,
                      unsigned part)
{
    unsigned there = 0;
    for (unsigned number = first; number < end; number += part)
        there += kit_has(cache, 0, number);
    return there;
}

static void a_full_cache_drops_what_is_volatile(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VOLATILES; i++) {
        struct cache *cache = kit_cache(LIMIT);
        cache_set_policy(cache, volatiles[i]);
        unsigned end = fill(cache, 4), more = end;
        while (put(cache, more, 0))
            more++;
        assert_int_equal(kit_stats(cache).expiring, 0);
        assert_int_equal(kit_stats(cache).evicted, (end + 3) / 4);
        assert_int_equal(cache_count(cache, 0), more - (end + 3) / 4);
        assert_false(put(cache, more, 0));
        assert_false(put(cache, more, KIT_NOW_MS + 1000));
        assert_int_equal(kit_stats(cache).evicted, (end + 3) / 4);
        assert_true(kit_drop(cache, 0, 1));
        /* With a time it is 8 bytes longer. */
        static const char zeros[LEN];
        struct cache_write write = {.value = zeros,
                                    .len = LEN - 8,
                                    .expires_at_ms = KIT_NOW_MS + HOUR_MS};
        assert_true(kit_put(cache, 0, more, KIT_NOW_MS, write));
        assert_true(put(cache, more + 1, 0)); /* in place of that one */
        assert_false(kit_has(cache, 0, more));
        cache_check(cache);
        cache_free(cache);
    }
}

static void a_lower_limit_comes_first(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VOLATILES; i++) {
        struct cache *cache = kit_cache(LIMIT);
        cache_set_policy(cache, volatiles[i]);
        unsigned end = fill(cache, 2), lasting = count(cache, end, 1, 2);
        cache_set_limit(cache, LIMIT * 3 / 4);
        settle(cache);
        assert_in_range(kit_stats(cache).resident_bytes, 1, LIMIT * 3 / 4);
        assert_int_equal(count(cache, end, 1, 2), lasting);
        assert_in_range(count(cache, end, 0, 2), end / 10, end / 2);
        /* What is protected goes when nothing else is left. */
        cache_set_limit(cache, LIMIT / 8);
        settle(cache);
        assert_in_range(kit_stats(cache).resident_bytes, 1, LIMIT / 8);
        assert_int_equal(kit_stats(cache).expiring, 0);
        unsigned left = count(cache, end, 1, 2);
        assert_in_range(left, lasting / 8, lasting / 3);
        /* But not for a store. */
        fill_gaps(cache, end);
        assert_int_equal(count(cache, end, 1, 2), left);
        cache_check(cache);
        cache_free(cache);
    }
}

static void no_eviction_is_none(void **state)
{
    (void)state;
    struct cache *cache = kit_cache(LIMIT);
    cache_set_policy(cache, CACHE_NO_EVICTION);
    unsigned end = fill(cache, 2);
    unsigned more = fill_gaps(cache, end);
    assert_int_equal(kit_stats(cache).evicted, 0);
    assert_int_equal(cache_count(cache, 0), end + more);
    /* What has expired or was flushed goes nevertheless. */
    while (cache_step(cache, KIT_NOW_MS + 2 * HOUR_MS))
        ;
    assert_int_equal(cache_count(cache, 0), end / 2 + more);
    /* A lower limit comes first. */
    cache_set_limit(cache, LIMIT / 8);
    settle(cache);
    assert_in_range(kit_stats(cache).resident_bytes, 1, LIMIT / 8);
    uint64_t evicted = kit_stats(cache).evicted;
    assert_true(evicted > 0);
    assert_true(cache_flush_all(cache));
    settle(cache);
    assert_in_range(kit_stats(cache).resident_bytes, 0, LIMIT / 8);
    assert_int_equal(kit_stats(cache).evicted, evicted);
    cache_free(cache);
}

static void any_policy_lets_a_flush_be_cut_off(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VOLATILES; i++) {
        struct cache *cache = kit_cache(LIMIT);
        cache_set_policy(cache, volatiles[i]);
        unsigned end = fill(cache, 2);
        assert_true(cache_flush(cache, 0));
        for (unsigned number = 0; number < 1000; number++)
            assert_true(put(cache, number, KIT_NOW_MS + HOUR_MS));
        cache_set_limit(cache, LIMIT / 8);
        settle(cache);
        assert_int_equal(cache_count(cache, 0), 1000);
        assert_int_equal(kit_stats(cache).entries, 1000);
        assert_true(end > 1000);
        cache_check(cache);
        for (unsigned number = 0; number < 1000; number++)
            assert_true(evict_one(cache, KIT_NOW_MS) > 0);
        assert_int_equal(evict_one(cache, KIT_NOW_MS), 0);
        cache_check(cache);
        cache_free(cache);
    }
}

/* --------------------------------------------------------------- volatile-lru
 */

/* Old entries that last, then some that do not, oldest first. */
static void the_list_is_searched_ahead(void **state)
{
    (void)state;
    enum { LASTING = 60000, EXPIRING = 1000 };
    struct cache *cache = kit_cache(LIMIT);
    for (unsigned number = 0; number < LASTING; number++)
        put(cache, number, 0);
    for (unsigned i = 0; i < EXPIRING; i++) /* the last ones expire first */
        put(cache, LASTING + i * 100, KIT_NOW_MS + HOUR_MS - i);
    cache_set_policy(cache, CACHE_VOLATILE_LRU);
    /* Not by the last use yet, but at once. */
    assert_true(evict_one(cache, KIT_NOW_MS) > 0);
    assert_int_equal(cache_count_expiring(cache, 0), EXPIRING - 1);
    settle(cache);
    cache_check(cache);
    for (unsigned i = 0; i < EXPIRING; i++) {
        unsigned number = LASTING + i * 100;
        if (!kit_has(cache, 0, number))
            continue; /* it went before */
        assert_true(evict_one(cache, KIT_NOW_MS) > 0);
        assert_false(kit_has(cache, 0, number));
    }
    assert_int_equal(cache_count(cache, 0), LASTING);
    assert_int_equal(evict_one(cache, KIT_NOW_MS), 0);
    put(cache, 1, KIT_NOW_MS + HOUR_MS); /* which lasted before */
    assert_true(evict_one(cache, KIT_NOW_MS) > 0);
    assert_int_equal(cache_count(cache, 0), LASTING - 1);
    cache_check(cache);
    cache_free(cache);
}

/* --------------------------------------------------------------- volatile-ttl
 */

enum { TIMES = 4096 };

/* How many entries expire when, and where in that order those are that go. */
struct order {
    unsigned there[TIMES], all;
    double sum, worst;
    unsigned gone;
};

static int64_t time_at(unsigned time)
{
    return KIT_NOW_MS + HOUR_MS + (int64_t)time * 10;
}

static void note_gone(void *ctx, enum cache_why why, unsigned db,
                      const struct cache_view *view)
{
    struct order *order = ctx;
    unsigned before = 0;
    assert_int_equal(why, CACHE_EVICTED);
    assert_int_equal(db, 0);
    unsigned time = (unsigned)((view->expires_at_ms - time_at(0)) / 10);
    assert_in_range(time, 0, TIMES - 1);
    for (unsigned i = 0; i < time; i++)
        before += order->there[i];
    double rank = (double)before / order->all;
    order->there[time]--;
    if (order->all-- < 100)
        return; /* of a few it says little */
    order->sum += rank;
    order->gone++;
    if (rank > order->worst)
        order->worst = rank;
}

static bool put_timed(struct cache *cache, struct order *order, unsigned number,
                      unsigned time)
{
    order->there[time]++; /* before it, too, may go */
    order->all++;
    bool room = put(cache, number, time_at(time));
    order->there[time] -= !room;
    order->all -= !room;
    return room;
}

/* One in `part` expires; their times are random, or grow with the entries. */
static void check_order(unsigned part, bool growing)
{
    struct order *order = calloc(1, sizeof *order);
    struct cache *cache = kit_cache(LIMIT);
    struct rng rng = {part};
    assert_non_null(order);
    cache_set_policy(cache, CACHE_VOLATILE_TTL);
    cache_set_listener(cache, note_gone, order);
    cache_listen(cache, CACHE_TELL_EACH);
    bool room = true;
    for (unsigned number = 0; number < 250000 && room; number++) {
        unsigned time = growing ? number * (TIMES / 2) / 250000 +
                                      (unsigned)rng_below(&rng, TIMES / 4)
                                : (unsigned)rng_below(&rng, TIMES);
        room = number % part == 0 ? put_timed(cache, order, number, time)
                                  : put(cache, number, 0);
    }
    printf("1 of %u expires%s: %u went, at %.4f of the order, %.4f at most\n",
           part, growing ? ", in turn" : "", order->gone,
           order->sum / order->gone, order->worst);
    assert_true(order->gone > 100);
    assert_true(order->sum / order->gone < 0.05);
    cache_check(cache);
    cache_free(cache);
    free(order);
}

static void what_expires_soon_goes_first(void **state)
{
    (void)state;
    check_order(1, false);
    check_order(1, true);
    check_order(10, false);
    check_order(300, false);
}

/* --------------------------------------------------------------------- random
 */

/* Of those in a group about as many went as of all. */
static void check_group(const char *name, unsigned size, unsigned gone,
                        double share)
{
    double expected = size * share, sigma2 = expected * (1 - share);
    double off = gone - expected;
    printf("%s: %u of %u went, %.0f expected\n", name, gone, size, expected);
    assert_true(off * off <= 25 * sigma2);
}

static bool in_whole_bucket(struct cache *cache, unsigned number)
{
    struct cache_key key =
        cache_key_of(cache, (const char *)&number, sizeof number);
    const struct shard *shard = shard_of(cache, key.hash);
    uint32_t bucket =
        index_bucket_of(shard, hash_in(key.hash, number_of(cache, 0)));
    uint32_t half = UINT32_C(1) << (31 - __builtin_clz(shard->buckets));
    return bucket < half && bucket + half >= shard->buckets;
}

static void everybody_has_the_same_chance(void **state)
{
    (void)state;
    struct cache *cache = kit_cache(LIMIT);
    unsigned end = fill(cache, 2), whole = 0, whole_gone = 0;
    bool *is_whole = calloc(end, sizeof *is_whole);
    assert_non_null(is_whole);
    for (unsigned number = 0; number < end; number++)
        whole += is_whole[number] = in_whole_bucket(cache, number);
    cache_set_policy(cache, CACHE_ALLKEYS_RANDOM);
    for (unsigned i = 0; i < end / 10; i++)
        assert_true(evict_one(cache, KIT_NOW_MS) > 0);
    double share = (double)(end / 10) / end;
    for (unsigned i = 0; i < 4; i++) {
        unsigned first = end / 4 * i, last = end / 4 * (i + 1);
        check_group("by age", last - first,
                    last - first - count(cache, last, first, 1), share);
    }
    check_group("volatile", end / 2, end / 2 - count(cache, end, 0, 2), share);
    for (unsigned number = 0; number < end; number++)
        whole_gone += is_whole[number] && !kit_has(cache, 0, number);
    check_group("in a bucket not yet split", whole, whole_gone, share);
    free(is_whole);
    cache_check(cache);
    cache_free(cache);
}

/* Many, few, and one: each is found, then none. */
static void the_last_of_them_is_found(void **state)
{
    (void)state;
    static const unsigned parts[] = {2, 50, 3000, 1000000};
    for (unsigned i = 0; i < VOLATILES * 4; i++) {
        struct cache *cache = kit_cache(LIMIT);
        unsigned part = parts[i / VOLATILES], end = fill(cache, part);
        cache_set_policy(cache, volatiles[i % VOLATILES]);
        for (unsigned number = 0; number < end; number += part)
            assert_true(evict_one(cache, KIT_NOW_MS) > 0);
        assert_int_equal(cache_count_expiring(cache, 0), 0);
        assert_int_equal(evict_one(cache, KIT_NOW_MS), 0);
        cache_check(cache);
        cache_free(cache);
    }
}

static void policies_change_at_any_time(void **state)
{
    (void)state;
    struct cache *cache = kit_cache(LIMIT);
    unsigned number = fill(cache, 2);
    for (unsigned i = 0; i < 100; i++) {
        cache_set_policy(cache, (enum cache_policy)(rng_mix(i) % 6));
        for (unsigned n = 0; n < 500; n++, number++) {
            put(cache, number, number % 2 ? KIT_NOW_MS + HOUR_MS : 0);
            if (n % 100 == 0)
                cache_step(cache, KIT_NOW_MS);
        }
        cache_check(cache);
    }
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_cache_drops_what_is_volatile),
        cmocka_unit_test(a_lower_limit_comes_first),
        cmocka_unit_test(no_eviction_is_none),
        cmocka_unit_test(any_policy_lets_a_flush_be_cut_off),
        cmocka_unit_test(the_list_is_searched_ahead),
        cmocka_unit_test(what_expires_soon_goes_first),
        cmocka_unit_test(everybody_has_the_same_chance),
        cmocka_unit_test(the_last_of_them_is_found),
        cmocka_unit_test(policies_change_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
