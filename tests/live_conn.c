/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of a running server: framing, pipelines, long values, ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/live.h"

/* Sends the bytes and expects exactly this, then the end of the stream. */
static void closes_with(struct live *live, const char *bytes, size_t len,
                        const char *reply)
{
    int fd = live_socket(live);
    assert_true(live_send(fd, bytes, len));
    assert_string_equal(live_read_all(fd), reply);
    close(fd);
}

/* Sends the text, half closes, and expects this. */
static void answers(struct live *live, const char *text, const char *reply)
{
    int fd = live_socket(live);
    assert_true(live_send(fd, text, strlen(text)));
    shutdown(fd, SHUT_WR);
    assert_string_equal(live_read_all(fd), reply);
    close(fd);
}

static void bad_framing_closes_only_its_client(void **state)
{
    static const struct {
        const char *bytes, *reply;
    } cases[] = {
        {"*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
        {"*1\r\n:4\r\n", "-ERR Protocol error: expected '$', got ':'\r\n"},
        {"PING\r\n*1\r\n$-1\r\nPING\r\n",
         "+PONG\r\n-ERR Protocol error: invalid bulk length\r\n"},
        {"SET k \"a\r\n",
         "-ERR Protocol error: unbalanced quotes in request\r\n"},
        {"%1\r\n", "-ERR Protocol error: unexpected byte\r\n"},
    };
    redisContext *other = live_connect(*state);
    long long before = live_info(other, "ebb_client_closed_protocol");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        closes_with(*state, cases[i].bytes, strlen(cases[i].bytes),
                    cases[i].reply);
        assert_string_equal(live_text(other, "PING"), "PONG");
    }
    assert_int_equal(live_info(other, "ebb_client_closed_protocol") - before,
                     sizeof cases / sizeof *cases);
    redisFree(other);
}

/* A stream that was refused while its client goes on to send. */
static int refused(struct live *live, redisContext *other)
{
    long long before = live_info(other, "ebb_client_closed_protocol");
    int fd = live_socket(live);
    assert_true(live_send(fd, "*x\r\n", 4));
    live_await_info(other, "ebb_client_closed_protocol", before + 1,
                    before + 1);
    return fd;
}

static void who_sends_more_still_reads_the_error(void **state)
{
    enum { MORE = 1 << 20 };
    redisContext *other = live_connect(*state);
    char *more = calloc(1, MORE);
    assert_non_null(more);
    for (int i = 0; i < 10; i++) {
        int fd = refused(*state, other);
        assert_true(live_send(fd, more, MORE));
        assert_string_equal(
            live_read_all(fd),
            "-ERR Protocol error: invalid multibulk length\r\n");
        close(fd);
    }
    live_await_info(other, "connected_clients", 1, 1);
    free(more);
    redisFree(other);
}

static void who_was_refused_does_not_stay(void **state)
{
    redisContext *other = live_connect(*state);
    int silent = refused(*state, other), busy = refused(*state, other);
    char more[4096] = {0};
    while (live_send(busy, more, sizeof more))
        ;
    live_await_info(other, "connected_clients", 1, 1);
    close(busy);
    close(silent);
    redisFree(other);
}

static void strangers_are_hung_up_on(void **state)
{
    closes_with(*state, "POST / HTTP/1.1\r\n", 17, "");
    closes_with(*state, "Host: x\r\nSET k v\r\n", 18, "");
    closes_with(*state, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, "");
    closes_with(*state, "PUT /a HTTP/1.0\r\n", 17, "");
    answers(*state, "SET version HTTP/1.1\r\n", "+OK\r\n");
    closes_with(*state, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, "");
}

static void empty_requests_are_skipped(void **state)
{
    answers(*state, "\r\n*0\r\n*-1\r\n\r\nPING\r\n", "+PONG\r\n");
}

static void what_follows_quit_is_not_run(void **state)
{
    redisContext *other = live_connect(*state);
    closes_with(*state, "SET quit 1\r\nQUIT\r\nSET quit 2\r\n", 30,
                "+OK\r\n+OK\r\n");
    assert_string_equal(live_text(other, "GET quit"), "1");
    redisFree(other);
}

static void a_half_closed_pipeline_is_answered(void **state)
{
    answers(*state,
            "PING\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\nPING x\r\n*1\r\n$4\r\nPI",
            "+PONG\r\n$2\r\nhi\r\n$1\r\nx\r\n");
}

