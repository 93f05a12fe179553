/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parts of values and bits of them: what is read, written, padded, counted and
 * refused, of short values and of long ones in pieces.
 */
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
#include "tests/sanitized.h"
#include "tests/talk.h"

enum {
    MB = 1 << 20,
    ROOM = 3 * MB / 2, /* no value grows longer */
    ROUNDS = SANITIZED ? 60 : 200,
};

#define NOT_BIT        "-ERR bit is not an integer or out of range"
#define NOT_BIT_OFFSET "-ERR bit offset is not an integer or out of range"
#define TOO_LONG       "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"

static void ranges_are_read(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"GETRANGE k 0 -1", "$0\r\n"},
        {"SET k Hello", "+OK"},
        {"GETRANGE k 0 -1", "$5\r\nHello"},
        {"GETRANGE k -3 -2", "$2\r\nll"},
        {"GETRANGE k 1 1", "$1\r\ne"},
        {"GETRANGE k 3 1000", "$2\r\nlo"},
        {"GETRANGE k 5 9", "$0\r\n"},
        {"GETRANGE k 3 2", "$0\r\n"},
        {"GETRANGE k -100 -99", "$1\r\nH"},
        {"GETRANGE k -2 -3", "$0\r\n"},
        {"GETRANGE k 0 9223372036854775807", "$5\r\nHello"},
        {"GETRANGE k -9223372036854775808 0", "$1\r\nH"},
        {"SUBSTR k 1 2", "$2\r\nel"},
        {"GETRANGE k x 1", NOT_INT},
        {"GETRANGE k 1 1.0", NOT_INT},
    };
    TALK_CHECK(*state, rows);
}

static void ranges_are_written(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"SETRANGE k 0 \"\"", ":0"},
        {"EXISTS k", ":0"},
        {"SETRANGE k 3 abc", ":6"},
        {"GETRANGE k 3 5", "$3\r\nabc"},
        {"SET k Hello EX 1000", "+OK"},
        {"SETRANGE k 1 ipp", ":5"},
        {"GET k", "$5\r\nHippo"},
        {"TTL k", ":1000"},
        {"SETRANGE k 4 op", ":6"},
        {"GET k", "$6\r\nHippop"},
        {"SETRANGE k 100 \"\"", ":6"},
        {"SETRANGE k -1 x", "-ERR offset is out of range"},
        {"SETRANGE k x x", NOT_INT},
        {"SETRANGE k 536870912 x", TOO_LONG},
        {"SETRANGE k 9223372036854775807 x", TOO_LONG},
        {"STRLEN k", ":6"},
    };
    TALK_CHECK(*state, rows);
    redisContext *redis = live_connect(*state);
    live_text(redis, "FLUSHALL");
    assert_int_equal(live_int(redis, "SETRANGE k 3 abc"), 6);
    answer_is_bytes(redisCommand(redis, "GET k"), "\0\0\0abc", 6);
    redisFree(redis);
}

static void bits_are_read_and_written(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"GETBIT k 0", ":0"},
        {"SETBIT k 7 1", ":0"},
        {"GET k", "$1\r\n\x01"},
        {"SETBIT k 1 1", ":0"},
        {"SETBIT k 7 0", ":1"},
        {"GET k", "$1\r\n@"},
        {"GETBIT k 1", ":1"},
        {"GETBIT k 2", ":0"},
        {"GETBIT k 100000", ":0"},
        {"SETBIT k 16 0", ":0"},
        {"STRLEN k", ":3"},
        {"SETBIT k 0 2", NOT_BIT},
        {"SETBIT k 0 -1", NOT_BIT},
        {"SETBIT k 0 x", NOT_BIT},
        {"SETBIT k -1 1", NOT_BIT_OFFSET},
        {"SETBIT k 4294967296 1", NOT_BIT_OFFSET},
        {"GETBIT k 4294967296", NOT_BIT_OFFSET},
        {"GETBIT k x", NOT_BIT_OFFSET},
        {"SET k foobar", "+OK"},
        {"BITCOUNT k", ":26"},
        {"BITCOUNT k 0 0", ":4"},
        {"BITCOUNT k 1 1", ":6"},
        {"BITCOUNT k 1 1 BYTE", ":6"},
        {"BITCOUNT k 5 30 BIT", ":17"},
        {"BITCOUNT k 5 5 bit", ":1"},
        {"BITCOUNT k -2 -3", ":0"},
        {"BITCOUNT k 0", SYNTAX},
        {"BITCOUNT k 0 1 NIBBLE", SYNTAX},
        {"BITCOUNT k 0 x", NOT_INT},
        {"BITCOUNT none 0", ":0"},
    };
    TALK_CHECK(*state, rows);
}

/* ------------------------------------------------------------- long values */

/* What the key is to hold. */
struct shadow {
    redisContext *redis;
    char *bytes;
    size_t len;
};

static struct shadow shadow_new(struct live *live, size_t len)
{
    struct shadow shadow = {live_connect(live), rng_bytes(ROOM), len};
    answer_is_ok(redisCommand(shadow.redis, "SET k %b", shadow.bytes, len));
    memset(shadow.bytes + len, 0, ROOM - len);
    return shadow;
}

