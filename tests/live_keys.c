/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands about keys, and what COMMAND and errors say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"
#include "server/call.h"
#include "tests/answer.h"
#include "tests/errors.h"
#include "tests/live.h"
#include "tests/talk.h"

static void keys_are_counted_and_removed(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"MSET a 1 b 2 c 3", "+OK"},
        {"EXISTS a b b none", ":3"},
        {"TOUCH a a none", ":2"},
        {"DEL a none a", ":1"},
        {"UNLINK b c", ":2"},
        {"DBSIZE", ":0"},
        {"RANDOMKEY", "$-1"},
        {"SET a 1", "+OK"},
        {"RANDOMKEY", "$1\r\na"},
        {"SELECT 1", "+OK"},
        {"EXISTS a", ":0"},
        {"SET b 1", "+OK"},
        {"FLUSHDB ASYNC", "+OK"},
        {"DBSIZE", ":0"},
        {"SELECT 0", "+OK"},
        {"DBSIZE", ":1"},
        {"FLUSHALL SYNC", "+OK"},
        {"DBSIZE", ":0"},
        {"FLUSHDB FOO", SYNTAX},
        {"FLUSHALL SYNC ASYNC", SYNTAX},
    };
    TALK_CHECK(*state, rows);
}

/* In several slices. */
static void thousands_are_served_in_one_command(void **state)
{
    enum { KEYS = 5 * CALL_SLICE_KEYS + 1 };
    static char keys[KEYS][8];
    static const char *argv[KEYS + 1];
    redisContext *redis = live_connect(*state);
    live_text(redis, "FLUSHALL");
    for (int i = 0; i < KEYS; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        argv[i + 1] = keys[i];
        if (i % 2 == 0)
            live_text(redis, "SET k%d %d", i, i);
    }
    argv[0] = "MGET";
    redisReply *reply = redisCommandArgv(redis, KEYS + 1, argv, NULL);
    assert_non_null(reply);
    assert_int_equal(reply->elements, KEYS);
    for (int i = 0; i < KEYS; i++) {
        redisReply *value = reply->element[i];
        if (i % 2 == 0)
            assert_int_equal(atoi(value->str), i);
        else
            assert_int_equal(value->type, REDIS_REPLY_NIL);
    }
    freeReplyObject(reply);
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = {"EXISTS", "TOUCH", "UNLINK", "DEL"};
        argv[0] = names[i];
        reply = redisCommandArgv(redis, KEYS + 1, argv, NULL);
        assert_non_null(reply);
        assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
        assert_int_equal(reply->integer, i < 3 ? KEYS / 2 + 1 : 0);
        freeReplyObject(reply);
    }
    assert_int_equal(live_int(redis, "DBSIZE"), 0);
    redisFree(redis);
}

/* The values of one reply may be much more than may be held unsent. */
static void many_long_values_come_in_one_reply(void **state)
{
    enum { TIMES = 200, LEN = 1 << 20 };
    redisContext *redis = live_connect(*state);
    char *bytes = malloc(LEN);
    assert_non_null(bytes);
    memset(bytes, 'v', LEN);
    freeReplyObject(redisCommand(redis, "SET k %b", bytes, (size_t)LEN));
    const char *argv[TIMES + 1] = {"MGET"};
    for (size_t i = 1; i <= TIMES; i++)
        argv[i] = "k";
    redisReply *reply = redisCommandArgv(redis, TIMES + 1, argv, NULL);
    assert_non_null(reply);
    assert_int_equal(reply->elements, TIMES);
    for (size_t i = 0; i < TIMES; i++) {
        assert_int_equal(reply->element[i]->len, LEN);
        assert_memory_equal(reply->element[i]->str, bytes, LEN);
    }
    freeReplyObject(reply);
    free(bytes);
    redisFree(redis);
}

static void keys_have_a_longest_length(void **state)
{
    redisContext *redis = live_connect(*state);
    char *key = malloc(CACHE_KEY_MAX + 1);
    assert_non_null(key);
    memset(key, 'k', CACHE_KEY_MAX + 1);
    freeReplyObject(
        redisCommand(redis, "SET %b v", key, (size_t)CACHE_KEY_MAX));
    assert_int_equal(live_int(redis, "DEL a %b", key, (size_t)CACHE_KEY_MAX),
                     1);
    static const char *const lines[] = {"SET %b v", "GET %b", "MSET a v %b w",
                                        "DEL a %b", "OBJECT ENCODING %b"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        answer_is_error(
            redisCommand(redis, lines[i], key, (size_t)CACHE_KEY_MAX + 1),
            "ERR key is too long, at most 65536 bytes");
    assert_int_equal(live_int(redis, "EXISTS a"), 0);
    free(key);
    redisFree(redis);
}

static void values_tell_how_they_are_kept(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"TYPE k", "+none"},
        {"OBJECT ENCODING k", "$-1"},
        {"MEMORY USAGE k", "$-1"},
        {"SET k 12", "+OK"},
        {"TYPE k", "+string"},
        {"OBJECT ENCODING k", "$3\r\nint"},
        {"SET k 012", "+OK"},
        {"OBJECT ENCODING k", "$6\r\nembstr"},
        {"SET k 12345678901234567890123456789012345678901234", "+OK"},
        {"OBJECT ENCODING k", "$6\r\nembstr"},
        {"APPEND k 5", ":45"},
        {"OBJECT ENCODING k", "$3\r\nraw"},
        {"OBJECT REFCOUNT k", ":1"},
        {"OBJECT IDLETIME k", ":0"},
        {"MEMORY USAGE k SAMPLES x", NOT_INT},
        {"MEMORY USAGE k SAMPLES -1", SYNTAX},
        {"MEMORY USAGE k FOO 1", SYNTAX},
        {"OBJECT FOO k", "-ERR unknown subcommand 'FOO'. Try OBJECT HELP."},
    };
    struct talk talk = talk_open(*state);
    TALK_TABLE(&talk, rows);
    struct resp *usage = talk_ask(&talk, "MEMORY USAGE k SAMPLES 5");
    assert_int_equal(usage->kind, ':');
    assert_in_range(usage->integer, 46, 46 + 64);
    resp_free(usage);
    talk_close(&talk);
}

