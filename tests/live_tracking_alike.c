/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CLIENT TRACKING and what it sends, side by side with redis-server: the same
 * lines are sent to both, and what comes back must be the same bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/live.h"
#include "tests/side.h"

enum { LINE = 512, REPLIES = 8, SIDES = 2 };

/* What connection `conn` sends, {0} to {2} being the connections' ids, and how
 * many replies and pushes it gets then.  NULL: it sends nothing. */
struct step {
    unsigned conn;
    const char *line;
    size_t replies;
};

struct both {
    struct side sides[SIDES];
    long long ids[SIDES][SIDE_CONNS];
};

static void exchange(struct side *side, const struct step *step,
                     const char *line, struct resp *replies[REPLIES])
{
    memset(replies, 0, REPLIES * sizeof *replies);
    if (!side_exchange(side, step->conn, line, strlen(line), replies,
                       step->replies))
        fail_msg("%s: %zu replies to '%s' did not come", side->name,
                 step->replies, line);
}

static void learn_ids(struct both *both, int which)
{
    for (unsigned conn = 0; conn < SIDE_CONNS; conn++) {
        const struct step step = {conn, NULL, 2};
        struct resp *replies[REPLIES];
        exchange(&both->sides[which], &step, "RESET\r\nCLIENT ID\r\n", replies);
        both->ids[which][conn] = replies[1]->integer;
        resp_free(replies[0]);
        resp_free(replies[1]);
    }
}

static int setup(void **state)
{
    static char ebb[512];
    struct both *both = calloc(1, sizeof *both);
    snprintf(ebb, sizeof ebb,
             "%s --port 0 --metrics-port 0 --maxmemory 64mb --threads 2",
             live_server());
    assert_true(side_start(&both->sides[0], "ebb", ebb));
    assert_true(
        side_start(&both->sides[1], "redis",
                   side_command("ORACLE", "redis-server --port 0 --save ''")));
    learn_ids(both, 0);
    learn_ids(both, 1);
    *state = both;
    return 0;
}

static int teardown(void **state)
{
    struct both *both = *state;
    side_stop(&both->sides[0]);
    side_stop(&both->sides[1]);
    free(both);
    return 0;
}

/* The line as that side is to get it. */
static void write_line(const struct both *both, int which, const char *line,
                       char to[LINE])
{
    size_t len = 0;
    for (const char *at = line; at && *at;) {
        if (at[0] == '{' && at[2] == '}') {
            len += (size_t)snprintf(to + len, LINE - len, "%lld",
                                    both->ids[which][at[1] - '0']);
            at += 3;
        } else {
            to[len++] = *at++;
        }
    }
    strcpy(to + len, line ? "\r\n" : "");
}

/* Replies that tell a client's id have it as the script does. */
static void hide_id(const struct both *both, int which, const char *line,
                    char *shown)
{
    if (!line || !(strstr(line, "GETREDIR") || strstr(line, "TRACKINGINFO")))
        return;
    for (unsigned conn = 0; conn < SIDE_CONNS; conn++) {
        char id[32];
        int len = snprintf(id, sizeof id, ":%lld", both->ids[which][conn]);
        char *at = strstr(shown, id);
        if (!at)
            continue;
        at[1] = (char)('a' + conn);
        memmove(at + 2, at + len, strlen(at + len) + 1);
    }
}

/* The replies as text, in one line. */
static void show(const struct both *both, int which, const char *line,
                 struct resp **replies, size_t count, char *to, size_t size)
{
    size_t len = 0;
    to[0] = 0;
    for (size_t i = 0; i < count; i++) {
        char *shown = resp_show(replies[i]);
        hide_id(both, which, line, shown);
        len += (size_t)snprintf(to + len, size - len, " %s", shown);
        assert_true(len < size);
        free(shown);
        resp_free(replies[i]);
    }
}

