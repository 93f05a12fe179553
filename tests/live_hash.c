/* SPDX-License-Identifier: BSD-3-Clause */
/* Hashes in a live server: replies, long values, slow readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/answer.h"
#include "tests/console.h"
#include "tests/errors.h"
#include "tests/live.h"
#include "tests/rng.h"
#include "tests/talk.h"

#define WRONG_TYPE                                                             \
    "-WRONGTYPE Operation against a key holding the wrong kind of value"

enum { MB = 1 << 20 };

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
    TALK_CHECK(*state, rows);
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

/* Redis tells what it keeps by the longest and how many there are. */
static void encodings_go_by_the_fields(void **state)
{
    redisContext *redis = live_connect(*state);
    char text[66];
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 128; i++)
        live_int(redis, "HSET enc %b%d %b", text, (size_t)60, 1000 + i, text,
                 (size_t)64);
    assert_string_equal(live_text(redis, "OBJECT ENCODING enc"), "listpack");
    assert_int_equal(live_int(redis, "HSET enc more x"), 1);
    assert_string_equal(live_text(redis, "OBJECT ENCODING enc"), "hashtable");
    assert_int_equal(live_int(redis, "HDEL enc more"), 1);
    assert_string_equal(live_text(redis, "OBJECT ENCODING enc"), "listpack");
    assert_int_equal(live_int(redis, "HSET enc %b1000 %b", text, (size_t)60,
                              text, (size_t)65),
                     0);
    assert_string_equal(live_text(redis, "OBJECT ENCODING enc"), "hashtable");
    redisFree(redis);
}

/* ------------------------------------------------------------ long values */

/* As ASP.NET's cache stores: more than half of what clients' buffers have. */
static void a_long_value_goes_straight_to_its_place(void **state)
{
    redisContext *redis = live_connect(*state);
    size_t len = 5 * MB;
    char *data = rng_bytes(len);
    answer_is_ok(redisCommand(redis, "HMSET long absexp -1 sldexp 300 data %b",
                              data, len));
    redisReply *reply = redisCommand(redis, "HMGET long absexp sldexp data");
    assert_int_equal(reply->elements, 3);
    assert_string_equal(reply->element[0]->str, "-1");
    assert_string_equal(reply->element[1]->str, "300");
    assert_int_equal(reply->element[2]->len, len);
    assert_memory_equal(reply->element[2]->str, data, len);
    freeReplyObject(reply);
    assert_int_equal(live_int(redis, "HSET long first %b last x", data, len),
                     2);
    answer_is_bytes(redisCommand(redis, "HGET long data"), data, len);
    answer_is_bytes(redisCommand(redis, "HGET long first"), data, len);
    reply = redisCommand(redis, "HGETALL long");
    assert_int_equal(reply->elements, 10);
    assert_memory_equal(reply->element[5]->str, data, len);
    freeReplyObject(reply);
    assert_int_equal(live_int(redis, "HSETNX long first %b", data, len), 0);
    assert_int_equal(live_int(redis, "HSETNX long other %b", data, len), 1);
    assert_int_equal(live_int(redis, "HDEL long first data other"), 3);
    assert_int_equal(live_int(redis, "HLEN long"), 3);
    free(data);
    redisFree(redis);
}

/* The others of the request are held until it runs. */
static void one_value_of_a_request_may_be_very_long(void **state)
{
    redisContext *redis = live_connect(*state);
    size_t len = 3 * MB, some = 100000;
    char *data = rng_bytes(len);
    answer_is_error(
        redisCommand(redis, "HSET two a %b b %b", data, len, data, len),
        "OOM command not allowed when used memory > 'maxmemory'.");
    assert_int_equal(live_int(redis, "EXISTS two"), 0);
    assert_int_equal(live_int(redis, "HSET two a %b b %b c %b", data, some,
                              data, len, data, (size_t)3),
                     3);
    answer_is_bytes(redisCommand(redis, "HGET two a"), data, some);
    answer_is_bytes(redisCommand(redis, "HGET two b"), data, len);
    answer_is_bytes(redisCommand(redis, "HGET two c"), data, 3);
    free(data);
    redisFree(redis);
}

static void a_slow_reader_gets_what_was_there(void **state)
{
    (void)state;
    struct live *live = live_start("--maxmemory", "64mb", NULL);
    redisContext *redis = live_connect(live), *slow = live_connect(live);
    size_t len = 3 * MB;
    char *one = rng_bytes(len), *two = rng_bytes(len - 1);
    long long cells = live_info(redis, "allocator_allocated");
    assert_int_equal(live_int(redis, "HSET s one %b", one, len), 1);
    assert_int_equal(live_int(redis, "HSET s two %b", two, len - 1), 1);
    assert_int_equal(redisAppendCommand(slow, "HGETALL s"), REDIS_OK);
    int done = 0;
    while (!done)
        assert_int_equal(redisBufferWrite(slow, &done), REDIS_OK);
    struct pollfd poll_fd = {.fd = slow->fd, .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 60000), 1);
    assert_int_equal(live_int(redis, "DEL s"), 1);
    assert_int_equal(live_int(redis, "HSET s one short two short"), 2);
    redisReply *reply;
    assert_int_equal(redisGetReply(slow, (void **)&reply), REDIS_OK);
    assert_int_equal(reply->elements, 4);
    assert_int_equal(reply->element[1]->len, len);
    assert_memory_equal(reply->element[1]->str, one, len);
    assert_int_equal(reply->element[3]->len, len - 1);
    assert_memory_equal(reply->element[3]->str, two, len - 1);
    freeReplyObject(reply);
    redisFree(slow);
    live_await_info(redis, "allocator_allocated", 0, cells + MB / 2);
    free(one);
    free(two);
    redisFree(redis);
    live_stop(live);
}