static void shadow_free(struct shadow *shadow)
{
    answer_is_bytes(redisCommand(shadow->redis, "GET k"), shadow->bytes,
                    shadow->len);
    redisFree(shadow->redis);
    free(shadow->bytes);
}

static void check_range(struct shadow *shadow, struct rng *rng)
{
    unsigned long long at = rng_below(rng, shadow->len);
    size_t len = 1 + rng_skewed(rng, shadow->len - at);
    answer_is_bytes(
        redisCommand(shadow->redis, "GETRANGE k %llu %llu", at, at + len - 1),
        shadow->bytes + at, len);
}

static void write_range(struct shadow *shadow, struct rng *rng)
{
    unsigned long long at = rng_below(rng, shadow->len + shadow->len / 8);
    if (at >= ROOM)
        return;
    size_t len = 1 + rng_skewed(rng, ROOM - at);
    if (rng_chance(rng, 800))
        len = 1 + len % 5000 % (ROOM - at);
    char *bytes = rng_bytes(len);
    memcpy(shadow->bytes + at, bytes, len);
    if (at + len > shadow->len)
        shadow->len = at + len;
    redisReply *reply =
        redisCommand(shadow->redis, "SETRANGE k %llu %b", at, bytes, len);
    assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
    assert_int_equal(reply->integer, shadow->len);
    freeReplyObject(reply);
    free(bytes);
}

static void flip_bit(struct shadow *shadow, struct rng *rng)
{
    unsigned long long bit = rng_below(rng, (shadow->len + 100) * 8);
    if (bit / 8 >= ROOM)
        return;
    uint8_t *byte = (uint8_t *)&shadow->bytes[bit / 8];
    uint8_t mask = (uint8_t)(0x80 >> bit % 8);
    int was = (*byte & mask) != 0;
    assert_int_equal(live_int(shadow->redis, "GETBIT k %llu", bit), was);
    assert_int_equal(live_int(shadow->redis, "SETBIT k %llu %d", bit, !was),
                     was);
    *byte ^= mask;
    if (bit / 8 >= shadow->len)
        shadow->len = bit / 8 + 1;
}

static void count_bits(struct shadow *shadow, struct rng *rng)
{
    unsigned long long first = rng_below(rng, shadow->len * 8);
    unsigned long long last = first + rng_below(rng, shadow->len * 8 - first);
    long long count = 0;
    for (unsigned long long bit = first; bit <= last;) {
        uint8_t byte = (uint8_t)shadow->bytes[bit / 8];
        bool whole = bit % 8 == 0 && last - bit >= 7;
        count += whole ? __builtin_popcount(byte) : byte >> (7 - bit % 8) & 1;
        bit += whole ? 8 : 1;
    }
    assert_int_equal(
        live_int(shadow->redis, "BITCOUNT k %llu %llu BIT", first, last),
        count);
}

static void long_values_are_read_and_written_in_parts(void **state)
{
    struct rng rng = {test_seed()};
    for (size_t len = 5000; len < MB; len = len * 7 + 13) {
        struct shadow shadow = shadow_new(*state, len);
        for (int i = 0; i < ROUNDS; i++) {
            uint64_t pick = rng_below(&rng, 20);
            if (pick < 8)
                check_range(&shadow, &rng);
            else if (pick < 14)
                write_range(&shadow, &rng);
            else if (pick < 18)
                flip_bit(&shadow, &rng);
            else
                count_bits(&shadow, &rng);
        }
        shadow_free(&shadow);
    }
}

/* A reader that has not taken the value yet gets it as it was when it asked. */
static void what_is_being_sent_does_not_change(void **state)
{
    enum { LEN = 16 * MB };
    struct live *live =
        live_start("--maxmemory", "256mb", "--threads", "1", NULL);
    redisContext *redis = live_connect(live);
    char *value = rng_bytes(LEN);
    (void)state;
    answer_is_ok(redisCommand(redis, "SET k %b", value, (size_t)LEN));
    redisContext *reader = live_connect(live);
    long long id = live_int(reader, "CLIENT ID");
    assert_int_equal(redisAppendCommand(reader, "GETRANGE k 3 -1"), REDIS_OK);
    int done = 0;
    while (!done)
        assert_int_equal(redisBufferWrite(reader, &done), REDIS_OK);
    /* The sockets do not take all of it. */
    const char *memory;
    do {
        memory =
            strstr(live_text(redis, "CLIENT LIST ID %lld", id), "tot-mem=");
        assert_non_null(memory);
    } while (strtoll(memory + strlen("tot-mem="), NULL, 10) < MB);
    int was = (uint8_t)value[LEN - 10] & 1;
    assert_int_equal(
        live_int(redis, "SETBIT k %d %d", (LEN - 10) * 8 + 7, !was), was);
    assert_int_equal(live_int(redis, "SETRANGE k %d xyz", LEN - 100), LEN);
    redisReply *reply = NULL;
    assert_int_equal(redisGetReply(reader, (void **)&reply), REDIS_OK);
    answer_is_bytes(reply, value + 3, LEN - 3);
    value[LEN - 10] ^= 1;
    memcpy(value + LEN - 100, "xyz", 3);
    answer_is_bytes(redisCommand(redis, "GET k"), value, LEN);
    free(value);
    redisFree(reader);
    redisFree(redis);
    live_stop(live);
}

