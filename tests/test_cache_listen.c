/* SPDX-License-Identifier: BSD-3-Clause */
/* Who listens is told of every entry that goes by itself, and of no other. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "cache/cut.h"
#include "tests/cache_kit.h"

enum { DATABASES = 2, NUMBERS = 1 << 20, LIMIT = 16 * KIT_MB, LEN = 100 };

/* What a listener has heard. */
struct heard {
    struct cache *cache;
    uint8_t times[DATABASES][NUMBERS];
    uint64_t evicted, expired, cuts;
    unsigned watched;     /* so many numbers are looked for at a cut: */
    bool at_cut[NUMBERS]; /* it was there */
    char last[CACHE_KEY_MAX];
    size_t last_len;
};

/* Where a test puts numbers into both databases. */
static bool is_there(struct cache *cache, unsigned number)
{
    return kit_has(cache, number % DATABASES, number);
}

static void hear(void *ctx, enum cache_why why, unsigned db,
                 const struct cache_view *view)
{
    static char scratch[CACHE_KEY_MAX];
    struct heard *heard = ctx;
    if (why == CACHE_CUT) {
        assert_null(view);
        heard->cuts++;
        for (unsigned number = 0; number < heard->watched; number++)
            heard->at_cut[number] = is_there(heard->cache, number);
        return;
    }
    assert_in_range(db, 0, DATABASES - 1);
    const char *key = cache_view_key(view, scratch);
    heard->last_len = view->key_len;
    memcpy(heard->last, key, view->key_len);
    heard->evicted += why == CACHE_EVICTED;
    heard->expired += why == CACHE_EXPIRED;
    unsigned number;
    if (view->key_len != sizeof number)
        return;
    memcpy(&number, key, sizeof number);
    assert_in_range(number, 0, NUMBERS - 1);
    assert_int_equal(heard->times[db][number]++, 0);
}

static int set_up(void **state)
{
    struct heard *heard = calloc(1, sizeof *heard);
    assert_non_null(heard);
    heard->cache = kit_cache(LIMIT);
    cache_set_listener(heard->cache, hear, heard);
    cache_listen(heard->cache, CACHE_TELL_EACH);
    *state = heard;
    return 0;
}

static int tear_down(void **state)
{
    struct heard *heard = *state;
    cache_check(heard->cache);
    cache_free(heard->cache);
    free(heard);
    return 0;
}

/* Into both databases in turn, the clock going on a little. */
static void put_aged(struct cache *cache, unsigned number)
{
    static const char zeros[LEN];
    assert_true(kit_put(cache, number % DATABASES, number,
                        KIT_NOW_MS - 10000 + number / 100,
                        (struct cache_write){.value = zeros, .len = LEN}));
}

/* Until it is full; returns how many. */
static unsigned fill(struct cache *cache)
{
    unsigned number = 0;
    while (kit_stats(cache).evicted == 0)
        for (unsigned i = 0; i < 1000; i++, number++)
            put_aged(cache, number);
    assert_in_range(number, 0, NUMBERS - 1);
    return number;
}

/* Every number below `end` is there, or was told once. */
static void nothing_is_missing(struct heard *heard, unsigned end)
{
    uint64_t told = 0;
    for (unsigned number = 0; number < end; number++) {
        unsigned db = number % DATABASES;
        assert_int_equal(is_there(heard->cache, number),
                         heard->times[db][number] == 0);
        assert_int_equal(heard->times[1 - db][number], 0);
        told += heard->times[db][number];
    }
    assert_int_equal(told, heard->evicted + heard->expired);
}

static void settle(struct cache *cache)
{
    while (cache_step(cache, KIT_NOW_MS))
        ;
}

static void an_eviction_is_told(void **state)
{
    struct heard *heard = *state;
    unsigned end = fill(heard->cache);
    for (unsigned i = 0; i < 50000; i++, end++)
        kit_put_len(heard->cache, end % DATABASES, end, LEN + i % 300);
    assert_true(heard->evicted > 10000);
    assert_int_equal(heard->evicted, kit_stats(heard->cache).evicted);
    assert_int_equal(heard->expired + heard->cuts, 0);
    nothing_is_missing(heard, end);
}

