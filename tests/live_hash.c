/* SPDX-License-Identifier: BSD-3-Clause */
/* Hashes in a live server: replies, limits, long values, slow readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/answer.h"
#include "tests/errors.h"
#include "tests/live.h"
#include "tests/rng.h"
#include "tests/talk.h"

#define WRONG_TYPE                                                             \
    "-WRONGTYPE Operation against a key holding the wrong kind of value"

enum { MB = 1 << 20, FIELDS_MAX = 4096, NAME_MAX = 65536, BYTES_MAX = 64 * MB };

static void fields_come_and_go(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"HSET h a 1 b 2 a 3", ":2"},
        {"HGETALL h", "*4\r\n$1\r\na\r\n$1\r\n3\r\n$1\r\nb\r\n$1\r\n2"},
        {"HMSET h c 4 b 5", "+OK"},
        {"HKEYS h", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc"},
        {"HVALS h", "*3\r\n$1\r\n3\r\n$1\r\n5\r\n$1\r\n4"},
        {"HSETNX h a 9", ":0"},
        {"HSETNX h d \"\"", ":1"},
        {"HGET h d", "$0\r\n"},
        {"HGET h none", "$-1"},
        {"HMGET h a none a", "*3\r\n$1\r\n3\r\n$-1\r\n$1\r\n3"},
        {"HLEN h", ":4"},
        {"HEXISTS h d", ":1"},
        {"HSTRLEN h d", ":0"},
        {"HINCRBY h a 39", ":42"},
        {"HINCRBY h e -1", ":-1"},
        {"HSET h text x", ":1"},
        {"HINCRBY h text 1", "-ERR hash value is not an integer"},
        {"HINCRBY h a x", NOT_INT},
        {"HINCRBY h a 9223372036854775807",
         "-ERR increment or decrement would overflow"},
        {"HINCRBYFLOAT h a 0.5", "$4\r\n42.5"},
        {"HINCRBYFLOAT h text 1", "-ERR hash value is not a float"},
        {"HINCRBYFLOAT h a inf", "-ERR value is NaN or Infinity"},
        {"HSCAN h 0 MATCH t*", "*2\r\n$1\r\n0\r\n*2\r\n$4\r\ntext\r\n$1\r\nx"},
        {"HDEL h a b c d e e", ":5"},
        {"HRANDFIELD h", "$4\r\ntext"},
        {"HRANDFIELD h 5 WITHVALUES", "*2\r\n$4\r\ntext\r\n$1\r\nx"},
        {"HRANDFIELD h -2", "*2\r\n$4\r\ntext\r\n$4\r\ntext"},
        {"HRANDFIELD h -1048577",
         "-ERR value is out of range, at most 1048576 fields with repetitions"},
        {"EXPIRE h 100", ":1"},
        {"HSET h text y", ":0"},
        {"TTL h", ":100"},
        {"HDEL h text", ":1"},
        {"EXISTS h", ":0"},
        {"HGETALL h", "*0"},
        {"HMGET h a", "*1\r\n$-1"},
        {"HSET h a", "-ERR wrong number of arguments for 'hset' command"},
        {"HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command"},
        {"HELLO 3", NULL},
        {"HSET h a 1 b 2", ":2"},
        {"HGETALL h", "%2\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2"},
        {"HRANDFIELD h 2 WITHVALUES",
         "*2\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$1\r\nb\r\n$1\r\n2"},
    };
    struct talk talk = talk_open(*state);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].reply)
            talk_says(&talk, rows[i].line, rows[i].reply);
        else
            resp_free(talk_ask(&talk, "%s", rows[i].line));
    talk_close(&talk);
}

static void a_key_holds_one_type(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"HSET h a 1", ":1"},
        {"SET s x", "+OK"},
        {"GET h", WRONG_TYPE},
        {"GETSET h x", WRONG_TYPE},
        {"GETDEL h", WRONG_TYPE},
        {"GETEX h EX 10", WRONG_TYPE},
        {"STRLEN h", WRONG_TYPE},
        {"APPEND h x", WRONG_TYPE},
        {"INCR h", WRONG_TYPE},
        {"DECRBY h 1", WRONG_TYPE},
        {"SET h x GET", WRONG_TYPE},
        {"SET h x NX GET", WRONG_TYPE},
        {"SET h x NX", "$-1"},
        {"SETNX h x", ":0"},
        {"MSETNX h x n y", ":0"},
        {"MGET h s", "*2\r\n$-1\r\n$1\r\nx"},
        {"HSET s a 1", WRONG_TYPE},
        {"HSETNX s a 1", WRONG_TYPE},
        {"HMSET s a 1", WRONG_TYPE},
        {"HGET s a", WRONG_TYPE},
        {"HMGET s a", WRONG_TYPE},
        {"HGETALL s", WRONG_TYPE},
        {"HDEL s a", WRONG_TYPE},
        {"HEXISTS s a", WRONG_TYPE},
        {"HLEN s", WRONG_TYPE},
        {"HKEYS s", WRONG_TYPE},
        {"HVALS s", WRONG_TYPE},
        {"HINCRBY s a 1", WRONG_TYPE},
        {"HSTRLEN s a", WRONG_TYPE},
        {"HSCAN s 0", WRONG_TYPE},
        {"HRANDFIELD s", WRONG_TYPE},
        {"TYPE h", "+hash"},
        {"OBJECT ENCODING h", "$8\r\nlistpack"},
        {"SCAN 0 COUNT 1000 TYPE hash", "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nh"},
        {"TTL h", ":-1"},
        {"HGET h a", "$1\r\n1"},
        {"SET h x", "+OK"},
        {"TYPE h", "+string"},
        {"DEL h", ":1"},
        {"HSET h a 1", ":1"},
    };
    TALK_CHECK(*state, rows);
}

/* ----------------------------------------------------------------- limits */

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

