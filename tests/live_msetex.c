/* SPDX-License-Identifier: BSD-3-Clause */
/* MSETEX, as the documents and tests of Redis 8.4 and Valkey 9.1 have it. */
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

#define BAD_COUNT "-ERR invalid numkeys value"
#define BAD_PAIRS "-ERR wrong number of key-value pairs"
#define BAD_TIME  "-ERR invalid expire time in 'msetex' command"

static void pairs_are_stored_with_a_time(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"MSETEX 2 a 1 b 2 EX 1000", ":1"},
        {"MGET a b", "*2\r\n$1\r\n1\r\n$1\r\n2"},
        {"TTL a", ":1000"},
        {"TTL b", ":1000"},
        {"MSETEX 1 a 3 KEEPTTL", ":1"},
        {"TTL a", ":1000"},
        {"MSETEX 2 a 3 c 4 keepttl", ":1"},
        {"TTL a", ":1000"},
        {"TTL c", ":-1"},
        {"MSETEX 1 a 5", ":1"},
        {"TTL a", ":-1"},
        {"MSETEX 1 a 5 PX 5000000", ":1"},
        {"TTL a", ":5000"},
        {"MSETEX 1 a 5 EXAT 4102444800", ":1"},
        {"EXPIRETIME a", ":4102444800"},
        {"MSETEX 1 a 5 PXAT 4102444800123", ":1"},
        {"PEXPIRETIME a", ":4102444800123"},
        {"MSETEX 2 a 6 a 7", ":1"},
        {"GET a", "$1\r\n7"},
        {"MSETEX 2 a 8 b 9 EXAT 1", ":1"},
        {"EXISTS a b", ":0"},
    };
    TALK_CHECK(*state, rows);
}

static void conditions_hold_for_all_keys(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"MSETEX 2 a 1 b 2 XX", ":0"},
        {"MSETEX 2 a 1 b 2 NX EX 1000", ":1"},
        {"MSETEX 2 b 3 c 3 NX", ":0"},
        {"MSETEX 2 b 3 c 3 EX 10 XX", ":0"},
        {"EXISTS c", ":0"},
        {"GET b", "$1\r\n2"},
        {"MSETEX 2 a 3 b 3 XX KEEPTTL", ":1"},
        {"TTL b", ":1000"},
        {"HSET h f v", ":1"},
        {"MSETEX 2 a 4 h 4 XX", ":1"},
        {"GET h", "$1\r\n4"},
    };
    TALK_CHECK(*state, rows);
}

static void what_does_not_fit_together_is_refused(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"MSETEX a 1 EX 10", BAD_COUNT},
        {"MSETEX 0 a 1", BAD_COUNT},
        {"MSETEX -1 a 1", BAD_COUNT},
        {"MSETEX 2147483648 a 1 EX 10", BAD_COUNT},
        {"MSETEX 2147483647 a 1 EX 10", BAD_PAIRS},
        {"MSETEX 2 a 1 b", BAD_PAIRS},
        {"MSETEX 1 a 1 foo", SYNTAX},
        {"MSETEX 1 a 1 NX XX", SYNTAX},
        {"MSETEX 1 a 1 EX 10 PX 10", SYNTAX},
        {"MSETEX 1 a 1 KEEPTTL EX 10", SYNTAX},
        {"MSETEX 1 a 1 EX 10 KEEPTTL", SYNTAX},
        {"MSETEX 1 a 1 EX", SYNTAX},
        {"MSETEX 1 a 1 EX x", NOT_INT},
        {"MSETEX 1 a 1 EX 0", BAD_TIME},
        {"MSETEX 1 a 1 PX -5", BAD_TIME},
        {"MSETEX 1 a", "-ERR wrong number of arguments for 'msetex' command"},
        {"DBSIZE", ":0"},
    };
    TALK_CHECK(*state, rows);
}

static void an_argument_counts_the_keys(void **state)
{
    static const struct says rows[] = {
        {"COMMAND GETKEYS MSETEX 2 a 1 b 2 EX 10", "*2\r\n$1\r\na\r\n$1\r\nb"},
        {"COMMAND GETKEYS MSETEX 3 a 1 b 2",
         "-ERR Invalid arguments specified for command"},
        {"COMMAND GETKEYS MSETEX x a 1",
         "-ERR Invalid arguments specified for command"},
        {"COMMAND GETKEYSANDFLAGS RENAME a b",
         "*2\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+delete\r\n*2\r\n"
         "$1\r\nb\r\n*2\r\n+OW\r\n+update"},
        {"COMMAND GETKEYSANDFLAGS DELEX a",
         "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+RM\r\n+delete"},
        {"COMMAND GETKEYSANDFLAGS DELEX a IFEQ b",
         "*1\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+delete"},
    };
    TALK_CHECK(*state, rows);
}

/* Long ones among them, and more than there is memory for. */
static void long_values_and_many_of_them(void **state)
{
    enum { LEN = 100000, KEYS = 40 };
    redisContext *redis = live_connect(*state);
    const char *argv[4 + 2 * KEYS] = {"MSETEX", "40"};
    size_t len[4 + 2 * KEYS] = {6, 2};
    char names[KEYS][8], *value = rng_bytes(LEN);
    assert_string_equal(live_text(redis, "FLUSHALL"), "OK");
    for (int i = 0; i < KEYS; i++) {
        len[2 + 2 * i] = (size_t)snprintf(names[i], 8, "k%d", i);
        argv[2 + 2 * i] = names[i];
        argv[3 + 2 * i] = value;
        len[3 + 2 * i] = i % 2 ? 10 : LEN / 4;
    }
    argv[2 + 2 * KEYS] = "EX";
    len[2 + 2 * KEYS] = 2;
    argv[3 + 2 * KEYS] = "1000";
    len[3 + 2 * KEYS] = 4;
    redisReply *reply = redisCommandArgv(redis, 4 + 2 * KEYS, argv, len);
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
    answer_is_bytes(redisCommand(redis, "GET k38"), value, LEN / 4);
    answer_is_bytes(redisCommand(redis, "GET k39"), value, 10);
    assert_int_equal(live_int(redis, "TTL k38"), 1000);
    free(value);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_stored_with_a_time),
        cmocka_unit_test(conditions_hold_for_all_keys),
        cmocka_unit_test(what_does_not_fit_together_is_refused),
        cmocka_unit_test(an_argument_counts_the_keys),
        cmocka_unit_test(long_values_and_many_of_them),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
