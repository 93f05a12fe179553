/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that store, change and return values. */
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
#include "server/call.h"
#include "tests/live.h"
#include "tests/talk.h"

#define SYNTAX  "-ERR syntax error"
#define NOT_INT "-ERR value is not an integer or out of range"

static struct live *live;

static int start(void **state)
{
    (void)state;
    live = live_start("--maxmemory", "64mb", "--threads", "2", NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    live_stop(live);
    return 0;
}

static void set_takes_all_its_options(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"SET k a XX", "$-1"},
        {"SET k a NX", "+OK"},
        {"SET k b NX", "$-1"},
        {"SET k b nx GET", "$1\r\na"},
        {"SET k b XX GET", "$1\r\na"},
        {"SET n b XX GET", "$-1"},
        {"EXISTS n", ":0"},
        {"SET n b GET", "$-1"},
        {"SET k c EX 100", "+OK"},
        {"TTL k", ":100"},
        {"SET k c KEEPTTL", "+OK"},
        {"TTL k", ":100"},
        {"SET k c GET", "$1\r\nc"},
        {"TTL k", ":-1"},
        {"SET k c PX 100000", "+OK"},
        {"TTL k", ":100"},
        {"SET k c EXAT 4102444800", "+OK"},
        {"EXPIRETIME k", ":4102444800"},
        {"SET k c PXAT 4102444800001", "+OK"},
        {"PEXPIRETIME k", ":4102444800001"},
        {"SET k c EXAT 1", "+OK"},
        {"EXISTS k", ":0"},
        {"SET k c NX XX", SYNTAX},
        {"SET k c EX 1 PX 1", SYNTAX},
        {"SET k c EX 1 KEEPTTL", SYNTAX},
        {"SET k c KEEPTTL EX 1", SYNTAX},
        {"SET k c EX", SYNTAX},
        {"SET k c PERSIST", SYNTAX},
        {"SET k c EX x", NOT_INT},
        {"SET k c EX 0", "-ERR invalid expire time in 'set' command"},
        {"SET k c PX -1", "-ERR invalid expire time in 'set' command"},
        {"SET k c EX 9223372036854775",
         "-ERR invalid expire time in 'set' command"},
        {"SET k c PX 9223372036854775807",
         "-ERR invalid expire time in 'set' command"},
        {"EXISTS k", ":0"},
        {"SETEX k 0 v", "-ERR invalid expire time in 'setex' command"},
        {"PSETEX k -1 v", "-ERR invalid expire time in 'psetex' command"},
    };
    (void)state;
    struct talk talk = talk_open(live);
    TALK_TABLE(&talk, rows);
    talk_close(&talk);
}

static void values_come_back_and_go(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"GET k", "$-1"},
        {"SETNX k a", ":1"},
        {"SETNX k b", ":0"},
        {"GETSET k b", "$1\r\na"},
        {"GETSET n b", "$-1"},
        {"SETEX k 100 c", "+OK"},
        {"GETSET k d", "$1\r\nc"},
        {"TTL k", ":-1"},
        {"PSETEX k 100000 c", "+OK"},
        {"TTL k", ":100"},
        {"GETEX k", "$1\r\nc"},
        {"TTL k", ":100"},
        {"GETEX k PERSIST", "$1\r\nc"},
        {"TTL k", ":-1"},
        {"GETEX k EX 50", "$1\r\nc"},
        {"TTL k", ":50"},
        {"GETEX k EX 50 PERSIST", SYNTAX},
        {"GETEX k KEEPTTL", SYNTAX},
        {"GETEX k EX 0", "-ERR invalid expire time in 'getex' command"},
        {"GETEX none EX 0", "$-1"},
        {"GETEX k PXAT 1", "$1\r\nc"},
        {"GETDEL k", "$-1"},
        {"SET k \"\"", "+OK"},
        {"STRLEN k", ":0"},
        {"GETDEL k", "$0\r\n"},
        {"STRLEN k", ":0"},
        {"MGET k n none", "*3\r\n$-1\r\n$1\r\nb\r\n$-1"},
    };
    (void)state;
    struct talk talk = talk_open(live);
    TALK_TABLE(&talk, rows);
    talk_close(&talk);
}

