/* SPDX-License-Identifier: BSD-3-Clause */
/* Channels and patterns: who gets what, and what is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/console.h"

#define ONLY_LISTENS                                                           \
    ": only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "      \
    "allowed in this context"

static void subscribing_with_resp2(void **state)
{
    struct console a, b;
    console_open(&a, *state);
    console_open(&b, *state);
    console_answers(&a, "SUBSCRIBE x y", "[\"subscribe\" \"x\" :1]");
    console_tells(&a, "[\"subscribe\" \"y\" :2]");
    console_answers(&a, "SUBSCRIBE x", "[\"subscribe\" \"x\" :2]");
    console_answers(&a, "PSUBSCRIBE x* ?", "[\"psubscribe\" \"x*\" :3]");
    console_tells(&a, "[\"psubscribe\" \"?\" :4]");
    console_answers(&a, "SSUBSCRIBE x", "[\"ssubscribe\" \"x\" :1]");

    console_answers(&b, "PUBLISH x hello", ":3");
    console_tells(&a, "[\"message\" \"x\" \"hello\"]");
    console_tells(&a, "[\"pmessage\" \"x*\" \"x\" \"hello\"]");
    console_tells(&a, "[\"pmessage\" \"?\" \"x\" \"hello\"]");
    console_answers(&b, "SPUBLISH x shard", ":1");
    console_tells(&a, "[\"smessage\" \"x\" \"shard\"]");
    console_answers(&b, "PUBLISH nobody hello", ":0");
    console_answers(&b, "SPUBLISH y hello", ":0");

    console_answers(&a, "PING", "[\"pong\" \"\"]");
    console_answers(&a, "PING hi", "[\"pong\" \"hi\"]");
    console_answers(&a, "GET k", "-ERR Can't execute 'get'" ONLY_LISTENS);
    console_answers(&a, "CLIENT ID",
                    "-ERR Can't execute 'client|id'" ONLY_LISTENS);
    console_answers(
        &a, "NOSUCH",
        "-ERR unknown command 'NOSUCH', with args beginning with: ");
    console_answers(&a, "UNSUBSCRIBE x nope", "[\"unsubscribe\" \"x\" :3]");
    console_tells(&a, "[\"unsubscribe\" \"nope\" :3]");
    console_answers(&a, "UNSUBSCRIBE", "[\"unsubscribe\" \"y\" :2]");
    console_answers(&a, "UNSUBSCRIBE", "[\"unsubscribe\" nil :2]");
    console_answers(&a, "PUNSUBSCRIBE x* ?", "[\"punsubscribe\" \"x*\" :1]");
    console_tells(&a, "[\"punsubscribe\" \"?\" :0]");
    console_answers(&a, "GET k", "-ERR Can't execute 'get'" ONLY_LISTENS);
    console_answers(&a, "SUNSUBSCRIBE", "[\"sunsubscribe\" \"x\" :0]");
    console_answers(&a, "GET k", "nil");
    console_answers(&b, "PUBLISH x gone", ":0");
    console_answers(&a, "PING", "+PONG");
    console_close(&a);
    console_close(&b);
}

static void subscribing_with_resp3(void **state)
{
    struct console a, b;
    console_open(&a, *state);
    console_open(&b, *state);
    console_ask(&a, "HELLO 3");
    console_answers(&a, "SUBSCRIBE x", ">[\"subscribe\" \"x\" :1]");
    console_answers(&a, "GET k", "nil");
    console_answers(&b, "PUBLISH x hello", ":1");
    console_tells(&a, ">[\"message\" \"x\" \"hello\"]");
    console_answers(&a, "PING", "+PONG");
    /* To itself, behind the reply. */
    console_answers(&a, "PUBLISH x self", ":1");
    console_tells(&a, ">[\"message\" \"x\" \"self\"]");
    /* One that goes back to RESP2 is bound by its rules. */
    console_ask(&a, "HELLO 2");
    console_answers(&a, "GET k", "-ERR Can't execute 'get'" ONLY_LISTENS);
    console_answers(&b, "PUBLISH x hello", ":1");
    console_tells(&a, "[\"message\" \"x\" \"hello\"]");
    console_answers(&a, "RESET", "+RESET");
    console_answers(&a, "GET k", "nil");
    console_answers(&b, "PUBLISH x hello", ":0");
    console_close(&a);
    console_close(&b);
}

