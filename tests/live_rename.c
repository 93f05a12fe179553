/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys that get another name, go to another database, or are copied. */
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
#include "tests/sanitized.h"
#include "tests/talk.h"

enum { MB = 1 << 20, LONG = SANITIZED ? 8 * MB : 40 * MB };

#define NO_KEY "-ERR no such key"
#define SAME   "-ERR source and destination objects are the same"
#define NO_DB  "-ERR DB index is out of range"
#define TOO_BIG                                                                \
    "-ERR value is out of range, value must between -2147483648 and "          \
    "2147483647"

static void keys_are_renamed(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},        {"RENAME a b", NO_KEY},
        {"RENAMENX a b", NO_KEY},   {"RENAME a a", NO_KEY},
        {"SET a 1 EX 1000", "+OK"}, {"RENAME a a", "+OK"},
        {"RENAMENX a a", ":0"},     {"RENAME a b", "+OK"},
        {"EXISTS a", ":0"},         {"GET b", "$1\r\n1"},
        {"TTL b", ":1000"},         {"SET a 2", "+OK"},
        {"RENAMENX a b", ":0"},     {"RENAME a b", "+OK"},
        {"GET b", "$1\r\n2"},       {"TTL b", ":-1"},
        {"RENAMENX b c", ":1"},     {"GET c", "$1\r\n2"},
        {"DBSIZE", ":1"},
    };
    TALK_CHECK(*state, rows);
}

static void keys_are_moved(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},        {"MOVE a 1", ":0"},
        {"SET a 1 EX 1000", "+OK"}, {"MOVE a 0", SAME},
        {"MOVE a 16", NO_DB},       {"MOVE a -1", NO_DB},
        {"MOVE a x", NOT_INT},      {"MOVE a 2147483648", TOO_BIG},
        {"MOVE a 1", ":1"},         {"EXISTS a", ":0"},
        {"SET a 2", "+OK"},         {"MOVE a 1", ":0"},
        {"SELECT 1", "+OK"},        {"GET a", "$1\r\n1"},
        {"TTL a", ":1000"},
    };
    TALK_CHECK(*state, rows);
}

static void keys_are_copied(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},        {"COPY a b", ":0"},
        {"COPY a a", SAME},         {"SET a 1 EX 1000", "+OK"},
        {"COPY a b", ":1"},         {"GET b", "$1\r\n1"},
        {"TTL b", ":1000"},         {"SET a 2", "+OK"},
        {"COPY a b", ":0"},         {"COPY a b REPLACE", ":1"},
        {"GET b", "$1\r\n2"},       {"TTL b", ":-1"},
        {"COPY a a DB 0", SAME},    {"COPY a a DB 1", ":1"},
        {"COPY a a DB 1", ":0"},    {"COPY a a replace db 1", ":1"},
        {"COPY a b DB", SYNTAX},    {"COPY a b DB 16", NO_DB},
        {"COPY a b DB x", NOT_INT}, {"COPY a b OVER", SYNTAX},
        {"SELECT 1", "+OK"},        {"GET a", "$1\r\n2"},
    };
    TALK_CHECK(*state, rows);
}

/* Renamed and moved it is the same pieces, copied it is as many again. */
static void long_values_keep_their_pieces(void **state)
{
    struct live *live = live_start("--maxmemory", "256mb", NULL);
    redisContext *redis = live_connect(live), *reader = live_connect(live);
    char *value = rng_bytes(LONG);
    (void)state;
    answer_is_ok(redisCommand(redis, "SET a %b", value, (size_t)LONG));
    long long cells = live_info(redis, "allocator_allocated");
    redisAppendCommand(reader, "GET a");
    redisReply *sent = NULL;
    assert_int_equal(redisGetReply(reader, (void **)&sent), REDIS_OK);
    answer_is_bytes(sent, value, LONG);
    assert_string_equal(live_text(redis, "RENAME a b"), "OK");
    assert_int_equal(live_int(redis, "MOVE b 1"), 1);
    assert_int_equal(live_int(redis, "EXISTS a b"), 0);
    assert_string_equal(live_text(redis, "SELECT 1"), "OK");
    answer_is_bytes(redisCommand(redis, "GET b"), value, LONG);
    assert_in_range(live_info(redis, "allocator_allocated"), cells - MB,
                    cells + MB);
    assert_int_equal(live_int(redis, "COPY b c DB 2"), 1);
    assert_in_range(live_info(redis, "allocator_allocated"), cells + LONG - MB,
                    cells + LONG + MB);
    assert_int_equal(live_int(redis, "SETRANGE b 0 x"), LONG);
    assert_string_equal(live_text(redis, "SELECT 2"), "OK");
    answer_is_bytes(redisCommand(redis, "GET c"), value, LONG);
    free(value);
    redisFree(reader);
    redisFree(redis);
    live_stop(live);
}

/* Whoever copies sees one of the values, never a mixture. */
static void a_copy_is_of_one_moment(void **state)
{
    enum { LEN = 2 * MB, ROUNDS = SANITIZED ? 5 : 20 };
    struct live *live = live_start("--maxmemory", "256mb", NULL);
    redisContext *writer = live_connect(live), *copier = live_connect(live);
    char *values[2] = {malloc(LEN), malloc(LEN)};
    (void)state;
    memset(values[0], 'a', LEN);
    memset(values[1], 'b', LEN);
    answer_is_ok(redisCommand(writer, "SET k %b", values[0], (size_t)LEN));
    for (int i = 0; i < ROUNDS; i++) {
        redisAppendCommand(copier, "COPY k copy REPLACE");
        int done = 0;
        while (!done)
            redisBufferWrite(copier, &done);
        answer_is_ok(
            redisCommand(writer, "SET k %b", values[i % 2], (size_t)LEN));
        redisReply *reply;
        assert_int_equal(redisGetReply(copier, (void **)&reply), REDIS_OK);
        assert_int_equal(reply->integer, 1);
        freeReplyObject(reply);
        reply = redisCommand(copier, "GET copy");
        assert_int_equal(reply->len, LEN);
        assert_true(memcmp(reply->str, values[0], LEN) == 0 ||
                    memcmp(reply->str, values[1], LEN) == 0);
        freeReplyObject(reply);
    }
    free(values[0]);
    free(values[1]);
    redisFree(writer);
    redisFree(copier);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_renamed),
        cmocka_unit_test(keys_are_moved),
        cmocka_unit_test(keys_are_copied),
        cmocka_unit_test(long_values_keep_their_pieces),
        cmocka_unit_test(a_copy_is_of_one_moment),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
