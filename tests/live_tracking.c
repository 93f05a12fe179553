/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients that cache, on several workers: who is told what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/crowd.h"

/* Each of the others, with one option. */
static void track_all(struct crowd *f, const char *options)
{
    char line[100];
    snprintf(line, sizeof line, "CLIENT TRACKING on %s", options);
    for (int i = 0; i < OTHERS; i++) {
        console_ask(&f->others[i], "HELLO 3");
        assert_string_equal(console_ask(&f->others[i], line), "+OK");
    }
}

/* -------------------------------------------------------------- who is told */

static void all_readers_on_all_workers_are_told_once(void **state)
{
    struct crowd *f = *state;
    track_all(f, "");
    assert_int_equal(crowd_info(f, "tracking_clients"), OTHERS);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < OTHERS; i++)
            console_ask(&f->others[i], "GET shared");
        assert_int_equal(crowd_info(f, "tracking_total_keys"), 1);
        assert_int_equal(crowd_info(f, "tracking_total_items"), OTHERS);
        console_ask(&f->me, "SET shared 1");
        for (int i = 0; i < OTHERS; i++) {
            console_tells(&f->others[i], INVALID("\"shared\""));
            assert_string_equal(console_ask(&f->others[i], "PING"), "+PONG");
        }
    }
    crowd_reset(f);
    assert_int_equal(crowd_info(f, "tracking_clients"), 0);
}

static void who_is_gone_is_not_remembered(void **state)
{
    struct crowd *f = *state;
    struct console c;
    console_open(&c, f->live);
    console_ask(&c, "HELLO 3");
    console_ask(&c, "CLIENT TRACKING on BCAST PREFIX x");
    assert_int_equal(crowd_info(f, "tracking_clients"), 1);
    assert_int_equal(crowd_info(f, "tracking_total_prefixes"), 1);
    console_close(&c);
    while (crowd_info(f, "tracking_clients") > 0)
        ;
    assert_int_equal(crowd_info(f, "tracking_total_prefixes"), 0);
    console_open(&c, f->live);
    console_ask(&c, "CLIENT TRACKING on");
    console_ask(&c, "GET x");
    assert_int_equal(crowd_info(f, "tracking_total_keys"), 1);
    console_close(&c);
    while (crowd_info(f, "tracking_clients") > 0)
        ;
    assert_int_equal(crowd_info(f, "tracking_total_keys"), 0);
}

static void prefixes_on_all_workers(void **state)
{
    struct crowd *f = *state;
    track_all(f, "BCAST PREFIX user: PREFIX item:");
    assert_int_equal(crowd_info(f, "tracking_total_prefixes"), 2);
    console_ask(&f->me, "MSET user:2 a item:1 a user:1 a other:1 a user:2 b");
    for (int i = 0; i < OTHERS; i++) {
        console_tells(&f->others[i], INVALID("\"item:1\""));
        console_tells(&f->others[i], INVALID("\"user:1\" \"user:2\""));
    }
    console_ask(&f->me, "FLUSHALL");
    for (int i = 0; i < OTHERS; i++)
        console_tells(&f->others[i], ALL_INVALID);
    crowd_reset(f);
}

static void noloop_in_a_broadcast(void **state)
{
    struct crowd *f = *state;
    struct console *t = &f->others[0];
    track_all(f, "BCAST NOLOOP");
    console_ask(t, "SET mine 1");
    for (int i = 1; i < OTHERS; i++)
        console_tells(&f->others[i], INVALID("\"mine\""));
    console_ask(&f->me, "SET yours 1");
    for (int i = 0; i < OTHERS; i++)
        console_tells(&f->others[i], INVALID("\"yours\""));
    crowd_reset(f);
}

/* The redirections cross the workers in every way. */
static void redirected_to_another_worker(void **state)
{
    struct crowd *f = *state;
    char line[100];
    for (int i = 0; i < OTHERS; i++) {
        console_ask(&f->others[i], "HELLO 3");
        snprintf(line, sizeof line, "CLIENT TRACKING on REDIRECT %lld",
                 f->ids[(i + 1) % OTHERS]);
        assert_string_equal(console_ask(&f->others[i], line), "+OK");
        snprintf(line, sizeof line, "GET of:%d", i);
        console_ask(&f->others[i], line);
    }
    for (int i = 0; i < OTHERS; i++) {
        snprintf(line, sizeof line, "SET of:%d 1", i);
        console_ask(&f->me, line);
        snprintf(line, sizeof line, INVALID("\"of:%d\""), i);
        console_tells(&f->others[(i + 1) % OTHERS], line);
    }
    console_ask(&f->me, "FLUSHALL");
    for (int i = 0; i < OTHERS; i++)
        console_tells(&f->others[i], ALL_INVALID);
    crowd_reset(f);
}

