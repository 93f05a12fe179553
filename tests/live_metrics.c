/* SPDX-License-Identifier: BSD-3-Clause */
/* The metrics port: what it tells, what it refuses, and its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cache/cache.h"
#include "server/metrics.h"
#include "server/worker.h"
#include "tests/exposition.h"
#include "tests/live.h"
#include "tests/sanitized.h"

enum { PATIENCE_MS = 60000, CONNECTIONS = 32, HEADERS = 8192 };

struct fixture {
    struct live *live;
    redisContext *redis;
    int port, reserved;
};

static struct sockaddr_in local(int port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port)};

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return addr;
}

/* A socket on a free port.  As long as it is there and does not listen, the
 * system gives the port to nobody who does not ask for it by number. */
static int reserve_port(int *port)
{
    struct sockaddr_in addr = local(0);
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    *port = ntohs(addr.sin_port);
    return fd;
}

static int start_with(void **state, const char *timeout_s)
{
    struct fixture *f = calloc(1, sizeof *f);
    char port[16];

    f->reserved = reserve_port(&f->port);
    snprintf(port, sizeof port, "%d", f->port);
    f->live = live_start("--metrics-port", port, "--metrics-timeout", timeout_s,
                         "--maxmemory", "64mb", NULL);
    f->redis = live_connect(f->live);
    *state = f;
    return 0;
}

/* So long that no test depends on it. */
static int start(void **state)
{
    return start_with(state, "60");
}

static int start_hasty(void **state)
{
    return start_with(state, "1");
}

static int stop(void **state)
{
    struct fixture *f = *state;

    redisFree(f->redis);
    live_stop(f->live);
    close(f->reserved);
    free(f);
    return 0;
}

static int dial(const struct fixture *f)
{
    struct sockaddr_in addr = local(f->port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    return fd;
}

/* The whole answer, to be freed; it ends where the server closes. */
static char *read_answer(int fd, size_t *len)
{
    size_t cap = 1 << 18;
    char *text = malloc(cap + 1);

    *len = 0;
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ssize_t got;

        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        got = read(fd, text + *len, cap - *len);
        if (got <= 0)
            break;
        *len += (size_t)got;
        assert_true(*len < cap);
    }
    text[*len] = '\0';
    close(fd);
    return text;
}

static char *ask(const struct fixture *f, const char *request)
{
    int fd = dial(f);
    size_t len;

    live_send(fd, request, strlen(request));
    return read_answer(fd, &len);
}

static int status_of(const char *answer)
{
    int status = 0;

    sscanf(answer, "HTTP/1.%*d %d ", &status);
    return status;
}

static const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}

