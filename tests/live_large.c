/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Long values through a running server: every size about an edge up to 64 MiB,
 * replaced and removed while they are being sent, given up while they are
 * being received, and refused when they could never fit.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/answer.h"
#include "tests/live.h"
#include "tests/rng.h"
#include "tests/sanitized.h"

enum {
    KB = 1 << 10,
    MB = 1 << 20,
    LEN_MAX = 64 * MB,
    LEN_EDGE = SANITIZED ? MB + 8 : LEN_MAX, /* longest of those at edges */
};

/* Two values as long as any: byte i of one differs from byte i of the other. */
static char *values[2];

static void make_values(void)
{
    for (unsigned v = 0; v < 2; v++) {
        values[v] = malloc(LEN_MAX + 8);
        assert_non_null(values[v]);
        for (size_t i = 0; i < LEN_MAX; i += 8) {
            uint64_t word = rng_mix(i) ^ (v ? UINT64_MAX : 0);
            memcpy(values[v] + i, &word, sizeof word);
        }
    }
}

static void set(redisContext *redis, const char *key, unsigned v, size_t len)
{
    answer_is_ok(redisCommand(redis, "SET %s %b", key, values[v], len));
}

static struct live *start(redisContext **redis, const char *budget)
{
    struct live *live = live_start("--maxmemory", budget, NULL);
    *redis = live_connect(live);
    return live;
}

static void stop(struct live *live, redisContext *redis)
{
    /* Whatever happened, it serves. */
    assert_string_equal(live_text(redis, "PING"), "PONG");
    redisFree(redis);
    live_stop(live);
}

/* ------------------------------------------------------------------- sizes */

static void there_and_back(redisContext *redis, size_t len)
{
    set(redis, "k", 0, len);
    answer_is_bytes(redisCommand(redis, "GET k"), values[0], len);
    assert_int_equal(live_int(redis, "STRLEN k"), len);
    answer_is_bytes(redisCommand(redis, "GETSET k %b", values[1], len),
                    values[0], len);
    answer_is_bytes(redisCommand(redis, "SET k %b GET", values[0], len),
                    values[1], len);
    assert_int_equal(live_int(redis, "SETNX k %b", values[1], len), 0);
    answer_is_ok(redisCommand(redis, "SETEX k 1000 %b", values[1], len));
    assert_int_equal(live_int(redis, "PERSIST k"), 1);
    answer_is_bytes(redisCommand(redis, "GETDEL k"), values[1], len);
    assert_int_equal(live_int(redis, "EXISTS k"), 0);
}

static void every_size_comes_back(void **state)
{
    static const size_t edges[] = {4 * KB,   8 * KB, 16 * KB, 32 * KB, 64 * KB,
                                   128 * KB, MB,     8 * MB,  64 * MB};
    (void)state;
    redisContext *redis;
    struct live *live = start(&redis, SANITIZED ? "4gb" : "300mb");
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (size_t by = 0; by <= 48; by += edges[i] > MB ? 20 : 4)
            if (edges[i] - 40 + by <= LEN_EDGE)
                there_and_back(redis, edges[i] - 40 + by);
    struct rng rng = {test_seed()};
    for (unsigned i = 0; i < (SANITIZED ? 10 : 100); i++)
        there_and_back(redis, 4000 + rng_skewed(&rng, MB));
    stop(live, redis);
}

static void long_values_are_appended_to(void **state)
{
    static const size_t lens[] = {10, 4000,  60, 5000,   70000,  1,
                                  MB, 65536, 3,  4 * MB, 300000, 12345};
    (void)state;
    redisContext *redis;
    struct live *live = start(&redis, SANITIZED ? "4gb" : "200mb");
    size_t len = 0;
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        assert_int_equal(
            live_int(redis, "APPEND k %b", values[0] + len, lens[i]),
            len + lens[i]);
        len += lens[i];
        answer_is_bytes(redisCommand(redis, "GET k"), values[0], len);
    }
    stop(live, redis);
}