/* ------------------------------------------------------------ long values */

/* As ASP.NET's cache stores: more than half of what clients' buffers have. */
static void a_long_value_goes_straight_to_its_place(void **state)
{
    redisContext *redis = live_connect(*state);
    size_t len = 5 * MB;
    char *data = rng_bytes(len);
    answer_is_ok(
        redisCommand(redis, "HMSET s absexp -1 sldexp 300 data %b", data, len));
    redisReply *reply = redisCommand(redis, "HMGET s absexp sldexp data");
    assert_int_equal(reply->elements, 3);
    assert_string_equal(reply->element[0]->str, "-1");
    assert_string_equal(reply->element[1]->str, "300");
    assert_int_equal(reply->element[2]->len, len);
    assert_memory_equal(reply->element[2]->str, data, len);
    freeReplyObject(reply);
    assert_int_equal(live_int(redis, "HSET s first %b last x", data, len), 2);
    answer_is_bytes(redisCommand(redis, "HGET s data"), data, len);
    answer_is_bytes(redisCommand(redis, "HGET s first"), data, len);
    reply = redisCommand(redis, "HGETALL s");
    assert_int_equal(reply->elements, 10);
    assert_memory_equal(reply->element[5]->str, data, len);
    freeReplyObject(reply);
    assert_int_equal(live_int(redis, "HSETNX s first %b", data, len), 0);
    assert_int_equal(live_int(redis, "HSETNX s other %b", data, len), 1);
    assert_int_equal(live_int(redis, "HDEL s first data other"), 3);
    assert_int_equal(live_int(redis, "HLEN s"), 3);
    free(data);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_and_go),
        cmocka_unit_test(a_key_holds_one_type),
        cmocka_unit_test(fields_are_bounded),
        cmocka_unit_test(fields_of_a_request_are_bounded),
        cmocka_unit_test(names_are_bounded),
        cmocka_unit_test(bytes_are_bounded),
        cmocka_unit_test(a_long_value_goes_straight_to_its_place),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