static void counts_of_several_clients_add_up(void **state)
{
    enum { CLIENTS = 6, TIMES = 100 };
    redisContext *redis = live_connect(*state), *clients[CLIENTS];
    char *data = rng_bytes(MB / 2);
    assert_int_equal(live_int(redis, "HSET sum data %b", data, (size_t)MB / 2),
                     1);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = live_connect(*state);
        for (int k = 0; k < TIMES; k++)
            redisAppendCommand(clients[i], "HINCRBY sum n 1");
        int done = 0;
        while (!done)
            assert_int_equal(redisBufferWrite(clients[i], &done), REDIS_OK);
    }
    for (int i = 0; i < CLIENTS; i++) {
        for (int k = 0; k < TIMES; k++) {
            redisReply *reply;
            assert_int_equal(redisGetReply(clients[i], (void **)&reply),
                             REDIS_OK);
            assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
            freeReplyObject(reply);
        }
        redisFree(clients[i]);
    }
    answer_is_bytes(redisCommand(redis, "HGET sum n"), "600", 3);
    answer_is_bytes(redisCommand(redis, "HGET sum data"), data, MB / 2);
    free(data);
    redisFree(redis);
}

static void who_watches_is_told_of_changes(void **state)
{
    static const struct {
        const char *command;
        bool changes;
    } rows[] = {
        {"HSET w a 1", true},         {"HSET w a 1", true},
        {"HSETNX w a 2", false},      {"HSETNX w b 2", true},
        {"HDEL w none", false},       {"HINCRBY w a 1", true},
        {"HINCRBYFLOAT w a 1", true}, {"HINCRBY w a x", false},
        {"HDEL w a", true},           {"HGETALL w", false},
        {"HDEL w b", true},
    };
    redisContext *redis = live_connect(*state), *other = live_connect(*state);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        answer_is_ok(redisCommand(redis, "WATCH w"));
        freeReplyObject(redisCommand(other, rows[i].command));
        answer_is_ok(redisCommand(redis, "MULTI"));
        redisReply *reply = redisCommand(redis, "EXEC");
        assert_int_equal(reply->type == REDIS_REPLY_NIL, rows[i].changes);
        freeReplyObject(reply);
    }
    assert_int_equal(live_int(redis, "EXISTS w"), 0);
    redisFree(other);
    redisFree(redis);
}

static void events_have_the_names_of_commands(void **state)
{
    static const struct {
        const char *command, *event; /* NULL: none; what follows is heard */
    } rows[] = {
        {"HSET e a 1 b 2", "hset"},
        {"HMSET e a 1", "hset"},
        {"HSETNX e a 1", NULL},
        {"HSETNX e c 1", "hset"},
        {"HINCRBY e a 1", "hincrby"},
        {"HDEL e none", NULL},
        {"HINCRBYFLOAT e a 1", "hincrbyfloat"},
        {"HDEL e a b", "hdel"},
        {"HDEL e c", "hdel"},
    };
    struct console ear, mouth;
    char heard[100];
    console_open(&ear, *state);
    console_open(&mouth, *state);
    console_ask(&mouth, "CONFIG SET notify-keyspace-events Egh");
    console_ask(&ear, "PSUBSCRIBE __keyevent@0__:*");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        console_ask(&mouth, rows[i].command);
        if (!rows[i].event)
            continue;
        snprintf(heard, sizeof heard,
                 "[\"pmessage\" \"__keyevent@0__:*\" \"__keyevent@0__:%s\" "
                 "\"e\"]",
                 rows[i].event);
        assert_string_equal(console_hear(&ear), heard);
    }
    assert_string_equal(console_hear(&ear),
                        "[\"pmessage\" \"__keyevent@0__:*\" "
                        "\"__keyevent@0__:del\" \"e\"]");
    console_ask(&mouth, "CONFIG SET notify-keyspace-events \"\"");
    console_close(&ear);
    console_close(&mouth);
}

static void long_hashes_are_in_transactions_too(void **state)
{
    redisContext *redis = live_connect(*state);
    size_t len = 2 * MB;
    char *data = rng_bytes(len);
    answer_is_ok(redisCommand(redis, "MULTI"));
    const char *const texts[] = {"HSET t a 1", "HINCRBY t a 41", "HLEN t",
                                 "HSTRLEN t data"};
    freeReplyObject(redisCommand(redis, "HSET t data %b", data, len));
    for (size_t i = 0; i < 4; i++)
        freeReplyObject(redisCommand(redis, texts[i]));
    redisReply *reply = redisCommand(redis, "EXEC");
    const long long wanted[] = {1, 1, 42, 2, (long long)len};
    assert_int_equal(reply->elements, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(reply->element[i]->integer, wanted[i]);
    freeReplyObject(reply);
    answer_is_bytes(redisCommand(redis, "HGET t data"), data, len);
    free(data);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_and_go),
        cmocka_unit_test(a_key_holds_one_type),
        cmocka_unit_test(encodings_go_by_the_fields),
        cmocka_unit_test(a_long_value_goes_straight_to_its_place),
        cmocka_unit_test(one_value_of_a_request_may_be_very_long),
        cmocka_unit_test(a_slow_reader_gets_what_was_there),
        cmocka_unit_test(counts_of_several_clients_add_up),
        cmocka_unit_test(who_watches_is_told_of_changes),
        cmocka_unit_test(events_have_the_names_of_commands),
        cmocka_unit_test(long_hashes_are_in_transactions_too),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
