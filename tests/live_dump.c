/* SPDX-License-Identifier: BSD-3-Clause */
/* DUMP and RESTORE: what goes out comes back, and nothing else gets in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "server/crc64.h"
#include "tests/answer.h"
#include "tests/errors.h"
#include "tests/live.h"
#include "tests/rng.h"
#include "tests/sanitized.h"
#include "tests/talk.h"

enum { MB = 1 << 20, LONG = SANITIZED ? 3 * MB : 20 * MB };

#define CHECKSUM "ERR DUMP payload version or checksum are wrong"
#define FORMAT   "ERR Bad data format"

static redisReply *dump(redisContext *redis, const char *key)
{
    redisReply *reply = redisCommand(redis, "DUMP %s", key);
    assert_int_equal(reply->type, REDIS_REPLY_STRING);
    return reply;
}

static void restore_is(redisContext *redis, const char *bytes, size_t len,
                       const char *error)
{
    redisReply *reply =
        redisCommand(redis, "RESTORE made 0 %b REPLACE", bytes, len);
    if (error)
        answer_is_error(reply, error);
    else
        answer_is_ok(reply);
}

/* Of any length, and what looks like a number. */
static void what_goes_out_comes_back(void **state)
{
    static const char *const texts[] = {
        "",   "0",          "-1",          "127",         "128",
        "01", "2147483647", "-2147483648", "2147483648",  "-0",
        " 1", "1.5",        "hello",       "99999999999", "-32769",
    };
    static const size_t lens[] = {63,   64,    4071,  4072,   4073,
                                  8192, 16383, 16384, 100000, LONG};
    struct live *live = live_start("--maxmemory", "256mb", NULL);
    redisContext *redis = live_connect(live);
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t len = strlen(texts[i]);
        answer_is_ok(redisCommand(redis, "SET k %b", texts[i], len));
        redisReply *reply = dump(redis, "k");
        restore_is(redis, reply->str, reply->len, NULL);
        freeReplyObject(reply);
        answer_is_bytes(redisCommand(redis, "GET made"), texts[i], len);
    }
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        char *value = rng_bytes(lens[i]);
        answer_is_ok(redisCommand(redis, "SET k %b", value, lens[i]));
        redisReply *reply = dump(redis, "k");
        restore_is(redis, reply->str, reply->len, NULL);
        answer_is_bytes(redisCommand(redis, "GET made"), value, lens[i]);
        reply->str[reply->len / 2] ^= 1;
        restore_is(redis, reply->str, reply->len, CHECKSUM);
        freeReplyObject(reply);
        free(value);
    }
    redisFree(redis);
    live_stop(live);
}

/* A payload of these bytes, with the foot that belongs to them. */
static size_t payload(char *to, const char *body, size_t len, unsigned version)
{
    memcpy(to, body, len);
    to[len] = (char)version;
    to[len + 1] = (char)(version >> 8);
    uint64_t crc = crc64(0, to, len + 2);
    memcpy(to + len + 2, &crc, 8);
    return len + 10;
}

static void hostile_payloads_are_refused(void **state)
{
    static const struct {
        const char *body;
        size_t len;
    } rows[] = {
        {"", 0},           /* no type */
        {"\0", 1},         /* no length */
        {"\0\2a", 3},      /* longer than it is */
        {"\0\x0b", 2},     /* the foot is not a value */
        {"\0\1ab", 4},     /* more than it says */
        {"\1\1\1a", 4},    /* a list */
        {"\x12\1\2\1", 4}, /* another */
        {"\xff\1a", 3},    /* nothing that is known */
        {"\0\xc5", 2},     /* an encoding likewise */
        {"\0\x81\xff\xff\xff\xff\xff\xff\xff\xff", 10},
        {"\0\xc3\x02\x05\x20\x00", 6}, /* reaches back to nothing */
        {"\0\xc3\x04\x05\x02xyz", 8},  /* makes less than it says */
        {"\0\xc3\x04\x02\x02xyz", 8},  /* makes more */
        {"\0\xc3\x02\x81\xff\xff\xff\xff\xff\xff\xff\xff\x00x", 14},
    };
    redisContext *redis = live_connect(*state);
    char bytes[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len = payload(bytes, rows[i].body, rows[i].len, 10);
        restore_is(redis, bytes, len, FORMAT);
    }
    size_t len = payload(bytes, "\0\1a", 3, 11);
    restore_is(redis, bytes, len, CHECKSUM);
    len = payload(bytes, "\0\1a", 3, 1);
    restore_is(redis, bytes, len, NULL);
    for (size_t i = 0; i < len; i++)
        restore_is(redis, bytes, i, CHECKSUM);
    len = payload(bytes, "\0\xc3\x04\x03\x02xyz", 8, 10);
    restore_is(redis, bytes, len, NULL);
    assert_string_equal(live_text(redis, "GET made"), "xyz");
    redisFree(redis);
}

