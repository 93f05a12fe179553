/* SPDX-License-Identifier: BSD-3-Clause */
/* Cells that are in use where they lie, and what is worth nothing any more. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "cache/long.h"
#include "tests/cache_kit.h"

enum {
    STREWN = 200,  /* slabs that hold one piece each */
    A_SLAB = 8,    /* pieces of that size in one */
    LONG = 8300,   /* bytes of a value of one such piece */
    SMALL = 40000, /* entries of 100 bytes beside them */
};

/* Steps until nothing is left to do, the clock going on; returns it. */
static int64_t settle(struct cache *cache, int64_t now_ms)
{
    int64_t end_ms = now_ms + 2000;
    for (; now_ms < end_ms; now_ms += 10)
        while (cache_step(cache, now_ms))
            ;
    cache_check(cache);
    return now_ms;
}

static void put_small(struct cache *cache, unsigned db, unsigned first,
                      unsigned count, int64_t expires_at_ms)
{
    static const char bytes[100];
    for (unsigned i = first; i < first + count; i++)
        assert_true(
            kit_put(cache, db, i, KIT_NOW_MS,
                    (struct cache_write){.value = bytes,
                                         .len = sizeof bytes,
                                         .expires_at_ms = expires_at_ms}));
}

static struct cache_blob *receive(struct cache *cache, size_t len)
{
    return kit_receive(cache, LONG, len);
}

/* Values being received, one in every eighth cell. */
static void strew(struct cache *cache, struct cache_blob *blobs[STREWN])
{
    static struct cache_blob *all[STREWN * A_SLAB];
    for (unsigned i = 0; i < STREWN * A_SLAB; i++)
        all[i] = receive(cache, LONG / 2);
    for (unsigned i = 0; i < STREWN * A_SLAB; i++)
        if (i % A_SLAB == 0)
            blobs[i / A_SLAB] = all[i];
        else
            cache_blob_free(all[i]);
}

static void free_all(struct cache_blob *blobs[STREWN])
{
    for (unsigned i = 0; i < STREWN; i++)
        cache_blob_free(blobs[i]);
}

/* Their slabs have most to give, and cannot: the others are emptied still. */
static void what_cannot_move_does_not_stop_the_rest(void **state)
{
    (void)state;
    struct cache *cache = kit_cache(64 * KIT_MB);
    struct cache_blob *blobs[STREWN];
    put_small(cache, 0, 0, SMALL, 0);
    put_small(cache, 1, 0, 100, 0);
    strew(cache, blobs);
    for (unsigned i = 0; i < SMALL; i++)
        if (i % 16 != 0)
            assert_true(kit_drop(cache, 0, i));
    cache_set_limit(cache, (STREWN + 16) * CACHE_SLAB);
    settle(cache, KIT_NOW_MS);
    assert_in_range(kit_stats(cache).resident_bytes, 1,
                    (STREWN + 16) * CACHE_SLAB);
    assert_int_equal(kit_stats(cache).entries, SMALL / 16 + 100);
    free_all(blobs);
    cache_free(cache);
}

static void values_being_received_come_together(void **state)
{
    (void)state;
    enum { LEAST = STREWN / A_SLAB + 16 };
    struct cache *cache = kit_cache(64 * KIT_MB);
    struct cache_blob *blobs[STREWN];
    strew(cache, blobs);
    cache_set_limit(cache, LEAST * CACHE_SLAB);
    int64_t now_ms = settle(cache, KIT_NOW_MS);
    assert_true(cache_is_strewn(cache));
    assert_int_equal(cache_held(cache), (STREWN - LEAST) * CACHE_SLAB);
    for (unsigned i = 0; i < STREWN; i++)
        cache_blob_settle(blobs[i]);
    settle(cache, now_ms);
    assert_in_range(kit_stats(cache).resident_bytes, 1, LEAST * CACHE_SLAB);
    assert_int_equal(cache_held(cache), 0);
    char bytes[LONG / 2];
    for (unsigned i = 0; i < STREWN; i++) {
        cache_blob_copy(blobs[i], 0, bytes, sizeof bytes);
        for (size_t at = 0; at < sizeof bytes; at++)
            assert_int_equal(bytes[at], 'a' + at % 23);
    }
    free_all(blobs);
    cache_free(cache);
}

static struct cache_pin pin(struct cache *cache, unsigned number)
{
    struct cache_key key = kit_key(cache, &number);
    struct cache_tx tx;
    struct cache_view view;
    cache_begin(&tx, cache, KIT_NOW_MS, &key, 1);
    assert_true(cache_find(&tx, 0, &key, 0, &view));
    struct cache_pin made = cache_view_pin(&view);
    cache_end(&tx);
    cache_tx_close(&tx);
    return made;
}