static void play(struct both *both, const struct step *steps, size_t count)
{
    static char shown[SIDES][65536];
    for (size_t i = 0; i < count; i++) {
        struct resp *replies[REPLIES];
        char line[LINE];
        for (int which = 0; which < SIDES; which++) {
            write_line(both, which, steps[i].line, line);
            exchange(&both->sides[which], &steps[i], line, replies);
            show(both, which, line, replies, steps[i].replies, shown[which],
                 sizeof shown[which]);
        }
        bool hello = strncmp(line, "HELLO", 5) == 0;
        if (!hello && strcmp(shown[0], shown[1]) != 0)
            fail_msg("step %zu, '%s':\n  ebb  %s\n  redis%s", i,
                     steps[i].line ? steps[i].line : "", shown[0], shown[1]);
    }
    learn_ids(both, 0);
    learn_ids(both, 1);
}

#define PLAY(...)                                                              \
    play(*state, (const struct step[]){__VA_ARGS__},                           \
         sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

/* ----------------------------------------------------------------- commands */

static void texts(void **state)
{
    PLAY({0, "CLIENT TRACKING", 1}, {0, "CLIENT TRACKING ON", 1},
         {0, "CLIENT TRACKING on REDIRECT 0", 1},
         {0, "CLIENT TRACKING on REDIRECT abc", 1},
         {0, "CLIENT TRACKING on REDIRECT -1", 1},
         {0, "CLIENT TRACKING on REDIRECT 999999", 1},
         {0, "CLIENT TRACKING on REDIRECT 999999 FOO", 1},
         {0, "CLIENT TRACKING on FOO REDIRECT 999999", 1},
         {0, "CLIENT TRACKING on REDIRECT {0} REDIRECT {0}", 1},
         {0, "CLIENT TRACKING on REDIRECT", 1}, {0, "CLIENT TRACKING maybe", 1},
         {0, "CLIENT TRACKING maybe REDIRECT 99999", 1},
         {0, "CLIENT TRACKING on PREFIX a", 1},
         {0, "CLIENT TRACKING on PREFIX", 1},
         {0, "CLIENT TRACKING on BCAST", 1}, {0, "CLIENT TRACKINGINFO", 1},
         {0, "CLIENT GETREDIR", 1}, {0, "CLIENT CACHING yes", 1},
         {0, "CLIENT CACHING no", 1}, {0, "CLIENT CACHING maybe", 1},
         {0, "CLIENT CACHING", 1}, {0, "CLIENT TRACKING off BCAST PREFIX", 1},
         {0, "CLIENT TRACKING off BCAST", 1}, {0, "CLIENT CACHING maybe", 1},
         {0, "CLIENT CACHING yes", 1}, {0, "CLIENT TRACKINGINFO x", 1},
         {0, "CLIENT GETREDIR x", 1});
}

static void modes(void **state)
{
    PLAY({0, "CLIENT TRACKING on BCAST OPTIN", 1},
         {0, "CLIENT TRACKING on BCAST OPTIN OPTOUT", 1},
         {0, "CLIENT TRACKING on OPTIN OPTOUT", 1},
         {0, "CLIENT TRACKING on OPTIN", 1},
         {0, "CLIENT TRACKING on OPTOUT", 1}, {0, "CLIENT TRACKINGINFO", 1},
         {0, "CLIENT TRACKING on noloop", 1}, {0, "CLIENT TRACKINGINFO", 1},
         {0, "CLIENT TRACKING on OPTOUT", 1}, {0, "CLIENT CACHING yes", 1},
         {0, "CLIENT CACHING no", 1}, {0, "CLIENT TRACKINGINFO", 1},
         {0, "CLIENT TRACKINGINFO", 1}, {0, "FOO", 1},
         {0, "CLIENT TRACKINGINFO", 1}, {0, "CLIENT CACHING no", 1},
         {0, "CLIENT FOO", 1}, {0, "CLIENT TRACKINGINFO", 1},
         {0, "CLIENT CACHING no", 1}, {0, "GET", 1},
         {0, "CLIENT TRACKINGINFO", 1}, {0, "CLIENT CACHING no", 1},
         {0, "CLIENT TRACKING on OPTOUT", 1}, {0, "CLIENT TRACKINGINFO", 1},
         {0, "CLIENT TRACKING off", 1}, {0, "CLIENT TRACKINGINFO", 1},
         {0, "HELLO 3", 1}, {0, "CLIENT TRACKING on optin noloop", 1},
         {0, "CLIENT TRACKINGINFO", 1}, {0, "RESET", 1},
         {0, "CLIENT TRACKINGINFO", 1});
}

static void prefixes(void **state)
{
    PLAY({0, "CLIENT TRACKING on BCAST PREFIX b PREFIX a PREFIX cc", 1},
         {0, "CLIENT TRACKINGINFO", 1},
         {0, "CLIENT TRACKING on BCAST PREFIX aa", 1},
         {0, "CLIENT TRACKING on BCAST PREFIX c", 1},
         {0, "CLIENT TRACKING on BCAST", 1}, {0, "CLIENT TRACKING on BCAST", 1},
         {0, "CLIENT TRACKINGINFO", 1},
         {0, "CLIENT TRACKING on BCAST PREFIX d", 1},
         {0, "CLIENT TRACKING on", 1}, {0, "CLIENT TRACKING off", 1},
         {0, "CLIENT TRACKING on BCAST PREFIX x PREFIX xy", 1},
         {0, "CLIENT TRACKING on BCAST PREFIX x PREFIX x", 1},
         {0, "CLIENT TRACKINGINFO", 1},
         {0, "CLIENT TRACKING on BCAST PREFIX x", 1},
         {0, "CLIENT TRACKING on BCAST PREFIX y PREFIX w", 1},
         {0, "CLIENT TRACKINGINFO", 1});
}

/* ----------------------------------------------------------------- messages */

static void changes(void **state)
{
    PLAY({0, "HELLO 3", 1}, {0, "CLIENT TRACKING on", 1}, {1, "SET k 1", 1},
         {0, "GET k", 1}, {1, "SET k 2", 1}, {0, NULL, 1}, {1, "SET k 3", 1},
         {0, "GET k", 1}, {0, "SET k 4", 2}, {0, "MGET k k2", 1},
         {1, "SET k2 1", 1}, {0, NULL, 1}, {1, "DEL k", 1}, {0, NULL, 1},
         {0, "EXISTS k", 1}, {1, "APPEND k a", 1}, {0, NULL, 1},
         {0, "STRLEN k", 1}, {1, "SET k 1 EX 100", 1}, {0, NULL, 1},
         {0, "TTL k", 1}, {1, "PERSIST k", 1}, {0, NULL, 1}, {0, "TYPE k", 1},
         {1, "INCR k", 1}, {0, NULL, 1}, {0, "OBJECT ENCODING k", 1},
         {1, "EXPIRE k 100", 1}, {0, NULL, 1}, {0, "TOUCH k", 1},
         {1, "GETDEL k", 1}, {0, NULL, 1}, {0, "GET none", 1},
         {1, "SETNX none 1", 1}, {0, NULL, 1}, {0, "GET none", 1},
         {1, "SETNX none 1", 1}, {1, "GETSET none 1", 1}, {0, NULL, 1},
         /* What reads for a write is not remembered. */
         {0, "GETEX none", 1}, {0, "SET none 2 GET", 1}, {1, "SET none 3", 1},
         {0, "PING", 1});
}

static void whole_databases(void **state)
{
    PLAY({0, "HELLO 3", 1}, {0, "CLIENT TRACKING on noloop", 1},
         {1, "CLIENT TRACKING on", 1}, {0, "GET k", 1}, {0, "FLUSHALL", 2},
         {1, "FLUSHDB", 1}, {0, NULL, 1}, {0, "SELECT 1", 1}, {0, "GET k", 1},
         {1, "SET k 1", 1}, {0, NULL, 1}, {1, "SELECT 9", 1},
         {1, "FLUSHDB ASYNC", 1}, {0, NULL, 1}, {0, "PING", 1});
}

static void noloop(void **state)
{
    PLAY({0, "HELLO 3", 1}, {1, "HELLO 3", 1},
         {0, "CLIENT TRACKING on noloop", 1}, {1, "CLIENT TRACKING on", 1},
         {0, "GET k", 1}, {1, "GET k", 1}, {0, "SET k 2", 1}, {1, NULL, 1},
         {0, "GET k", 1}, {1, "GET k", 1}, {1, "SET k 3", 2}, {0, NULL, 1},
         {0, "PING", 1}, {1, "PING", 1});
}

static void opting(void **state)
{
    PLAY({0, "HELLO 3", 1}, {0, "CLIENT TRACKING on OPTIN", 1}, {0, "GET k", 1},
         {1, "SET k 1", 1}, {0, "CLIENT CACHING YES", 1}, {0, "GET k", 1},
         {0, "GET k2", 1}, {1, "MSET k 1 k2 1", 1}, {0, NULL, 1},
         {0, "CLIENT CACHING YES", 1}, {0, "MULTI", 1}, {0, "GET k", 1},
         {0, "GET k2", 1}, {0, "EXEC", 1}, {1, "SET k 2", 1}, {0, NULL, 1},
         {1, "SET k2 2", 1}, {0, NULL, 1}, {0, "MULTI", 1},
         {0, "CLIENT CACHING YES", 1}, {0, "GET k", 1}, {0, "EXEC", 1},
         {1, "SET k 2", 1}, {0, NULL, 1}, {0, "CLIENT TRACKING off", 1},
         {0, "CLIENT TRACKING on OPTOUT", 1}, {0, "CLIENT CACHING no", 1},
         {0, "GET k", 1}, {0, "GET k2", 1}, {1, "MSET k 1 k2 1", 1},
         {0, NULL, 1}, {0, "PING", 1});
}

static void transactions(void **state)
{
    PLAY({0, "HELLO 3", 1}, {0, "CLIENT TRACKING on", 1}, {0, "GET k", 1},
         {0, "MULTI", 1}, {0, "SET k 2", 1}, {0, "SET k 3", 1}, {0, "GET k", 1},
         {0, "EXEC", 2}, {0, "SET k 4", 2}, {0, "PING", 1});
}

static void broadcast(void **state)
{
    PLAY({0, "HELLO 3", 1},
         {0, "CLIENT TRACKING on BCAST PREFIX a PREFIX b", 1},
         {1, "MSET a1 1 b1 1 a2 2 a0 1 c1 1", 1}, {0, NULL, 2},
         {1, "MSET a1 1 a1 1", 1}, {0, NULL, 1}, {1, "SET c1 1", 1},
         {0, "SET a1 5", 2}, {0, "GET c1", 1}, {1, "SET c1 1", 1},
         {1, "DEL a1 a2 a3 b1", 1}, {0, NULL, 2},
         {0, "CLIENT TRACKING on BCAST NOLOOP", 1}, {0, "SET a1 5", 1},
         {1, "SET a1 5", 1}, {0, NULL, 2}, {1, "FLUSHALL", 1}, {0, NULL, 1},
         {0, "PING", 1});
}

static void redirected(void **state)
{
    PLAY({0, "HELLO 3", 1}, {1, "HELLO 3", 1},
         {0, "CLIENT TRACKING on REDIRECT {1}", 1}, {0, "GET k", 1},
         {0, "CLIENT TRACKINGINFO", 1}, {0, "CLIENT GETREDIR", 1},
         {2, "SET k 1", 1}, {1, NULL, 1}, {2, "FLUSHALL", 1}, {1, NULL, 1},
         {0, "CLIENT TRACKING off", 1}, {0, "CLIENT GETREDIR", 1},
         {0, "CLIENT TRACKING on BCAST REDIRECT {1}", 1}, {2, "SET k 1", 1},
         {1, NULL, 1}, {0, "PING", 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),           cmocka_unit_test(modes),
        cmocka_unit_test(prefixes),        cmocka_unit_test(changes),
        cmocka_unit_test(whole_databases), cmocka_unit_test(noloop),
        cmocka_unit_test(opting),          cmocka_unit_test(transactions),
        cmocka_unit_test(broadcast),       cmocka_unit_test(redirected),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
