/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The promise: resident memory stays within maxmemory, whatever is stored, and
 * follows when maxmemory changes.  What the system says of the process decides
 * (VmRSS, and VmHWM for all the time between two looks).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "tests/answer.h"
#include "tests/live.h"
#include "tests/rng.h"
#include "tests/sanitized.h"

enum { MB = 1 << 20, BATCH = 500, VALUE_MAX = 70000, PATIENCE_S = 60 };

/* ----------------------------------------------------------------- helpers */

static void set_budget(redisContext *redis, unsigned mb)
{
    assert_string_equal(live_text(redis, "CONFIG SET maxmemory %umb", mb),
                        "OK");
}

/* The value of a key: its number, again and again. */
static void make_value(unsigned key, char *value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        value[i] = (char)(rng_mix(key) >> (i % 8 * 8));
}

/* Sets the keys from..to-1, in order. */
static void fill(redisContext *redis, unsigned from, unsigned to, size_t len)
{
    static char value[VALUE_MAX];
    unsigned sent = 0;
    for (unsigned key = from; key < to; key++) {
        make_value(key, value, len);
        redisAppendCommand(redis, "SET key:%u %b", key, value, len);
        if (++sent * (len + 64) > MB / 4 || sent == BATCH) {
            answers_are_ok(redis, sent);
            sent = 0;
        }
    }
    answers_are_ok(redis, sent);
}

/* True if it is there; then its value must be right. */
static bool get(redisContext *redis, unsigned key, size_t len)
{
    static char value[VALUE_MAX];
    redisReply *reply = redisCommand(redis, "GET key:%u", key);
    assert_non_null(reply);
    bool there = reply->type == REDIS_REPLY_STRING;
    if (there) {
        make_value(key, value, len);
        assert_int_equal(reply->len, len);
        assert_memory_equal(reply->str, value, len);
    } else {
        assert_int_equal(reply->type, REDIS_REPLY_NIL);
    }
    freeReplyObject(reply);
    return there;
}

/* Reads random keys (if any) until no more than so much is resident. */
static void read_until(struct live *live, redisContext *redis, size_t bytes,
                       unsigned keys, size_t len)
{
    struct rng rng = {keys};
    time_t end = time(NULL) + PATIENCE_S;
    while (live_resident(live) > bytes && !SANITIZED) {
        if (time(NULL) > end)
            fail_msg("%zu bytes are resident, %zu are allowed",
                     live_resident(live), bytes);
        for (unsigned i = 0; i < 50 && keys > 0; i++)
            get(redis, (unsigned)rng_below(&rng, keys), len);
    }
}

static void expect_peak(struct live *live, size_t most)
{
    size_t peak = live_peak(live);
    if (peak > most && !SANITIZED)
        fail_msg("%zu bytes were resident, %zu are allowed", peak, most);
}

/* ------------------------------------------------------------------- tests */

static void filled_beyond_the_budget(void **state)
{
    enum { KEYS_MOST = SANITIZED ? 20000 : 700000 };
    static const unsigned budgets[] = {16, 32, 64};
    static const size_t lens[] = {100, VALUE_MAX, 1000, 5000, 1};
    (void)state;
    for (unsigned b = 0; b < 3; b++) {
        struct live *live = live_start("--maxmemory", "16mb", NULL);
        redisContext *redis = live_connect(live);
        size_t budget = (size_t)budgets[b] * MB;
        set_budget(redis, budgets[b]);
        live_peak_reset(live);
        for (unsigned i = 0; i < 5; i++) {
            size_t cell = lens[i] + 40;
            unsigned keys = (unsigned)(3 * budget / (2 * cell));
            if (keys > KEYS_MOST)
                keys = KEYS_MOST;
            fill(redis, 0, keys, lens[i]);
            expect_peak(live, budget);
            size_t held = (size_t)live_int(redis, "DBSIZE") * cell;
            printf("%u MiB, values of %zu bytes: %.1f MiB held, %.1f MiB "
                   "resident at most\n",
                   budgets[b], lens[i], (double)held / MB,
                   (double)live_peak(live) / MB);
            /* Memory is kept by holding less, but not by holding little. */
            if (!SANITIZED)
                assert_true(held > budget / 5 &&
                            live_info(redis, "evicted_keys"));
        }
        redisFree(redis);
        live_stop(live);
    }
}

