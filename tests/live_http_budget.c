/* SPDX-License-Identifier: BSD-3-Clause */
/* /budget on the metrics port: who may change it, and waiting for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/answer.h"
#include "tests/sanitized.h"
#include "tests/scrape.h"

enum { MB = 1 << 20, KEYS = 40000, LEN = 900, BATCH = 500 };

/* A request line with a password, or none. */
static char *request_of(const char *line, const char *authorization)
{
    static char request[4096];

    snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: x\r\n%s%s%s\r\n",
             line, authorization == NULL ? "" : "Authorization: ",
             authorization == NULL ? "" : authorization,
             authorization == NULL ? "" : "\r\n");
    return request;
}

static char *ask(struct scrape *scrape, const char *line,
                 const char *authorization)
{
    return scrape_ask(scrape, request_of(line, authorization));
}

static void expect(struct scrape *scrape, const char *line,
                   const char *authorization, int status, const char *text)
{
    char *answer = ask(scrape, line, authorization);

    if (scrape_status(answer) != status || strstr(answer, text) == NULL)
        fail_msg("%s answers %s", line, answer);
    free(answer);
}

static void set_password(struct scrape *scrape, const char *password)
{
    assert_string_equal(
        live_text(scrape->redis, "CONFIG SET requirepass %s", password), "OK");
    if (password[0] != '\0')
        assert_string_equal(live_text(scrape->redis, "AUTH %s", password),
                            "OK");
}

struct told {
    long long budget, resident, remaining, floor;
    bool done;
};

static struct told read_json(const char *answer)
{
    struct told told;
    char done[8];

    assert_int_equal(scrape_status(answer), 200);
    assert_non_null(strstr(answer, "\r\nContent-Type: application/json\r\n"));
    assert_int_equal(
        sscanf(scrape_body(answer),
               "{\"budget\":%lld,\"resident\":%lld,\"done\":%7[a-z]"
               ",\"remaining\":%lld,\"floor\":%lld}\n",
               &told.budget, &told.resident, done, &told.remaining,
               &told.floor),
        5);
    told.done = strcmp(done, "true") == 0;
    if (!told.done)
        assert_string_equal(done, "false");
    return told;
}

static struct told tell(struct scrape *scrape, const char *line,
                        const char *authorization)
{
    char *answer = ask(scrape, line, authorization);
    struct told told = read_json(answer);

    free(answer);
    return told;
}

#define RIGHT "Bearer secret"

/* -------------------------------------------------------------- permission */

static void anybody_may_look(void **state)
{
    struct scrape *scrape = *state;
    struct told told;

    live_await_info(scrape->redis, "ebb_budget_bytes", 64 * MB, 64 * MB);
    assert_string_equal(live_text(scrape->redis, "PING"), "PONG");
    told = tell(scrape, "GET /budget", NULL);
    assert_int_equal(told.budget, 64 * MB);
    assert_in_range(told.resident, SANITIZED ? 0 : 1, 64 * MB);
    assert_int_equal(told.remaining, 0);
    assert_int_equal(told.floor, live_info(scrape->redis, "ebb_floor_bytes"));
    expect(scrape, "HEAD /budget", NULL, 200, "application/json");
    expect(scrape, "DELETE /budget", NULL, 405, "Allow: GET, HEAD, POST\r\n");
    expect(scrape, "POST /metrics", NULL, 405, "Allow: GET, HEAD\r\n");
}

static void nobody_may_change_it_without_the_option(void **state)
{
    struct scrape *scrape = *state;

    expect(scrape, "POST /budget?bytes=50mb", NULL, 403, "http-admin");
    set_password(scrape, "secret");
    expect(scrape, "POST /budget?bytes=50mb", RIGHT, 403, "http-admin");
    assert_int_equal(live_info(scrape->redis, "maxmemory"), 64 * MB);
}