static void a_redirection_breaks(void **state)
{
    struct crowd *f = *state;
    struct console c;
    char line[100], id[100];
    long long number;
    console_open(&c, f->live);
    assert_int_equal(sscanf(console_ask(&c, "CLIENT ID"), ":%lld", &number), 1);
    snprintf(line, sizeof line, "REDIRECT %lld", number);
    track_all(f, line);
    for (int i = 0; i < OTHERS; i++)
        console_ask(&f->others[i], "GET k");
    console_close(&c);
    while (crowd_info(f, "connected_clients") > OTHERS + 1)
        ;
    console_ask(&f->me, "SET k 1");
    snprintf(line, sizeof line, ">[\"tracking-redir-broken\" :%lld]", number);
    snprintf(id, sizeof id, " redir=%lld ", number);
    for (int i = 0; i < OTHERS; i++) {
        console_tells(&f->others[i], line);
        console_ask(&f->others[i], "CLIENT INFO");
        assert_non_null(strstr(f->others[i].shown, " flags=tR "));
        assert_non_null(strstr(f->others[i].shown, id));
    }
    crowd_reset(f);
}

/* In RESP2 whoever is redirected to must be subscribed to something. */
static void resp2_hears_by_a_channel(void **state)
{
    struct crowd *f = *state;
    struct console *t = &f->others[0];
    char line[100];
    for (int i = 1; i < OTHERS; i++) {
        struct console *to = &f->others[i];
        console_ask(t, "CLIENT TRACKING off");
        snprintf(line, sizeof line, "CLIENT TRACKING on REDIRECT %lld",
                 f->ids[i]);
        assert_string_equal(console_ask(t, line), "+OK");
        console_begins(console_ask(to, "SUBSCRIBE __redis__:invalidate"),
                       "[\"subscribe\"");
        console_ask(t, "GET k");
        console_ask(&f->me, "SET k 2");
        console_tells(to, "[\"message\" \"__redis__:invalidate\" [\"k\"]]");
        console_ask(&f->me, "FLUSHALL");
        console_tells(to, "[\"message\" \"__redis__:invalidate\" nil]");
    }
    crowd_reset(f);
}

/* A long command, whose reply is about what was there when it looked.  What is
 * told of keys of former rounds may come late. */
static void a_push_does_not_overtake_a_reply(void **state)
{
    enum { KEYS = 20000, ROUNDS = 20 }; /* more than one slice */
    struct crowd *f = *state;
    struct console *t = &f->others[0];
    char *request = malloc(KEYS * 9 + 100), line[20], invalid[50];
    console_ask(t, "HELLO 3");
    console_ask(t, "CLIENT TRACKING on");
    for (int round = 10; round < 10 + ROUNDS; round++) {
        size_t len =
            (size_t)sprintf(request, "*%d\r\n$6\r\nEXISTS\r\n", KEYS + 1);
        for (int i = 0; i < KEYS; i++)
            len += (size_t)sprintf(request + len, "$3\r\nk%d\r\n", round);
        snprintf(line, sizeof line, "SET k%d 1", round);
        snprintf(invalid, sizeof invalid, INVALID("\"k%d\""), round);
        assert_true(live_send(t->fd, request, len));
        for (int i = 0; i < 20; i++)
            console_ask(&f->me, line);
        while (console_hear(t)[0] == '>')
            assert_string_not_equal(t->shown, invalid);
        console_begins(t->shown, ":");
    }
    free(request);
    crowd_reset(f);
}

/* RESP2 has no pushes. */
static void resp2_is_silent(void **state)
{
    struct crowd *f = *state;
    struct console *t = &f->others[0];
    console_ask(t, "CLIENT TRACKING on");
    console_ask(t, "GET k");
    assert_int_equal(crowd_info(f, "tracking_total_keys"), 1);
    console_ask(&f->me, "SET k 2");
    assert_int_equal(crowd_info(f, "tracking_total_keys"), 0);
    console_ask(&f->me, "FLUSHALL");
    assert_string_equal(console_ask(t, "PING"), "+PONG");
    crowd_reset(f);
}

/* -------------------------------------------------------- real clients' ways
 */