static void several_come_in_one_reply(void **state)
{
    (void)state;
    redisContext *redis;
    struct live *live = start(&redis, SANITIZED ? "4gb" : "1gb");
    redisReply *reply =
        redisCommand(redis, "MSET a %b b %b c %b", values[0], (size_t)5 * MB,
                     values[1], (size_t)100, values[1], (size_t)300 * KB);
    answer_is_ok(reply);
    reply = redisCommand(redis, "MGET a none b c a");
    assert_int_equal(reply->elements, 5);
    assert_int_equal(reply->element[1]->type, REDIS_REPLY_NIL);
    assert_int_equal(reply->element[0]->len, 5 * MB);
    assert_true(memcmp(reply->element[0]->str, values[0], 5 * MB) == 0);
    assert_int_equal(reply->element[4]->len, 5 * MB);
    assert_true(memcmp(reply->element[4]->str, values[0], 5 * MB) == 0);
    assert_int_equal(reply->element[3]->len, 300 * KB);
    assert_true(memcmp(reply->element[3]->str, values[1], 300 * KB) == 0);
    freeReplyObject(reply);
    stop(live, redis);
}

/* ----------------------------------------------------- while being sent */

/* A request that fits into half of what clients may use comes through, though
 * a buffer twice its size would not. */
static void a_long_request_needs_no_more_than_itself(void **state)
{
    (void)state;
    redisContext *redis;
    struct live *live = start(&redis, "200mb");
    redisReply *reply =
        redisCommand(redis, "MSET a %b b y", values[0], (size_t)4 * MB);
    answer_is_ok(reply);
    assert_int_equal(live_int(redis, "STRLEN a"), 4 * MB);
    stop(live, redis);
}

/* The input of a long request is moved while it grows, some at a time: with all
 * that was sent before it. */
static void a_request_of_many_values_comes_whole(void **state)
{
    enum { PAIRS = 1200, LEN = 3001, BEFORE = 500 };
    (void)state;
    redisContext *redis;
    struct live *live = start(&redis, "512mb");
    redisContext *many = live_connect(live);
    for (int i = 0; i < BEFORE; i++)
        redisAppendCommand(many, "SET before %d", i);
    const char **argv = malloc((1 + 2 * PAIRS) * sizeof *argv);
    size_t *lens = malloc((1 + 2 * PAIRS) * sizeof *lens);
    char(*keys)[16] = malloc(PAIRS * sizeof *keys);
    assert_true(argv && lens && keys);
    argv[0] = "MSET";
    lens[0] = 4;
    for (size_t i = 0; i < PAIRS; i++) {
        argv[1 + 2 * i] = keys[i];
        lens[1 + 2 * i] = (size_t)snprintf(keys[i], 16, "pair:%zu", i);
        argv[2 + 2 * i] = values[0] + i * LEN;
        lens[2 + 2 * i] = LEN;
    }
    redisAppendCommandArgv(many, 1 + 2 * PAIRS, argv, lens);
    for (int i = 0; i <= BEFORE; i++) {
        redisReply *reply;
        assert_int_equal(redisGetReply(many, (void **)&reply), REDIS_OK);
        answer_is_ok(reply);
    }
    for (size_t i = 0; i < PAIRS; i++) {
        redisReply *reply = redisCommand(redis, "GET %s", keys[i]);
        assert_non_null(reply);
        assert_int_equal(reply->len, LEN);
        assert_memory_equal(reply->str, values[0] + i * LEN, LEN);
        freeReplyObject(reply);
    }
    assert_string_equal(live_text(redis, "GET before"), "499");
    redisFree(many);
    live_await_info(redis, "connected_clients", 1, 1);
    live_await_info(redis, "ebb_client_pool_used_bytes", 0, MB);
    free(keys);
    free(lens);
    free(argv);
    stop(live, redis);
}

/* Reads "$len\r\n". */
static void must_begin(int fd, size_t len)
{
    char expected[32], got[32];
    size_t digits = (size_t)sprintf(expected, "$%zu\r\n", len);
    assert_int_equal(live_read(fd, got, digits), digits);
    assert_memory_equal(got, expected, digits);
}