static void who_goes_while_bits_are_counted_leaves_nothing(void **state)
{
    enum { LEN = 32 * MB, CLIENTS = 30 };
    struct live *live =
        live_start("--maxmemory", "256mb", "--threads", "1", NULL);
    redisContext *redis = live_connect(live);
    (void)state;
    long long before = live_info(redis, "allocator_allocated");
    assert_int_equal(live_int(redis, "SETRANGE k %d x", LEN - 1), LEN);
    for (int i = 0; i < CLIENTS; i++) {
        int fd = live_socket(live);
        assert_true(live_send(fd, "BITCOUNT k\r\n", 12));
        if (i % 2)
            live_int(redis, "SETBIT k 5 %d", i / 2 % 2);
        close(fd);
    }
    assert_int_equal(live_int(redis, "DEL k"), 1);
    live_await_info(redis, "connected_clients", 1, 1);
    live_await_info(redis, "allocator_allocated", 0, before + MB);
    redisFree(redis);
    live_stop(live);
}

static void padding_that_can_never_fit_is_refused(void **state)
{
    redisContext *redis = live_connect(*state);
    assert_string_equal(live_text(redis, "FLUSHALL"), "OK");
    assert_string_equal(live_text(redis, "SET other v"), "OK");
    answer_is_error(redisCommand(redis, "SETRANGE k 500000000 x"),
                    "OOM command not allowed when used memory > 'maxmemory'.");
    answer_is_error(redisCommand(redis, "SETBIT k 4000000000 1"),
                    "OOM command not allowed when used memory > 'maxmemory'.");
    assert_int_equal(live_int(redis, "EXISTS k other"), 1);
    assert_string_equal(live_text(redis, "CONFIG SET proto-max-bulk-len 1mb"),
                        "OK");
    answer_is_error(redisCommand(redis, "SETRANGE k 1048576 x"), &TOO_LONG[1]);
    assert_int_equal(live_int(redis, "SETRANGE k 1048575 x"), MB);
    answer_is_error(redisCommand(redis, "SETBIT k 8388608 1"),
                    &NOT_BIT_OFFSET[1]);
    assert_int_equal(live_int(redis, "SETBIT k 8388607 1"), 0);
    assert_string_equal(live_text(redis, "CONFIG SET proto-max-bulk-len 512mb"),
                        "OK");
    redisFree(redis);
}

static void numbers_with_fractions_are_added(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"INCRBYFLOAT k 1.5", "$3\r\n1.5"},
        {"INCRBYFLOAT k 1.5", "$1\r\n3"},
        {"INCRBYFLOAT k -3", "$1\r\n0"},
        {"INCRBYFLOAT k 0.1", "$3\r\n0.1"},
        {"INCRBYFLOAT k 0.2", "$3\r\n0.3"},
        {"SET k 5.0e3 EX 1000", "+OK"},
        {"INCRBYFLOAT k 2.0e2", "$4\r\n5200"},
        {"TTL k", ":1000"},
        {"INCRBYFLOAT k 0x10", "$4\r\n5216"},
        {"INCRBYFLOAT k 1e-18", "$4\r\n5216"},
        {"INCRBYFLOAT k x", "-ERR value is not a valid float"},
        {"INCRBYFLOAT k \" 1\"", "-ERR value is not a valid float"},
        {"INCRBYFLOAT k nan", "-ERR value is not a valid float"},
        {"INCRBYFLOAT k inf", "-ERR increment would produce NaN or Infinity"},
        {"SET k text", "+OK"},
        {"INCRBYFLOAT k 1", "-ERR value is not a valid float"},
        {"GET k", "$4\r\ntext"},
    };
    TALK_CHECK(*state, rows);
    /* One that is longer than what lies in a cell, and back. */
    redisContext *redis = live_connect(*state);
    assert_string_equal(live_text(redis, "SET k 1e4900"), "OK");
    redisReply *reply = redisCommand(redis, "INCRBYFLOAT k 0");
    assert_int_equal(reply->type, REDIS_REPLY_STRING);
    assert_int_equal(reply->len, 4901);
    answer_is_bytes(redisCommand(redis, "GET k"), reply->str, reply->len);
    freeReplyObject(reply);
    assert_string_equal(live_text(redis, "INCRBYFLOAT k -1e4900"), "0");
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read),
        cmocka_unit_test(ranges_are_written),
        cmocka_unit_test(bits_are_read_and_written),
        cmocka_unit_test(long_values_are_read_and_written_in_parts),
        cmocka_unit_test(what_is_being_sent_does_not_change),
        cmocka_unit_test(who_goes_while_bits_are_counted_leaves_nothing),
        cmocka_unit_test(padding_that_can_never_fit_is_refused),
        cmocka_unit_test(numbers_with_fractions_are_added),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
