/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands on the keyspace as a whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/answer.h"
#include "tests/errors.h"
#include "tests/live.h"
#include "tests/talk.h"

static int start(void **state)
{
    *state = live_start("--maxmemory", "64mb", "--threads", "2",
                        "--output-limit", "1mb", NULL);
    return 0;
}

/* Sets keys from "<prefix><first>" on, many at a time. */
static void set_keys(redisContext *redis, const char *prefix, int first,
                     int count)
{
    for (int i = first; i < first + count; i++)
        redisAppendCommand(redis, "SET %s%d %d", prefix, i, i);
    answers_are_ok(redis, (size_t)count);
}

/* One call of SCAN: the next cursor.  Counts in seen keys "k<i>"; how many
 * others there were is added to *others. */
static uint64_t scan(redisContext *redis, uint64_t cursor, const char *options,
                     unsigned char *seen, int count, int *others)
{
    char line[128];
    snprintf(line, sizeof line, "SCAN %llu %s", (unsigned long long)cursor,
             options);
    redisReply *reply = redisCommand(redis, line);
    assert_non_null(reply);
    assert_int_equal(reply->elements, 2);
    redisReply *keys = reply->element[1];
    for (size_t i = 0; i < keys->elements; i++) {
        const char *key = keys->element[i]->str;
        if (key[0] == 'k' && atoi(key + 1) < count)
            seen[atoi(key + 1)]++;
        else
            ++*others;
    }
    uint64_t next = strtoull(reply->element[0]->str, NULL, 10);
    freeReplyObject(reply);
    return next;
}

/* Each once. */
static void all_seen(const unsigned char *seen, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(seen[i], 1);
}

static void options_choose_what_is_shown(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"SCAN 0", "*2\r\n$1\r\n0\r\n*0"},
        {"SET key v", "+OK"},
        {"SCAN 0 COUNT 100", "*2\r\n$1\r\n0\r\n*1\r\n$3\r\nkey"},
        {"SCAN 0 COUNT 100 MATCH k*", "*2\r\n$1\r\n0\r\n*1\r\n$3\r\nkey"},
        {"SCAN 0 COUNT 100 MATCH K*", "*2\r\n$1\r\n0\r\n*0"},
        {"SCAN 0 COUNT 100 TYPE string", "*2\r\n$1\r\n0\r\n*1\r\n$3\r\nkey"},
        {"SCAN 0 COUNT 100 TYPE String", "*2\r\n$1\r\n0\r\n*1\r\n$3\r\nkey"},
        {"SCAN 0 COUNT 100 TYPE hash", "*2\r\n$1\r\n0\r\n*0"},
        {"KEYS *", "*1\r\n$3\r\nkey"},
        {"KEYS k?[x-z]", "*1\r\n$3\r\nkey"},
        {"KEYS k", "*0"},
        {"SCAN 0 COUNT 0", SYNTAX},
        {"SCAN 0 COUNT -1", SYNTAX},
        {"SCAN 0 COUNT x", NOT_INT},
        {"SCAN 0 COUNT", SYNTAX},
        {"SCAN 0 FOO 1", SYNTAX},
        {"SCAN x", "-ERR invalid cursor"},
        {"SCAN 1x", "-ERR invalid cursor"},
        {"SCAN \" 1\"", "-ERR invalid cursor"},
        {"SCAN 18446744073709551616", "-ERR invalid cursor"},
    };
    struct talk talk = talk_open(*state);
    TALK_TABLE(&talk, rows);
    talk_says(&talk, "SCAN 18446744073709551615", NULL);
    talk_says(&talk, "SCAN 12345 COUNT 9223372036854775807", NULL);
    talk_close(&talk);
}

static void every_key_is_shown_by_any_count(void **state)
{
    enum { KEYS = 20000 };
    static const char *const options[] = {
        "", "COUNT 1", "COUNT 100", "COUNT 1000000", "MATCH k* COUNT 5000"};
    redisContext *redis = live_connect(*state);
    unsigned char *seen = malloc(KEYS);
    assert_non_null(seen);
    live_text(redis, "FLUSHALL");
    set_keys(redis, "k", 0, KEYS);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        uint64_t cursor = 0;
        int others = 0;
        memset(seen, 0, KEYS);
        do {
            cursor = scan(redis, cursor, options[i], seen, KEYS, &others);
            assert_true(cursor < (uint64_t)1 << 53);
        } while (cursor);
        all_seen(seen, KEYS);
        assert_int_equal(others, 0);
    }
    free(seen);
    redisFree(redis);
}

/* The first KEYS keys stay throughout, while others come and go between the
 * calls so that the index grows, contracts and is rebuilt. */