/* Asks for a value, lets something happen to it before reading on, and must
 * read what it was. */
static void sent_whole(struct live *live, redisContext *redis, size_t len,
                       const char *happens)
{
    char *got = malloc(len + 2);
    assert_non_null(got);
    set(redis, "k", 0, len);
    int fd = live_socket(live);
    assert_true(live_send(fd, "GET k\r\n", 7));
    must_begin(fd, len);
    if (happens)
        freeReplyObject(redisCommand(redis, happens));
    else
        set(redis, "k", 1, len);
    /* What was freed is used again. */
    for (unsigned i = 0; i < 40; i++)
        freeReplyObject(redisCommand(redis, "SET other:%u %b", i, values[1],
                                     (size_t)100 * KB));
    assert_int_equal(live_read(fd, got, len + 2), len + 2);
    assert_true(memcmp(got, values[0], len) == 0);
    assert_memory_equal(got + len, "\r\n", 2);
    assert_true(live_send(fd, "PING\r\n", 6));
    assert_int_equal(live_read(fd, got, 7), 7);
    assert_memory_equal(got, "+PONG\r\n", 7);
    close(fd);
    free(got);
}

static void what_is_being_sent_stays_whole(void **state)
{
    static const char *const happens[] = {
        NULL,           "DEL k",
        "FLUSHALL",     "PEXPIRE k 0",
        "SET k short",  "APPEND k more",
        "FLUSHDB SYNC", "CONFIG SET maxmemory 32mb"};
    (void)state;
    redisContext *redis;
    struct live *live = start(&redis, SANITIZED ? "4gb" : "256mb");
    for (size_t i = 0; i < sizeof happens / sizeof *happens; i++) {
        sent_whole(live, redis, 8 * MB + 1234, happens[i]);
        sent_whole(live, redis, 700 * KB, happens[i]);
    }
    stop(live, redis);
}

/* ------------------------------------------------------- while received */