static void all_are_left_in_their_order(void **state)
{
    struct console a;
    console_open(&a, *state);
    console_answers(&a, "PSUBSCRIBE a* ? c* d*", "[\"psubscribe\" \"a*\" :1]");
    console_tells(&a, "[\"psubscribe\" \"?\" :2]");
    console_tells(&a, "[\"psubscribe\" \"c*\" :3]");
    console_tells(&a, "[\"psubscribe\" \"d*\" :4]");
    console_answers(&a, "PUNSUBSCRIBE d* ?", "[\"punsubscribe\" \"d*\" :3]");
    console_tells(&a, "[\"punsubscribe\" \"?\" :2]");
    console_answers(&a, "PSUBSCRIBE e*", "[\"psubscribe\" \"e*\" :3]");
    console_answers(&a, "PUNSUBSCRIBE", "[\"punsubscribe\" \"a*\" :2]");
    console_tells(&a, "[\"punsubscribe\" \"c*\" :1]");
    console_tells(&a, "[\"punsubscribe\" \"e*\" :0]");
    console_answers(&a, "PSUBSCRIBE f*", "[\"psubscribe\" \"f*\" :1]");
    console_answers(&a, "PUNSUBSCRIBE", "[\"punsubscribe\" \"f*\" :0]");
    console_close(&a);
}

static void a_channel_without_a_name(void **state)
{
    struct console a, b;
    console_open(&a, *state);
    console_open(&b, *state);
    console_answers(&a, "PSUBSCRIBE * \"\"", "[\"psubscribe\" \"*\" :1]");
    console_tells(&a, "[\"psubscribe\" \"\" :2]");
    console_answers(&a, "SUBSCRIBE \"\"", "[\"subscribe\" \"\" :3]");
    console_answers(&b, "PUBSUB CHANNELS", "[\"\"]");
    console_answers(&b, "PUBSUB CHANNELS \"\"", "[\"\"]");
    console_answers(&b, "PUBSUB CHANNELS *", "[]");
    console_answers(&b, "PUBLISH \"\" hello", ":2");
    console_tells(&a, "[\"message\" \"\" \"hello\"]");
    console_tells(&a, "[\"pmessage\" \"\" \"\" \"hello\"]");
    console_close(&a);
    console_close(&b);
}

static void messages_come_whatever_client_reply_says(void **state)
{
    struct console a, b;
    console_open(&a, *state);
    console_open(&b, *state);
    console_say(&a, "CLIENT REPLY OFF");
    console_answers(&a, "SUBSCRIBE x", "[\"subscribe\" \"x\" :1]");
    console_answers(&b, "PUBLISH x hello", ":1");
    console_tells(&a, "[\"message\" \"x\" \"hello\"]");
    console_say(&a, "PING");
    console_answers(&a, "UNSUBSCRIBE", "[\"unsubscribe\" \"x\" :0]");
    console_close(&a);
    console_close(&b);
}

static void what_is_subscribed_to(void **state)
{
    struct console a, b, c;
    console_open(&a, *state);
    console_open(&b, *state);
    console_open(&c, *state);
    console_answers(&a, "SUBSCRIBE news", "[\"subscribe\" \"news\" :1]");
    console_answers(&b, "SUBSCRIBE news", "[\"subscribe\" \"news\" :1]");
    console_answers(&b, "PSUBSCRIBE n*", "[\"psubscribe\" \"n*\" :2]");
    console_answers(&b, "SSUBSCRIBE s1", "[\"ssubscribe\" \"s1\" :1]");
    console_answers(&c, "PUBSUB NUMSUB news nope news",
                    "[\"news\" :2 \"nope\" :0 \"news\" :2]");
    console_answers(&c, "PUBSUB NUMSUB", "[]");
    console_answers(&c, "PUBSUB SHARDNUMSUB s1 news",
                    "[\"s1\" :1 \"news\" :0]");
    console_answers(&c, "PUBSUB NUMPAT", ":1");
    console_answers(&c, "PUBSUB CHANNELS", "[\"news\"]");
    console_answers(&c, "PUBSUB CHANNELS ne?s", "[\"news\"]");
    console_answers(&c, "PUBSUB CHANNELS x*", "[]");
    console_answers(&c, "PUBSUB SHARDCHANNELS", "[\"s1\"]");
    console_answers(&c, "PUBSUB CHANNELS a b",
                    "-ERR unknown subcommand or wrong number of arguments for "
                    "'CHANNELS'. Try PUBSUB HELP.");
    console_answers(&c, "PUBSUB X",
                    "-ERR unknown subcommand 'X'. Try PUBSUB HELP.");

    const char *list = console_ask(&c, "CLIENT LIST TYPE pubsub");
    assert_non_null(strstr(list, "flags=P db=0 sub=1 psub=0 ssub=0"));
    assert_non_null(strstr(list, "flags=P db=0 sub=1 psub=1 ssub=1"));
    assert_null(strstr(list, "sub=0 psub=0"));
    list = console_ask(&c, "CLIENT LIST TYPE normal");
    assert_null(strstr(list, "flags=P"));
    list = console_ask(&c, "INFO everything");
    assert_non_null(strstr(list, "pubsub_channels:1\\r\\n"));
    assert_non_null(strstr(list, "pubsub_patterns:1\\r\\n"));
    assert_non_null(strstr(list, "pubsubshard_channels:1\\r\\n"));
    assert_non_null(strstr(list, "pubsub_clients:2\\r\\n"));

    console_answers(&c, "CLIENT KILL TYPE pubsub", ":2");
    console_tells(&a, "(no reply)");
    console_tells(&b, "(no reply)");
    console_answers(&c, "PUBSUB NUMSUB news", "[\"news\" :0]");
    console_answers(&c, "PUBSUB NUMPAT", ":0");
    console_answers(&c, "PUBSUB SHARDCHANNELS", "[]");
    console_close(&a);
    console_close(&b);
    console_close(&c);
}