static void numbers_count_and_do_not_wrap(void **state)
{
    static const char overflow[] = "-ERR increment or decrement would overflow";
    const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"INCR i", ":1"},
        {"DECRBY i 3", ":-2"},
        {"INCRBY i 9223372036854775807", ":9223372036854775805"},
        {"INCRBY i 3", overflow},
        {"GET i", "$19\r\n9223372036854775805"},
        {"SET i -9223372036854775808", "+OK"},
        {"DECR i", overflow},
        {"DECRBY i -9223372036854775808", "-ERR decrement would overflow"},
        {"INCRBY i 1.0", NOT_INT},
        {"SET i 10 EX 100", "+OK"},
        {"INCR i", ":11"},
        {"TTL i", ":100"},
        {"SET i 010", "+OK"},
        {"INCR i", NOT_INT},
        {"SET i \" 1\"", "+OK"},
        {"INCR i", NOT_INT},
        {"SET i \"\"", "+OK"},
        {"INCR i", NOT_INT},
        {"SET i 9223372036854775808", "+OK"},
        {"INCR i", NOT_INT},
    };
    (void)state;
    struct talk talk = talk_open(live);
    TALK_TABLE(&talk, rows);
    talk_close(&talk);
}

static void several_are_stored_all_or_none(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"MSET a 1 b 2 a 3", "+OK"},
        {"MGET a b", "*2\r\n$1\r\n3\r\n$1\r\n2"},
        {"MSETNX c 1 b 3", ":0"},
        {"MGET b c", "*2\r\n$1\r\n2\r\n$-1"},
        {"MSETNX c 1 d 3", ":1"},
        {"MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"},
        {"MSETNX a", "-ERR wrong number of arguments for 'msetnx' command"},
    };
    (void)state;
    struct talk talk = talk_open(live);
    TALK_TABLE(&talk, rows);
    talk_close(&talk);
}

/* --------------------------------------------------------- lengths that matter
 */

static const size_t lengths[] = {
    0,
    1,
    CACHE_INLINE_MAX - 1,
    CACHE_INLINE_MAX,
    CACHE_INLINE_MAX + 1,
    CALL_COPY_MAX,
    CALL_COPY_MAX + 1,
    CACHE_SLAB - 1,
    CACHE_SLAB + 1,
    1000 * 1000,
};

enum { LENGTHS = sizeof lengths / sizeof *lengths };

/* The length's own bytes, so that no part of one value fits another. */
static char *bytes_of(size_t len)
{
    char *bytes = malloc(len + 1);
    uint64_t x = len * 0x9e3779b97f4a7c15u + 1;
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (char)(x >> 56);
    }
    return bytes;
}

static void returns(redisReply *reply, const char *bytes, size_t len)
{
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_STRING);
    assert_int_equal(reply->len, len);
    assert_memory_equal(reply->str, bytes, len);
    freeReplyObject(reply);
}

static void is_ok(redisReply *reply)
{
    assert_non_null(reply);
    if (reply->type != REDIS_REPLY_STATUS)
        print_error("%s\n", reply->str);
    assert_int_equal(reply->type, REDIS_REPLY_STATUS);
    assert_string_equal(reply->str, "OK");
    freeReplyObject(reply);
}

static void values_of_every_length_are_kept_whole(void **state)
{
    (void)state;
    redisContext *redis = live_connect(live);
    for (size_t i = 0; i < LENGTHS; i++) {
        size_t len = lengths[i];
        char *bytes = bytes_of(len);
        is_ok(redisCommand(redis, "SET k %b", bytes, len));
        assert_int_equal(live_int(redis, "STRLEN k"), len);
        returns(redisCommand(redis, "GET k"), bytes, len);
        returns(redisCommand(redis, "SET k x EX 100 GET"), bytes, len);
        is_ok(redisCommand(redis, "MSET a 1 k %b b 2", bytes, len));
        assert_int_equal(live_int(redis, "TTL k"), -1);
        returns(redisCommand(redis, "GETEX k EX 100"), bytes, len);
        assert_int_equal(live_int(redis, "TTL k"), 100);
        returns(redisCommand(redis, "GETSET k %b", "y", (size_t)1), bytes, len);
        is_ok(redisCommand(redis, "SETEX k 100 %b", bytes, len));
        returns(redisCommand(redis, "GETDEL k"), bytes, len);
        assert_int_equal(live_int(redis, "EXISTS k"), 0);
        assert_int_equal(live_int(redis, "SETNX k %b", bytes, len), 1);
        assert_int_equal(live_int(redis, "SETNX k %b", bytes, len), 0);
        returns(redisCommand(redis, "GET k"), bytes, len);
        free(bytes);
    }
    redisFree(redis);
}

