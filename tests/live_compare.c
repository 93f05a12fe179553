/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands that act only on the value that is expected: SET with IFEQ and its
 * kind, DELEX, DELIFEQ and DIGEST, as the documents of Redis 8.4 and Valkey 9
 * and the tests of both have them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/answer.h"
#include "tests/errors.h"
#include "tests/live.h"
#include "tests/rng.h"
#include "tests/talk.h"

enum { MB = 1 << 20, LONG = 2 * MB };

#define NULL_REPLY "$-1"
#define HELLO      "9555e8555c62dcfd"
#define WRONG_TYPE                                                             \
    "-WRONGTYPE Operation against a key holding the wrong kind of value"
#define NO_DIGEST "-ERR must be exactly 16 hexadecimal characters"

static void set_acts_on_the_expected_value(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"SET k world IFEQ hello", NULL_REPLY},
        {"EXISTS k", ":0"},
        {"SET k world IFDEQ 1234567890", NULL_REPLY},
        {"SET k hello IFNE world", "+OK"},
        {"SET k world IFEQ other", NULL_REPLY},
        {"SET k world IFNE hello", NULL_REPLY},
        {"GET k", "$5\r\nhello"},
        {"SET k world ifeq hello EX 1000", "+OK"},
        {"TTL k", ":1000"},
        {"SET k hello IfEq world KEEPTTL", "+OK"},
        {"TTL k", ":1000"},
        {"SET k world IFDNE " HELLO, NULL_REPLY},
        {"SET k world IFDEQ 9555E8555C62DCFD", "+OK"},
        {"GET k", "$5\r\nworld"},
        {"SET k hello IFDNE " HELLO, "+OK"},
        {"SET k again IFDEQ zzzzzzzzzzzzzzzz", NULL_REPLY},
        {"SET k again IFDEQ 555e8555c62dcfd", NO_DIGEST},
        {"SET k again IFDNE 09555e8555c62dcfd", NO_DIGEST},
        {"SET k again IFDEQ \"\"", NO_DIGEST},
        {"GET k", "$5\r\nhello"},
        {"SET k 12345", "+OK"},
        {"SET k x IFEQ 12345", "+OK"},
        {"SET k \"\"", "+OK"},
        {"SET k x IFNE \"\"", NULL_REPLY},
        {"SET k x IFEQ \"\"", "+OK"},
        {"DEL k", ":1"},
        {"SET k x IFDNE 1234567890", "+OK"},
    };
    TALK_CHECK(*state, rows);
}

static void set_with_get_tells_the_value_before(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"SET k a IFEQ x GET", NULL_REPLY},
        {"EXISTS k", ":0"},
        {"SET k a IFNE x GET", NULL_REPLY},
        {"SET k b GET IFEQ x", "$1\r\na"},
        {"SET k b GET IFEQ a", "$1\r\na"},
        {"SET k c IFNE b GET", "$1\r\nb"},
        {"SET k c IFNE x GET", "$1\r\nb"},
        {"GET k", "$1\r\nc"},
    };
    TALK_CHECK(*state, rows);
}

static void conditions_exclude_each_other(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"SET k a IFEQ x NX", SYNTAX},
        {"SET k a XX IFEQ x", SYNTAX},
        {"SET k a IFEQ x IFNE x", SYNTAX},
        {"SET k a IFDEQ x IFEQ x", SYNTAX},
        {"SET k a IFEQ", SYNTAX},
        {"SET k a IFNE x IFNE y", "+OK"},
        {"SET k b IFEQ x IFEQ a", "+OK"},
        {"HSET h f v", ":1"},
        {"SET h a IFEQ v", WRONG_TYPE},
        {"SET h a IFNE v", WRONG_TYPE},
        {"SET h a IFDEQ 1234567890", WRONG_TYPE},
        {"SET h a IFDNE 1234567890", WRONG_TYPE},
        {"DELIFEQ h v", WRONG_TYPE},
        {"DIGEST h", WRONG_TYPE},
        {"DELEX h IFEQ v",
         "-ERR Key should be of string type if conditions are specified"},
        {"DELEX h", ":1"},
    };
    TALK_CHECK(*state, rows);
}

