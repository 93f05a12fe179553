/* SPDX-License-Identifier: BSD-3-Clause */
/* Slabs in huge pages: as many bytes are resident as are counted, and what is
 * given back leaves memory at once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "cache/pages.h"
#include "cache/region.h"
#include "tests/cache_kit.h"
#include "tests/frames.h"
#include "tests/rng.h"
#include "tests/sanitized.h"

enum {
    MB = KIT_MB,
    LIMIT = 64 * MB,
    LEN = 1000, /* bytes of a value */
    FULL = 40 * MB / (LEN + 64),
};

static struct cache *huge_cache(void)
{
    struct cache *cache = kit_cache(LIMIT);
    cache_set_huge_pages(cache, true);
    return cache;
}

/* With a step taken as soon as it is asked for. */
static void put(struct cache *cache, unsigned number)
{
    assert_true(kit_put_len(cache, 0, number, LEN));
    while (cache_grows(cache))
        cache_step(cache, KIT_NOW_MS);
}

static void fill(struct cache *cache, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        put(cache, i);
}

/* Steps until nothing is left to do, the clock going on. */
static void settle(struct cache *cache)
{
    for (int64_t now_ms = KIT_NOW_MS; now_ms < KIT_NOW_MS + 5000; now_ms += 10)
        while (cache_step(cache, now_ms))
            ;
}

/* What the system has in memory is what the cache says. */
static void expect_counted(struct cache *cache, const struct frames *frames)
{
    struct cache_places places;
    cache_places(cache, &places);
    size_t known = (size_t)slabs_end(&cache->slabs) * CACHE_SLAB;
    assert_int_equal(frames_own(frames, places.region, known) - places.between,
                     kit_stats(cache).resident_bytes);
}

/* A huge page is not made by who stores: it takes too long. */
static void those_who_store_make_none(void **state)
{
    (void)state;
    struct cache *cache = huge_cache();
    for (unsigned i = 0; i < FULL; i++)
        assert_true(kit_put_len(cache, 0, i, LEN));
    assert_true(cache_grows(cache));
    assert_int_equal(kit_stats(cache).huge_bytes, 0);
    cache_free(cache);
}

/* But for the first slabs, which somebody had to wait for. */
static void a_cache_grows_by_huge_pages(void **state)
{
    const struct frames *frames = *state;
    if (!frames_are_huge())
        return;
    struct cache *cache = huge_cache();
    fill(cache, 0, FULL);
    struct cache_stats stats = kit_stats(cache);
    assert_in_range(stats.huge_bytes, stats.resident_bytes - PAGES_HUGE,
                    stats.resident_bytes);
    expect_counted(cache, frames);
    cache_check(cache);
    cache_free(cache);
}

/* Not even just after the cache has grown. */
static void what_was_given_back_is_not_made_anew(void **state)
{
    (void)state;
    struct cache *cache = huge_cache();
    fill(cache, 0, FULL);
    assert_true(cache_purge(cache, SIZE_MAX) > 0);
    assert_int_equal(kit_stats(cache).stock_bytes, 0);
    while (cache_step(cache, KIT_NOW_MS))
        ;
    assert_in_range(kit_stats(cache).stock_bytes, 0, PAGES_HUGE / 2);
    cache_free(cache);
}

static void only_if_that_is_wanted(void **state)
{
    const struct frames *frames = *state;
    struct cache *cache = kit_cache(LIMIT);
    fill(cache, 0, FULL / 2);
    assert_int_equal(kit_stats(cache).huge_bytes, 0);
    if (frames_are_huge()) {
        cache_set_huge_pages(cache, true);
        fill(cache, FULL / 2, FULL / 4 * 3);
        uint64_t some = kit_stats(cache).huge_bytes;
        assert_true(some > 0);
        cache_set_huge_pages(cache, false);
        fill(cache, FULL / 4 * 3, FULL);
        assert_int_equal(kit_stats(cache).huge_bytes, some);
    }
    expect_counted(cache, frames);
    cache_free(cache);
}

