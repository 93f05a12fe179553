/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several threads on one cache at once: readers and writers, one that steps,
 * one that moves the limit, one that scans and flushes.
 *
 * Every value says which key it belongs to, in every byte of it, so that a
 * value seen while it is half written, or under the wrong key, shows.  Each
 * thread does a set number of operations; nothing depends on who is faster.
 * TEST_SEED repeats the operations (not their interleaving), TEST_OPS sets
 * their number per thread.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "cache/cache.h"
#include "tests/cache_kit.h"
#include "tests/rng.h"
#include "tests/sanitized.h"

enum {
    KEYS = 3000,
    WORKERS = 3,
    LONG_MOST = 100000,
    LIMIT_MOST = 8 << 20,
    LIMIT_LEAST = 1 << 20,
};

struct shared {
    struct cache *cache;
    _Atomic int64_t now_ms;
    atomic_uint workers; /* that still run */
    uint64_t ops;
    _Atomic uint64_t evicted, expired, cuts; /* as told */
};

struct thread {
    struct shared *shared;
    struct rng rng;
    pthread_t id;
    uint64_t hits, stored, shown;
    char *buffer;
};

/* cmocka's checks may only fail on the main thread; here a failure aborts. */
#define must(what)                                                             \
    do {                                                                       \
        if (!(what)) {                                                         \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);         \
            abort();                                                           \
        }                                                                      \
    } while (0)

static int64_t now(struct shared *shared)
{
    return atomic_load_explicit(&shared->now_ms, memory_order_relaxed);
}

static struct cache_key key_of(struct shared *shared, unsigned number,
                               char text[16])
{
    int len = snprintf(text, 16, "key:%u", number);
    return cache_key_of(shared->cache, text, (size_t)len);
}

/* A value of the key: all its bytes are the same function of its number. */
static char byte_of(unsigned number)
{
    return (char)rng_mix(number);
}

static bool all_are(const char *bytes, size_t len, char byte)
{
    return len == 0 || (bytes[0] == byte && !memcmp(bytes, bytes + 1, len - 1));
}

static void check_view(struct thread *thread, const struct cache_view *view,
                       unsigned number)
{
    size_t len = view->len < LONG_MOST ? view->len : LONG_MOST;
    must(all_are(view->bytes, view->bytes_len, byte_of(number)));
    cache_view_copy(view, 0, thread->buffer, len);
    must(all_are(thread->buffer, len, byte_of(number)));
}

static void send_pinned(struct cache_pin *pin, unsigned number)
{
    struct cache_span spans[4];
    while (pin->left > 0) {
        unsigned count = cache_pin_spans(pin, spans, 4);
        must(count > 0);
        for (unsigned i = 0; i < count; i++) {
            must(all_are(spans[i].ptr, spans[i].len, byte_of(number)));
            cache_pin_consume(pin, spans[i].len);
        }
    }
    cache_unpin(pin);
}

static void get(struct thread *thread, unsigned number)
{
    struct shared *shared = thread->shared;
    char text[16];
    struct cache_key key = key_of(shared, number, text);
    struct cache_tx tx;
    struct cache_view view;
    struct cache_pin pin;
    bool pinned = false;
    struct cache_ahead ahead = cache_ahead(shared->cache, 0, &key);
    for (unsigned i = 0; i < CACHE_AHEAD_STEPS; i++)
        cache_ahead_steps(shared->cache, &ahead, 1);
    cache_begin(&tx, shared->cache, now(shared), &key, 1);
    if (cache_find(&tx, 0, &key, CACHE_TOUCH | CACHE_COUNT, &view)) {
        thread->hits++;
        check_view(thread, &view, number);
        pinned = cache_view_is_long(&view) && rng_chance(&thread->rng, 500);
        if (pinned)
            pin = cache_view_pin(&view);
    }
    cache_end(&tx);
    if (pinned)
        send_pinned(&pin, number);
}