static void nor_without_the_password(void **state)
{
    static const char *const wrong[] = {NULL,           "",
                                        "secret",       "Bearer",
                                        "Bearer ",      "Bearer x",
                                        "Bearer secre", "Bearer secrets",
                                        "Basic secret", "bearer:secret"};
    struct scrape *scrape = *state;

    /* There is none that could be known. */
    expect(scrape, "POST /budget?bytes=50mb", NULL, 403, "no password");
    expect(scrape, "POST /budget?bytes=50mb", "Bearer ", 403, "no password");
    set_password(scrape, "secret");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect(scrape, "POST /budget?bytes=50mb&wait=1", wrong[i], 401,
               "WWW-Authenticate: Bearer\r\n");
    assert_int_equal(live_info(scrape->redis, "maxmemory"), 64 * MB);
    live_await_log(scrape->live, "without the password");
    assert_int_equal(tell(scrape, "POST /budget?bytes=50mb", RIGHT).budget,
                     50 * MB);
    assert_int_equal(
        tell(scrape, "POST /budget?bytes=40mb", "bearer secret").budget,
        40 * MB);
    assert_int_equal(live_info(scrape->redis, "maxmemory"), 40 * MB);
}

/* ----------------------------------------------------------------- queries */

static void sizes_are_those_of_config_set(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *text;
    } cases[] = {
        {"POST /budget?bytes=52428800", 200, "\"budget\":52428800,"},
        {"POST /budget?bytes=64MB", 200, "\"budget\":67108864,"},
        {"POST /budget?bytes=50m&wait=60000", 200, "\"done\":true"},
        {"POST /budget?wait=0&bytes=64mb", 200, "\"budget\":67108864,"},
        {"POST /budget?bytes=1%25", 200, "\"budget\":"},
        {"POST /budget?bytes=1%", 200, "\"budget\":"},
        {"POST /budget?bytes=48mb", 200, "\"budget\":50331648,"},
        {"POST /budget", 400, "bytes is missing"},
        {"POST /budget?", 400, "bytes is missing"},
        {"POST /budget?wait=1", 400, "bytes is missing"},
        {"POST /budget?bytes=", 400, "must be a memory value"},
        {"POST /budget?bytes=-1", 400, "must be a memory value"},
        {"POST /budget?bytes=1.5gb", 400, "must be a memory value"},
        {"POST /budget?bytes=21gb", 400, "between 1 and 21474836480"},
        {"POST /budget?bytes=101%25", 400, "less or equal to 100"},
        {"POST /budget?bytes=64mb&bytes=65mb", 400, "each once"},
        {"POST /budget?bytes=64mb&timeout=1", 400, "each once"},
        {"POST /budget?bytes=64mb&wait=-1", 400, "between 0 and 600000"},
        {"POST /budget?bytes=64mb&wait=600001", 400, "between 0 and 600000"},
        {"POST /budget?bytes=64mb&wait=1s", 400, "between 0 and 600000"},
        {"POST /budget?bytes=64mb&wait=", 400, "between 0 and 600000"},
        {"POST /budget?bytes", 400, "cannot be read"},
    };
    struct scrape *scrape = *state;

    set_password(scrape, "secret");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(scrape, cases[i].line, RIGHT, cases[i].status, cases[i].text);
    assert_int_equal(live_info(scrape->redis, "maxmemory"), 48 * MB);
    expect(scrape, "POST /budget?bytes=64mb", RIGHT "\r\nContent-Length: 3",
           413, "");
    assert_int_equal(live_info(scrape->redis, "maxmemory"), 48 * MB);
}

/* ------------------------------------------------------------------ waiting */

static void fill(redisContext *redis)
{
    static char value[LEN];

    memset(value, 'v', sizeof value);
    for (unsigned key = 0; key < KEYS; key += BATCH) {
        for (unsigned i = 0; i < BATCH; i++)
            redisAppendCommand(redis, "SET key:%u %b", key + i, value, LEN);
        answers_are_ok(redis, BATCH);
    }
}

