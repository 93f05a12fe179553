/* SPDX-License-Identifier: BSD-3-Clause */
/* The limits of hashes, at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/answer.h"
#include "tests/live.h"
#include "tests/rng.h"

enum { FIELDS_MAX = 4096, NAME_MAX = 65536, BYTES_MAX = 64 << 20 };

static void fields_are_bounded(void **state)
{
    redisContext *redis = live_connect(*state);
    answer_is_ok(redisCommand(redis, "FLUSHALL"));
    for (int i = 0; i < FIELDS_MAX; i++)
        redisAppendCommand(redis, "HSET h field:%d %d", i, i);
    for (int i = 0; i < FIELDS_MAX; i++) {
        redisReply *reply;
        assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
        assert_int_equal(reply->integer, 1);
        freeReplyObject(reply);
    }
    answer_is_error(redisCommand(redis, "HSET h one.more x"),
                    "ERR hash would have too many fields, at most 4096");
    answer_is_error(redisCommand(redis, "HINCRBY h one.more 1"),
                    "ERR hash would have too many fields, at most 4096");
    assert_int_equal(live_int(redis, "HSET h field:7 changed"), 0);
    assert_int_equal(live_int(redis, "HLEN h"), FIELDS_MAX);
    answer_is_bytes(redisCommand(redis, "HGET h field:4095"), "4095", 4);
    assert_int_equal(live_int(redis, "HDEL h field:9"), 1);
    assert_int_equal(live_int(redis, "HSET h one.more x"), 1);
    redisFree(redis);
}

/* HMGET or HSET of so many fields. */
static redisReply *ask_many(redisContext *redis, const char *command,
                            size_t fields, unsigned each)
{
    const char **argv = calloc(2 + fields * each, sizeof *argv);
    size_t argc = 2;
    argv[0] = command;
    argv[1] = "many";
    char *names = malloc(fields * 12);
    for (size_t i = 0; i < fields; i++) {
        snprintf(names + 12 * i, 12, "f%zu", i);
        for (unsigned k = 0; k < each; k++)
            argv[argc++] = names + 12 * i;
    }
    redisReply *reply = redisCommandArgv(redis, (int)argc, argv, NULL);
    assert_non_null(reply);
    free(names);
    free(argv);
    return reply;
}

static void fields_of_a_request_are_bounded(void **state)
{
    redisContext *redis = live_connect(*state);
    answer_is_error(ask_many(redis, "HSET", FIELDS_MAX + 1, 2),
                    "ERR too many fields for one 'hset' command, at most 4096");
    assert_int_equal(live_int(redis, "EXISTS many"), 0);
    redisReply *reply = ask_many(redis, "HSET", FIELDS_MAX, 2);
    assert_int_equal(reply->integer, FIELDS_MAX);
    freeReplyObject(reply);
    answer_is_error(
        ask_many(redis, "HMGET", FIELDS_MAX + 1, 1),
        "ERR too many fields for one 'hmget' command, at most 4096");
    reply = ask_many(redis, "HMGET", FIELDS_MAX, 1);
    assert_int_equal(reply->elements, FIELDS_MAX);
    assert_string_equal(reply->element[FIELDS_MAX - 1]->str, "f4095");
    freeReplyObject(reply);
    reply = ask_many(redis, "HDEL", FIELDS_MAX, 1);
    assert_int_equal(reply->integer, FIELDS_MAX);
    freeReplyObject(reply);
    assert_int_equal(live_int(redis, "EXISTS many"), 0);
    redisFree(redis);
}

static void names_are_bounded(void **state)
{
    redisContext *redis = live_connect(*state);
    char *name = malloc(NAME_MAX + 1);
    memset(name, 'n', NAME_MAX + 1);
    assert_int_equal(live_int(redis, "HSET long %b v", name, (size_t)NAME_MAX),
                     1);
    answer_is_error(
        redisCommand(redis, "HSET long %b v", name, (size_t)NAME_MAX + 1),
        "ERR field is too long, at most 65536 bytes");
    answer_is_bytes(redisCommand(redis, "HGET long %b", name, (size_t)NAME_MAX),
                    "v", 1);
    assert_int_equal(
        live_int(redis, "HEXISTS long %b", name, (size_t)NAME_MAX + 1), 0);
    redisReply *reply =
        redisCommand(redis, "HSCAN long 0 MATCH %b*", name, (size_t)1000);
    assert_int_equal(reply->element[1]->elements, 2);
    assert_int_equal(reply->element[1]->element[0]->len, NAME_MAX);
    freeReplyObject(reply);
    assert_int_equal(live_int(redis, "HDEL long %b", name, (size_t)NAME_MAX),
                     1);
    free(name);
    redisFree(redis);
}

static void bytes_are_bounded(void **state)
{
    (void)state;
    struct live *live = live_start("--maxmemory", "512mb", NULL);
    redisContext *redis = live_connect(live);
    /* A byte for the number of fields, five for two lengths. */
    size_t most = BYTES_MAX - 1 - 5 - 1;
    char *value = rng_bytes(most + 1);
    answer_is_error(redisCommand(redis, "HSET h f %b", value, most + 1),
                    "ERR hash would be too long, at most 67108864 bytes");
    assert_int_equal(live_int(redis, "EXISTS h"), 0);
    assert_int_equal(live_int(redis, "HSET h f %b", value, most), 1);
    answer_is_error(redisCommand(redis, "HSET h g x"),
                    "ERR hash would be too long, at most 67108864 bytes");
    answer_is_bytes(redisCommand(redis, "HGET h f"), value, most);
    assert_int_equal(live_int(redis, "HSTRLEN h f"), most);
    assert_int_equal(live_int(redis, "HSET h f short"), 0);
    answer_is_bytes(redisCommand(redis, "HGET h f"), "short", 5);
    free(value);
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_bounded),
        cmocka_unit_test(fields_of_a_request_are_bounded),
        cmocka_unit_test(names_are_bounded),
        cmocka_unit_test(bytes_are_bounded),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