static void lowered_while_a_client_reads(void **state)
{
    enum { KEYS = 60000, LEN = 900 };
    (void)state;
    struct live *live = live_start("--maxmemory", "64mb", NULL);
    redisContext *redis = live_connect(live);
    fill(redis, 0, KEYS, LEN);
    long long before = live_int(redis, "DBSIZE");
    live_peak_reset(live);
    set_budget(redis, 24);
    read_until(live, redis, 24 * MB, KEYS, LEN);
    expect_peak(live, 64 * MB);
    live_peak_reset(live);
    long long after = live_int(redis, "DBSIZE");
    if (!SANITIZED)
        assert_in_range(after, before / 8, before / 2);

    /* It stays there, and can be raised again. */
    fill(redis, 0, KEYS, LEN);
    expect_peak(live, 24 * MB);
    set_budget(redis, 64);
    fill(redis, 0, KEYS, LEN);
    if (!SANITIZED)
        assert_true(live_int(redis, "DBSIZE") > before * 9 / 10);
    expect_peak(live, 64 * MB);
    redisFree(redis);
    live_stop(live);
}

static void lowered_and_raised_in_turn(void **state)
{
    enum { KEYS = 30000, LEN = 1200, TURNS = 60 };
    static const unsigned budgets[] = {64, 20, 40, 18, 64, 32, 16};
    (void)state;
    struct live *live = live_start("--maxmemory", "64mb", NULL);
    redisContext *redis = live_connect(live);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        set_budget(redis, budgets[turn % 7]);
        unsigned from = turn * 997 % (KEYS - 3000);
        fill(redis, from, from + 3000, LEN);
        for (unsigned key = from; key < from + 3000; key += 10)
            get(redis, key, LEN);
    }
    expect_peak(live, 64 * MB);
    set_budget(redis, 20);
    read_until(live, redis, 20 * MB, KEYS, LEN);
    fill(redis, 0, 1000, LEN);
    for (unsigned key = 0; key < 1000; key++)
        assert_true(get(redis, key, LEN));
    redisFree(redis);
    live_stop(live);
}

struct client {
    redisContext *redis;
    struct rng rng;
    pthread_t id;
    atomic_uint *running; /* clients that are not done */
    unsigned long sets, hits, wrong;
};

/* Sets and gets values of all sizes; cmocka's checks are the main thread's. */
static void *use(void *arg)
{
    enum { OPERATIONS = SANITIZED ? 2000 : 20000, KEYS = 3000 };
    struct client *client = arg;
    char *value = malloc(VALUE_MAX);
    for (unsigned i = 0; value && i < OPERATIONS; i++) {
        unsigned key = (unsigned)rng_below(&client->rng, KEYS);
        size_t len =
            rng_mix(key) % 40 ? rng_mix(key) % 3000 : rng_mix(key) % VALUE_MAX;
        bool set = rng_chance(&client->rng, 500);
        make_value(key, value, len);
        redisReply *reply =
            set ? redisCommand(client->redis, "SET key:%u %b", key, value, len)
                : redisCommand(client->redis, "GET key:%u", key);
        bool there = reply && reply->type == REDIS_REPLY_STRING;
        client->sets += set;
        client->hits += there;
        if (there)
            client->wrong +=
                reply->len != len || memcmp(reply->str, value, len) != 0;
        else
            client->wrong += !reply || reply->type != (set ? REDIS_REPLY_STATUS
                                                           : REDIS_REPLY_NIL);
        if (reply)
            freeReplyObject(reply);
    }
    free(value);
    atomic_fetch_sub(client->running, 1);
    return NULL;
}