static void replies_can_be_turned_off(void **state)
{
    answers(*state,
            "CLIENT REPLY OFF\r\nPING\r\nGET nobody\r\nCLIENT REPLY ON\r\n"
            "PING\r\n",
            "+OK\r\n+PONG\r\n");
    answers(*state, "CLIENT REPLY SKIP\r\nPING\r\nPING a\r\n", "$1\r\na\r\n");
}

static void requests_may_come_byte_by_byte(void **state)
{
    static const char text[] = "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$5\r\nhello\r\n"
                               "GET b\r\n";
    static const char wanted[] = "+OK\r\n$5\r\nhello\r\n";
    char got[sizeof wanted] = "";
    int fd = live_socket(*state);
    redisContext *other = live_connect(*state);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        assert_true(live_send(fd, text + i, 1));
        /* Its answer shows that the byte before it was most likely read. */
        assert_string_equal(live_text(other, "PING"), "PONG");
    }
    assert_int_equal(live_read(fd, got, sizeof got - 1), sizeof got - 1);
    assert_string_equal(got, wanted);
    close(fd);
    redisFree(other);
}

/* -------------------------------------------------------------- pipelines */

struct sender {
    int fd;
    const char *bytes;
    size_t len;
    bool sent;
};

static void *send_all(void *ctx)
{
    struct sender *sender = ctx;
    sender->sent = live_send(sender->fd, sender->bytes, sender->len);
    return NULL;
}

/* Sends and reads at the same time; the replies must be these bytes. */
static void exchange(struct live *live, const char *bytes, size_t len,
                     const char *wanted, size_t wanted_len)
{
    struct sender sender = {live_socket(live), bytes, len, false};
    char *got = malloc(wanted_len);
    pthread_t thread;
    assert_non_null(got);
    assert_int_equal(pthread_create(&thread, NULL, send_all, &sender), 0);
    assert_int_equal(live_read(sender.fd, got, wanted_len), wanted_len);
    pthread_join(thread, NULL);
    assert_true(sender.sent);
    assert_memory_equal(got, wanted, wanted_len);
    free(got);
    close(sender.fd);
}

static void a_pipeline_of_100000_is_answered_in_order(void **state)
{
    enum { COUNT = 100000 };
    char *bytes = malloc(COUNT * 64), *wanted = malloc(COUNT * 64);
    size_t len = 0, wanted_len = 0;
    assert_non_null(bytes);
    assert_non_null(wanted);
    for (int i = 0; i < COUNT; i++) {
        len += (size_t)sprintf(bytes + len,
                               "*2\r\n$4\r\nECHO\r\n$6\r\n%06d\r\n", i);
        wanted_len += (size_t)sprintf(wanted + wanted_len, "$6\r\n%06d\r\n", i);
    }
    exchange(*state, bytes, len, wanted, wanted_len);
    free(bytes);
    free(wanted);
}

/* Values of many lengths around the places where they are treated
 * differently, written and read in one pipeline. */
static void values_of_all_lengths_come_back(void **state)
{
    static const size_t lens[] = {0,     1,      4071,   4072,    4073,   8191,
                                  8192,  16384,  16385,  65534,   65536,  65600,
                                  70000, 131072, 200000, 1000000, 3000001};
    enum { COUNT = sizeof lens / sizeof *lens };
    size_t total = 0, len = 0, wanted_len = 0;
    for (size_t i = 0; i < COUNT; i++)
        total += lens[i] + 128;
    char *bytes = malloc(total), *wanted = malloc(total);
    assert_non_null(bytes);
    assert_non_null(wanted);
    for (size_t i = 0; i < COUNT; i++) {
        len += (size_t)sprintf(bytes + len,
                               "*3\r\n$3\r\nSET\r\n$3\r\nl%02zu\r\n$%zu\r\n", i,
                               lens[i]);
        wanted_len +=
            (size_t)sprintf(wanted + wanted_len, "+OK\r\n$%zu\r\n", lens[i]);
        for (size_t j = 0; j < lens[i]; j++)
            bytes[len + j] = wanted[wanted_len + j] = (char)(j * 31 + i);
        len += lens[i];
        wanted_len += lens[i];
        len += (size_t)sprintf(bytes + len, "\r\nGET l%02zu\r\n", i);
        wanted_len += (size_t)sprintf(wanted + wanted_len, "\r\n");
    }
    exchange(*state, bytes, len, wanted, wanted_len);
    free(bytes);
    free(wanted);
}

/* Commands on thousands of keys are done in slices, with other clients in
 * between: their arguments, and the pipeline behind them, must be kept. */