static void put(struct thread *thread, unsigned number,
                struct cache_write *write)
{
    struct shared *shared = thread->shared;
    char text[16];
    struct cache_key key = key_of(shared, number, text);
    if (kit_store(shared->cache, 0, &key, now(shared), write))
        thread->stored++;
    else
        cache_blob_free(write->blob);
}

static void put_short(struct thread *thread, unsigned number)
{
    struct cache_write write = {.value = thread->buffer,
                                .len = rng_skewed(&thread->rng, 1500)};
    if (rng_chance(&thread->rng, 200))
        write.expires_at_ms =
            now(thread->shared) + 1 + (int64_t)rng_below(&thread->rng, 2000);
    memset(thread->buffer, byte_of(number), write.len);
    put(thread, number, &write);
}

static void put_long(struct thread *thread, unsigned number)
{
    struct shared *shared = thread->shared;
    size_t len = CACHE_INLINE_MAX + rng_below(&thread->rng, LONG_MOST);
    struct cache_blob *blob = cache_blob_new(shared->cache, len);
    for (size_t done = 0; blob && done < len;) {
        size_t room;
        char *to = cache_blob_room(blob, now(shared), &room);
        if (!to) {
            cache_blob_free(blob);
            return;
        }
        if (room > len - done)
            room = len - done;
        memset(to, byte_of(number), room);
        cache_blob_advance(blob, room);
        done += room;
    }
    struct cache_write write = {.blob = blob};
    if (blob)
        put(thread, number, &write);
}

static void change(struct thread *thread, unsigned number)
{
    struct shared *shared = thread->shared;
    char text[16];
    struct cache_key key = key_of(shared, number, text);
    struct cache_tx tx;
    struct cache_view view;
    cache_begin(&tx, shared->cache, now(shared), &key, 1);
    if (rng_chance(&thread->rng, 500))
        cache_remove(&tx, 0, &key);
    else if (cache_find(&tx, 0, &key, CACHE_TOUCH, &view))
        cache_set_expiry(&tx, 0, &key, now(shared) + 1000);
    cache_end(&tx);
}

static void *work(void *arg)
{
    struct thread *thread = arg;
    struct shared *shared = thread->shared;
    for (uint64_t op = 0; op < shared->ops; op++) {
        unsigned number = (unsigned)rng_skewed(&thread->rng, KEYS);
        uint64_t pick = rng_below(&thread->rng, 100);
        if (pick < 55)
            get(thread, number);
        else if (pick < 85)
            put_short(thread, number);
        else if (pick < 90)
            put_long(thread, number);
        else
            change(thread, number);
        atomic_fetch_add_explicit(&shared->now_ms, op % 8 == 0,
                                  memory_order_relaxed);
    }
    atomic_fetch_sub(&shared->workers, 1);
    return NULL;
}

static unsigned number_of_key(const struct cache_view *view)
{
    char scratch[64], text[16] = {0};
    unsigned number = 0;
    must(view->key_len < sizeof text);
    memcpy(text, cache_view_key(view, scratch), view->key_len);
    must(sscanf(text, "key:%u", &number) == 1);
    return number;
}

static void hear(void *ctx, enum cache_why why, unsigned db,
                 const struct cache_view *view)
{
    struct shared *shared = ctx;
    atomic_fetch_add(why == CACHE_EVICTED   ? &shared->evicted
                     : why == CACHE_EXPIRED ? &shared->expired
                                            : &shared->cuts,
                     1);
    if (why == CACHE_CUT)
        return;
    must(db < 2);
    must(number_of_key(view) < KEYS);
}

