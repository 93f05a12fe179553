/* SPDX-License-Identifier: BSD-3-Clause */
/* CLIENT: lists connections of all workers, and what they say of themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/crowd.h"
#include "tests/errors.h"

enum { NAME_MAX_LEN = 1024, IDS_MAX = 16384 };

#define BAD_NAME(what)                                                         \
    "-ERR " what " cannot contain spaces, newlines or special characters."

/* The ids of the lines of a reply, in their order. */
static size_t ids_in(const char *list, long long ids[], size_t max)
{
    size_t count = 0;

    for (const char *at = list; (at = strstr(at, "id=")) != NULL; at += 3) {
        if (at[-1] != '"' && at[-1] != 'n')
            continue; /* redir=, not the beginning of a line */
        assert_true(count < max);
        ids[count++] = strtoll(at + 3, NULL, 10);
    }
    return count;
}

/* ------------------------------------------------------------ LIST and INFO */

static void list_has_everybody_once(void **state)
{
    struct crowd *f = *state;
    long long ids[2 * OTHERS];

    for (int round = 0; round < 50; round++) {
        assert_int_equal(
            ids_in(console_ask(&f->me, "CLIENT LIST"), ids, 2 * OTHERS),
            OTHERS + 1);
        assert_int_equal(ids[0], f->my_id);
        for (int i = 0; i < OTHERS; i++)
            assert_int_equal(ids[i + 1], f->ids[i]);
    }
}

static void a_line_has_all_columns(void **state)
{
    static const char columns[] =
        "id addr laddr fd name age idle flags db sub psub ssub multi watch "
        "qbuf qbuf-free argv-mem multi-mem rbs rbp obl oll omem tot-mem events "
        "cmd "
        "user redir resp lib-name lib-ver";
    struct crowd *f = *state;
    struct console *t = &f->others[3];
    char line[1000], found[1000] = "", end[200];
    char *save, *word;

    console_ask(t, "HELLO 3 SETNAME me");
    console_ask(t, "CLIENT SETINFO LIB-NAME lib");
    console_ask(t, "CLIENT SETINFO lib-ver 1.0");
    console_ask(t, "CLIENT NO-EVICT ON");
    console_ask(t, "CLIENT NO-TOUCH on");
    console_ask(t, "SELECT 9");
    snprintf(line, sizeof line, "%s",
             crowd_ask_id(f, "CLIENT LIST ID %lld", f->ids[3]));
    assert_non_null(strstr(line, " name=me age="));
    assert_non_null(strstr(line, " flags=eT db=9 "));
    snprintf(end, sizeof end,
             " cmd=select user=default redir=-1 resp=3 lib-name=lib "
             "lib-ver=1.0\\n\"");
    assert_string_equal(line + strlen(line) - strlen(end), end);
    for (word = strtok_r(line, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        const char *name = word[0] == '"' ? word + 1 : word;

        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%.*s",
                 found[0] == '\0' ? "" : " ", (int)strcspn(name, "="), name);
    }
    assert_string_equal(found, columns);
}

/* It is accepted a moment after it connected. */
static void who_said_nothing_ran_no_command(void **state)
{
    struct crowd *f = *state;
    struct console silent;
    bool listed = false;

    console_open(&silent, f->live);
    for (int i = 0; i < 100000 && !listed; i++)
        listed = strstr(console_ask(&f->me, "CLIENT LIST"), " cmd=NULL ");
    assert_true(listed);
    console_close(&silent);
}

static void info_is_the_line_of_oneself(void **state)
{
    struct crowd *f = *state;
    char start[40];

    snprintf(start, sizeof start, "\"id=%lld addr=127.0.0.1:", f->my_id);
    console_ask(&f->me, "CLIENT INFO");
    assert_memory_equal(f->me.shown, start, strlen(start));
    assert_non_null(strstr(f->me.shown, " flags=N "));
    assert_non_null(strstr(f->me.shown, " cmd=client|info "));
}