/* To the last slab: what does not fit as a group comes one by one. */
static void the_limit_is_kept_and_used(void **state)
{
    const struct frames *frames = *state;
    for (unsigned spare = 0; spare < 40; spare += 13) {
        struct cache *cache = huge_cache();
        size_t limit = LIMIT - spare * CACHE_SLAB;
        cache_set_limit(cache, limit);
        for (unsigned i = 0; kit_stats(cache).evicted == 0; i++) {
            put(cache, i);
            if (i % 1000 == 0)
                assert_in_range(kit_stats(cache).resident_bytes, 0, limit);
        }
        assert_int_equal(kit_stats(cache).resident_bytes, limit);
        expect_counted(cache, frames);
        cache_free(cache);
    }
}

/* A small cache does not keep a group for what could be a slab. */
static void a_small_limit_has_none(void **state)
{
    (void)state;
    struct cache *cache = huge_cache();
    cache_set_limit(cache, 31 * MB);
    fill(cache, 0, FULL / 4);
    assert_int_equal(kit_stats(cache).huge_bytes, 0);
    cache_free(cache);
}

/* ------------------------------------------------------- what is given back */

/* The reason for it all: shown both ways, so that the other tests see it. */
static void a_part_that_is_purged_stays_unless_it_is_split(void **state)
{
    const struct frames *frames = *state;
    if (!frames_are_huge() || !frames_tell(frames))
        return;
    for (int split = 0; split < 2; split++) {
        struct region region;
        bool huge;
        assert_true(region_init(&region, PAGES_HUGE));
        char *from = region_extend(&region, PAGES_HUGE, PAGES_HUGE);
        assert_true(pages_populate_huge(from, &huge) && huge);
        memset(from, 1, PAGES_HUGE);
        char *part = from + PAGES_HUGE / 2;
        size_t rest = PAGES_HUGE - CACHE_SLAB;
        if (split)
            pages_purge_part(part, CACHE_SLAB);
        else
            pages_purge(part, CACHE_SLAB);
        assert_int_equal(frames_own(frames, from, PAGES_HUGE), rest);
        assert_int_equal(frames_compound(frames, from, PAGES_HUGE),
                         split ? 0 : rest);
        for (size_t at = 0; at < PAGES_HUGE; at += 4096)
            assert_int_equal(from[at], from + at < part ||
                                           from + at >= part + CACHE_SLAB);
        region_release(&region);
    }
}

/* Of every huge page all is resident: no part is behind one that was given
 * back. */
static void expect_whole(struct cache *cache, const struct frames *frames)
{
    struct cache_places places;
    cache_places(cache, &places);
    uint64_t huge = 0;
    for (uint32_t at = 0; at < slabs_end(&cache->slabs); at += HUGE_GROUP) {
        const char *group = places.region + (size_t)at * CACHE_SLAB;
        size_t parts = frames_compound(frames, group, PAGES_HUGE);
        if (parts != 0)
            assert_int_equal(parts, PAGES_HUGE);
        huge += parts;
    }
    assert_int_equal(huge, kit_stats(cache).huge_bytes);
}

static void what_is_given_back_leaves_memory(void **state)
{
    const struct frames *frames = *state;
    if (!frames_are_huge() || !frames_tell(frames))
        return;
    static const size_t limits[] = {LIMIT, 35 * MB, 8 * MB, MB};
    struct cache *cache = huge_cache();
    fill(cache, 0, FULL);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        cache_set_limit(cache, limits[i]);
        settle(cache);
        assert_in_range(kit_stats(cache).resident_bytes, 0, limits[i]);
        expect_counted(cache, frames);
        expect_whole(cache, frames);
    }
    /* And all of it again. */
    cache_set_limit(cache, LIMIT);
    fill(cache, 0, FULL);
    expect_counted(cache, frames);
    expect_whole(cache, frames);
    assert_true(cache_flush_all(cache));
    settle(cache);
    assert_true(kit_stats(cache).resident_bytes < MB);
    expect_counted(cache, frames);
    expect_whole(cache, frames);
    cache_free(cache);
}

/* ------------------------------------------------------------- at random */