static void clients_give_up_in_the_middle(void **state)
{
    (void)state;
    redisContext *redis;
    struct live *live = start(&redis, SANITIZED ? "4gb" : "64mb");
    set(redis, "k", 0, 100);
    for (unsigned i = 0; i < 20; i++) {
        char head[64];
        size_t len = (size_t)sprintf(
            head, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%u\r\n", 20 * MB);
        int fd = live_socket(live);
        assert_true(live_send(fd, head, len));
        assert_true(live_send(fd, values[1], (size_t)(10 + i % 5) * MB));
        close(fd);
    }
    live_await_info(redis, "connected_clients", 1, 1);
    /* They left nothing behind: there is room for one that needs most of it. */
    set(redis, "large", 1, 40 * MB);
    answer_is_bytes(redisCommand(redis, "GET large"), values[1], 40 * MB);
    stop(live, redis);
}

/* Several at once, in turns, each value in pieces. */
static void values_arrive_side_by_side(void **state)
{
    enum { CLIENTS = 5, LEN = 3 * MB + 77, PIECE = 40000 };
    (void)state;
    redisContext *redis;
    struct live *live = start(&redis, SANITIZED ? "4gb" : "64mb");
    int fds[CLIENTS];
    for (unsigned i = 0; i < CLIENTS; i++) {
        char head[64];
        size_t len = (size_t)sprintf(
            head, "*3\r\n$3\r\nSET\r\n$2\r\nk%u\r\n$%u\r\n", i, LEN);
        fds[i] = live_socket(live);
        assert_true(live_send(fds[i], head, len));
    }
    for (size_t at = 0; at < LEN; at += PIECE)
        for (unsigned i = 0; i < CLIENTS; i++)
            assert_true(live_send(fds[i], values[i % 2] + at,
                                  at + PIECE < LEN ? PIECE : LEN - at));
    for (unsigned i = 0; i < CLIENTS; i++) {
        char got[5];
        char key[8];
        assert_true(live_send(fds[i], "\r\n", 2));
        assert_int_equal(live_read(fds[i], got, 5), 5);
        assert_memory_equal(got, "+OK\r\n", 5);
        close(fds[i]);
        sprintf(key, "k%u", i);
        answer_is_bytes(redisCommand(redis, "GET %s", key), values[i % 2], LEN);
    }
    stop(live, redis);
}

/* -------------------------------------------------------------- too large */

static void what_never_fits_takes_no_memory(void **state)
{
    enum { KEYS = 5000, LEN = 100 * MB };
    static const char *const heads[] = {
        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$104857600\r\n",
        "*4\r\n$5\r\nSETEX\r\n$1\r\nk\r\n$3\r\n100\r\n$104857600\r\n",
        "*3\r\n$6\r\nGETSET\r\n$1\r\nk\r\n$104857600\r\n",
        "*3\r\n$5\r\nSETNX\r\n$1\r\nn\r\n$104857600\r\n",
    };
    (void)state;
    if (SANITIZED)
        return;
    redisContext *redis;
    struct live *live = start(&redis, "64mb");
    for (unsigned i = 0; i < KEYS; i++)
        redisAppendCommand(redis, "SET key:%u %b", i, values[0], (size_t)1000);
    answers_are_ok(redis, KEYS);
    live_peak_reset(live);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        int fd = live_socket(live);
        char got[64];
        assert_true(live_send(fd, heads[i], strlen(heads[i])));
        for (size_t sent = 0; sent < LEN; sent += 50 * MB)
            assert_true(live_send(fd, values[1], 50 * MB));
        assert_true(live_send(fd, "\r\nPING\r\n", 8));
        assert_int_equal(live_read(fd, got, 5), 5);
        assert_memory_equal(got, "-OOM ", 5);
        while (live_read(fd, got, 1) == 1 && got[0] != '\n')
            ;
        /* The connection goes on, in step. */
        assert_int_equal(live_read(fd, got, 7), 7);
        assert_memory_equal(got, "+PONG\r\n", 7);
        close(fd);
    }
    assert_int_equal(live_int(redis, "DBSIZE"), KEYS);
    assert_int_equal(live_info(redis, "evicted_keys"), 0);
    assert_true(live_peak(live) <= 64 * MB);
    stop(live, redis);
}

/* Far more of them than fit: the memory is kept, and the last one is there. */
static void long_values_push_each_other_out(void **state)
{
    (void)state;
    redisContext *redis;
    struct live *live = start(&redis, "64mb");
    struct rng rng = {test_seed()};
    live_peak_reset(live);
    for (unsigned i = 0; i < (SANITIZED ? 40 : 400); i++) {
        size_t len = 4 * KB + rng_skewed(&rng, 6 * MB);
        set(redis, i % 3 ? "again" : "k", i % 2, len);
        answer_is_ok(
            redisCommand(redis, "SET key:%u %b", i, values[i % 2], len));
        if (!SANITIZED)
            answer_is_bytes(redisCommand(redis, "GET key:%u", i), values[i % 2],
                            len);
    }
    if (!SANITIZED) {
        assert_true(live_info(redis, "evicted_keys") > 0);
        assert_true(live_peak(live) <= 64 * MB);
    }
    stop(live, redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_comes_back),
        cmocka_unit_test(long_values_are_appended_to),
        cmocka_unit_test(several_come_in_one_reply),
        cmocka_unit_test(a_long_request_needs_no_more_than_itself),
        cmocka_unit_test(a_request_of_many_values_comes_whole),
        cmocka_unit_test(what_is_being_sent_stays_whole),
        cmocka_unit_test(clients_give_up_in_the_middle),
        cmocka_unit_test(values_arrive_side_by_side),
        cmocka_unit_test(what_never_fits_takes_no_memory),
        cmocka_unit_test(long_values_push_each_other_out),
    };
    make_values();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(values[0]);
    free(values[1]);
    return failed;
}