/* Pipelined by one, in order to many on all workers, by a channel and by a
 * pattern. */
static void messages_keep_their_order(void **state)
{
    enum { CLIENTS = 70, MESSAGES = 300 };
    static struct console clients[CLIENTS];
    struct console publisher;
    char expected[64], line[64];
    console_open(&publisher, *state);
    for (int i = 0; i < CLIENTS; i++) {
        console_open(&clients[i], *state);
        console_ask(&clients[i], i % 2 ? "PSUBSCRIBE ord*" : "SUBSCRIBE order");
    }
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(line, sizeof line, "PUBLISH order %d", i);
        console_say(&publisher, line);
    }
    for (int i = 0; i < MESSAGES; i++)
        console_tells(&publisher, ":70");
    for (int c = 0; c < CLIENTS; c++) {
        for (int i = 0; i < MESSAGES; i++) {
            snprintf(expected, sizeof expected,
                     c % 2 ? "[\"pmessage\" \"ord*\" \"order\" \"%d\"]"
                           : "[\"message\" \"order\" \"%d\"]",
                     i);
            console_tells(&clients[c], expected);
        }
        console_close(&clients[c]);
    }
    console_close(&publisher);
}

/* Patterns that take longest: others are served meanwhile, and the message
 * arrives. */
static void patterns_that_take_long(void **state)
{
    enum { PATTERNS = 3, LEN = 10000 };
    redisContext *a = live_connect(*state), *b = live_connect(*state);
    char *channel = malloc(LEN), *pattern = malloc(LEN);
    redisReply *reply;
    memset(channel, 'a', LEN);
    for (int i = 0; i < PATTERNS; i++) {
        memset(pattern, 'a', LEN);
        pattern[0] = '*';
        pattern[LEN / 2] = (char)('b' + i);
        reply = redisCommand(a, "PSUBSCRIBE %b", pattern, (size_t)LEN / 2 + 1);
        assert_int_equal(reply->elements, 3);
        freeReplyObject(reply);
    }
    reply = redisCommand(a, "PSUBSCRIBE *aa");
    freeReplyObject(reply);
    redisAppendCommand(b, "PUBLISH %b m", channel, (size_t)LEN);
    for (int done = 0; !done;)
        assert_int_equal(redisBufferWrite(b, &done), REDIS_OK);
    redisContext *c = live_connect(*state);
    assert_string_equal(live_text(c, "PING"), "PONG");
    assert_int_equal(redisGetReply(b, (void **)&reply), REDIS_OK);
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
    assert_int_equal(redisGetReply(a, (void **)&reply), REDIS_OK);
    assert_string_equal(reply->element[0]->str, "pmessage");
    assert_string_equal(reply->element[1]->str, "*aa");
    assert_int_equal(reply->element[2]->len, LEN);
    freeReplyObject(reply);
    free(channel);
    free(pattern);
    redisFree(a);
    redisFree(b);
    redisFree(c);
}

/* Subscribers are not idle: they listen. */
static void idle_subscribers_stay(void **state)
{
    (void)state;
    struct live *live = live_start("--timeout", "1", NULL);
    struct console a, b;
    console_open(&a, live);
    console_open(&b, live);
    console_answers(&a, "SUBSCRIBE x", "[\"subscribe\" \"x\" :1]");
    console_answers(&b, "PING", "+PONG");
    console_tells(&b, "(no reply)"); /* it was closed for being idle */
    redisContext *redis = live_connect(live);
    assert_int_equal(live_int(redis, "PUBLISH x still"), 1);
    console_tells(&a, "[\"message\" \"x\" \"still\"]");
    redisFree(redis);
    console_close(&a);
    console_close(&b);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subscribing_with_resp2),
        cmocka_unit_test(subscribing_with_resp3),
        cmocka_unit_test(all_are_left_in_their_order),
        cmocka_unit_test(a_channel_without_a_name),
        cmocka_unit_test(messages_come_whatever_client_reply_says),
        cmocka_unit_test(what_is_subscribed_to),
        cmocka_unit_test(messages_keep_their_order),
        cmocka_unit_test(patterns_that_take_long),
        cmocka_unit_test(idle_subscribers_stay),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
