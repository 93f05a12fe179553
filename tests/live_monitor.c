/* SPDX-License-Identifier: BSD-3-Clause */
/* MONITOR: the lines, who sees them, and what is kept from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/console.h"
#include "tests/sanitized.h"

/* "+1700000000.123456 [0 127.0.0.1:50000] what" in database `db`. */
static void sees(struct console *monitor, int db, const char *what)
{
    const char *line = console_hear(monitor);
    int at = 0, found_db = -1;
    if (sscanf(line, "+%*10u.%*6u [%d 127.0.0.1:%*u]%n", &found_db, &at) != 1 ||
        at == 0 || found_db != db || strcmp(line + at + 1, what) != 0)
        fail_msg("expected [%d] %s, got %s", db, what, line);
    assert_int_equal(strspn(line + 1, "0123456789"), 10);
    assert_int_equal(strspn(line + 12, "0123456789"), 6);
}

static void lines_are_as_redis_writes_them(void **state)
{
    struct console monitor, c;
    console_open(&monitor, *state);
    console_open(&c, *state);
    console_answers(&monitor, "MONITOR", "+OK");
    console_answers(&c, "GeT a", "nil");
    sees(&monitor, 0, "\"GeT\" \"a\"");
    console_answers(&c, "SET k \"a\\\"b\\\\c\\r\\n\\t\\a\\b\\x00\\x7f\\xff '\"",
                    "+OK");
    sees(&monitor, 0,
         "\"SET\" \"k\" \"a\\\"b\\\\c\\r\\n\\t\\a\\b\\x00\\x7f\\xff '\"");
    console_answers(&c, "SELECT 3", "+OK");
    sees(&monitor, 3, "\"SELECT\" \"3\"");
    console_answers(&c, "STRLEN k", ":0");
    sees(&monitor, 3, "\"STRLEN\" \"k\"");
    /* Neither what was not run nor what administers. */
    console_ask(&c, "NOSUCH");
    console_ask(&c, "GET");
    console_ask(&c, "CONFIG GET maxmemory");
    console_ask(&c, "CLIENT LIST");
    console_answers(&c, "PING", "+PONG");
    sees(&monitor, 3, "\"PING\"");
    console_close(&monitor);
    console_close(&c);
}

static void secrets_are_not_shown(void **state)
{
    struct console monitor, c;
    console_open(&monitor, *state);
    console_open(&c, *state);
    console_answers(&monitor, "MONITOR", "+OK");
    console_ask(&c, "AUTH hush");
    sees(&monitor, 0, "\"AUTH\" \"(redacted)\"");
    console_ask(&c, "AUTH default hush");
    sees(&monitor, 0, "\"AUTH\" \"(redacted)\" \"(redacted)\"");
    console_ask(&c, "HELLO 3 AUTH default hush SETNAME me");
    sees(&monitor, 0,
         "\"HELLO\" \"3\" \"AUTH\" \"(redacted)\" \"(redacted)\" \"SETNAME\" "
         "\"me\"");
    console_ask(&c, "HELLO 3 SETNAME me AUTH default hush");
    sees(&monitor, 0,
         "\"HELLO\" \"3\" \"SETNAME\" \"me\" \"AUTH\" \"(redacted)\" "
         "\"(redacted)\"");
    console_close(&monitor);
    console_close(&c);
}

static void a_monitor_may_do_little_else(void **state)
{
    struct console monitor, c;
    console_open(&monitor, *state);
    console_open(&c, *state);
    console_answers(&monitor, "MONITOR", "+OK");
    console_answers(&monitor, "GET k",
                    "-ERR Replica can't interact with the keyspace");
    assert_non_null(strstr(console_ask(&c, "CLIENT LIST"), "flags=O "));
    console_answers(&monitor, "PING", "+PONG");
    sees(&monitor, 0, "\"PING\"");
    /* A second time it is not answered. */
    console_say(&monitor, "MONITOR");
    console_answers(&monitor, "RESET", "+RESET");
    console_answers(&c, "GET k2", "nil");
    console_answers(&monitor, "GET k2", "nil");
    console_close(&monitor);
    console_close(&c);
}

/* Commands of all workers, each in the order in which its client sent it. */
static void all_workers_are_seen(void **state)
{
    enum { CLIENTS = 12, EACH = 200 };
    struct console monitor, clients[CLIENTS];
    int seen[CLIENTS] = {0};
    char line[64];
    console_open(&monitor, *state);
    console_answers(&monitor, "MONITOR", "+OK");
    for (int c = 0; c < CLIENTS; c++)
        console_open(&clients[c], *state);
    for (int i = 0; i < EACH; i++)
        for (int c = 0; c < CLIENTS; c++) {
            snprintf(line, sizeof line, "ECHO %d,%d,", c, i);
            console_say(&clients[c], line);
        }
    for (int i = 0; i < CLIENTS * EACH; i++) {
        const char *echo = strstr(console_hear(&monitor), "\"ECHO\" \"");
        int c = -1, number = -1;
        assert_non_null(echo);
        assert_int_equal(sscanf(echo, "\"ECHO\" \"%d,%d,", &c, &number), 2);
        assert_in_range(c, 0, CLIENTS - 1);
        assert_int_equal(number, seen[c]++);
    }
    for (int c = 0; c < CLIENTS; c++)
        console_close(&clients[c]);
    console_close(&monitor);
}

