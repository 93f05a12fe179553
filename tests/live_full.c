/* SPDX-License-Identifier: BSD-3-Clause */
/* What finds no room is refused, and changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/call.h"
#include "tests/answer.h"
#include "tests/live.h"
#include "tests/rng.h"

static void is_out_of_memory(redisReply *reply)
{
    answer_is_error(reply, ERROR_NO_ROOM);
}

static void what_never_fits_is_refused_and_the_old_stays(void **state)
{
    redisContext *redis = live_connect(*state);
    const size_t len = 63 << 20;
    char *bytes = rng_bytes(len);
    answer_is_ok(redisCommand(redis, "FLUSHALL"));
    answer_is_ok(redisCommand(redis, "MSET k old n old"));
    long long evicted = live_info(redis, "evicted_keys");
    is_out_of_memory(redisCommand(redis, "SET k %b", bytes, len));
    is_out_of_memory(redisCommand(redis, "SETEX k 100 %b", bytes, len));
    is_out_of_memory(redisCommand(redis, "GETSET k %b", bytes, len));
    is_out_of_memory(redisCommand(redis, "APPEND k %b", bytes, len));
    assert_string_equal(live_text(redis, "GET k"), "old");
    assert_string_equal(live_text(redis, "GET n"), "old");
    assert_int_equal(live_info(redis, "evicted_keys"), evicted);
    free(bytes);
    redisFree(redis);
}

/* A time to live takes memory, too: all of it is there, or nothing changed. */
static void expires_or_is_refused(redisContext *redis, int key,
                                  const char *bytes, size_t len)
{
    redisReply *reply = redisCommand(redis, "EXPIRE k%d 1000", key);
    bool done = reply->type == REDIS_REPLY_INTEGER;
    if (done)
        freeReplyObject(reply);
    else
        is_out_of_memory(reply);
    long long ttl = live_int(redis, "TTL k%d", key);
    assert_true(done ? ttl > 0 : ttl == -1);
    answer_is_bytes(redisCommand(redis, "GET k%d", key), bytes, len);
}

/* With noeviction nothing makes room but removing. */
static void a_full_cache_refuses_and_changes_nothing(void **state)
{
    enum { LEN = 3000 };
    (void)state;
    struct live *small = live_start("--maxmemory", "24mb", "--maxmemory-policy",
                                    "noeviction", NULL);
    redisContext *redis = live_connect(small);
    char *bytes = rng_bytes(LEN);
    int count = 0;
    redisReply *reply;
    answer_is_ok(redisCommand(redis, "SET number 7"));
    while ((reply = redisCommand(redis, "SET k%d %b", count, bytes,
                                 (size_t)LEN)) != NULL &&
           reply->type == REDIS_REPLY_STATUS) {
        freeReplyObject(reply);
        assert_non_null(reply);
        count++;
    }
    is_out_of_memory(reply);
    assert_true(count > 100);
    long long evicted = live_info(redis, "evicted_keys");
    is_out_of_memory(
        redisCommand(redis, "MSET number 8 new %b", bytes, (size_t)LEN));
    is_out_of_memory(
        redisCommand(redis, "MSETNX small 8 new %b", bytes, (size_t)LEN));
    is_out_of_memory(
        redisCommand(redis, "SET number %b GET", bytes, (size_t)LEN));
    is_out_of_memory(
        redisCommand(redis, "APPEND number %b", bytes, (size_t)LEN));
    assert_string_equal(live_text(redis, "GET number"), "7");
    assert_int_equal(live_int(redis, "EXISTS small new k%d", count), 0);
    answer_is_bytes(redisCommand(redis, "GET k0"), bytes, LEN);
    for (int i = 0; i < count; i += 100)
        expires_or_is_refused(redis, i, bytes, LEN);
    assert_int_equal(live_int(redis, "DBSIZE"), count + 1);
    assert_int_equal(live_info(redis, "evicted_keys"), evicted);
    for (int i = 0; i < 100; i++)
        assert_int_equal(live_int(redis, "DEL k%d", i), 1);
    answer_is_ok(redisCommand(redis, "SET number %b", bytes, (size_t)LEN));
    free(bytes);
    redisFree(redis);
    live_stop(small);
}

static void too_many_at_once_are_refused(void **state)
{
    redisContext *redis = live_connect(*state);
    static const char *argv[2 * CALL_ATOMIC_KEYS + 3];
    size_t argc = sizeof argv / sizeof *argv;
    static char keys[CALL_ATOMIC_KEYS + 1][8];
    argv[0] = "MSET";
    for (size_t i = 0; i < CALL_ATOMIC_KEYS + 1; i++) {
        snprintf(keys[i], sizeof keys[i], "%zu", i);
        argv[2 * i + 1] = argv[2 * i + 2] = keys[i];
    }
    answer_is_ok(redisCommand(redis, "FLUSHALL"));
    answer_is_error(redisCommandArgv(redis, (int)argc, argv, NULL),
                    "ERR too many keys for one 'mset' command, at most 16384");
    assert_int_equal(live_int(redis, "DBSIZE"), 0);
    answer_is_ok(redisCommandArgv(redis, (int)argc - 2, argv, NULL));
    assert_int_equal(live_int(redis, "DBSIZE"), CALL_ATOMIC_KEYS);
    redisFree(redis);
}

/* They are held before they run, so that less fits than in a SET. */
static void what_cannot_be_held_is_refused_and_the_client_stays(void **state)
{
    redisContext *redis = live_connect(*state);
    enum { LEN = 4 << 20, HUGE_LEN = 100 << 20 };
    char *bytes = calloc(1, HUGE_LEN);
    assert_non_null(bytes);
    answer_is_ok(redisCommand(redis, "FLUSHALL"));
    answer_is_ok(redisCommand(redis, "SET a %b", bytes, (size_t)LEN));
    is_out_of_memory(redisCommand(redis, "MSET a 1 b %b", bytes, (size_t)LEN));
    is_out_of_memory(
        redisCommand(redis, "MSET b %b c 3", bytes, (size_t)HUGE_LEN));
    is_out_of_memory(redisCommand(redis, "MSETNX c %b d %b e 5", bytes,
                                  (size_t)LEN, bytes, (size_t)LEN));
    answer_is_bytes(redisCommand(redis, "GET a"), bytes, LEN);
    assert_int_equal(live_int(redis, "EXISTS b c d e"), 0);
    answer_is_ok(redisCommand(redis, "MSET a %b b 2", bytes, (size_t)100000));
    free(bytes);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_never_fits_is_refused_and_the_old_stays),
        cmocka_unit_test(a_full_cache_refuses_and_changes_nothing),
        cmocka_unit_test(too_many_at_once_are_refused),
        cmocka_unit_test(what_cannot_be_held_is_refused_and_the_client_stays),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
