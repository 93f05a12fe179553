/* SPDX-License-Identifier: BSD-3-Clause */
/* Entries that get another key: what they hold, whoever reads it meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"
#include "tests/cache_kit.h"
#include "tests/rng.h"
#include "tests/sanitized.h"

enum { KEYS = 40, DATABASES = 2, PINS = 8, NOW_MS = 1000000 };

/* What an entry holds: len 0 and no seed: it is not there. */
struct held {
    uint64_t seed;
    size_t len;
    int64_t expires_at_ms;
};

struct world {
    struct cache *cache;
    struct rng rng;
    struct held held[DATABASES][KEYS];
    struct {
        struct cache_pin pin;
        uint64_t seed;
        size_t len;
    } pins[PINS];
};

static char byte_of(uint64_t seed, size_t at)
{
    return (char)(seed * 31 + at * 7 + at / 251);
}

/* Long keys too. */
static struct cache_key key_of(struct cache *cache, unsigned number, char *text)
{
    size_t len = number % 10 == 7 ? 300 : number % 10 == 8 ? 5000 : 8;
    memset(text, 'k', len);
    snprintf(text, 8, "%07u", number);
    text[7] = 'k';
    return cache_key_of(cache, text, len);
}

enum { TEXT = 5000 };

static size_t some_len(struct rng *rng)
{
    static const size_t lens[] = {0,    5,    100,   4000,  4072,
                                  4073, 9000, 70000, 150000};
    return lens[rng_below(rng, sizeof lens / sizeof *lens)];
}

static void put(struct world *w, unsigned db, unsigned number)
{
    char text[TEXT], small[CACHE_INLINE_MAX];
    struct cache_key key = key_of(w->cache, number, text);
    struct held *held = &w->held[db][number];
    *held = (struct held){rng_next(&w->rng) | 1, some_len(&w->rng), 0};
    if (rng_chance(&w->rng, 300))
        held->expires_at_ms = NOW_MS + 1000000;
    struct cache_write write = {.len = held->len,
                                .expires_at_ms = held->expires_at_ms};
    if (held->len <= CACHE_INLINE_MAX) {
        for (size_t i = 0; i < held->len; i++)
            small[i] = byte_of(held->seed, i);
        write.value = small;
    } else {
        write.blob = cache_blob_new(w->cache, held->len);
        for (size_t i = 0, room; i < held->len; i += room) {
            char *to = cache_blob_room(write.blob, NOW_MS, &room);
            assert_non_null(to);
            for (size_t k = 0; k < room; k++)
                to[k] = byte_of(held->seed, i + k);
            cache_blob_advance(write.blob, room);
        }
    }
    assert_true(kit_store(w->cache, db, &key, NOW_MS, &write));
}

static void rename_one(struct world *w, unsigned from_db, unsigned from,
                       unsigned to_db, unsigned to)
{
    char text[2][TEXT];
    struct cache_key keys[] = {key_of(w->cache, from, text[0]),
                               key_of(w->cache, to, text[1])};
    struct cache_tx tx;
    cache_begin(&tx, w->cache, NOW_MS, keys, 2);
    while (cache_rename(&tx, from_db, &keys[0], to_db, &keys[1]) != CACHE_OK) {
        cache_end(&tx);
        assert_true(cache_make_room(&tx));
        cache_begin_again(&tx, keys, 2);
    }
    cache_end(&tx);
    cache_tx_close(&tx);
    w->held[to_db][to] = w->held[from_db][from];
    w->held[from_db][from] = (struct held){0};
}

static void check(struct world *w, unsigned db, unsigned number)
{
    char text[TEXT];
    struct cache_key key = key_of(w->cache, number, text);
    const struct held *held = &w->held[db][number];
    struct cache_tx tx;
    struct cache_view view;
    cache_begin(&tx, w->cache, NOW_MS, &key, 1);
    bool found = cache_find(&tx, db, &key, 0, &view);
    assert_int_equal(found, held->seed != 0);
    if (found) {
        assert_int_equal(view.len, held->len);
        assert_int_equal(view.expires_at_ms, held->expires_at_ms);
        for (size_t i = 0; i < held->len; i += 1 + held->len / 97) {
            char byte;
            cache_view_copy(&view, i, &byte, 1);
            assert_int_equal(byte, byte_of(held->seed, i));
        }
    }
    cache_end(&tx);
    cache_tx_close(&tx);
}

static void check_pin(struct world *w, unsigned i)
{
    struct cache_pin at = w->pins[i].pin;
    size_t done = 0;
    while (at.left > 0) {
        struct cache_span span;
        assert_int_equal(cache_pin_spans(&at, &span, 1), 1);
        assert_int_equal(span.ptr[0], byte_of(w->pins[i].seed, done));
        assert_int_equal(span.ptr[span.len - 1],
                         byte_of(w->pins[i].seed, done + span.len - 1));
        cache_pin_consume(&at, span.len);
        done += span.len;
    }
    cache_unpin(&w->pins[i].pin);
    w->pins[i].seed = 0;
}