/* rueidis, as it connects and reads through its cache. */
static void as_rueidis_does(void **state)
{
    struct crowd *f = *state;
    struct console *t = &f->others[5];
    console_say(t, "HELLO 3");
    console_say(t, "CLIENT TRACKING ON OPTIN");
    console_say(t, "CLIENT NO-TOUCH ON");
    console_say(t, "CLIENT NO-EVICT ON");
    console_say(t, "CLIENT SETINFO LIB-NAME rueidis");
    console_say(t, "CLIENT SETINFO LIB-VER 1.0.70");
    console_begins(console_hear(t), "{\"server\": ");
    for (int i = 0; i < 5; i++)
        console_tells(t, "+OK");
    console_ask(&f->me, "SET k v");
    console_say(t, "CLIENT CACHING YES");
    console_say(t, "MULTI");
    console_say(t, "PTTL k");
    console_say(t, "GET k");
    console_say(t, "EXEC");
    console_tells(t, "+OK");
    console_tells(t, "+OK");
    console_tells(t, "+QUEUED");
    console_tells(t, "+QUEUED");
    console_tells(t, "[:-1 \"v\"]");
    console_ask(t, "GET other");
    console_ask(&f->me, "MSET other 1 k w");
    console_tells(t, INVALID("\"k\""));
    assert_string_equal(console_ask(t, "GET other"), "\"1\"");
    console_ask(&f->me, "FLUSHALL");
    console_tells(t, ALL_INVALID);
    crowd_reset(f);
}

/* Every command that only reads keys makes them remembered. */
static void all_that_read_are_remembered(void **state)
{
    static const struct {
        const char *name, *args;
    } more[] = {{"getrange", " 0 1"}, {"substr", " 0 1"},     {"getbit", " 1"},
                {"hget", " f"},       {"hmget", " f"},        {"hexists", " f"},
                {"hstrlen", " f"},    {"hscan", " 0"},        {"lcs", " other"},
                {"bitpos", " 1"},     {"object|encoding", ""}};
    struct crowd *f = *state;
    redisContext *redis = live_connect(f->live);
    redisReply *reply = redisCommand(redis, "COMMAND");
    struct console *t = &f->others[0];
    int tried = 0;
    console_ask(t, "CLIENT TRACKING on");
    for (size_t i = 0; i < reply->elements; i++) {
        redisReply **row = reply->element[i]->element;
        bool reads = false;
        for (size_t j = 0; j < row[2]->elements; j++)
            reads |= strcmp(row[2]->element[j]->str, "readonly") == 0;
        if (!reads || row[3]->integer != 1)
            continue;
        const char *args = "";
        char line[200];
        for (size_t j = 0; j < sizeof more / sizeof *more; j++)
            if (strcmp(more[j].name, row[0]->str) == 0)
                args = more[j].args;
        snprintf(line, sizeof line, "%s read:%zu%s", row[0]->str, i, args);
        console_ask(t, line);
        if (strncmp(t->shown, "-ERR wrong number", 17) == 0)
            fail_msg("'%s' wants more arguments: name them here", line);
        snprintf(line, sizeof line, "SET read:%zu 1", i);
        if (crowd_info(f, "tracking_total_keys") == 0)
            fail_msg("%s is not remembered", row[0]->str);
        console_ask(&f->me, "FLUSHALL");
        tried++;
    }
    assert_true(tried >= 10);
    freeReplyObject(reply);
    redisFree(redis);
    crowd_reset(f);
}

/* ------------------------------------------------------------- by themselves
 */

static void what_expires_is_told(void **state)
{
    struct crowd *f = *state;
    bool saw[OTHERS];
    int count = 0;
    track_all(f, "");
    console_ask(&f->me, "SET lazy 1 PX 200");
    console_ask(&f->me, "SET crawled 1 PX 200");
    for (int i = 0; i < OTHERS; i++) {
        const char *value =
            console_ask(&f->others[i], i % 2 ? "GET lazy" : "GET crawled");
        saw[i] = strcmp(value, "\"1\"") == 0;
        count += saw[i];
    }
    assert_true(count > 0);
    for (int i = 0; i < OTHERS; i += 2)
        if (saw[i])
            console_tells(&f->others[i], INVALID("\"crawled\""));
    while (strcmp(console_ask(&f->me, "GET lazy"), "nil") != 0)
        ;
    for (int i = 1; i < OTHERS; i += 2)
        if (saw[i])
            console_tells(&f->others[i], INVALID("\"lazy\""));
    crowd_reset(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_readers_on_all_workers_are_told_once),
        cmocka_unit_test(who_is_gone_is_not_remembered),
        cmocka_unit_test(prefixes_on_all_workers),
        cmocka_unit_test(noloop_in_a_broadcast),
        cmocka_unit_test(redirected_to_another_worker),
        cmocka_unit_test(a_redirection_breaks),
        cmocka_unit_test(resp2_is_silent),
        cmocka_unit_test(resp2_hears_by_a_channel),
        cmocka_unit_test(a_push_does_not_overtake_a_reply),
        cmocka_unit_test(as_rueidis_does),
        cmocka_unit_test(all_that_read_are_remembered),
        cmocka_unit_test(what_expires_is_told),
    };
    return cmocka_run_group_tests(tests, crowd_setup, crowd_teardown);
}
