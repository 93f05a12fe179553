/* SPDX-License-Identifier: BSD-3-Clause */
/* CLIENT PAUSE, UNPAUSE and UNBLOCK. */
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

#include "tests/console.h"
#include "tests/errors.h"

enum { BIG = 1 << 20 };

#define HOLD     "CLIENT PAUSE 3600000"
#define HOLD_SET HOLD " WRITE"

/* Of one thread: when it has answered twice, it has seen what came before. */
static int start(void **state)
{
    *state = live_start("--threads", "1", "--maxmemory", "64mb", NULL);
    return 0;
}

struct two {
    struct console boss, other;
    char other_id[32]; /* " id=7 " */
};

static void open_two(struct two *two, const struct live *live)
{
    long long id;

    console_open(&two->boss, live);
    console_open(&two->other, live);
    assert_int_equal(
        sscanf(console_ask(&two->other, "CLIENT ID"), ":%lld", &id), 1);
    snprintf(two->other_id, sizeof two->other_id, "id=%lld ", id);
}

static void close_two(struct two *two)
{
    console_close(&two->boss);
    console_close(&two->other);
}

static void boss_says(struct two *two, const char *line)
{
    assert_string_equal(console_ask(&two->boss, line), "+OK");
}

static void hears_nothing(struct two *two)
{
    struct pollfd poller = {.fd = two->other.fd, .events = POLLIN};

    boss_says(two, "CLIENT PAUSE 1 WRITE");
    boss_says(two, "CLIENT PAUSE 1 WRITE");
    assert_int_equal(poll(&poller, 1, 0), 0);
}

static void hears(struct two *two, const char *reply)
{
    assert_string_equal(console_hear(&two->other), reply);
}

static void everything_is_held(void **state)
{
    static const char *const lines[] = {"PING", "SET a 1", "GET a",
                                        "CLIENT LIST", "INFO"};
    struct two two;

    open_two(&two, *state);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        boss_says(&two, HOLD);
        console_say(&two.other, lines[i]);
        hears_nothing(&two);
        boss_says(&two, "CLIENT UNPAUSE");
        assert_true(console_hear(&two.other)[0] != '-');
    }
    boss_says(&two, HOLD " ALL");
    console_say(&two.other, "SET a x\r\nGET a\r\nnosuch\r\nGET a");
    hears_nothing(&two);
    boss_says(&two, "CLIENT UNPAUSE");
    hears(&two, "+OK");
    hears(&two, "\"x\"");
    console_begins(console_hear(&two.other), "-ERR unknown command");
    hears(&two, "\"x\"");
    close_two(&two);
}

static void writes_are_held(void **state)
{
    struct two two;

    open_two(&two, *state);
    console_ask(&two.other, "SET a 1");
    boss_says(&two, HOLD_SET);
    assert_string_equal(console_ask(&two.other, "GET a"), "\"1\"");
    console_say(&two.other, "GET a\r\nSET a 2\r\nGET a");
    hears(&two, "\"1\"");
    hears_nothing(&two);
    assert_string_equal(console_ask(&two.boss, "GET a"), "\"1\"");
    boss_says(&two, "CLIENT UNPAUSE");
    hears(&two, "+OK");
    hears(&two, "\"2\"");
    close_two(&two);
}

static void messages_are_held_like_writes(void **state)
{
    struct two two;

    open_two(&two, *state);
    boss_says(&two, HOLD_SET);
    console_say(&two.other, "PUBLISH channel message");
    hears_nothing(&two);
    boss_says(&two, "CLIENT UNPAUSE");
    hears(&two, ":0");
    close_two(&two);
}

/* EXEC is held if what it runs is. */
static void transactions_are_held_when_they_write(void **state)
{
    struct two two;

    open_two(&two, *state);
    console_ask(&two.other, "SET a 1");
    console_ask(&two.other, "MULTI");
    console_ask(&two.other, "GET a");
    boss_says(&two, HOLD_SET);
    assert_string_equal(console_ask(&two.other, "EXEC"), "[\"1\"]");
    boss_says(&two, "CLIENT UNPAUSE");

    console_ask(&two.other, "MULTI");
    console_ask(&two.other, "INCR a");
    boss_says(&two, HOLD_SET);
    console_say(&two.other, "EXEC");
    hears_nothing(&two);
    assert_string_equal(console_ask(&two.boss, "GET a"), "\"1\"");
    boss_says(&two, "CLIENT UNPAUSE");
    hears(&two, "[:2]");
    close_two(&two);
}