static void change(struct cache *cache, struct rng *rng)
{
    unsigned from = (unsigned)rng_below(rng, FULL);
    unsigned count = (unsigned)rng_below(rng, FULL / 4);
    switch (rng_below(rng, 6)) {
    case 0:
        cache_set_limit(cache, (1 + rng_below(rng, 64)) * MB);
        break;
    case 1:
        cache_purge(cache, rng_below(rng, 64));
        break;
    case 2:
        for (unsigned i = from; i < from + count; i++)
            kit_drop(cache, 0, i);
        break;
    case 3:
        cache_set_huge_pages(cache, !rng_chance(rng, 300));
        break;
    default:
        for (unsigned i = from; i < from + count; i++)
            kit_put_len(cache, 0, i, rng_below(rng, 2 * LEN));
    }
}

static void as_much_is_resident_as_is_counted(void **state)
{
    enum { CHANGES = SANITIZED ? 60 : 300 };
    struct rng rng = {test_seed()};
    const struct frames *frames = *state;
    struct cache *cache = huge_cache();
    int64_t now_ms = KIT_NOW_MS;
    uint64_t most = 0;
    for (unsigned i = 0; i < CHANGES; i++) {
        change(cache, &rng);
        for (uint64_t n = rng_below(&rng, 100); n > 0; n--)
            cache_step(cache, now_ms += 10);
        expect_counted(cache, frames);
        uint64_t huge = kit_stats(cache).huge_bytes;
        most = huge > most ? huge : most;
    }
    printf("at most %.1f MiB in huge pages\n", (double)most / MB);
    cache_check(cache);
    cache_free(cache);
}

/* ------------------------------------------------------------- by threads */

enum { WORKERS = 3, OPS = SANITIZED ? 30000 : 200000 };

struct hand {
    pthread_t id;
    struct cache *cache;
    struct rng rng;
    atomic_uint *working;
};

static void *work(void *arg)
{
    struct hand *hand = arg;
    for (unsigned i = 0; i < OPS; i++) {
        unsigned number = (unsigned)rng_below(&hand->rng, 2 * FULL);
        size_t len = rng_below(&hand->rng, 2 * LEN);
        if (rng_chance(&hand->rng, 300))
            kit_drop(hand->cache, 0, number);
        else
            kit_put_len(hand->cache, 0, number, len);
        if (rng_chance(&hand->rng, 2))
            cache_purge(hand->cache, rng_below(&hand->rng, 64));
    }
    atomic_fetch_sub(hand->working, 1);
    return NULL;
}

static void several_threads_take_and_give_back(void **state)
{
    struct rng rng = {test_seed()};
    struct hand hands[WORKERS];
    atomic_uint working = WORKERS;
    const struct frames *frames = *state;
    struct cache *cache = huge_cache();
    for (unsigned i = 0; i < WORKERS; i++) {
        hands[i] = (struct hand){
            .cache = cache, .rng = {rng_next(&rng)}, .working = &working};
        assert_int_equal(pthread_create(&hands[i].id, NULL, work, &hands[i]),
                         0);
    }
    for (int64_t now_ms = KIT_NOW_MS; atomic_load(&working) > 0; now_ms++) {
        if (now_ms % 1000 == 0)
            cache_set_limit(cache, (24 + rng_below(&rng, 40)) * MB);
        if (now_ms % 300 == 0)
            cache_set_huge_pages(cache, !rng_chance(&rng, 200));
        cache_step(cache, now_ms);
        assert_in_range(kit_stats(cache).resident_bytes, 0, LIMIT);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_join(hands[i].id, NULL), 0);
    expect_counted(cache, frames);
    if (frames_are_huge() && frames_tell(frames))
        expect_whole(cache, frames);
    cache_check(cache);
    cache_free(cache);
}

static int set_up(void **state)
{
    static struct frames frames;
    frames_open(&frames);
    *state = &frames;
    return 0;
}

static int tear_down(void **state)
{
    frames_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_who_store_make_none),
        cmocka_unit_test(a_cache_grows_by_huge_pages),
        cmocka_unit_test(what_was_given_back_is_not_made_anew),
        cmocka_unit_test(only_if_that_is_wanted),
        cmocka_unit_test(the_limit_is_kept_and_used),
        cmocka_unit_test(a_small_limit_has_none),
        cmocka_unit_test(a_part_that_is_purged_stays_unless_it_is_split),
        cmocka_unit_test(what_is_given_back_leaves_memory),
        cmocka_unit_test(as_much_is_resident_as_is_counted),
        cmocka_unit_test(several_threads_take_and_give_back),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
