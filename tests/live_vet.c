/* SPDX-License-Identifier: BSD-3-Clause */
/* Users who get other rules while they listen to many channels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/live.h"
#include "tests/talk.h"

enum { CHANNELS = 20000, PATTERNS = 200, PATIENCE_MS = 60000 };

static int start(void **state)
{
    *state = live_start("--threads", "1", "--maxmemory", "1gb", NULL);
    return 0;
}

/* Patterns of which only the last matches, so that each look takes long; and
 * perhaps one for a channel beside. */
static char *long_rules(const char *beside)
{
    char *line = malloc(PATTERNS * 40 + 200);
    assert_non_null(line);
    size_t len = (size_t)sprintf(line, "ACL SETUSER ann on nopass +@all "
                                       "resetchannels");
    for (int i = 0; i < PATTERNS; i++)
        len += (size_t)sprintf(line + len, " &*c*c*c*:%d", i);
    len += (size_t)sprintf(line + len, " &channel:*");
    if (*beside)
        len += (size_t)sprintf(line + len, " &%s", beside);
    sprintf(line + len, "\r\n");
    return line;
}

static void say(struct talk *talk, const char *line)
{
    assert_true(live_send(talk->fd, line, strlen(line)));
}

static void expect_ok(struct talk *talk)
{
    struct resp *reply = resp_await(&talk->reader, talk->fd, PATIENCE_MS);
    assert_true(resp_is(reply, '+', "OK"));
    resp_free(reply);
}

/* Sends the request, and does not wait for what comes. */
static void subscribe_many(struct talk *talk, const char *first)
{
    char *line = malloc(CHANNELS * 40);
    assert_non_null(line);
    size_t len =
        (size_t)sprintf(line, "*%d\r\n$9\r\nSUBSCRIBE\r\n$%zu\r\n%s\r\n",
                        CHANNELS + 2, strlen(first), first);
    for (int i = 0; i < CHANNELS; i++)
        len += (size_t)sprintf(line + len, "$13\r\nchannel:%05d\r\n", i);
    assert_true(live_send(talk->fd, line, len));
    free(line);
}

static void await_subscribed(struct talk *talk)
{
    for (int i = 0; i <= CHANNELS; i++) {
        struct resp *reply = resp_await(&talk->reader, talk->fd, PATIENCE_MS);
        assert_non_null(reply);
        assert_int_equal(reply->count, 3);
        resp_free(reply);
    }
}

static bool has_channel(struct talk *talk, const char *name)
{
    struct resp *user = talk_ask(talk, "ACL GETUSER ann");
    bool has = strstr(resp_find(user, "channels")->text, name) != NULL;
    resp_free(user);
    return has;
}

/* What a closed client was subscribed to is taken apart some at a time. */
static void await_nobody(struct talk *talk, const char *pattern)
{
    enum { TIMES = 20000 };
    size_t count = 1;
    for (int i = 0; i < TIMES && count > 0; i++) {
        struct resp *names = talk_ask(talk, "PUBSUB CHANNELS %s", pattern);
        count = names->count;
        resp_free(names);
    }
    assert_int_equal(count, 0);
}

/* The first of many subscriptions is looked at last; nothing comes of it once
 * the new rules can be seen. */
static void what_is_forbidden_is_not_heard(void **state)
{
    struct talk admin = talk_open(*state), other = talk_open(*state),
                ann = talk_open(*state);
    char *with = long_rules("secret"), *without = long_rules("");
    say(&admin, with);
    expect_ok(&admin);
    talk_says(&ann, "AUTH ann x", "+OK");
    subscribe_many(&ann, "secret");
    await_subscribed(&ann);
    talk_says(&other, "PUBLISH secret 1", ":1");
    struct resp *heard = resp_await(&ann.reader, ann.fd, PATIENCE_MS);
    assert_non_null(heard);
    resp_free(heard);

    say(&admin, without);
    while (has_channel(&other, "secret"))
        ;
    talk_says(&other, "PUBLISH secret 2", NULL);
    talk_says(&other, "PUBLISH channel:00001 3", NULL);
    expect_ok(&admin);
    while ((heard = resp_await(&ann.reader, ann.fd, PATIENCE_MS)) != NULL) {
        assert_true(resp_is(&heard->items[1], '$', "channel:00001"));
        resp_free(heard);
    }
    await_nobody(&other, "secret");
    talk_says(&admin, "ACL DELUSER ann", ":1");
    talk_close(&ann);
    talk_close(&other);
    talk_close(&admin);
    free(with);
    free(without);
}

/* All that it listens to stays allowed. */
static void who_may_go_on_does(void **state)
{
    struct talk admin = talk_open(*state), ann = talk_open(*state);
    char *with = long_rules("more"), *without = long_rules("");
    say(&admin, without);
    expect_ok(&admin);
    talk_says(&ann, "AUTH ann x", "+OK");
    subscribe_many(&ann, "channel:first");
    await_subscribed(&ann);
    for (int i = 0; i < 3; i++) {
        say(&admin, i % 2 ? without : with);
        expect_ok(&admin);
    }
    talk_says(&admin, "PUBLISH channel:first 1", ":1");
    struct resp *heard = resp_await(&ann.reader, ann.fd, PATIENCE_MS);
    assert_non_null(heard);
    assert_true(resp_is(&heard->items[1], '$', "channel:first"));
    resp_free(heard);
    /* It ends some of them while they are looked at. */
    say(&admin, without);
    say(&ann, "UNSUBSCRIBE\r\n");
    for (int i = 0; i <= CHANNELS; i++)
        resp_free(resp_await(&ann.reader, ann.fd, PATIENCE_MS));
    expect_ok(&admin);
    talk_says(&ann, "PING", "+PONG");
    talk_says(&admin, "ACL DELUSER ann", ":1");
    talk_close(&ann);
    talk_close(&admin);
    free(with);
    free(without);
}

/* A long SUBSCRIBE that began by other rules leaves nothing that is forbidden.
 */
static void what_was_begun_goes_by_the_rules_of_now(void **state)
{
    struct talk admin = talk_open(*state), ann = talk_open(*state);
    talk_says(&admin, "ACL SETUSER ann on nopass +@all &*", "+OK");
    talk_says(&ann, "AUTH ann x", "+OK");
    subscribe_many(&ann, "channel:0");
    struct resp *reply = resp_await(&ann.reader, ann.fd, PATIENCE_MS);
    assert_non_null(reply);
    resp_free(reply);
    talk_says(&admin, "ACL SETUSER ann resetchannels &channel:0*", "+OK");
    /* All of its replies, or an error, or its end. */
    for (int i = 0; i < CHANNELS; i++) {
        reply = resp_await(&ann.reader, ann.fd, PATIENCE_MS);
        bool over = !reply || reply->kind == '-';
        resp_free(reply);
        if (over)
            break;
    }
    await_nobody(&admin, "channel:1*");
    talk_says(&admin, "ACL DELUSER ann", ":1");
    talk_close(&ann);
    talk_close(&admin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_forbidden_is_not_heard),
        cmocka_unit_test(who_may_go_on_does),
        cmocka_unit_test(what_was_begun_goes_by_the_rules_of_now),
    };
    return cmocka_run_group_tests(tests, start, live_teardown);
}