/* Half of them still have their entry, the others lose it. */
static void pinned_values_come_together(void **state)
{
    (void)state;
    /* Two pieces each. */
    enum { LEAST = 2 * STREWN / A_SLAB + 64, SENT = 1000, WHOLE = 20000 };
    struct cache *cache = kit_cache(64 * KIT_MB);
    struct cache_pin pins[STREWN];
    for (unsigned i = 0; i < STREWN * A_SLAB; i++)
        assert_true(kit_put(
            cache, 0, i, KIT_NOW_MS,
            (struct cache_write){.blob = kit_receive(cache, WHOLE, WHOLE)}));
    for (unsigned i = 0; i < STREWN; i++) {
        pins[i] = pin(cache, i * A_SLAB);
        cache_pin_consume(&pins[i], SENT);
    }
    for (unsigned i = 0; i < STREWN * A_SLAB; i++)
        if (i % A_SLAB != 0 || i / A_SLAB % 2)
            assert_true(kit_drop(cache, 0, i));
    cache_set_limit(cache, LEAST * CACHE_SLAB);
    int64_t now_ms = settle(cache, KIT_NOW_MS);
    assert_true(cache_is_strewn(cache));
    for (unsigned i = 0; i < STREWN; i++)
        cache_pin_settle(&pins[i]);
    now_ms = settle(cache, now_ms);
    assert_in_range(kit_stats(cache).resident_bytes, 1, LEAST * CACHE_SLAB);
    for (unsigned i = 0; i < STREWN; i++) {
        struct cache_span span;
        size_t at = SENT;
        while (cache_pin_spans(&pins[i], &span, 1) > 0) {
            for (size_t n = 0; n < span.len; n++)
                assert_int_equal(span.ptr[n], 'a' + at++ % 23);
            cache_pin_consume(&pins[i], span.len);
        }
        assert_int_equal(pins[i].left, 0);
        cache_unpin(&pins[i]);
    }
    settle(cache, now_ms);
    assert_false(cache_is_strewn(cache));
    cache_free(cache);
}

/* What is left is found among many, the rest is dropped at once, and what is
 * stored meanwhile stays. */
static void a_flush_of_many_spares_the_rest(void **state)
{
    (void)state;
    enum { MANY = 6 * SMALL, LEFT = 1000 };
    for (int all = 0; all < 2; all++) {
        struct cache *cache = kit_cache(64 * KIT_MB);
        put_small(cache, 1, 0, LEFT / 2, 0);
        put_small(cache, 0, 0, MANY, 0);
        put_small(cache, 1, LEFT / 2, LEFT / 2, 0);
        assert_true(all ? cache_flush_all(cache) : cache_flush(cache, 0));
        unsigned steps = 0, stored = 0;
        for (int64_t now_ms = KIT_NOW_MS; now_ms < KIT_NOW_MS + 2000;
             now_ms += 10) {
            for (; cache_step(cache, now_ms); steps++)
                if (stored < SMALL && steps % 4 == 0)
                    put_small(cache, 0, MANY + stored++, 1, 0);
        }
        assert_true(stored > 100);
        assert_int_equal(kit_stats(cache).entries, stored + (all ? 0 : LEFT));
        assert_int_equal(kit_stats(cache).flushed_entries, 0);
        assert_int_equal(kit_stats(cache).evicted, 0);
        for (unsigned n = 0; n < LEFT; n++)
            assert_int_equal(kit_has(cache, 1, n), !all);
        for (unsigned n = 0; n < stored; n++)
            assert_true(kit_has(cache, 0, MANY + n));
        assert_in_range(kit_stats(cache).resident_bytes, 0, 4 * KIT_MB);
        cache_check(cache);
        cache_free(cache);
    }
}

/* Whether what goes is dropped at once or one by one. */
static void what_is_worth_nothing_goes_first(void **state)
{
    (void)state;
    static const size_t limits[] = {3 * KIT_MB, 13 * KIT_MB / 2};
    for (int flushed = 0; flushed < 2; flushed++)
        for (int i = 0; i < 2; i++) {
            struct cache *cache = kit_cache(64 * KIT_MB);
            put_small(cache, 1, 0, SMALL / 4, 0);
            put_small(cache, 0, 0, SMALL, flushed ? 0 : KIT_NOW_MS + 1);
            if (flushed)
                assert_true(cache_flush(cache, 0));
            cache_set_limit(cache, limits[i]);
            settle(cache, KIT_NOW_MS + 1000);
            assert_in_range(kit_stats(cache).resident_bytes, 1, limits[i]);
            for (unsigned n = 0; n < SMALL / 4; n++)
                assert_true(kit_has(cache, 1, n));
            assert_int_equal(kit_stats(cache).evicted, 0);
            assert_int_equal(kit_stats(cache).expired, flushed ? 0 : SMALL);
            cache_free(cache);
        }
}