static void what_stays_is_shown_whatever_comes_and_goes(void **state)
{
    enum { KEYS = 3000, OTHERS = 30000 };
    redisContext *redis = live_connect(*state), *writer = live_connect(*state);
    unsigned char *seen = malloc(KEYS);
    assert_non_null(seen);
    live_text(redis, "FLUSHALL");
    set_keys(redis, "k", 0, KEYS);
    for (int round = 0; round < 3; round++) {
        uint64_t cursor = 0;
        int others = 0, calls = 0, added = 0;
        memset(seen, 0, KEYS);
        do {
            cursor = scan(redis, cursor, "COUNT 50", seen, KEYS, &others);
            if (++calls <= 10) {
                set_keys(writer, "other", added, OTHERS / 10);
                added += OTHERS / 10;
            } else if (calls == 20) {
                for (int i = 0; i < added; i++)
                    redisAppendCommand(writer, "DEL other%d", i);
                for (int i = 0; i < added; i++) {
                    redisReply *reply = NULL;
                    redisGetReply(writer, (void **)&reply);
                    freeReplyObject(reply);
                }
                live_text(writer, "CONFIG SET maxmemory %dmb",
                          round % 2 ? 64 : 48);
            }
        } while (cursor);
        all_seen(seen, KEYS);
    }
    live_text(writer, "CONFIG SET maxmemory 64mb");
    free(seen);
    redisFree(redis);
    redisFree(writer);
}

static void databases_are_scanned_apart(void **state)
{
    enum { KEYS = 1000 };
    redisContext *redis = live_connect(*state);
    unsigned char *seen = calloc(1, KEYS);
    assert_non_null(seen);
    uint64_t cursor = 0;
    int others = 0;
    live_text(redis, "FLUSHALL");
    set_keys(redis, "other", 0, KEYS);
    live_text(redis, "SELECT 3");
    set_keys(redis, "k", 0, KEYS);
    do
        cursor = scan(redis, cursor, "", seen, KEYS, &others);
    while (cursor);
    all_seen(seen, KEYS);
    assert_int_equal(others, 0);
    for (int i = 0; i < 100; i++) {
        live_text(redis, "SET k v");
        assert_string_equal(live_text(redis, "FLUSHDB"), "OK");
        assert_int_equal(live_int(redis, "DBSIZE"), 0);
    }
    live_text(redis, "SELECT 0");
    assert_int_equal(live_int(redis, "DBSIZE"), KEYS);
    free(seen);
    redisFree(redis);
}

static void keys_answers_at_once_or_names_scan(void **state)
{
    enum { KEYS = 100000 }; /* more than 1 MiB of reply */
    redisContext *redis = live_connect(*state);
    live_text(redis, "FLUSHALL");
    set_keys(redis, "k", 0, KEYS);
    redisReply *reply = redisCommand(redis, "KEYS k1*");
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    assert_int_equal(reply->elements, 11111);
    for (size_t i = 0; i < reply->elements; i++)
        assert_memory_equal(reply->element[i]->str, "k1", 2);
    freeReplyObject(reply);
    /* Several parts, none of them lost or put out twice. */
    reply = redisCommand(redis, "KEYS k[1-5]*");
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    assert_int_equal(reply->elements, 55555);
    int *seen = calloc(KEYS, sizeof *seen);
    assert_non_null(seen);
    for (size_t i = 0; i < reply->elements; i++)
        assert_int_equal(seen[atoi(reply->element[i]->str + 1)]++, 0);
    free(seen);
    freeReplyObject(reply);
    answer_is_error(redisCommand(redis, "KEYS *"),
                    "ERR too many keys match for one reply, use SCAN instead");
    redisFree(redis);
}

static void patterns_have_a_longest_length(void **state)
{
    enum { MOST = 65536 };
    redisContext *redis = live_connect(*state);
    char *pattern = malloc(MOST + 1);
    assert_non_null(pattern);
    memset(pattern, 'p', MOST + 1);
    live_text(redis, "FLUSHALL");
    redisReply *reply = redisCommand(redis, "KEYS %b", pattern, (size_t)MOST);
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    freeReplyObject(reply);
    static const char *const lines[] = {"KEYS %b", "SCAN 0 MATCH %b"};
    for (size_t i = 0; i < 2; i++)
        answer_is_error(
            redisCommand(redis, lines[i], pattern, (size_t)MOST + 1),
            "ERR pattern is too long, at most 65536 bytes");
    free(pattern);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_choose_what_is_shown),
        cmocka_unit_test(every_key_is_shown_by_any_count),
        cmocka_unit_test(what_stays_is_shown_whatever_comes_and_goes),
        cmocka_unit_test(databases_are_scanned_apart),
        cmocka_unit_test(keys_answers_at_once_or_names_scan),
        cmocka_unit_test(patterns_have_a_longest_length),
    };
    return cmocka_run_group_tests(tests, start, live_teardown);
}