static struct exposition *scrape(const struct fixture *f)
{
    char *answer = ask(f, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    char why[EXPOSITION_WHY_MAX] = "";
    struct exposition *e;

    assert_int_equal(status_of(answer), 200);
    e = exposition_read(body_of(answer), strlen(body_of(answer)), why);
    if (e == NULL)
        fail_msg("%s", why);
    free(answer);
    return e;
}

static double value_of(const struct exposition *e, const char *name,
                       const char *labels)
{
    double value = -1;

    if (!exposition_value(e, name, labels, &value))
        fail_msg("%s{%s} is not there", name, labels);
    return value;
}

/* ------------------------------------------------------------ what it tells */

static void every_row_is_there(void **state)
{
    struct exposition *e = scrape(*state);
    size_t count = 0;

    while (metrics_name(count) != NULL) {
        if (exposition_type(e, metrics_name(count)) == NULL)
            fail_msg("%s is not there", metrics_name(count));
        count++;
    }
    assert_null(exposition_name(e, count));
    for (size_t i = 0; i < count; i++) {
        const char *name = exposition_name(e, i);

        if (strncmp(name, "ebb_", 4) != 0 && strncmp(name, "redis_", 6) != 0 &&
            strncmp(name, "process_", 8) != 0)
            fail_msg("%s has an unknown prefix", name);
    }
    exposition_free(e);
}

static void the_counters_tables_are_in_it(void **state)
{
    static const char *const names[] = {
#define X(row, help) "ebb_" #row "_total",
        CACHE_COUNTERS(X)
#undef X
#define X(row, help) "ebb_cache_" #row,
            CACHE_GAUGES(X)
#undef X
#define X(row, help) "ebb_client_" #row "_total",
                WORKER_COUNTERS(X)
#undef X
    };
    struct exposition *e = scrape(*state);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        value_of(e, names[i], "");
    exposition_free(e);
}

static void what_dashboards_ask_for_is_in_it(void **state)
{
    static const char *const names[] = {
        "redis_up",
        "redis_uptime_in_seconds",
        "redis_connected_clients",
        "redis_blocked_clients",
        "redis_memory_used_bytes",
        "redis_memory_max_bytes",
        "redis_commands_total",
        "redis_commands_duration_seconds_total",
        "redis_keyspace_hits_total",
        "redis_keyspace_misses_total",
        "redis_net_input_bytes_total",
        "redis_net_output_bytes_total",
        "redis_db_keys",
        "redis_db_keys_expiring",
        "redis_expired_keys_total",
        "redis_evicted_keys_total",
        "redis_commands_processed_total",
    };
    struct exposition *e = scrape(*state);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (exposition_type(e, names[i]) == NULL)
            fail_msg("%s is not there", names[i]);
    assert_true(value_of(e, "redis_up", "") == 1);
    assert_true(value_of(e, "redis_memory_max_bytes", "") == 64 << 20);
    assert_true(value_of(e, "redis_connected_clients", "") == 1);
    exposition_free(e);
}

static void it_counts_what_clients_do(void **state)
{
    struct fixture *f = *state;
    struct exposition *e;

    live_text(f->redis, "SELECT 3");
    live_text(f->redis, "SET a 1");
    live_text(f->redis, "SET b 1 EX 1000");
    live_text(f->redis, "GET a");
    freeReplyObject(redisCommand(f->redis, "GET nothing"));
    freeReplyObject(redisCommand(f->redis, "GET"));
    freeReplyObject(redisCommand(f->redis, "INCRBY a x"));
    freeReplyObject(redisCommand(f->redis, "AUTH default wrong x"));
    e = scrape(f);
    assert_true(value_of(e, "ebb_entries", "") == 2);
    assert_true(value_of(e, "ebb_cache_expiring", "") == 1);
    assert_true(value_of(e, "ebb_hits_total", "") == 1);
    assert_true(value_of(e, "ebb_misses_total", "") == 1);
    assert_true(value_of(e, "redis_db_keys", "db=\"db3\"") == 2);
    assert_true(value_of(e, "redis_db_keys", "db=\"db0\"") == 0);
    assert_true(value_of(e, "redis_db_keys_expiring", "db=\"db3\"") == 1);
    assert_true(value_of(e, "ebb_commands_total", "cmd=\"set\"") == 2);
    assert_true(value_of(e, "ebb_commands_total", "cmd=\"get\"") == 2);
    assert_true(value_of(e, "ebb_commands_rejected_total", "cmd=\"get\"") == 1);
    assert_true(value_of(e, "ebb_commands_failed_total", "cmd=\"incrby\"") ==
                1);
    assert_true(value_of(e, "redis_commands_total", "cmd=\"set\"") == 2);
    assert_true(value_of(e, "ebb_errors_total", "code=\"ERR\"") == 3);
    assert_true(value_of(e, "ebb_client_error_replies_total", "") == 3);
    assert_true(value_of(e, "ebb_connections", "") == 1);
    assert_true(value_of(e, "ebb_client_read_bytes_total", "") > 100);
    if (!SANITIZED)
        assert_true(value_of(e, "process_resident_memory_bytes", "") > 1 << 20);
    assert_true(value_of(e, "process_open_fds", "") > 5);
    exposition_free(e);
}

static void the_budget_follows_config_set(void **state)
{
    struct fixture *f = *state;
    struct exposition *e;

    live_text(f->redis, "CONFIG SET maxmemory 40mb");
    live_await_info(f->redis, "ebb_budget_bytes", 40 << 20, 40 << 20);
    e = scrape(f);
    assert_true(value_of(e, "ebb_budget_bytes", "") == 40 << 20);
    assert_true(value_of(e, "redis_memory_max_bytes", "") == 40 << 20);
    assert_true(value_of(e, "ebb_slab_limit_bytes", "") < 40 << 20);
    exposition_free(e);
}

/* --------------------------------------------------------------- the answer */

static void the_headers_say_what_it_is(void **state)
{
    char *answer = ask(*state, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    char length[64];

    snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n",
             strlen(body_of(answer)));
    assert_non_null(strstr(answer, "\r\nContent-Type: text/plain; "
                                   "version=0.0.4; charset=utf-8\r\n"));
    assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(answer, length));
    free(answer);
}