static void keys_are_removed_if_they_are_as_expected(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"DELEX k", ":0"},
        {"DELEX k IFEQ x", ":0"},
        {"DELEX k IFNE x", ":0"},
        {"DELEX k IFDEQ x", ":0"},
        {"DELEX k FOO x", ":0"},
        {"SET k hello", "+OK"},
        {"DELEX k IFEQ world", ":0"},
        {"DELEX k IFNE hello", ":0"},
        {"DELEX k IFDNE " HELLO, ":0"},
        {"DELEX k IFDEQ 0000000000000000", ":0"},
        {"DELEX k FOO x",
         "-ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE"},
        {"DELEX k IFDEQ 1", NO_DIGEST},
        {"DELEX k IFEQ", "-ERR wrong number of arguments for 'delex' command"},
        {"DELEX k IFEQ a b",
         "-ERR wrong number of arguments for 'delex' command"},
        {"DELEX k ifdeq " HELLO, ":1"},
        {"SET k 0123", "+OK"},
        {"DELEX k IFEQ 123", ":0"},
        {"DELEX k IFNE 123", ":1"},
        {"SET k hello", "+OK"},
        {"DELEX k IFEQ hello", ":1"},
        {"SET k hello", "+OK"},
        {"DELEX k", ":1"},
        {"DELIFEQ k hello", ":0"},
        {"SET k hello", "+OK"},
        {"DELIFEQ k hell", ":0"},
        {"DELIFEQ k hello", ":1"},
        {"EXISTS k", ":0"},
        {"DIGEST k", NULL_REPLY},
        {"SET k hello", "+OK"},
        {"DIGEST k", "$16\r\n" HELLO},
        {"SET k v8", "+OK"},
        {"DIGEST k", "$16\r\n0cc76dbb41381419"},
    };
    TALK_CHECK(*state, rows);
}

/* A slice a turn, and others may be in between. */
static void long_values_are_compared_as_well(void **state)
{
    struct live *live = live_start("--maxmemory", "512mb", NULL);
    redisContext *redis = live_connect(live), *other = live_connect(live);
    char *value = rng_bytes(LONG), digest[17];
    (void)state;
    answer_is_ok(redisCommand(redis, "SET k %b", value, (size_t)LONG));
    strcpy(digest, live_text(redis, "DIGEST k"));
    value[LONG - 1] ^= 1;
    assert_int_equal(live_int(redis, "DELIFEQ k %b", value, (size_t)LONG), 0);
    assert_int_equal(live_int(redis, "DELEX k IFNE %b", value, (size_t)LONG),
                     1);
    answer_is_ok(redisCommand(redis, "SET k %b", value, (size_t)LONG));
    assert_string_not_equal(live_text(redis, "DIGEST k"), digest);
    redisReply *reply = redisCommand(redis, "SET k x IFDEQ %s", digest);
    assert_int_equal(reply->type, REDIS_REPLY_NIL);
    freeReplyObject(reply);
    /* Both long. */
    answer_is_ok(redisCommand(redis, "SET k %b IFEQ %b", value,
                              (size_t)LONG / 2, value, (size_t)LONG));
    answer_is_bytes(redisCommand(redis, "GET k"), value, LONG / 2);
    /* Of two that want it, one gets it. */
    redisAppendCommand(redis, "SET k one IFEQ %b", value, (size_t)LONG / 2);
    redisAppendCommand(other, "SET k two IFEQ %b", value, (size_t)LONG / 2);
    redisReply *replies[2];
    int done[2] = {0, 0};
    while (!done[0] || !done[1]) {
        redisBufferWrite(redis, &done[0]);
        redisBufferWrite(other, &done[1]);
    }
    assert_int_equal(redisGetReply(redis, (void **)&replies[0]), REDIS_OK);
    assert_int_equal(redisGetReply(other, (void **)&replies[1]), REDIS_OK);
    assert_int_equal((replies[0]->type == REDIS_REPLY_STATUS) +
                         (replies[1]->type == REDIS_REPLY_STATUS),
                     1);
    freeReplyObject(replies[0]);
    freeReplyObject(replies[1]);
    free(value);
    redisFree(other);
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_acts_on_the_expected_value),
        cmocka_unit_test(set_with_get_tells_the_value_before),
        cmocka_unit_test(conditions_exclude_each_other),
        cmocka_unit_test(keys_are_removed_if_they_are_as_expected),
        cmocka_unit_test(long_values_are_compared_as_well),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