static void long_commands_in_a_pipeline_keep_their_arguments(void **state)
{
    enum { KEYS = 5000, ROUNDS = 3 };
    char *bytes = malloc(ROUNDS * KEYS * 64),
         *wanted = malloc(ROUNDS * KEYS * 32);
    size_t len = 0, wanted_len = 0;
    assert_non_null(bytes);
    assert_non_null(wanted);
    for (int round = 0; round < ROUNDS; round++) {
        len +=
            (size_t)sprintf(bytes + len, "*%d\r\n$4\r\nMSET\r\n", 2 * KEYS + 1);
        for (int i = 0; i < KEYS; i++)
            len += (size_t)sprintf(bytes + len, "$7\r\nm%06d\r\n$6\r\n%06d\r\n",
                                   i, i + round);
        len += (size_t)sprintf(bytes + len, "*%d\r\n$4\r\nMGET\r\n", KEYS + 1);
        wanted_len +=
            (size_t)sprintf(wanted + wanted_len, "+OK\r\n*%d\r\n", KEYS);
        for (int i = 0; i < KEYS; i++) {
            len += (size_t)sprintf(bytes + len, "$7\r\nm%06d\r\n", i);
            wanted_len += (size_t)sprintf(wanted + wanted_len, "$6\r\n%06d\r\n",
                                          i + round);
        }
        len += (size_t)sprintf(bytes + len, "ECHO %d\r\n", round);
        wanted_len +=
            (size_t)sprintf(wanted + wanted_len, "$1\r\n%d\r\n", round);
    }
    exchange(*state, bytes, len, wanted, wanted_len);
    free(bytes);
    free(wanted);
}

/* A value that can never fit is refused, its bytes are skipped, what follows
 * is run, and nothing is evicted for it. */
static void a_value_that_cannot_fit_is_refused(void **state)
{
    enum { HUGE_LEN = 70 << 20 };
    static const char head[] = "*3\r\n$3\r\nSET\r\n$4\r\nhuge\r\n$73400320\r\n";
    static const char tail[] = "\r\nGET small\r\n";
    static const char wanted[] = "-OOM command not allowed when used memory > "
                                 "'maxmemory'.\r\n$5\r\nvalue\r\n";
    redisContext *redis = live_connect(*state);
    assert_string_equal(live_text(redis, "SET small value"), "OK");
    long long evicted = live_info(redis, "evicted_keys");
    char *bytes = calloc(1, HUGE_LEN + 128);
    assert_non_null(bytes);
    memcpy(bytes, head, sizeof head - 1);
    memcpy(bytes + sizeof head - 1 + HUGE_LEN, tail, sizeof tail - 1);
    exchange(*state, bytes, sizeof head - 1 + HUGE_LEN + sizeof tail - 1,
             wanted, sizeof wanted - 1);
    free(bytes);
    assert_int_equal(live_info(redis, "evicted_keys"), evicted);
    assert_int_equal(live_int(redis, "EXISTS huge"), 0);
    redisFree(redis);
}

/* A client that ends in the middle of a long value leaves nothing behind. */
static void an_unfinished_value_is_forgotten(void **state)
{
    static const char head[] = "*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$9000000\r\n";
    redisContext *redis = live_connect(*state);
    char *bytes = calloc(1, 5000000);
    assert_non_null(bytes);
    memcpy(bytes, head, sizeof head - 1);
    int fd = live_socket(*state);
    assert_true(live_send(fd, bytes, 5000000));
    shutdown(fd, SHUT_WR);
    assert_string_equal(live_read_all(fd), "");
    close(fd);
    free(bytes);
    assert_int_equal(live_int(redis, "EXISTS half"), 0);
    live_await_info(redis, "connected_clients", 1, 1);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_framing_closes_only_its_client),
        cmocka_unit_test(who_sends_more_still_reads_the_error),
        cmocka_unit_test(who_was_refused_does_not_stay),
        cmocka_unit_test(strangers_are_hung_up_on),
        cmocka_unit_test(empty_requests_are_skipped),
        cmocka_unit_test(what_follows_quit_is_not_run),
        cmocka_unit_test(a_half_closed_pipeline_is_answered),
        cmocka_unit_test(replies_can_be_turned_off),
        cmocka_unit_test(requests_may_come_byte_by_byte),
        cmocka_unit_test(a_pipeline_of_100000_is_answered_in_order),
        cmocka_unit_test(values_of_all_lengths_come_back),
        cmocka_unit_test(long_commands_in_a_pipeline_keep_their_arguments),
        cmocka_unit_test(a_value_that_cannot_fit_is_refused),
        cmocka_unit_test(an_unfinished_value_is_forgotten),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