static void hits_and_misses_are_those_of_readers(void **state)
{
    static const struct {
        const char *line;
        int hits, misses;
    } rows[] = {
        {"GET k", 1, 0},         {"GET n", 0, 1},          {"MGET k n k", 2, 1},
        {"EXISTS k n", 1, 1},    {"TOUCH k n", 1, 1},      {"STRLEN k", 1, 0},
        {"TTL n", 0, 1},         {"TYPE k", 1, 0},         {"GETSET k v", 1, 0},
        {"SET k v GET", 1, 0},   {"SET k v XX", 0, 0},     {"SETNX k v", 0, 0},
        {"GETEX k", 1, 0},       {"GETDEL n", 0, 1},       {"APPEND k v", 0, 0},
        {"INCR i", 0, 0},        {"EXPIRE k 100", 0, 0},   {"PERSIST k", 0, 0},
        {"OBJECT FREQ k", 1, 0}, {"MEMORY USAGE k", 0, 0}, {"DEL n", 0, 0},
        {"SCAN 0", 0, 0},        {"KEYS *", 0, 0},         {"RANDOMKEY", 0, 0},
    };
    redisContext *redis = live_connect(*state);
    live_text(redis, "FLUSHALL");
    live_text(redis, "SET k v");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        live_text(redis, "CONFIG RESETSTAT");
        freeReplyObject(redisCommand(redis, rows[i].line));
        if (live_info(redis, "keyspace_hits") != rows[i].hits ||
            live_info(redis, "keyspace_misses") != rows[i].misses)
            fail_msg("%s", rows[i].line);
    }
    redisFree(redis);
}

/* A key that is only looked at with NO-TOUCH is the oldest, and goes first. */
static void no_touch_leaves_the_order_alone(void **state)
{
    (void)state;
    struct live *small = live_start("--maxmemory", "24mb", NULL);
    redisContext *redis = live_connect(small);
    char *bytes = malloc(4000);
    assert_non_null(bytes);
    memset(bytes, 'v', 4000);
    live_text(redis, "SET looked 1");
    live_text(redis, "SET touched 1");
    live_text(redis, "CLIENT NO-TOUCH ON");
    for (int i = 0; live_info(redis, "evicted_keys") == 0; i++) {
        for (int k = 0; k < 16; k++)
            freeReplyObject(redisCommand(redis, "SET f%d-%d %b", i, k, bytes,
                                         (size_t)4000));
        freeReplyObject(redisCommand(redis, "GET looked"));
        assert_int_equal(live_int(redis, "TOUCH touched"), 1);
    }
    assert_int_equal(live_int(redis, "EXISTS looked"), 0);
    assert_int_equal(live_int(redis, "EXISTS touched"), 1);
    free(bytes);
    redisFree(redis);
    live_stop(small);
}

static void errors_say_what_was_wrong(void **state)
{
    static const struct says rows[] = {
        {"foo", "-ERR unknown command 'foo', with args beginning with: "},
        {"foo bar \"a b\"", "-ERR unknown command 'foo', with args beginning "
                            "with: 'bar' 'a b' "},
        {"foo \"a\\r\\nb\"",
         "-ERR unknown command 'foo', with args beginning with: 'a  b' "},
        {"get", "-ERR wrong number of arguments for 'get' command"},
        {"GET a b", "-ERR wrong number of arguments for 'get' command"},
        {"client", "-ERR wrong number of arguments for 'client' command"},
        {"Client Foo", "-ERR unknown subcommand 'Foo'. Try CLIENT HELP."},
        {"config|get maxmemory", "-ERR unknown command 'config|get', with "
                                 "args beginning with: 'maxmemory' "},
        {"config get", "-ERR wrong number of arguments for 'config|get' "
                       "command"},
    };
    TALK_CHECK(*state, rows);
}

