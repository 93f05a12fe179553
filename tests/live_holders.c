/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client in the middle of a value larger than a budget that is lowered
 * meanwhile does not keep the server above it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
// cmocka wants the above first
#include <cmocka.h>

#include "tests/live.h"
#include "tests/sanitized.h"
#include "tests/talk.h"

enum { MB = 1 << 20, LARGE = 60 * MB, LOWER = 32 * MB };

static bool stores(redisContext *redis)
{
    redisReply *reply = redisCommand(redis, "SET other value");
    assert_non_null(reply);
    bool stored = reply->type == REDIS_REPLY_STATUS;
    freeReplyObject(reply);
    return stored;
}

/* Until the value has gone, by the books and from memory (where resident sizes
 * mean something), and others can store. */
static void others_have_room_again(struct live *live, redisContext *redis)
{
    live_await_info(redis, "used_memory", LARGE - MB, 200 * MB);
    assert_string_equal(live_text(redis, "CONFIG SET maxmemory 32mb"), "OK");
    for (;;) {
        bool stored = stores(redis);
        bool gone = live_info(redis, "used_memory") < LOWER &&
                    (SANITIZED || live_resident(live) <= LOWER);
        if (stored && gone)
            return;
    }
}

static void a_reader_that_does_not_read(void **state)
{
    (void)state;
    struct live *live =
        live_start("--maxmemory", "200mb", "--threads", "1", NULL);
    redisContext *redis = live_connect(live);
    char *value = malloc(LARGE);
    memset(value, 'v', LARGE);
    redisReply *reply = redisCommand(redis, "SET k %b", value, (size_t)LARGE);
    assert_int_equal(reply->type, REDIS_REPLY_STATUS);
    freeReplyObject(reply);
    int fd = live_socket(live);
    assert_true(live_send(fd, "GET k\r\n", 7));
    char first;
    assert_int_equal(live_read(fd, &first, 1), 1);
    others_have_room_again(live, redis);
    while (recv(fd, value, LARGE, 0) > 0)
        ; /* ends, because it was closed */
    close(fd);
    free(value);
    redisFree(redis);
    live_stop(live);
}

static void a_writer_that_stops(void **state)
{
    (void)state;
    struct live *live =
        live_start("--maxmemory", "200mb", "--threads", "1", NULL);
    redisContext *redis = live_connect(live);
    char *value = malloc(LARGE), line[64];
    memset(value, 'v', LARGE);
    struct talk talk = talk_open(live);
    int len = snprintf(line, sizeof line,
                       "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n", (int)LARGE);
    assert_true(live_send(talk.fd, line, (size_t)len));
    assert_true(live_send(talk.fd, value, LARGE - 1));
    others_have_room_again(live, redis);
    assert_true(live_send(talk.fd, "v\r\n", 3));
    struct resp *reply = resp_await(&talk.reader, talk.fd, 60000);
    assert_non_null(reply);
    assert_true(reply->raw_len > 4 && memcmp(reply->raw, "-OOM", 4) == 0);
    resp_free(reply);
    talk_says(&talk, "PING", "+PONG");
    talk_close(&talk);
    free(value);
    redisFree(redis);
    live_stop(live);
}

/* Each of them has the beginning of a value, in a slab that others filled and
 * emptied again. */
static void many_that_hold_little(void **state)
{
    (void)state;
    enum { WRITERS = 240, BETWEEN = 7, LEN = 9000 };
    struct live *live =
        live_start("--maxmemory", "200mb", "--threads", "1", NULL);
    redisContext *redis = live_connect(live);
    int fds[WRITERS];
    char *value = calloc(1, LEN);
    for (int i = 0; i < WRITERS; i++) {
        char line[64];
        int len = snprintf(line, sizeof line,
                           "*3\r\n$3\r\nSET\r\n$1\r\nw\r\n$%d\r\n", (int)LEN);
        fds[i] = live_socket(live);
        assert_true(live_send(fds[i], line, (size_t)len));
        assert_true(live_send(fds[i], value, LEN - 1));
        for (int k = 0; k < BETWEEN; k++)
            freeReplyObject(redisCommand(redis, "SET k%d %b", i * BETWEEN + k,
                                         value, (size_t)LEN));
    }
    for (int i = 0; i < WRITERS * BETWEEN; i++)
        freeReplyObject(redisCommand(redis, "DEL k%d", i));
    assert_string_equal(live_text(redis, "CONFIG SET maxmemory 16mb"), "OK");
    live_await_info(redis, "used_memory_rss", 0, 16 * MB);
    while (!stores(redis))
        ; /* until nothing is above the limit */
    for (int i = 0; i < WRITERS; i++) {
        assert_true(live_send(fds[i], "v\r\n", 3));
        char reply[5];
        assert_int_equal(live_read(fds[i], reply, sizeof reply), sizeof reply);
        assert_memory_equal(reply, "+OK\r\n", sizeof reply);
        close(fds[i]);
    }
    free(value);
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_that_hold_little),
        cmocka_unit_test(a_reader_that_does_not_read),
        cmocka_unit_test(a_writer_that_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