static void nobody_hears_what_was_asked_for(void **state)
{
    struct heard *heard = *state;
    struct cache *cache = heard->cache;
    for (unsigned number = 0; number < 100; number++)
        kit_put_len(cache, 0, number, LEN);
    for (unsigned number = 0; number < 100; number++)
        kit_put_len(cache, 0, number, 2 * LEN);
    for (unsigned number = 0; number < 50; number++)
        assert_true(kit_drop(cache, 0, number));
    assert_true(cache_flush(cache, 0));
    settle(cache);
    assert_int_equal(heard->evicted + heard->expired + heard->cuts, 0);
}

static void put_expiring(struct cache *cache, unsigned number, size_t len)
{
    static const char zeros[LEN * 2];
    assert_true(kit_put(cache, 1, number, KIT_NOW_MS - 1000,
                        (struct cache_write){.value = zeros,
                                             .len = len,
                                             .expires_at_ms = KIT_NOW_MS}));
}

static void what_has_expired_is_told_once(void **state)
{
    enum { FOUND, DROPPED, REPLACED, REPLACED_BY_LONGER, CRAWLED, COUNT };
    struct heard *heard = *state;
    struct cache *cache = heard->cache;
    for (unsigned number = 0; number < COUNT; number++)
        put_expiring(cache, number, LEN);
    assert_int_equal(heard->expired, 0);
    assert_false(kit_has(cache, 1, FOUND));
    assert_int_equal(heard->times[1][FOUND], 1);
    assert_false(kit_drop(cache, 1, DROPPED));
    assert_int_equal(heard->times[1][DROPPED], 1);
    kit_put(cache, 1, REPLACED, KIT_NOW_MS,
            (struct cache_write){
                .value = "", .len = 0, .expires_at_ms = KIT_NOW_MS + 1000});
    assert_int_equal(heard->times[1][REPLACED], 1);
    kit_put_len(cache, 1, REPLACED_BY_LONGER, CACHE_INLINE_MAX);
    assert_int_equal(heard->times[1][REPLACED_BY_LONGER], 1);
    assert_int_equal(heard->times[1][CRAWLED], 0);
    settle(cache);
    assert_int_equal(heard->times[1][CRAWLED], 1);
    assert_int_equal(heard->expired, COUNT);
    assert_int_equal(kit_stats(cache).expired, COUNT);
    assert_int_equal(heard->evicted + heard->cuts, 0);
}

static void a_key_in_pieces_is_told_whole(void **state)
{
    struct heard *heard = *state;
    char *bytes = malloc(CACHE_KEY_MAX);
    assert_non_null(bytes);
    for (size_t i = 0; i < CACHE_KEY_MAX; i++)
        bytes[i] = kit_byte(i);
    static const size_t lens[] = {0, 254, 255, 4000, 4001, CACHE_KEY_MAX};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct cache_key key = cache_key_of(heard->cache, bytes, lens[i]);
        struct cache_write write = {
            .value = "", .len = 0, .expires_at_ms = KIT_NOW_MS + 1};
        struct cache_view view;
        struct cache_tx tx;
        assert_true(kit_store(heard->cache, 0, &key, KIT_NOW_MS, &write));
        cache_begin(&tx, heard->cache, KIT_NOW_MS + 1, &key, 1);
        assert_false(cache_find(&tx, 0, &key, 0, &view));
        cache_end(&tx);
        assert_int_equal(heard->expired, i + 1);
        assert_int_equal(heard->last_len, lens[i]);
        assert_memory_equal(heard->last, bytes, lens[i]);
    }
    free(bytes);
}

static void databases_are_called_as_clients_call_them(void **state)
{
    struct heard *heard = *state;
    struct cache *cache = heard->cache;
    kit_put_len(cache, 1, 0, LEN);
    assert_true(cache_flush(cache, 1)); /* it has another number inside now */
    cache_swap(cache, 0, 1);
    unsigned end = fill(cache);
    nothing_is_missing(heard, end);
}

/* By more than an eighth: a cut, if nobody wanted to hear of each. */
static void a_lower_limit_is_told_one_by_one(void **state)
{
    struct heard *heard = *state;
    unsigned end = fill(heard->cache);
    cache_set_limit(heard->cache, LIMIT / 4);
    while (cache_step(heard->cache, KIT_NOW_MS))
        assert_false(cut_active(heard->cache));
    assert_in_range(kit_stats(heard->cache).resident_bytes, 1, LIMIT / 4);
    assert_int_equal(heard->cuts, 0);
    nothing_is_missing(heard, end);
}