static void appending_joins_every_length_to_every_other(void **state)
{
    (void)state;
    redisContext *redis = live_connect(live);
    for (size_t i = 0; i < LENGTHS; i++)
        for (size_t j = 0; j < LENGTHS; j++) {
            size_t one = lengths[i], two = lengths[j];
            char *first = bytes_of(one), *second = bytes_of(two);
            is_ok(redisCommand(redis, "SET k %b EX 100", first, one));
            assert_int_equal(live_int(redis, "APPEND k %b", second, two),
                             one + two);
            char *both = malloc(one + two + 1);
            assert_non_null(both);
            memcpy(both, first, one);
            memcpy(both + one, second, two);
            returns(redisCommand(redis, "GET k"), both, one + two);
            assert_int_equal(live_int(redis, "TTL k"), 100);
            free(both);
            free(first);
            free(second);
        }
    assert_int_equal(live_int(redis, "DEL k"), 1);
    assert_int_equal(live_int(redis, "APPEND k ab"), 2);
    assert_string_equal(live_text(redis, "GET k"), "ab");
    redisFree(redis);
}

static void appending_ends_at_the_longest_value(void **state)
{
    (void)state;
    redisContext *redis = live_connect(live);
    char *bytes = bytes_of(1 << 20);
    assert_string_equal(
        live_text(redis, "CONFIG SET proto-max-bulk-len %d", 1 << 20), "OK");
    is_ok(redisCommand(redis, "SET k %b", bytes, (size_t)(1 << 20) - 1));
    assert_int_equal(live_int(redis, "APPEND k x"), 1 << 20);
    redisReply *reply = redisCommand(redis, "APPEND k y");
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_ERROR);
    assert_string_equal(reply->str, "ERR string exceeds maximum allowed size "
                                    "(proto-max-bulk-len)");
    freeReplyObject(reply);
    assert_int_equal(live_int(redis, "STRLEN k"), 1 << 20);
    assert_string_equal(live_text(redis, "CONFIG SET proto-max-bulk-len 512mb"),
                        "OK");
    free(bytes);
    redisFree(redis);
}

static void is_out_of_memory(redisReply *reply)
{
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_ERROR);
    assert_string_equal(reply->str, ERROR_NO_ROOM);
    freeReplyObject(reply);
}

static void what_never_fits_is_refused_and_the_old_stays(void **state)
{
    (void)state;
    redisContext *redis = live_connect(live);
    const size_t len = 63 << 20;
    char *bytes = bytes_of(len);
    is_ok(redisCommand(redis, "FLUSHALL"));
    is_ok(redisCommand(redis, "MSET k old n old"));
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

/* With noeviction nothing makes room but removing. */
static void a_full_cache_refuses_and_changes_nothing(void **state)
{
    enum { LEN = 3000 };
    (void)state;
    struct live *small = live_start("--maxmemory", "24mb", "--maxmemory-policy",
                                    "noeviction", NULL);
    redisContext *redis = live_connect(small);
    char *bytes = bytes_of(LEN);
    int count = 0;
    redisReply *reply;
    is_ok(redisCommand(redis, "SET number 7"));
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
    returns(redisCommand(redis, "GET k0"), bytes, LEN);
    assert_int_equal(live_int(redis, "DBSIZE"), count + 1);
    assert_int_equal(live_info(redis, "evicted_keys"), evicted);
    for (int i = 0; i < 100; i++)
        assert_int_equal(live_int(redis, "DEL k%d", i), 1);
    is_ok(redisCommand(redis, "SET number %b", bytes, (size_t)LEN));
    free(bytes);
    redisFree(redis);
    live_stop(small);
}

static void too_many_at_once_are_refused(void **state)
{
    (void)state;
    redisContext *redis = live_connect(live);
    static const char *argv[2 * CALL_ATOMIC_KEYS + 3];
    size_t argc = sizeof argv / sizeof *argv;
    static char keys[CALL_ATOMIC_KEYS + 1][8];
    argv[0] = "MSET";
    for (size_t i = 0; i < CALL_ATOMIC_KEYS + 1; i++) {
        snprintf(keys[i], sizeof keys[i], "%zu", i);
        argv[2 * i + 1] = argv[2 * i + 2] = keys[i];
    }
    is_ok(redisCommand(redis, "FLUSHALL"));
    redisReply *reply = redisCommandArgv(redis, (int)argc, argv, NULL);
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_ERROR);
    assert_string_equal(
        reply->str, "ERR too many keys for one 'mset' command, at most 16384");
    freeReplyObject(reply);
    assert_int_equal(live_int(redis, "DBSIZE"), 0);
    is_ok(redisCommandArgv(redis, (int)argc - 2, argv, NULL));
    assert_int_equal(live_int(redis, "DBSIZE"), CALL_ATOMIC_KEYS);
    redisFree(redis);
}

