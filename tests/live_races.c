/* SPDX-License-Identifier: BSD-3-Clause */
/* Several clients change the same values: each change is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/answer.h"
#include "tests/live.h"
#include "tests/rng.h"

enum { THREADS = 4, ROUNDS = 400, PIECE = 700, BEFORE = 400000 };

struct racer {
    struct live *live;
    int me;
    unsigned failures;
    pthread_t id;
};

static void in_threads(struct live *live, void *(*run)(void *))
{
    struct racer racers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){.live = live, .me = i};
        assert_int_equal(pthread_create(&racers[i].id, NULL, run, &racers[i]),
                         0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(racers[i].id, NULL);
        assert_int_equal(racers[i].failures, 0);
    }
}

static void *increment(void *arg)
{
    struct racer *racer = arg;
    redisContext *redis = live_connect(racer->live);
    for (int i = 0; i < ROUNDS; i++)
        live_int(redis, "INCR counter");
    redisFree(redis);
    return NULL;
}

static void no_increment_is_lost(void **state)
{
    redisContext *redis = live_connect(*state);
    answer_is_ok(redisCommand(redis, "FLUSHALL"));
    in_threads(*state, increment);
    assert_int_equal(live_int(redis, "DECR counter"), THREADS * ROUNDS - 1);
    redisFree(redis);
}

static void *append(void *arg)
{
    struct racer *racer = arg;
    redisContext *redis = live_connect(racer->live);
    char piece[PIECE + 1];
    memset(piece, 'a' + racer->me, PIECE);
    piece[PIECE] = 0;
    for (int i = 0; i < ROUNDS / 4; i++)
        live_int(redis, "APPEND log %s", piece);
    redisFree(redis);
    return NULL;
}

/* The value is long, so that each new one is made outside the locks. */
static void no_piece_is_lost_or_torn(void **state)
{
    redisContext *redis = live_connect(*state);
    answer_is_ok(redisCommand(redis, "FLUSHALL"));
    char *bytes = rng_bytes(BEFORE);
    answer_is_ok(redisCommand(redis, "SET log %b", bytes, (size_t)BEFORE));
    in_threads(*state, append);
    redisReply *reply = redisCommand(redis, "GET log");
    assert_non_null(reply);
    assert_int_equal(reply->len, BEFORE + THREADS * (ROUNDS / 4) * PIECE);
    assert_memory_equal(reply->str, bytes, BEFORE);
    free(bytes);
    size_t pieces[THREADS] = {0};
    for (size_t at = BEFORE; at < reply->len; at += PIECE) {
        char c = reply->str[at];
        assert_in_range(c, 'a', 'a' + THREADS - 1);
        pieces[c - 'a']++;
        for (size_t i = 0; i < PIECE; i++)
            assert_int_equal(reply->str[at + i], c);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pieces[i], ROUNDS / 4);
    freeReplyObject(reply);
    redisFree(redis);
}

/* Even threads store the same in four keys, odd ones must never see two. */
static void *store_or_look(void *arg)
{
    struct racer *racer = arg;
    redisContext *redis = live_connect(racer->live);
    for (int i = 0; i < ROUNDS; i++) {
        if (racer->me % 2 == 0) {
            int value = 2 * i + racer->me / 2;
            freeReplyObject(redisCommand(redis, "MSET a %d b %d c %d d %d",
                                         value, value, value, value));
            continue;
        }
        redisReply *reply = redisCommand(redis, "MGET a b c d");
        if (!reply || reply->elements != 4)
            racer->failures++;
        for (size_t k = 1; reply && k < reply->elements; k++)
            if (strcmp(reply->element[k]->str, reply->element[0]->str) != 0)
                racer->failures++;
        freeReplyObject(reply);
    }
    redisFree(redis);
    return NULL;
}

static void nobody_sees_half_of_a_store(void **state)
{
    redisContext *redis = live_connect(*state);
    answer_is_ok(redisCommand(redis, "MSET a 0 b 0 c 0 d 0"));
    in_threads(*state, store_or_look);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_increment_is_lost),
        cmocka_unit_test(no_piece_is_lost_or_torn),
        cmocka_unit_test(nobody_sees_half_of_a_store),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