/* What an operator changes while others work. */
static void operate(struct thread *thread)
{
    struct cache *cache = thread->shared->cache;
    cache_set_limit(
        cache, LIMIT_LEAST + rng_below(&thread->rng, LIMIT_MOST - LIMIT_LEAST));
    cache_listen(cache, (enum cache_listening)rng_below(&thread->rng, 3));
    if (rng_chance(&thread->rng, 300))
        cache_set_policy(cache, (enum cache_policy)rng_below(&thread->rng, 6));
    else if (rng_chance(&thread->rng, 500))
        cache_set_policy(cache, CACHE_ALLKEYS_LRU);
    if (rng_chance(&thread->rng, 200))
        cache_swap(cache, 0, 1);
}

/* The main thread's part: the limit and the steps. */
static void *govern(void *arg)
{
    struct thread *thread = arg;
    struct shared *shared = thread->shared;
    struct cache_stats stats;
    for (uint64_t turn = 1; atomic_load(&shared->workers) > 0; turn++) {
        if (turn % 200 == 0)
            operate(thread);
        cache_step(shared->cache, now(shared));
        cache_stats(shared->cache, now(shared), &stats);
        must(stats.resident_bytes <= LIMIT_MOST);
    }
    return NULL;
}

static void show(void *ctx, const struct cache_view *view)
{
    struct thread *thread = ctx;
    check_view(thread, view, number_of_key(view));
    thread->shown++;
}

static void *scan(void *arg)
{
    struct thread *thread = arg;
    struct shared *shared = thread->shared;
    uint64_t cursor = 0, flushes = 0;
    while (atomic_load(&shared->workers) > 0) {
        cursor =
            cache_scan(shared->cache, 0, cursor, now(shared), show, thread);
        if (rng_chance(&thread->rng, 100))
            cursor =
                cache_scan_somewhere(shared->cache, rng_next(&thread->rng));
        if (cursor == 0 && ++flushes % 20 == 0)
            cache_flush(shared->cache, 0);
    }
    return NULL;
}

static void run_threads(unsigned shards)
{
    uint64_t seed = test_seed();
    struct cache_options options = {.shards = shards, .databases = 2};
    struct shared shared = {
        .cache = cache_new(&options),
        .now_ms = 1700000000000,
        .workers = WORKERS,
        .ops = test_number("TEST_OPS", SANITIZED ? 15000 : 60000)};
    struct thread threads[WORKERS + 2];
    void *(*const jobs[WORKERS + 2])(void *) = {work, work, work, govern, scan};
    assert_non_null(shared.cache);
    /* What goes is heard from the start, however few turns follow. */
    cache_set_limit(shared.cache, LIMIT_LEAST);
    cache_set_listener(shared.cache, hear, &shared);
    cache_listen(shared.cache, CACHE_TELL_EACH);
    for (unsigned i = 0; i < WORKERS + 2; i++) {
        threads[i] = (struct thread){.shared = &shared,
                                     .rng = {seed + i},
                                     .buffer = test_malloc(LONG_MOST * 2)};
        assert_int_equal(
            pthread_create(&threads[i].id, NULL, jobs[i], &threads[i]), 0);
    }
    uint64_t hits = 0, stored = 0;
    for (unsigned i = 0; i < WORKERS + 2; i++) {
        assert_int_equal(pthread_join(threads[i].id, NULL), 0);
        test_free(threads[i].buffer);
        hits += threads[i].hits;
        stored += threads[i].stored;
    }
    cache_check(shared.cache);
    struct cache_stats stats;
    cache_stats(shared.cache, now(&shared), &stats);
    assert_int_equal(stats.hits, hits);
    assert_in_range(shared.evicted, 1, stats.evicted);
    assert_in_range(shared.expired, 1, stats.expired);
    assert_true(hits > shared.ops / 100 && stored > shared.ops / 10);
    while (cache_step(shared.cache, now(&shared)))
        ;
    cache_check(shared.cache);
    cache_free(shared.cache);
}

static void one_shard(void **state)
{
    (void)state;
    run_threads(1);
}

static void many_shards(void **state)
{
    (void)state;
    run_threads(64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_shard),
        cmocka_unit_test(many_shards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
