/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients that ask too much of a running server: those that do not read, are
 * too slow, or idle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/answer.h"
#include "tests/live.h"
#include "tests/sanitized.h"

enum { VALUE = 10000 };

/* Keys v0 to v<count-1>, each of VALUE bytes. */
static void fill(redisContext *redis, int count)
{
    static char value[VALUE];
    memset(value, 'v', sizeof value);
    for (int i = 0; i < count; i++)
        redisAppendCommand(redis, "SET v%d %b", i, value, sizeof value);
    answers_are_ok(redis, (size_t)count);
}

/* Asks for far more than any socket holds, and does not read. */
static void ask_much(int fd, int keys)
{
    enum { REQUESTS = 2000 };
    char requests[REQUESTS * 16];
    size_t len = 0;
    for (int i = 0; i < REQUESTS; i++)
        len += (size_t)sprintf(requests + len, "GET v%d\r\n", i % keys);
    assert_true(live_send(fd, requests, len));
}

static void a_client_that_does_not_read_waits(void **state)
{
    enum { KEYS = 2000, REQUESTS = 20000 };
    (void)state;
    struct live *live = live_start("--maxmemory", "64mb", NULL);
    redisContext *other = live_connect(live);
    fill(other, KEYS);
    long long keys = live_int(other, "DBSIZE");
    long long evicted = live_info(other, "evicted_keys");

    static char request[REQUESTS * 32];
    size_t len = 0;
    for (int i = 0; i < REQUESTS; i++)
        len += (size_t)sprintf(request + len, "GET v%d\r\n", i % KEYS);
    int fd = live_socket(live);
    size_t sent = 0;
    ssize_t n;
    while (sent < len &&
           (n = send(fd, request + sent, len - sent, MSG_DONTWAIT)) > 0)
        sent += (size_t)n;

    /* It is served up to the mark and no further, and others are served. */
    live_await_info(other, "ebb_client_pool_used_bytes", 64 << 10, 1 << 20);
    assert_string_equal(live_text(other, "PING"), "PONG");
    assert_string_equal(live_text(other, "SET another 1"), "OK");
    assert_int_equal(live_int(other, "DBSIZE"), keys + 1);
    assert_int_equal(live_info(other, "evicted_keys"), evicted);

    /* Once it reads, everything comes, in order. */
    size_t whole = 0;
    for (size_t i = 0; i < sent; i++)
        whole += request[i] == '\n';
    shutdown(fd, SHUT_WR);
    static char reply[VALUE + 16];
    for (size_t i = 0; i < whole; i++) {
        size_t reply_len = strlen("$10000\r\n") + VALUE + 2;
        assert_int_equal(live_read(fd, reply, reply_len), reply_len);
        assert_memory_equal(reply, "$10000\r\nvvvv", 12);
        assert_memory_equal(reply + reply_len - 3, "v\r\n", 3);
    }
    close(fd);
    redisFree(other);
    live_stop(live);
}

static void many_clients_that_do_not_read_cost_no_key(void **state)
{
    enum { CLIENTS = 200, KEYS = 4000 };
    int fds[CLIENTS];
    (void)state;
    struct live *live = live_start("--maxmemory", "128mb", NULL);
    redisContext *other = live_connect(live);
    fill(other, KEYS);
    long long keys = live_int(other, "DBSIZE");
    live_peak_reset(live);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = live_socket(live);
        ask_much(fds[i], KEYS);
    }
    for (int i = 0; i < 100; i++)
        assert_string_equal(live_text(other, "PING"), "PONG");
    assert_int_equal(live_int(other, "DBSIZE"), keys);
    assert_int_equal(live_info(other, "evicted_keys"), 0);
    long long limit = live_info(other, "ebb_client_pool_bytes");
    assert_true(live_info(other, "ebb_client_pool_used_bytes") <= limit);
    if (!SANITIZED)
        assert_true(live_peak(live) <= 128 << 20);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    live_await_info(other, "connected_clients", 1, 1);
    live_await_info(other, "ebb_client_pool_used_bytes", 1, 64 << 10);
    redisFree(other);
    live_stop(live);
}

static void a_reply_beyond_the_limit_comes_in_parts(void **state)
{
    (void)state;
    struct live *live =
        live_start("--maxmemory", "512mb", "--output-limit", "1mb", NULL);
    redisContext *redis = live_connect(live);
    redisContext *other = live_connect(live);
    enum { LEN = 3 << 20 };
    char *text = malloc(LEN);
    assert_non_null(text);
    memset(text, 'x', LEN);
    redisReply *reply = redisCommand(redis, "ECHO %b", text, (size_t)LEN);
    assert_non_null(reply);
    assert_int_equal(reply->len, LEN);
    assert_memory_equal(reply->str, text, LEN);
    freeReplyObject(reply);
    free(text);
    assert_int_equal(live_info(other, "ebb_client_closed_output"), 0);
    assert_string_equal(live_text(other, "PING"), "PONG");
    redisFree(redis);
    redisFree(other);
    live_stop(live);
}