static void pin(struct world *w, unsigned i, unsigned db, unsigned number)
{
    char text[TEXT];
    struct cache_key key = key_of(w->cache, number, text);
    struct cache_tx tx;
    struct cache_view view;
    if (w->held[db][number].len <= CACHE_INLINE_MAX)
        return;
    cache_begin(&tx, w->cache, NOW_MS, &key, 1);
    assert_true(cache_find(&tx, db, &key, 0, &view));
    w->pins[i].pin = cache_view_pin(&view);
    w->pins[i].seed = w->held[db][number].seed;
    cache_end(&tx);
    cache_tx_close(&tx);
}

static void step(struct world *w)
{
    unsigned db = (unsigned)rng_below(&w->rng, DATABASES);
    unsigned number = (unsigned)rng_below(&w->rng, KEYS);
    unsigned to_db = (unsigned)rng_below(&w->rng, DATABASES);
    unsigned to = (unsigned)rng_below(&w->rng, KEYS);
    unsigned i = (unsigned)rng_below(&w->rng, PINS);
    if (rng_chance(&w->rng, 250)) {
        put(w, db, number);
    } else if (w->held[db][number].seed && (db != to_db || number != to)) {
        rename_one(w, db, number, to_db, to);
        check(w, to_db, to);
    }
    check(w, db, number);
    if (w->pins[i].seed)
        check_pin(w, i);
    else if (w->held[to_db][to].seed && rng_chance(&w->rng, 300))
        pin(w, i, to_db, to);
    if (rng_chance(&w->rng, 100))
        cache_step(w->cache, NOW_MS);
}

static void what_is_renamed_stays_as_it_is(void **state)
{
    struct cache_options options = {.shards = 8, .address_bytes = 256 << 20};
    struct world *w = calloc(1, sizeof *w);
    (void)state;
    w->rng.state = test_seed();
    w->cache = cache_new(&options);
    cache_set_limit(w->cache, 64 << 20);
    for (int i = 0; i < (SANITIZED ? 3000 : 20000); i++) {
        step(w);
        if (i % 500 == 0)
            cache_check(w->cache);
    }
    for (unsigned i = 0; i < PINS; i++)
        if (w->pins[i].seed)
            check_pin(w, i);
    cache_check(w->cache);
    cache_free(w->cache);
    free(w);
}

/* ---------------------------------------------------------------- threads */

struct race {
    struct world *w;
    atomic_bool over;
};

/* Sends the value from key to key. */
static void *send_round(void *ctx)
{
    struct race *race = ctx;
    for (unsigned i = 0; !atomic_load(&race->over); i++)
        rename_one(race->w, 0, i % 4, 0, (i + 1) % 4);
    return NULL;
}

/* Pins it wherever it is, and once more when it may have gone on. */
static void *read_it(void *ctx)
{
    struct race *race = ctx;
    struct cache *cache = race->w->cache;
    for (unsigned i = 0; i < (SANITIZED ? 20000u : 200000u); i++) {
        char text[TEXT];
        struct cache_key key = key_of(cache, i % 4, text);
        struct cache_tx tx;
        struct cache_view view;
        cache_begin(&tx, cache, NOW_MS, &key, 1);
        bool found = cache_find(&tx, 0, &key, 0, &view);
        struct cache_pin pinned = {0};
        if (found)
            pinned = cache_view_pin(&view);
        cache_end(&tx);
        cache_tx_close(&tx);
        if (found) {
            struct cache_pin again = cache_pin_again(&pinned);
            cache_unpin(&pinned);
            cache_unpin(&again);
        }
        if (i % 16 == 0)
            cache_step(cache, NOW_MS);
    }
    atomic_store(&race->over, true);
    return NULL;
}

static void readers_let_go_of_what_goes_to_another_shard(void **state)
{
    struct cache_options options = {.shards = 64, .address_bytes = 256 << 20};
    struct world *w = calloc(1, sizeof *w);
    struct race race = {.w = w};
    pthread_t threads[3];
    (void)state;
    w->cache = cache_new(&options);
    cache_set_limit(w->cache, 64 << 20);
    do
        put(w, 0, 0);
    while (w->held[0][0].len < 9000);
    assert_int_equal(pthread_create(&threads[0], NULL, send_round, &race), 0);
    for (unsigned i = 1; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_it, &race), 0);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    cache_check(w->cache);
    for (unsigned number = 0; number < 4; number++)
        check(w, 0, number);
    cache_free(w->cache);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_renamed_stays_as_it_is),
        cmocka_unit_test(readers_let_go_of_what_goes_to_another_shard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