static void what_is_long_is_cut(void **state)
{
    enum { INLINE = 4072, LONG = 100000, MANY = 2000 };
    redisContext *monitor = live_connect(*state), *c = live_connect(*state);
    char *value = malloc(LONG);
    redisReply *reply;
    memset(value, 'v', LONG);
    assert_string_equal(live_text(monitor, "MONITOR"), "OK");
    freeReplyObject(redisCommand(c, "ECHO %b", value, (size_t)INLINE));
    freeReplyObject(redisCommand(c, "ECHO %b", value, (size_t)INLINE + 1));
    freeReplyObject(redisCommand(c, "SET k %b", value, (size_t)LONG));
    const char *argv[MANY];
    argv[0] = "EXISTS";
    for (int i = 1; i < MANY; i++)
        argv[i] = "a-key-of-some-length-that-is-asked-for";
    freeReplyObject(redisCommandArgv(c, MANY, argv, NULL));

    assert_int_equal(redisGetReply(monitor, (void **)&reply), REDIS_OK);
    assert_null(strstr(reply->str, "more bytes"));
    freeReplyObject(reply);
    assert_int_equal(redisGetReply(monitor, (void **)&reply), REDIS_OK);
    assert_non_null(strstr(reply->str, "vvvv... (1 more bytes)\""));
    freeReplyObject(reply);
    assert_int_equal(redisGetReply(monitor, (void **)&reply), REDIS_OK);
    assert_non_null(
        strstr(reply->str, "\"SET\" \"k\" \"... (100000 more bytes)\""));
    freeReplyObject(reply);
    assert_int_equal(redisGetReply(monitor, (void **)&reply), REDIS_OK);
    assert_in_range(reply->len, 65536, 65536 + 200);
    assert_non_null(strstr(reply->str, "more arguments)\""));
    freeReplyObject(reply);
    free(value);
    redisFree(monitor);
    redisFree(c);
}

/* It is closed, and those it looks at are not held up for long. */
static void one_that_does_not_read(void **state)
{
    (void)state;
    enum { COMMANDS = 40000, LEN = 500, PIPELINE = 100 };
    struct live *live =
        live_start("--maxmemory", "64mb", "--threads", "2", NULL);
    struct console monitor;
    redisContext *c = live_connect(live);
    char value[LEN];
    redisReply *reply;
    memset(value, 'v', LEN);
    console_open(&monitor, live);
    console_answers(&monitor, "MONITOR", "+OK");
    live_peak_reset(live);
    for (int i = 0; i < COMMANDS; i += PIPELINE) {
        for (int k = 0; k < PIPELINE; k++)
            redisAppendCommand(c, "ECHO %b", value, (size_t)LEN);
        for (int k = 0; k < PIPELINE; k++) {
            assert_int_equal(redisGetReply(c, (void **)&reply), REDIS_OK);
            assert_int_equal(reply->len, LEN);
            freeReplyObject(reply);
        }
    }
    live_await_info(c, "connected_clients", 1, 1);
    assert_int_equal(live_info(c, "ebb_client_closed_output") +
                         live_info(c, "ebb_client_closed_memory"),
                     1);
    live_await_info(c, "ebb_client_push_bytes", 0, 0);
    if (!SANITIZED)
        assert_true(live_peak(live) <= 64 << 20);
    redisFree(c);
    console_close(&monitor);
    live_stop(live);
}

/* One that reads sees every line while many others do not, and are closed. */
static void many_that_do_not_read(void **state)
{
    (void)state;
    enum { DEAF = 20, COMMANDS = 4000, LEN = 4000, PIPELINE = 20 };
    struct live *live =
        live_start("--maxmemory", "64mb", "--threads", "1", NULL);
    redisContext *c = live_connect(live), *reader = live_connect(live);
    int deaf[DEAF], seen = 0, number;
    char value[LEN], ok[5];
    redisReply *reply;
    memset(value, 'v', LEN);
    for (int i = 0; i < DEAF; i++) {
        deaf[i] = live_narrow_socket(live);
        assert_true(live_send(deaf[i], "MONITOR\r\n", 9));
        assert_int_equal(live_read(deaf[i], ok, sizeof ok), sizeof ok);
    }
    assert_string_equal(live_text(reader, "MONITOR"), "OK");
    for (int i = 0; i < COMMANDS; i += PIPELINE) {
        for (int k = i; k < i + PIPELINE; k++)
            redisAppendCommand(c, "ECHO %d,%b", k, value, (size_t)LEN);
        for (int k = 0; k < PIPELINE; k++) {
            assert_int_equal(redisGetReply(c, (void **)&reply), REDIS_OK);
            freeReplyObject(reply);
        }
        for (int k = 0; k < PIPELINE; k++) {
            assert_int_equal(redisGetReply(reader, (void **)&reply), REDIS_OK);
            const char *echo = strstr(reply->str, "\"ECHO\" \"");
            assert_non_null(echo);
            assert_int_equal(sscanf(echo, "\"ECHO\" \"%d,", &number), 1);
            assert_int_equal(number, seen++);
            freeReplyObject(reply);
        }
    }
    live_await_info(c, "connected_clients", 2, 2);
    for (int i = 0; i < DEAF; i++)
        close(deaf[i]);
    redisFree(reader);
    redisFree(c);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_as_redis_writes_them),
        cmocka_unit_test(secrets_are_not_shown),
        cmocka_unit_test(a_monitor_may_do_little_else),
        cmocka_unit_test(all_workers_are_seen),
        cmocka_unit_test(what_is_long_is_cut),
        cmocka_unit_test(one_that_does_not_read),
        cmocka_unit_test(many_that_do_not_read),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