static void lowered_and_raised_under_several_clients(void **state)
{
    enum { CLIENTS = 4 };
    static const unsigned budgets[] = {48, 17, 30, 18, 44, 24};
    struct client clients[CLIENTS];
    atomic_uint running = CLIENTS;
    (void)state;
    struct live *live =
        live_start("--maxmemory", "48mb", "--threads", "3", NULL);
    redisContext *redis = live_connect(live);
    uint64_t seed = test_seed();
    live_peak_reset(live);
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.redis = live_connect(live),
                                     .rng = {seed + i},
                                     .running = &running};
        assert_int_equal(pthread_create(&clients[i].id, NULL, use, &clients[i]),
                         0);
    }
    for (unsigned turn = 0; atomic_load(&running) > 0; turn++)
        set_budget(redis, budgets[turn / 50 % 6]);
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_join(clients[i].id, NULL), 0);
        redisFree(clients[i].redis);
        assert_int_equal(clients[i].wrong, 0);
        assert_true(clients[i].sets > 0 && clients[i].hits > 0);
    }
    expect_peak(live, 48 * MB);
    set_budget(redis, 17);
    read_until(live, redis, 17 * MB, 0, 0);
    redisFree(redis);
    live_stop(live);
}

static void a_flush_gives_memory_back(void **state)
{
    (void)state;
    struct live *live = live_start("--maxmemory", "64mb", NULL);
    redisContext *redis = live_connect(live);
    size_t empty = live_resident(live);
    fill(redis, 0, 100000, 400);
    if (!SANITIZED)
        assert_true(live_resident(live) > empty + 30 * MB);
    live_text(redis, "FLUSHALL");
    assert_int_equal(live_int(redis, "DBSIZE"), 0);
    read_until(live, redis, empty + 4 * MB, 1000, 400);
    redisFree(redis);
    live_stop(live);
}

/*
 * The keys are set in order, and every tenth is read.  So the order of use is
 * that of the numbers, then those that were read.  Times of use count
 * milliseconds, in which a pipeline sets a few thousand keys: among so many
 * the order is not asserted.
 */
static void those_used_last_survive(void **state)
{
    enum { KEYS = 60000, LEN = 600, SAME_MS = 4000 };
    (void)state;
    if (SANITIZED)
        return;
    struct live *live = live_start("--maxmemory", "64mb", NULL);
    redisContext *redis = live_connect(live);
    fill(redis, 0, KEYS, LEN);
    assert_int_equal(live_int(redis, "DBSIZE"), KEYS);
    for (unsigned key = 0; key < KEYS; key += 10)
        assert_true(get(redis, key, LEN));
    set_budget(redis, 32);
    live_await_info(redis, "used_memory_rss", 0, 32 * MB);
    long long held = live_int(redis, "DBSIZE"), seen = 0;
    unsigned oldest = KEYS, newest_gone = 0;
    for (unsigned key = 0; key < KEYS; key++) {
        bool there = live_int(redis, "EXISTS key:%u", key);
        seen += there;
        if (key % 10 == 0)
            assert_true(there);
        else if (there && key < oldest)
            oldest = key;
        else if (!there)
            newest_gone = key;
    }
    assert_int_equal(seen, held);
    assert_in_range(held, KEYS / 5, KEYS * 2 / 3);
    assert_true(newest_gone < oldest + SAME_MS);
    redisFree(redis);
    live_stop(live);
}

static void refused_values_keep_the_budget(void **state)
{
    static const char *const bad[] = {
        "17179869184gb",        "",      "-1", "1.5q",
        "99999999999999999999", "64 mb", "mb"};
    (void)state;
    struct live *live = live_start("--maxmemory", "40mb", NULL);
    redisContext *redis = live_connect(live);
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        redisReply *reply =
            redisCommand(redis, "CONFIG SET maxmemory %s", bad[i]);
        assert_int_equal(reply->type, REDIS_REPLY_ERROR);
        freeReplyObject(reply);
        assert_int_equal(live_info(redis, "maxmemory"), 40 * MB);
    }
    /* Nothing is unlimited: 0 is the share that is the default. */
    assert_string_equal(live_text(redis, "CONFIG SET maxmemory 0"), "OK");
    long long share = live_info(redis, "maxmemory");
    assert_true(share > 64LL * MB);
    assert_true(share <= live_info(redis, "total_system_memory"));
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filled_beyond_the_budget),
        cmocka_unit_test(lowered_while_a_client_reads),
        cmocka_unit_test(lowered_and_raised_in_turn),
        cmocka_unit_test(lowered_and_raised_under_several_clients),
        cmocka_unit_test(a_flush_gives_memory_back),
        cmocka_unit_test(those_used_last_survive),
        cmocka_unit_test(refused_values_keep_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
