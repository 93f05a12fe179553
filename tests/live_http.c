/* SPDX-License-Identifier: BSD-3-Clause */
/* The metrics port as a web server: headers, refusals, limits. */
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

#include "tests/scrape.h"

enum { PATIENCE_MS = 60000, CONNECTIONS = 32, HEADERS = 8192 };

static void the_headers_say_what_it_is(void **state)
{
    char *answer =
        scrape_ask(*state, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    char length[64];

    snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n",
             strlen(scrape_body(answer)));
    assert_non_null(strstr(answer, "\r\nContent-Type: text/plain; "
                                   "version=0.0.4; charset=utf-8\r\n"));
    assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(answer, length));
    free(answer);
}

static void head_sends_headers_only(void **state)
{
    char *answer =
        scrape_ask(*state, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");

    assert_int_equal(scrape_status(answer), 200);
    assert_string_equal(scrape_body(answer), "");
    assert_non_null(strstr(answer, "\r\nContent-Length: "));
    free(answer);
}

static void a_keepalive_is_not_granted(void **state)
{
    char *answer =
        scrape_ask(*state, "GET /healthz HTTP/1.1\r\nHost: x\r\n"
                           "Connection: keep-alive\r\n\r\n"
                           "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");

    assert_string_equal(scrape_body(answer), "ok\n");
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
        char *answer = scrape_ask(*state, cases[i].request);

        if (scrape_status(answer) != cases[i].status)
            fail_msg("%s answers %s", cases[i].request, answer);
        free(answer);
    }
}

/* ------------------------------------------------------------------- limits */

/* A request whose header lines have that many bytes together. */
static int status_with_headers(const struct scrape *scrape, size_t len)
{
    static const char start[] = "GET /healthz HTTP/1.1\r\nX: ";
    size_t filled = len + strlen("\r\n"); /* which is not counted */
    char *request = malloc(filled + sizeof "\r\n\r\n"), *answer;
    int status;

    assert_non_null(request);
    memset(request, 'x', filled);
    memcpy(request, start, sizeof start - 1);
    strcpy(request + filled, "\r\n\r\n");
    answer = scrape_ask(scrape, request);
    status = scrape_status(answer);
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
    struct scrape *scrape = *state;
    int fds[CONNECTIONS], late;
    struct pollfd ready = {.events = POLLIN};
    char *answer;
    size_t len;

    for (int i = 0; i < CONNECTIONS; i++)
        fds[i] = scrape_dial(scrape);
    late = scrape_dial(scrape);
    assert_true(live_send(late, request, strlen(request)));
    for (int i = 0; i < 100; i++)
        assert_string_equal(live_text(scrape->redis, "PING"), "PONG");
    ready.fd = late;
    assert_int_equal(poll(&ready, 1, 300), 0);
    assert_true(live_send(fds[7], request, strlen(request)));
    answer = scrape_hear(fds[7], &len);
    assert_string_equal(scrape_body(answer), "ok\n");
    free(answer);
    answer = scrape_hear(late, &len);
    assert_string_equal(scrape_body(answer), "ok\n");
    free(answer);
    for (int i = 0; i < CONNECTIONS; i++)
        if (i != 7)
            close(fds[i]);
    for (int i = 0; i < 3 * CONNECTIONS; i++) {
        answer = scrape_ask(scrape, request);
        assert_string_equal(scrape_body(answer), "ok\n");
        free(answer);
    }
}

/* Who says nothing, and who says one byte after the other, is closed when the
 * time of a request is over, without an answer. */
static void slow_ones_are_closed(void **state)
{
    struct scrape *scrape = *state;
    int silent = scrape_dial(scrape), slow = scrape_dial(scrape);
    bool closed = false;
    size_t len;
    char *answer = scrape_hear(silent, &len);

    assert_int_equal(len, 0);
    free(answer);
    for (int i = 0; i < PATIENCE_MS / 100 && !closed; i++) {
        struct pollfd ready = {.fd = slow, .events = POLLIN};

        closed = poll(&ready, 1, 100) == 1;
        live_send(slow, "G", 1);
    }
    assert_true(closed);
    close(slow);
    assert_string_equal(live_text(scrape->redis, "PING"), "PONG");
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, scrape_setup, scrape_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_headers_say_what_it_is),
        TEST(head_sends_headers_only),
        TEST(a_keepalive_is_not_granted),
        TEST(other_requests_are_refused),
        TEST(headers_have_a_limit),
        TEST(there_are_so_many_places),
        cmocka_unit_test_setup_teardown(slow_ones_are_closed,
                                        scrape_setup_hasty, scrape_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