/* ------------------------------------------------------------ two at a time */

enum { THREADS = 4, ROUNDS = 400, PIECE = 700, BEFORE = 400000 };

static atomic_int failures;

static void in_threads(void *(*run)(void *))
{
    pthread_t threads[THREADS];
    atomic_store(&failures, 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&failures), 0);
}

static void *increment(void *arg)
{
    (void)arg;
    redisContext *redis = live_connect(live);
    for (int i = 0; i < ROUNDS; i++)
        live_int(redis, "INCR counter");
    redisFree(redis);
    return NULL;
}

static void no_increment_is_lost(void **state)
{
    (void)state;
    redisContext *redis = live_connect(live);
    is_ok(redisCommand(redis, "FLUSHALL"));
    in_threads(increment);
    assert_int_equal(live_int(redis, "DECR counter"), THREADS * ROUNDS - 1);
    redisFree(redis);
}

static void *append(void *arg)
{
    redisContext *redis = live_connect(live);
    char piece[PIECE + 1];
    memset(piece, 'a' + (int)(uintptr_t)arg, PIECE);
    piece[PIECE] = 0;
    for (int i = 0; i < ROUNDS / 4; i++)
        live_int(redis, "APPEND log %s", piece);
    redisFree(redis);
    return NULL;
}

/* The value is long, so that each new one is made outside the locks. */
static void no_piece_is_lost_or_torn(void **state)
{
    (void)state;
    redisContext *redis = live_connect(live);
    is_ok(redisCommand(redis, "FLUSHALL"));
    char *bytes = bytes_of(BEFORE);
    is_ok(redisCommand(redis, "SET log %b", bytes, (size_t)BEFORE));
    in_threads(append);
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
    unsigned me = (unsigned)(uintptr_t)arg;
    redisContext *redis = live_connect(live);
    for (int i = 0; i < ROUNDS; i++) {
        if (me % 2 == 0) {
            int value = 2 * i + (int)me / 2;
            freeReplyObject(redisCommand(redis, "MSET a %d b %d c %d d %d",
                                         value, value, value, value));
            continue;
        }
        redisReply *reply = redisCommand(redis, "MGET a b c d");
        assert_non_null(reply);
        for (size_t k = 1; reply && k < reply->elements; k++)
            if (strcmp(reply->element[k]->str, reply->element[0]->str) != 0)
                atomic_fetch_add(&failures, 1);
        freeReplyObject(reply);
    }
    redisFree(redis);
    return NULL;
}

static void nobody_sees_half_of_a_store(void **state)
{
    (void)state;
    redisContext *redis = live_connect(live);
    is_ok(redisCommand(redis, "MSET a 0 b 0 c 0 d 0"));
    in_threads(store_or_look);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_takes_all_its_options),
        cmocka_unit_test(values_come_back_and_go),
        cmocka_unit_test(numbers_count_and_do_not_wrap),
        cmocka_unit_test(several_are_stored_all_or_none),
        cmocka_unit_test(values_of_every_length_are_kept_whole),
        cmocka_unit_test(appending_joins_every_length_to_every_other),
        cmocka_unit_test(appending_ends_at_the_longest_value),
        cmocka_unit_test(what_never_fits_is_refused_and_the_old_stays),
        cmocka_unit_test(a_full_cache_refuses_and_changes_nothing),
        cmocka_unit_test(too_many_at_once_are_refused),
        cmocka_unit_test(no_increment_is_lost),
        cmocka_unit_test(no_piece_is_lost_or_torn),
        cmocka_unit_test(nobody_sees_half_of_a_store),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