static void a_pause_ends_by_itself(void **state)
{
    struct two two;

    open_two(&two, *state);
    boss_says(&two, "CLIENT PAUSE 30");
    assert_string_equal(console_ask(&two.other, "SET a 1"), "+OK");
    boss_says(&two, "CLIENT PAUSE 0");
    assert_string_equal(console_ask(&two.other, "SET a 1"), "+OK");
    close_two(&two);
}

/* Neither shorter nor milder: see hears_nothing. */
static void a_second_pause_takes_nothing_back(void **state)
{
    struct two two;

    open_two(&two, *state);
    boss_says(&two, "CLIENT PAUSE 9223372036854775807 WRITE");
    boss_says(&two, HOLD);
    console_say(&two.other, "GET a");
    hears_nothing(&two);
    boss_says(&two, "CLIENT UNPAUSE");
    hears(&two, "\"1\"");
    close_two(&two);
}

static void who_closes_is_forgotten(void **state)
{
    struct two two;

    open_two(&two, *state);
    boss_says(&two, HOLD_SET);
    console_say(&two.other, "SET late 1");
    hears_nothing(&two);
    console_close(&two.other);
    while (strstr(console_ask(&two.boss, "CLIENT LIST"), two.other_id))
        continue;
    boss_says(&two, "CLIENT UNPAUSE");
    assert_string_equal(console_ask(&two.boss, "EXISTS late"), ":0");
    console_close(&two.boss);
}

static void who_is_held_is_shown_and_killed(void **state)
{
    struct two two;
    char line[64];
    const char *list;

    open_two(&two, *state);
    boss_says(&two, HOLD_SET);
    console_say(&two.other, "SET a 1");
    hears_nothing(&two);
    list = strstr(console_ask(&two.boss, "CLIENT LIST"), two.other_id);
    assert_non_null(list);
    assert_memory_equal(strstr(list, " flags="), " flags=b ", 9);
    assert_non_null(
        strstr(console_ask(&two.boss, "INFO clients"), "blocked_clients:1\\r"));
    snprintf(line, sizeof line, "CLIENT UNBLOCK %d", atoi(two.other_id + 3));
    assert_string_equal(console_ask(&two.boss, line), ":0");
    snprintf(line, sizeof line, "CLIENT KILL ID %d", atoi(two.other_id + 3));
    assert_string_equal(console_ask(&two.boss, line), ":1");
    hears(&two, "(no reply)");
    assert_non_null(
        strstr(console_ask(&two.boss, "INFO clients"), "blocked_clients:0\\r"));
    boss_says(&two, "CLIENT UNPAUSE");
    close_two(&two);
}

static void long_values_wait_too(void **state)
{
    struct two two;
    char *bytes = malloc(BIG + 64);
    int head =
        snprintf(bytes, 64, "*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n", BIG);

    memset(bytes + head, 'x', BIG);
    memcpy(bytes + head + BIG, "\r\n", 2);
    open_two(&two, *state);
    boss_says(&two, HOLD);
    live_send(two.other.fd, bytes, (size_t)head + BIG + 2);
    hears_nothing(&two);
    boss_says(&two, "CLIENT UNPAUSE");
    hears(&two, "+OK");
    assert_string_equal(console_ask(&two.other, "STRLEN big"), ":1048576");
    free(bytes);
    close_two(&two);
}