/* An error cannot be made to echo much. */
static void echoes_are_cut(void **state)
{
    struct talk talk = talk_open(*state);
    char name[301] = {0};
    memset(name, 'n', sizeof name - 1);
    struct resp *reply = talk_ask(&talk, "%s %s %s", name, name, name);
    char expected[400];
    snprintf(expected, sizeof expected,
             "ERR unknown command '%.128s', with args beginning with: "
             "'%.128s' ",
             name, name);
    assert_string_equal(reply->text, expected);
    resp_free(reply);
    talk_close(&talk);
}

static void strangers_learn_nothing(void **state)
{
    static const struct says before[] = {
        {"GET k", NOAUTH},     {"GET", NOAUTH},     {"NOSUCH", NOAUTH},
        {"CLIENT ID", NOAUTH}, {"COMMAND", NOAUTH},
    };
    struct talk talk = talk_open(*state), stranger;
    talk_says(&talk, "CONFIG SET requirepass secret", "+OK");
    stranger = talk_open(*state);
    TALK_TABLE(&stranger, before);
    talk_says(&stranger, "AUTH secret", "+OK");
    talk_says(&stranger, "GET",
              "-ERR wrong number of arguments for 'get' "
              "command");
    talk_says(&talk, "CONFIG SET requirepass \"\"", "+OK");
    talk_close(&stranger);
    talk_close(&talk);
}

static void commands_describe_themselves(void **state)
{
    static const struct says rows[] = {
        {"COMMAND INFO get nosuch",
         "*2\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n"
         ":1\r\n:1\r\n:1\r\n*3\r\n+@read\r\n+@string\r\n+@fast\r\n*0\r\n"
         "*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n+access\r\n"
         "$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n"
         "$4\r\nspec\r\n*2\r\n$5\r\nindex\r\n:1\r\n"
         "$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n"
         "$4\r\nspec\r\n*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n"
         "$5\r\nlimit\r\n:0\r\n*0\r\n$-1"},
        {"COMMAND INFO quit",
         "*1\r\n*10\r\n$4\r\nquit\r\n:-1\r\n*6\r\n+noscript\r\n+loading\r\n"
         "+stale\r\n+fast\r\n+no_auth\r\n+allow_busy\r\n:0\r\n:0\r\n:0\r\n"
         "*2\r\n+@fast\r\n+@connection\r\n*0\r\n*0\r\n*0"},
        {"COMMAND GETKEYS MSET a 1 b 2", "*2\r\n$1\r\na\r\n$1\r\nb"},
        {"COMMAND GETKEYS OBJECT ENCODING k", "*1\r\n$1\r\nk"},
        {"COMMAND GETKEYS PING x", "-ERR The command has no key arguments"},
        {"COMMAND GETKEYS NOSUCH x", "-ERR Invalid command specified"},
        {"COMMAND GETKEYS GET a b",
         "-ERR Invalid number of arguments specified for command"},
        {"COMMAND LIST FILTERBY PATTERN client|i*",
         "*2\r\n$9\r\nclient|id\r\n$11\r\nclient|info"},
        {"COMMAND LIST FILTERBY ACLCAT nosuch", "*0"},
        {"COMMAND LIST FILTERBY MODULE any", "*0"},
        {"COMMAND LIST FILTERBY NOSUCH x", SYNTAX},
        {"COMMAND DOCS nosuch", "*0"},
    };
    struct talk talk = talk_open(*state);
    TALK_TABLE(&talk, rows);
    struct resp *all = talk_ask(&talk, "COMMAND");
    struct resp *count = talk_ask(&talk, "COMMAND COUNT");
    struct resp *list = talk_ask(&talk, "COMMAND LIST");
    struct resp *docs = talk_ask(&talk, "COMMAND DOCS");
    assert_in_range(count->integer, 50, 1000);
    assert_int_equal(all->count, count->integer);
    size_t top = 0;
    for (size_t i = 0; i < list->count; i++)
        top += !strchr(list->items[i].text, '|');
    assert_int_equal(top, count->integer);
    assert_true(list->count > top);
    assert_int_equal(docs->count, 2 * count->integer);
    resp_free(all);
    resp_free(count);
    resp_free(list);
    resp_free(docs);
    /* With RESP3 subcommands are an array, as in Redis, and none a set. */
    talk_says(&talk, "HELLO 3", NULL);
    struct resp *info = talk_ask(&talk, "COMMAND INFO config get");
    assert_int_equal(info->items[0].items[9].kind, '*');
    assert_int_equal(info->items[1].items[9].kind, '~');
    resp_free(info);
    talk_close(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_counted_and_removed),
        cmocka_unit_test(thousands_are_served_in_one_command),
        cmocka_unit_test(many_long_values_come_in_one_reply),
        cmocka_unit_test(keys_have_a_longest_length),
        cmocka_unit_test(values_tell_how_they_are_kept),
        cmocka_unit_test(hits_and_misses_are_those_of_readers),
        cmocka_unit_test(no_touch_leaves_the_order_alone),
        cmocka_unit_test(errors_say_what_was_wrong),
        cmocka_unit_test(echoes_are_cut),
        cmocka_unit_test(strangers_learn_nothing),
        cmocka_unit_test(commands_describe_themselves),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