static void head_sends_headers_only(void **state)
{
    char *answer = ask(*state, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");

    assert_int_equal(status_of(answer), 200);
    assert_string_equal(body_of(answer), "");
    assert_non_null(strstr(answer, "\r\nContent-Length: "));
    free(answer);
}

static void a_keepalive_is_not_granted(void **state)
{
    char *answer = ask(*state, "GET /healthz HTTP/1.1\r\nHost: x\r\n"
                               "Connection: keep-alive\r\n\r\n"
                               "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");

    assert_string_equal(body_of(answer), "ok\n");
    free(answer);
}

static void other_requests_are_refused(void **state)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"GET /healthz HTTP/1.1\r\n\r\n", 200},
        {"GET /healthz HTTP/1.0\r\n\r\n", 200},
        {"GET /metrics?x=y HTTP/1.1\r\n\r\n", 200},
        {"GET http://x/healthz HTTP/1.1\r\n\r\n", 200},
        {"GET /healthz HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 200},
        {"GET / HTTP/1.1\r\n\r\n", 404},
        {"GET /metrics/ HTTP/1.1\r\n\r\n", 404},
        {"GET /Metrics HTTP/1.1\r\n\r\n", 404},
        {"GET /../metrics HTTP/1.1\r\n\r\n", 404},
        {"GET /metrics%00 HTTP/1.1\r\n\r\n", 404},
        {"HEAD /nothing HTTP/1.1\r\n\r\n", 404},
        {"DELETE /metrics HTTP/1.1\r\n\r\n", 405},
        {"OPTIONS /metrics HTTP/1.1\r\n\r\n", 405},
        {"POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405},
        {"BREW /metrics HTTP/1.1\r\n\r\n", 501},
        {"GET /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 413},
        {"POST /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 413},
        {"PUT /x HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\nx", 413},
        {"PUT /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
        {"GET /x HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
         413},
        {"GET /metrics\r\n\r\n", 400},
        {"GET /metrics HTTP/9.9\r\n\r\n", 400},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
        {"\x16\x03\x01\x02\r\n\r\n", 400},
        {"*1\r\n$4\r\nPING\r\n\r\n", 400},
        {"PING\r\n\r\n", 400},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *answer = ask(*state, cases[i].request);

        if (status_of(answer) != cases[i].status)
            fail_msg("%s answers %s", cases[i].request, answer);
        free(answer);
    }
}

/* ------------------------------------------------------------------- limits */

/* A request whose header lines have that many bytes together. */
static int status_with_headers(const struct fixture *f, size_t len)
{
    static const char first[] = "GET /healthz HTTP/1.1";
    char *request = malloc(len + 16), *answer;
    size_t at = (size_t)sprintf(request, "%s\r\nX: ", first);
    int status;

    memset(request + at, 'x', len - (sizeof first - 1) - 3);
    strcpy(request + at + len - (sizeof first - 1) - 3, "\r\n\r\n");
    answer = ask(f, request);
    status = status_of(answer);
    free(request);
    free(answer);
    return status;
}

static void headers_have_a_limit(void **state)
{
    assert_int_equal(status_with_headers(*state, HEADERS), 200);
    assert_int_not_equal(status_with_headers(*state, HEADERS + 1), 200);
    assert_int_not_equal(status_with_headers(*state, 10 * HEADERS), 200);
}

/* With all places taken the next has to wait, clients are served meanwhile,
 * and the one who waits is served when a place is free again. */
static void there_are_so_many_places(void **state)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\n\r\n";
    struct fixture *f = *state;
    int fds[CONNECTIONS], late;
    struct pollfd ready = {.events = POLLIN};
    char *answer;
    size_t len;

    for (int i = 0; i < CONNECTIONS; i++)
        fds[i] = dial(f);
    late = dial(f);
    assert_true(live_send(late, request, strlen(request)));
    for (int i = 0; i < 100; i++)
        assert_string_equal(live_text(f->redis, "PING"), "PONG");
    ready.fd = late;
    assert_int_equal(poll(&ready, 1, 300), 0);
    assert_true(live_send(fds[7], request, strlen(request)));
    answer = read_answer(fds[7], &len);
    assert_string_equal(body_of(answer), "ok\n");
    free(answer);
    answer = read_answer(late, &len);
    assert_string_equal(body_of(answer), "ok\n");
    free(answer);
    for (int i = 0; i < CONNECTIONS; i++)
        if (i != 7)
            close(fds[i]);
    for (int i = 0; i < 3 * CONNECTIONS; i++) {
        answer = ask(f, request);
        assert_string_equal(body_of(answer), "ok\n");
        free(answer);
    }
}

/* Who says nothing, and who says one byte after the other, is closed when the
 * time of a request is over, without an answer. */
static void slow_ones_are_closed(void **state)
{
    struct fixture *f = *state;
    int silent = dial(f), slow = dial(f);
    bool closed = false;
    size_t len;
    char *answer = read_answer(silent, &len);

    assert_int_equal(len, 0);
    free(answer);
    for (int i = 0; i < PATIENCE_MS / 100 && !closed; i++) {
        struct pollfd ready = {.fd = slow, .events = POLLIN};

        closed = poll(&ready, 1, 100) == 1;
        live_send(slow, "G", 1);
    }
    assert_true(closed);
    close(slow);
    assert_string_equal(live_text(f->redis, "PING"), "PONG");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_row_is_there),
        TEST(the_counters_tables_are_in_it),
        TEST(what_dashboards_ask_for_is_in_it),
        TEST(it_counts_what_clients_do),
        TEST(the_budget_follows_config_set),
        TEST(the_headers_say_what_it_is),
        TEST(head_sends_headers_only),
        TEST(a_keepalive_is_not_granted),
        TEST(other_requests_are_refused),
        TEST(headers_have_a_limit),
        TEST(there_are_so_many_places),
        cmocka_unit_test_setup_teardown(slow_ones_are_closed, start_hasty,
                                        stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