/* Who comes with the password can set it right. */
static void a_password_can_be_given(void **state)
{
    struct two two;
    struct console late;

    open_two(&two, *state);
    boss_says(&two, "CONFIG SET requirepass word");
    boss_says(&two, HOLD);
    console_open(&late, *state);
    assert_string_equal(console_ask(&late, "GET a"), NOAUTH);
    assert_string_equal(console_ask(&late, "AUTH word"), "+OK");
    console_begins(console_ask(&late, "HELLO 3"), "{\"server\"");
    assert_string_equal(console_ask(&late, "CLIENT UNPAUSE"), "+OK");
    assert_string_equal(console_ask(&late, "CONFIG SET requirepass \"\""),
                        "+OK");
    console_close(&late);
    close_two(&two);
}

/* It waits as soon as it can be unblocked. */
static void unblock(struct two *two, const char *how)
{
    char line[64];

    console_say(&two->other, "MEMORY WAIT 3600000");
    snprintf(line, sizeof line, "CLIENT UNBLOCK %d%s", atoi(two->other_id + 3),
             how);
    while (strcmp(console_ask(&two->boss, line), ":1") != 0)
        assert_string_equal(two->boss.shown, ":0");
}

static void who_waits_is_unblocked(void **state)
{
    struct two two;

    open_two(&two, *state);
    boss_says(&two, "CONFIG SET maxmemory 1");
    unblock(&two, "");
    console_begins(console_hear(&two.other), "[\"budget\" ");
    unblock(&two, " TIMEOUT");
    console_begins(console_hear(&two.other), "[\"budget\" ");
    unblock(&two, " ERROR");
    hears(&two, "-UNBLOCKED client unblocked via CLIENT UNBLOCK");
    assert_string_equal(console_ask(&two.other, "PING"), "+PONG");
    boss_says(&two, "CONFIG SET maxmemory 64mb");
    close_two(&two);
}

static void arguments_are_checked(void **state)
{
    CONSOLE_CHECK(
        {"CLIENT PAUSE",
         "-ERR wrong number of arguments for 'client|pause' command"},
        {"CLIENT PAUSE x", "-ERR timeout is not an integer or out of range"},
        {"CLIENT PAUSE -1", "-ERR timeout is negative"},
        {"CLIENT PAUSE 99999999999999999999",
         "-ERR timeout is not an integer or out of range"},
        {"CLIENT PAUSE x foo", "-ERR CLIENT PAUSE mode must be WRITE or ALL"},
        {"CLIENT PAUSE 1 write x",
         "-ERR unknown subcommand or wrong number of arguments for 'PAUSE'. "
         "Try CLIENT HELP."},
        {"CLIENT UNPAUSE", "+OK"}, {"CLIENT UNBLOCK 999999", ":0"},
        {"CLIENT UNBLOCK -1 ERROR", ":0"},
        {"CLIENT UNBLOCK x", "-ERR value is not an integer or out of range"},
        {"CLIENT UNBLOCK x foo",
         "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"});
}

/* What may be run when the pause is over is asked then. */
static void rights_may_go_meanwhile(void **state)
{
    struct two two;

    open_two(&two, *state);
    boss_says(&two, "ACL SETUSER held on nopass ~* +@all");
    assert_string_equal(console_ask(&two.other, "AUTH held x"), "+OK");
    boss_says(&two, HOLD_SET);
    console_say(&two.other, "SET a 1");
    hears_nothing(&two);
    boss_says(&two, "ACL SETUSER held -set");
    boss_says(&two, "CLIENT UNPAUSE");
    console_begins(console_hear(&two.other), "-NOPERM");
    close_two(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_held),
        cmocka_unit_test(writes_are_held),
        cmocka_unit_test(messages_are_held_like_writes),
        cmocka_unit_test(transactions_are_held_when_they_write),
        cmocka_unit_test(a_pause_ends_by_itself),
        cmocka_unit_test(a_second_pause_takes_nothing_back),
        cmocka_unit_test(who_closes_is_forgotten),
        cmocka_unit_test(who_is_held_is_shown_and_killed),
        cmocka_unit_test(long_values_wait_too),
        cmocka_unit_test(a_password_can_be_given),
        cmocka_unit_test(who_waits_is_unblocked),
        cmocka_unit_test(rights_may_go_meanwhile),
        cmocka_unit_test(arguments_are_checked),
    };
    return cmocka_run_group_tests(tests, start, live_teardown);
}