/* Half a megabyte for four bytes: what is made is long, what came is not. */
static void little_that_becomes_much_is_made_in_slices(void **state)
{
    enum { REPEATS = 20000, MADE = 1 + REPEATS * 264 };
    redisContext *redis = live_connect(*state);
    char *body = malloc(REPEATS * 3 + 64), *bytes = malloc(REPEATS * 3 + 80);
    size_t len = 0, packed = 2 + REPEATS * 3;
    memcpy(body, "\0\xc3\x80", 3);
    len = 3;
    for (int shift = 24; shift >= 0; shift -= 8)
        body[len++] = (char)(packed >> shift);
    body[len++] = (char)0x80;
    for (int shift = 24; shift >= 0; shift -= 8)
        body[len++] = (char)(MADE >> shift);
    memcpy(body + len, "\0z", 2);
    len += 2;
    for (int i = 0; i < REPEATS; i++) {
        memcpy(body + len, "\xe0\xff\x00", 3);
        len += 3;
    }
    len = payload(bytes, body, len, 10);
    restore_is(redis, bytes, len, NULL);
    assert_int_equal(live_int(redis, "STRLEN made"), MADE);
    redisReply *reply = redisCommand(redis, "GETRANGE made %d -1", MADE - 5);
    answer_is_bytes(reply, "zzzzz", 5);
    free(body);
    free(bytes);
    redisFree(redis);
}

static void options_are_those_of_redis(void **state)
{
    redisContext *redis = live_connect(*state);
    const char *const ten = "\0\xc0\x0a\x0a\0\x6e\x9f\x57\x45\x0e\xae\x63\xbb";
    live_text(redis, "FLUSHALL");
    answer_is_ok(redisCommand(redis, "RESTORE k 1000000 %b", ten, (size_t)13));
    assert_int_equal(live_int(redis, "TTL k"), 1000);
    assert_int_equal(live_int(redis, "INCR k"), 11);
    answer_is_error(redisCommand(redis, "RESTORE k 0 %b", ten, (size_t)13),
                    "BUSYKEY Target key name already exists.");
    answer_is_ok(
        redisCommand(redis, "RESTORE k 0 %b REPLACE", ten, (size_t)13));
    assert_int_equal(live_int(redis, "TTL k"), -1);
    answer_is_ok(redisCommand(redis,
                              "RESTORE k 4102444800000 %b ABSTTL "
                              "REPLACE IDLETIME 5",
                              ten, (size_t)13));
    assert_int_equal(live_int(redis, "EXPIRETIME k"), 4102444800);
    answer_is_ok(redisCommand(redis, "RESTORE k 1 %b ABSTTL REPLACE FREQ 255",
                              ten, (size_t)13));
    assert_int_equal(live_int(redis, "EXISTS k"), 0);
    answer_is_error(redisCommand(redis, "RESTORE k -1 %b", ten, (size_t)13),
                    "ERR Invalid TTL value, must be >= 0");
    answer_is_error(redisCommand(redis, "RESTORE k x %b", ten, (size_t)13),
                    &NOT_INT[1]);
    answer_is_error(
        redisCommand(redis, "RESTORE k 0 %b FREQ 256", ten, (size_t)13),
        "ERR Invalid FREQ value, must be >= 0 and <= 255");
    answer_is_error(
        redisCommand(redis, "RESTORE k 0 %b IDLETIME -1", ten, (size_t)13),
        "ERR Invalid IDLETIME value, must be >= 0");
    answer_is_error(redisCommand(redis, "RESTORE k 0 %b FREQ 1 IDLETIME 1", ten,
                                 (size_t)13),
                    &SYNTAX[1]);
    answer_is_error(redisCommand(redis, "RESTORE k 0 %b NOW", ten, (size_t)13),
                    &SYNTAX[1]);
    assert_int_equal(live_int(redis, "HSET h f v"), 1);
    answer_is_error(redisCommand(redis, "DUMP h"),
                    "ERR DUMP knows strings only");
    redisReply *reply = redisCommand(redis, "DUMP none");
    assert_int_equal(reply->type, REDIS_REPLY_NIL);
    freeReplyObject(reply);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_out_comes_back),
        cmocka_unit_test(hostile_payloads_are_refused),
        cmocka_unit_test(little_that_becomes_much_is_made_in_slices),
        cmocka_unit_test(options_are_those_of_redis),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