static void flags_stand_in_redis_order(void **state)
{
    struct crowd *f = *state;
    struct console other;

    console_open(&other, f->live);
    console_ask(&other, "HELLO 3");
    console_ask(&other, "CLIENT TRACKING ON BCAST");
    console_ask(&other, "CLIENT NO-EVICT ON");
    console_ask(&other, "SUBSCRIBE a");
    console_ask(&other, "CLIENT INFO");
    assert_non_null(strstr(other.shown, " flags=PtBe "));
    console_ask(&other, "MONITOR");
    console_ask(&f->me, "CLIENT LIST");
    assert_non_null(strstr(f->me.shown, " flags=OPtBe "));
    console_close(&other);
}

static void list_gives_those_asked_for(void **state)
{
    struct crowd *f = *state;
    long long ids[8];
    char line[200];

    snprintf(line, sizeof line, "CLIENT LIST ID %lld 999999 %lld %lld",
             f->ids[5], f->ids[2], f->ids[5]);
    assert_int_equal(ids_in(console_ask(&f->me, line), ids, 8), 3);
    assert_int_equal(ids[0], f->ids[5]);
    assert_int_equal(ids[1], f->ids[2]);
    assert_int_equal(ids[2], f->ids[5]);
    assert_string_equal(console_ask(&f->me, "CLIENT LIST ID 999999 0 -1"),
                        "\"\"");
    assert_string_equal(console_ask(&f->me, "CLIENT LIST TYPE pubsub"), "\"\"");
    assert_string_equal(console_ask(&f->me, "CLIENT LIST TYPE MASTER"), "\"\"");
    assert_non_null(
        strstr(console_ask(&f->me, "CLIENT LIST TYPE normal"), "id="));
    assert_string_equal(console_ask(&f->me, "CLIENT LIST TYPE foo"),
                        "-ERR Unknown client type 'foo'");
    assert_string_equal(console_ask(&f->me, "CLIENT LIST TYPE"), SYNTAX);
    assert_string_equal(console_ask(&f->me, "CLIENT LIST ID"), SYNTAX);
    assert_string_equal(console_ask(&f->me, "CLIENT LIST FOO BAR"), SYNTAX);
    assert_string_equal(console_ask(&f->me, "CLIENT LIST ID 1 x"),
                        "-ERR Invalid client ID");
}

/* As many ids as may be asked for at once, and one more. */
static void a_list_of_ids_has_a_limit(void **state)
{
    struct crowd *f = *state;

    for (int count = IDS_MAX; count <= IDS_MAX + 1; count++) {
        char head[64];
        size_t len = (size_t)count * 7;
        char *rest = malloc(len);

        snprintf(head, sizeof head,
                 "*%d\r\n$6\r\nCLIENT\r\n$4\r\nLIST\r\n$2\r\nID\r\n",
                 count + 3);
        for (int i = 0; i < count; i++)
            memcpy(rest + i * 7, "$1\r\n0\r\n", 7);
        assert_true(live_send(f->me.fd, head, strlen(head)));
        assert_true(live_send(f->me.fd, rest, len));
        free(rest);
        assert_string_equal(
            console_hear(&f->me),
            count == IDS_MAX ? "\"\"" : "-ERR more than 16384 client IDs");
    }
}

/* More than are sorted, looked up or sent at one time. */
static void a_long_list_is_whole_and_in_order(void **state)
{
    enum { MORE = 1500, ALL = MORE + OTHERS + 1 };
    struct crowd *f = *state;
    static long long ids[ALL], asked[ALL];
    static char line[ALL * 8 + 32];
    int fds[MORE];
    size_t len = (size_t)sprintf(line, "CLIENT LIST ID");

    for (int i = 0; i < MORE; i++)
        fds[i] = live_socket(f->live);
    while (ids_in(console_ask(&f->me, "CLIENT LIST"), ids, ALL) < ALL)
        ; /* until all have been accepted */
    assert_int_equal(ids[0], f->my_id);
    for (int i = 1; i < ALL; i++)
        assert_true(ids[i] > ids[i - 1]);
    for (int i = ALL - 1; i >= 0; i--)
        len += (size_t)sprintf(line + len, " %lld", ids[i]);
    assert_int_equal(ids_in(console_ask(&f->me, line), asked, ALL), ALL);
    for (int i = 0; i < ALL; i++)
        assert_int_equal(asked[i], ids[ALL - 1 - i]);
    for (int i = 0; i < MORE; i++)
        close(fds[i]);
}