/* What nobody uses any more goes back in steps that are all short. */
static void the_stock_goes_back_bit_by_bit(void **state)
{
    (void)state;
    enum { A_STEP = 4 };
    struct cache *cache = kit_cache(64 * KIT_MB);
    put_small(cache, 0, 0, 4 * SMALL, 0);
    assert_true(cache_flush_all(cache));
    uint64_t before = kit_stats(cache).slabs_returned;
    assert_true(kit_stats(cache).resident_bytes > 256 * CACHE_SLAB);
    for (int64_t now_ms = KIT_NOW_MS; now_ms < KIT_NOW_MS + 3000;
         now_ms += 10) {
        bool more = true;
        while (more) {
            more = cache_step(cache, now_ms);
            uint64_t now = kit_stats(cache).slabs_returned;
            assert_in_range(now - before, 0, A_STEP);
            before = now;
        }
    }
    assert_in_range(kit_stats(cache).resident_bytes, 0, 24 * CACHE_SLAB);
    cache_free(cache);
}

/* A very long value is not freed at once; but before anything is evicted. */
static void a_very_long_value_goes_bit_by_bit(void **state)
{
    (void)state;
    enum { WHOLE = 40 * KIT_MB, A_STEP = 2 * KIT_MB + CACHE_SLAB };
    struct cache *cache = kit_cache(64 * KIT_MB);
    put_small(cache, 1, 0, SMALL, 0);
    for (int again = 0; again < 2; again++) {
        /* The second time there is room only where the first one was. */
        assert_true(kit_put(
            cache, 0, 0, KIT_NOW_MS,
            (struct cache_write){.blob = kit_receive(cache, WHOLE, WHOLE)}));
        uint64_t before = kit_stats(cache).live_bytes;
        assert_true(kit_drop(cache, 0, 0));
        uint64_t now = kit_stats(cache).live_bytes;
        assert_in_range(before - now, 1, A_STEP);
        cache_check(cache);
        for (int64_t now_ms = KIT_NOW_MS; again && now > WHOLE / 2; now_ms++)
            if (cache_step(cache, now_ms)) {
                assert_in_range(now - kit_stats(cache).live_bytes, 0, A_STEP);
                now = kit_stats(cache).live_bytes;
            }
    }
    put_small(cache, 1, SMALL, 6 * SMALL, 0);
    assert_int_equal(kit_stats(cache).evicted, 0);
    assert_int_equal(kit_stats(cache).entries, 7 * SMALL);
    cache_check(cache);
    cache_free(cache);
}

/* Pieces of a value under way are not moved, and may lie in as many slabs. */
static void what_fits_is_stored_in_scattered_pieces(void **state)
{
    (void)state;
    enum { SLABS = A_SLAB - 1, MANY = SLABS * A_SLAB };
    struct cache *cache = kit_cache(KIT_MB);
    unsigned number = MANY;
    struct cache_key key = kit_key(cache, &number);
    for (unsigned i = 0; i < MANY; i++)
        assert_true(
            kit_put(cache, 0, i, KIT_NOW_MS,
                    (struct cache_write){.blob = receive(cache, LONG)}));
    for (unsigned i = 0; i < MANY; i += A_SLAB)
        assert_true(kit_drop(cache, 0, i));
    size_t len = KIT_MB; /* the longest, with most of the pieces in question */
    while (!cache_fits(cache, key.len, len) ||
           long_plan(cache, len).medium < SLABS)
        len -= 100;
    struct cache_write write = {.blob = kit_receive(cache, len, len)};
    assert_true(kit_put(cache, 0, number, KIT_NOW_MS, write));
    cache_check(cache);
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_move_does_not_stop_the_rest),
        cmocka_unit_test(values_being_received_come_together),
        cmocka_unit_test(pinned_values_come_together),
        cmocka_unit_test(a_flush_of_many_spares_the_rest),
        cmocka_unit_test(what_is_worth_nothing_goes_first),
        cmocka_unit_test(a_very_long_value_goes_bit_by_bit),
        cmocka_unit_test(the_stock_goes_back_bit_by_bit),
        cmocka_unit_test(what_fits_is_stored_in_scattered_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