/* --------------------------------------------------------------- timeouts */

static void idle_clients_are_closed(void **state)
{
    (void)state;
    struct live *live = live_start("--timeout", "1", NULL);
    int fd = live_socket(live);
    assert_string_equal(live_read_all(fd), "");
    close(fd);
    redisContext *redis = live_connect(live);
    assert_int_equal(live_info(redis, "ebb_client_closed_idle"), 1);
    redisFree(redis);
    live_stop(live);
}

static void unfinished_requests_are_closed(void **state)
{
    static const char *const cases[] = {
        "*2\r\n$3\r\nGET\r\n$100\r\nabc",
        "PIN",
        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\nabc",
    };
    (void)state;
    struct live *live = live_start("--request-timeout", "1", NULL);
    redisContext *redis = live_connect(live);
    for (int i = 0; i < 3; i++) {
        int fd = live_socket(live);
        assert_true(live_send(fd, cases[i], strlen(cases[i])));
        assert_string_equal(live_read_all(fd), "");
        close(fd);
        assert_int_equal(live_info(redis, "ebb_client_closed_request"), i + 1);
    }
    redisFree(redis);
    live_stop(live);
}

static void stalled_readers_are_closed(void **state)
{
    (void)state;
    struct live *live =
        live_start("--stall-timeout", "1", "--maxmemory", "128mb", NULL);
    redisContext *redis = live_connect(live);
    fill(redis, 100);
    int fd = live_socket(live);
    ask_much(fd, 100);
    live_await_info(redis, "ebb_client_closed_stalled", 1, 1);
    live_await_info(redis, "connected_clients", 1, 1);
    close(fd);
    redisFree(redis);
    live_stop(live);
}

static void strangers_have_little_time_and_room(void **state)
{
    (void)state;
    setenv("EBB_REQUIREPASS", "secret", 1);
    struct live *live = live_start("--auth-timeout", "1", NULL);
    unsetenv("EBB_REQUIREPASS");
    redisContext *redis = live_connect(live);
    assert_string_equal(live_text(redis, "PING"),
                        "NOAUTH Authentication required.");
    assert_string_equal(live_text(redis, "AUTH secret"), "OK");

    int fd = live_socket(live);
    assert_string_equal(live_read_all(fd), "");
    close(fd);

    fd = live_socket(live);
    assert_true(live_send(fd, "*11\r\n", 5));
    assert_string_equal(
        live_read_all(fd),
        "-ERR Protocol error: unauthenticated multibulk length\r\n");
    close(fd);

    const char *long_auth = "*2\r\n$4\r\nAUTH\r\n$16385\r\n";
    fd = live_socket(live);
    assert_true(live_send(fd, long_auth, strlen(long_auth)));
    assert_string_equal(live_read_all(fd),
                        "-ERR Protocol error: unauthenticated bulk length\r\n");
    close(fd);
    assert_string_equal(live_text(redis, "PING"), "PONG");
    redisFree(redis);
    live_stop(live);
}

/* ----------------------------------------------------------------- memory */

static void idle_connections_cost_little(void **state)
{
    enum { CLIENTS = 5000 };
    int *fds = calloc(CLIENTS, sizeof *fds);
    struct rlimit limit;
    char pong[7];
    (void)state;
    assert_non_null(fds);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < CLIENTS + 100) {
        print_error("SKIPPED: a process may have no %d connections\n", CLIENTS);
        skip();
    }
    struct live *live = live_start("--maxmemory", "512mb", NULL);
    redisContext *redis = live_connect(live);
    for (int i = 0; i < 100; i++)
        live_text(redis, "PING");
    size_t before = live_resident(live);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = live_socket(live);
        assert_true(live_send(fds[i], "PING\r\n", 6));
    }
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(live_read(fds[i], pong, 7), 7);
    size_t after = live_resident(live);
    print_message("%zu bytes per idle connection\n",
                  (after - before) / CLIENTS);
    if (!SANITIZED)
        assert_true(after - before <= CLIENTS * 1024);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    free(fds);
    live_await_info(redis, "connected_clients", 1, 1);
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_does_not_read_waits),
        cmocka_unit_test(many_clients_that_do_not_read_cost_no_key),
        cmocka_unit_test(a_reply_beyond_the_limit_comes_in_parts),
        cmocka_unit_test(idle_clients_are_closed),
        cmocka_unit_test(unfinished_requests_are_closed),
        cmocka_unit_test(stalled_readers_are_closed),
        cmocka_unit_test(strangers_have_little_time_and_room),
        cmocka_unit_test(idle_connections_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