/* Who asks and leaves before the workers have answered harms nobody. */
static void askers_may_leave(void **state)
{
    struct crowd *f = *state;

    for (int i = 0; i < 200; i++) {
        struct console t;

        console_open(&t, f->live);
        console_say(&t, i % 2 == 0
                            ? "CLIENT LIST\r\nCLIENT LIST"
                            : "CONFIG RESETSTAT\r\nCLIENT KILL ID 999999");
        console_close(&t);
    }
    crowd_check_open(f, (bool[OTHERS]){1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
}

/* Commands behind one that waits for the workers keep their order. */
static void a_pipeline_keeps_its_order(void **state)
{
    struct crowd *f = *state;

    console_say(&f->me, "PING 1\r\nCONFIG RESETSTAT\r\nPING 2\r\n"
                        "CLIENT KILL ID 999999\r\nPING 3");
    assert_string_equal(console_hear(&f->me), "\"1\"");
    assert_string_equal(console_hear(&f->me), "+OK");
    assert_string_equal(console_hear(&f->me), "\"2\"");
    assert_string_equal(console_hear(&f->me), ":0");
    assert_string_equal(console_hear(&f->me), "\"3\"");
}

/* -------------------------------------------------------------- one's own */

static void names_are_kept_and_checked(void **state)
{
    struct crowd *f = *state;
    struct console *t = &f->me;
    char line[NAME_MAX_LEN + 40];

    assert_string_equal(console_ask(t, "CLIENT GETNAME"), "nil");
    assert_string_equal(console_ask(t, "CLIENT SETNAME me"), "+OK");
    assert_string_equal(console_ask(t, "CLIENT GETNAME"), "\"me\"");
    assert_string_equal(console_ask(t, "CLIENT SETNAME \"a b\""),
                        BAD_NAME("Client names"));
    assert_string_equal(console_ask(t, "CLIENT SETNAME \"a\\nb\""),
                        BAD_NAME("Client names"));
    assert_string_equal(console_ask(t, "CLIENT SETNAME \"a\\xffb\""),
                        BAD_NAME("Client names"));
    assert_string_equal(console_ask(t, "CLIENT GETNAME"), "\"me\"");
    assert_string_equal(console_ask(t, "CLIENT SETNAME \"\""), "+OK");
    assert_string_equal(console_ask(t, "CLIENT GETNAME"), "nil");
    strcpy(line, "CLIENT SETNAME ");
    memset(line + 15, 'n', NAME_MAX_LEN);
    strcpy(line + 15 + NAME_MAX_LEN, "");
    assert_string_equal(console_ask(t, line), "+OK");
    strcpy(line + 15 + NAME_MAX_LEN, "n");
    assert_string_equal(console_ask(t, line),
                        "-ERR Client names cannot be longer "
                        "than 1024 characters.");
}

static void libraries_say_what_they_are(void **state)
{
    struct console *t = &((struct crowd *)*state)->me;

    assert_string_equal(console_ask(t, "CLIENT SETINFO LIB-NAME my-lib"),
                        "+OK");
    assert_string_equal(console_ask(t, "CLIENT SETINFO lib-name \"a b\""),
                        BAD_NAME("lib-name"));
    assert_string_equal(console_ask(t, "CLIENT SETINFO LIB-VER \"1\\n2\""),
                        BAD_NAME("LIB-VER"));
    assert_string_equal(console_ask(t, "CLIENT SETINFO foo x"),
                        "-ERR Unrecognized option 'foo'");
    assert_non_null(strstr(console_ask(t, "CLIENT INFO"),
                           " lib-name=my-lib lib-ver="
                           "\\n"));
    assert_string_equal(console_ask(t, "RESET"), "+RESET");
    assert_non_null(strstr(console_ask(t, "CLIENT INFO"), " lib-name=my-lib "));
    assert_string_equal(console_ask(t, "CLIENT SETINFO LIB-NAME \"\""), "+OK");
    assert_non_null(strstr(console_ask(t, "CLIENT INFO"), " lib-name= "));
}

static void replies_can_be_switched_off(void **state)
{
    struct console *t = &((struct crowd *)*state)->me;

    assert_string_equal(console_ask(t, "CLIENT REPLY OFF\r\nPING\r\nPING x\r\n"
                                       "CLIENT REPLY FOO\r\nCLIENT LIST\r\n"
                                       "CLIENT REPLY SKIP\r\nPING\r\n"
                                       "CLIENT REPLY ON"),
                        "+OK");
    assert_string_equal(console_ask(t, "CLIENT REPLY SKIP\r\nPING 1\r\nPING 2"),
                        "\"2\"");
    assert_string_equal(
        console_ask(t, "CLIENT REPLY SKIP\r\nCLIENT LIST\r\nPING 3"), "\"3\"");
    assert_string_equal(console_ask(t, "CLIENT REPLY foo"), SYNTAX);
    assert_string_equal(console_ask(t, "CLIENT REPLY ON"), "+OK");
}

static void unknown_ones_are_refused_as_redis_does(void **state)
{
    struct console *t = &((struct crowd *)*state)->me;

    assert_string_equal(
        console_ask(t,
                    "CLIENT MAINT_NOTIFICATIONS ON moving-endpoint-type none"),
        "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.");
    assert_string_equal(console_ask(t, "CLIENT NO-EVICT foo"), SYNTAX);
    assert_string_equal(console_ask(t, "CLIENT NO-TOUCH foo"), SYNTAX);
    assert_string_equal(console_ask(t, "CLIENT"),
                        "-ERR wrong number of arguments "
                        "for 'client' command");
    console_ask(t, "CLIENT HELP");
    assert_memory_equal(t->shown, "[+CLIENT <subcommand>", 21);
}

/* StackExchange.Redis, as it connects: all at once, and what ECHO returns
 * decides. */
static void as_stackexchange_does(void **state)
{
    static const char *const lines[] = {
        "HELLO 3",
        "CLIENT SETNAME host",
        "CLIENT SETINFO lib-name SE.Redis",
        "CLIENT SETINFO lib-ver 3.1",
        "CLIENT ID",
        "CONFIG GET timeout",
        "CONFIG GET replica-read-only",
        "CONFIG GET databases",
        "SENTINEL MASTERS",
        "INFO replication",
        "INFO server",
        "CLUSTER NODES",
        "GET __Booksleeve_TieBreak",
        "ECHO \"\\x00\\x01\\xff3456789abcdef\"",
    };
    struct crowd *f = *state;
    struct console *t = &f->others[3];

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        console_say(t, lines[i]);
    console_begins(console_hear(t), "{\"server\": ");
    for (int i = 0; i < 3; i++)
        console_tells(t, "+OK");
    console_begins(console_hear(t), ":");
    console_tells(t, "{\"timeout\": \"0\"}");
    console_tells(t, "{\"replica-read-only\": \"yes\"}");
    console_tells(t, "{\"databases\": \"16\"}");
    console_begins(console_hear(t), "-ERR unknown command 'SENTINEL'");
    assert_non_null(strstr(console_hear(t), "role:master"));
    assert_non_null(strstr(console_hear(t), "redis_mode:standalone"));
    console_tells(t, "-ERR This instance has cluster support disabled");
    console_tells(t, "nil");
    console_tells(t, "\"\\x00\\x01\\xff3456789abcdef\"");
    console_begins(console_ask(t, "HELLO 2"), "[\"server\" ");
    console_answers(t, "SUBSCRIBE __Booksleeve_MasterChanged",
                    "[\"subscribe\" \"__Booksleeve_MasterChanged\" :1]");
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, crowd_setup, crowd_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(list_has_everybody_once),
        TEST(a_line_has_all_columns),
        TEST(who_said_nothing_ran_no_command),
        TEST(info_is_the_line_of_oneself),
        TEST(flags_stand_in_redis_order),
        TEST(list_gives_those_asked_for),
        TEST(a_list_of_ids_has_a_limit),
        TEST(a_long_list_is_whole_and_in_order),
        TEST(askers_may_leave),
        TEST(a_pipeline_keeps_its_order),
        TEST(names_are_kept_and_checked),
        TEST(libraries_say_what_they_are),
        TEST(replies_can_be_switched_off),
        TEST(unknown_ones_are_refused_as_redis_does),
        TEST(as_stackexchange_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