static void a_cut_is_told_when_all_is_gone(void **state)
{
    struct heard *heard = *state;
    cache_listen(heard->cache, CACHE_TELL_CUTS);
    heard->watched = fill(heard->cache);
    assert_true(heard->evicted > 0); /* at the limit: by name */
    cache_set_limit(heard->cache, LIMIT / 4);
    settle(heard->cache);
    assert_int_equal(heard->cuts, 1);
    unsigned cut_off = 0;
    for (unsigned number = 0; number < heard->watched; number++) {
        bool told = heard->times[number % DATABASES][number] > 0;
        assert_int_equal(is_there(heard->cache, number),
                         heard->at_cut[number] && !told);
        cut_off += !heard->at_cut[number] && !told;
    }
    assert_int_equal(cut_off + heard->evicted, kit_stats(heard->cache).evicted);
    assert_true(cut_off > heard->watched / 2);
}

static void a_flush_is_cut_off_silently(void **state)
{
    struct heard *heard = *state;
    struct cache *cache = heard->cache;
    enum { LIVE = 3000, DEAD = 60000 };
    for (unsigned number = 0; number < DEAD; number++)
        kit_put_len(cache, 1, number, LEN);
    for (unsigned number = 0; number < LIVE; number++)
        kit_put_len(cache, 0, number, LEN);
    for (unsigned number = 0; number < DEAD; number += 2)
        assert_true(kit_has(cache, 1, number));
    assert_int_equal(heard->evicted, 0);
    assert_true(cache_flush(cache, 1));
    bool cut = false;
    while (cache_step(cache, KIT_NOW_MS))
        cut |= cut_active(cache);
    assert_true(cut);
    assert_int_equal(heard->evicted + heard->expired + heard->cuts, 0);
    for (unsigned number = 0; number < LIVE; number++)
        assert_true(kit_has(cache, 0, number));
    assert_int_equal(kit_stats(cache).entries, LIVE);
}

/* However far a cut has come when somebody wants to hear of each: either it
 * was made before, or it will not be. */
static void who_begins_to_listen_during_a_cut_misses_nothing(void **state)
{
    struct heard *heard = *state;
    cache_listen(heard->cache, CACHE_TELL_NOTHING);
    for (unsigned begun = 0; begun < 400; begun += 7) {
        struct cache *cache = heard->cache;
        memset(heard->times, 0, sizeof heard->times);
        heard->evicted = heard->cuts = 0;
        cache_set_limit(cache, 6 * KIT_MB);
        unsigned number = 0;
        while (kit_stats(cache).resident_bytes < 6 * KIT_MB)
            for (unsigned i = 0; i < 1000; i++, number++)
                put_aged(cache, number);
        bool flushed = begun % 2 == 1 && cache_flush(cache, 1);
        cache_set_limit(cache, KIT_MB);
        for (unsigned i = 0; i < begun * 40; i++)
            cache_step(cache, KIT_NOW_MS);
        cache_listen(cache, CACHE_TELL_EACH);
        uint64_t there = 0, left = 0;
        for (unsigned i = 0; i < number; i++)
            there += is_there(cache, i);
        settle(cache);
        assert_in_range(kit_stats(cache).resident_bytes, 0, KIT_MB);
        for (unsigned i = 0; i < number; i++)
            left += is_there(cache, i);
        assert_int_equal(there - left, heard->evicted);
        assert_int_equal(heard->cuts, 0);
        assert_true(!flushed || cache_count(cache, 1) == 0);
        cache_listen(cache, CACHE_TELL_NOTHING);
        assert_true(cache_flush_all(cache));
        settle(cache);
        cache_check(cache);
    }
}

static void who_does_not_listen_is_not_told(void **state)
{
    struct heard *heard = *state;
    cache_listen(heard->cache, CACHE_TELL_NOTHING);
    fill(heard->cache);
    cache_set_limit(heard->cache, LIMIT / 4);
    settle(heard->cache);
    assert_int_equal(heard->evicted + heard->expired + heard->cuts, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_eviction_is_told),
        TEST(nobody_hears_what_was_asked_for),
        TEST(what_has_expired_is_told_once),
        TEST(a_key_in_pieces_is_told_whole),
        TEST(databases_are_called_as_clients_call_them),
        TEST(a_lower_limit_is_told_one_by_one),
        TEST(a_cut_is_told_when_all_is_gone),
        TEST(a_flush_is_cut_off_silently),
        TEST(who_begins_to_listen_during_a_cut_misses_nothing),
        TEST(who_does_not_listen_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