static void a_shrink_is_waited_for(void **state)
{
    struct scrape *scrape = *state;
    struct told told;

    set_password(scrape, "secret");
    fill(scrape->redis);
    told = tell(scrape, "POST /budget?bytes=24mb", RIGHT);
    assert_int_equal(told.budget, 24 * MB);
    assert_false(told.done);
    told = tell(scrape, "POST /budget?bytes=24mb&wait=600000", RIGHT);
    assert_int_equal(told.budget, 24 * MB);
    assert_true(told.done);
    assert_int_equal(told.remaining, 0);
    assert_true(told.resident <= 24 * MB);
}

/* Longer than other requests may take, which have a second; and others are
 * served meanwhile. */
static void it_may_take_its_time(void **state)
{
    struct scrape *scrape = *state;
    char *request, *answer;
    size_t len;
    int fd = scrape_dial(scrape);
    struct told told;

    set_password(scrape, "secret");
    request = request_of("POST /budget?bytes=1&wait=2500", RIGHT);
    assert_true(live_send(fd, request, strlen(request)));
    live_await_info(scrape->redis, "ebb_floor_above_budget", 1, 1);
    expect(scrape, "GET /healthz", NULL, 200, "ok\n");
    answer = scrape_hear(fd, &len);
    told = read_json(answer);
    assert_int_equal(told.budget, 1);
    assert_false(told.done);
    assert_int_equal(told.remaining, told.resident - 1);
    free(answer);
}

static void a_raise_ends_it(void **state)
{
    struct scrape *scrape = *state;
    char *request, *answer;
    size_t len;
    int fd = scrape_dial(scrape);

    set_password(scrape, "secret");
    request = request_of("POST /budget?bytes=1&wait=600000", RIGHT);
    assert_true(live_send(fd, request, strlen(request)));
    live_await_info(scrape->redis, "ebb_floor_above_budget", 1, 1);
    assert_string_equal(live_text(scrape->redis, "CONFIG SET maxmemory 64mb"),
                        "OK");
    answer = scrape_hear(fd, &len);
    assert_true(read_json(answer).done);
    free(answer);
}

/* More than there are places for at one time. */
static void who_leaves_makes_room(void **state)
{
    struct scrape *scrape = *state;
    char *request;

    set_password(scrape, "secret");
    request = request_of("POST /budget?bytes=1&wait=600000", RIGHT);
    for (int i = 0; i < 100; i++) {
        int fd = scrape_dial(scrape);

        assert_true(live_send(fd, request, strlen(request)));
        if (i % 2)
            shutdown(fd, SHUT_WR);
        close(fd);
    }
    live_await_info(scrape->redis, "ebb_floor_above_budget", 1, 1);
    expect(scrape, "GET /healthz", NULL, 200, "ok\n");
}

/* Some still wait when the server stops. */
static void it_does_not_keep_the_server_from_stopping(void **state)
{
    struct scrape *scrape = *state;
    char *request;

    set_password(scrape, "secret");
    request = request_of("POST /budget?bytes=1&wait=600000", RIGHT);
    for (int i = 0; i < 3; i++)
        assert_true(live_send(scrape_dial(scrape), request, strlen(request)));
    live_await_info(scrape->redis, "ebb_floor_above_budget", 1, 1);
}

#define ADMIN(name)                                                            \
    cmocka_unit_test_setup_teardown(name, scrape_setup_admin, scrape_teardown)
#define PLAIN(name)                                                            \
    cmocka_unit_test_setup_teardown(name, scrape_setup, scrape_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAIN(anybody_may_look),
        PLAIN(nobody_may_change_it_without_the_option),
        ADMIN(nor_without_the_password),
        ADMIN(sizes_are_those_of_config_set),
        ADMIN(a_shrink_is_waited_for),
        ADMIN(it_may_take_its_time),
        ADMIN(a_raise_ends_it),
        ADMIN(who_leaves_makes_room),
        ADMIN(it_does_not_keep_the_server_from_stopping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
