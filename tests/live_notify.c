/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyspace notifications of what happens by itself, and of what was asked for
 * under load.  That commands tell what Redis's tell is in live_messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/console.h"

static void the_option_is_shown_as_redis_does(void **state)
{
    static const char *const cases[][2] = {
        {"KEA", "AKE"},
        {"g$lshzxetd", "A"},
        {"nmKE", "nKEm"},
        {"xgE", "gxE"},
        {"KEAm", "AKEm"},
        {"KAn", "AnK"},
        {"Ag$lshzxeKEtmdn", "AnKEm"},
    };
    struct console c;
    char line[128];
    console_open(&c, *state);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(line, sizeof line, "CONFIG SET notify-keyspace-events %s",
                 cases[i][0]);
        console_answers(&c, line, "+OK");
        snprintf(line, sizeof line, "[\"notify-keyspace-events\" \"%s\"]",
                 cases[i][1]);
        console_answers(&c, "CONFIG GET notify-keyspace-events", line);
    }
    console_answers(
        &c, "CONFIG SET notify-keyspace-events KEq",
        "-ERR CONFIG SET failed (possibly related to argument "
        "'notify-keyspace-events') - Invalid event class character. Use "
        "'Ag$lshzxeKEtmdn'.");
    console_answers(&c, "CONFIG SET notify-keyspace-events \"\"", "+OK");
    console_answers(&c, "CONFIG GET notify-keyspace-events",
                    "[\"notify-keyspace-events\" \"\"]");
    console_close(&c);
}

static void only_what_is_wanted_is_told(void **state)
{
    struct console a, b;
    console_open(&a, *state);
    console_open(&b, *state);
    console_answers(&a, "PSUBSCRIBE __key*", "[\"psubscribe\" \"__key*\" :1]");
    console_answers(&b, "SET k v", "+OK");
    console_answers(&b, "CONFIG SET notify-keyspace-events Kg", "+OK");
    console_answers(&b, "SET k v", "+OK");
    console_answers(&b, "DEL k", ":1");
    console_tells(&a, "[\"pmessage\" \"__key*\" \"__keyspace@0__:k\" \"del\"]");
    console_answers(&b, "CONFIG SET notify-keyspace-events E$", "+OK");
    console_answers(&b, "SELECT 5", "+OK");
    console_answers(&b, "SET k v", "+OK");
    console_answers(&b, "DEL k", ":1");
    console_tells(&a, "[\"pmessage\" \"__key*\" \"__keyevent@5__:set\" \"k\"]");
    console_answers(&b, "CONFIG SET notify-keyspace-events \"\"", "+OK");
    console_answers(&b, "SET k v", "+OK");
    console_answers(&a, "PING", "[\"pong\" \"\"]");
    console_close(&a);
    console_close(&b);
}

/* Of those that Redis 7.0 lacks, with which live_messages compares; who watches
 * the key is told as well. */
static void newer_commands_tell_too(void **state)
{
    static const struct {
        const char *line, *reply, *events[3];
    } cases[] = {
        {"INCREX k", "[:1 :1]", {"incrby"}},
        {"INCREX k BYFLOAT 0.5", "[\"1.5\" \"0.5\"]", {"incrbyfloat"}},
        {"INCREX k BYFLOAT 0.5 EX 9",
         "[\"2\" \"0.5\"]",
         {"incrbyfloat", "expire"}},
        {"INCREX k EX 99 ENX", "[:3 :1]", {"incrby"}},
        {"INCREX k PERSIST", "[:4 :1]", {"incrby", "persist"}},
        {"INCREX k PERSIST", "[:5 :1]", {"incrby"}},
        {"INCREX k UBOUND 5", "[:5 :0]", {NULL}},
        {"INCREX k UBOUND 5 SATURATE", "[:5 :0]", {"incrby"}},
        {"INCREX k EXAT 1", "[:6 :1]", {"del"}},
        {"INCREX k EXAT 1", "[:1 :1]", {NULL}},
        {"MSETEX 1 k v", ":1", {"set"}},
        {"MSETEX 1 k v EX 9", ":1", {"set", "expire"}},
        {"MSETEX 1 k v KEEPTTL", ":1", {"set"}},
        {"MSETEX 1 k v NX", ":0", {NULL}},
        {"SET k w IFEQ x", "nil", {NULL}},
        {"SET k w IFEQ v EX 9", "+OK", {"set", "expire"}},
        {"DIGEST k", NULL, {NULL}},
        {"DELEX k IFNE w", ":0", {NULL}},
        {"DELEX k IFEQ w", ":1", {"del"}},
        {"SET k v IFNE w", "+OK", {"set"}},
        {"DELIFEQ k w", ":0", {NULL}},
        {"DELIFEQ k v", ":1", {"del"}},
        {"MSETEX 1 k v EXAT 1", ":1", {"set", "expire", "expired"}},
    };
    struct console a, b, c;
    char line[64];
    console_open(&a, *state);
    console_open(&b, *state);
    console_open(&c, *state);
    console_answers(&b, "FLUSHALL", "+OK");
    console_answers(&b, "CONFIG SET notify-keyspace-events K$gx", "+OK");
    console_answers(&a, "SUBSCRIBE __keyspace@0__:k",
                    "[\"subscribe\" \"__keyspace@0__:k\" :1]");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        console_answers(&c, "WATCH k", "+OK");
        const char *reply = console_ask(&b, cases[i].line);
        if (cases[i].reply)
            assert_string_equal(reply, cases[i].reply);
        for (size_t k = 0; k < 3 && cases[i].events[k]; k++) {
            snprintf(line, sizeof line,
                     "[\"message\" \"__keyspace@0__:k\" \"%s\"]",
                     cases[i].events[k]);
            console_tells(&a, line);
        }
        console_answers(&a, "PING", "[\"pong\" \"\"]");
        console_answers(&c, "MULTI", "+OK");
        console_answers(&c, "EXEC", cases[i].events[0] ? "nil" : "[]");
    }
    console_answers(&b, "CONFIG SET notify-keyspace-events \"\"", "+OK");
    console_close(&a);
    console_close(&b);
    console_close(&c);
}

/* Nobody has to ask for the key. */
static void what_expires_is_told(void **state)
{
    struct console a, b;
    console_open(&a, *state);
    console_open(&b, *state);
    console_answers(&a, "SUBSCRIBE __keyevent@0__:expired __keyspace@0__:soon",
                    "[\"subscribe\" \"__keyevent@0__:expired\" :1]");
    console_tells(&a, "[\"subscribe\" \"__keyspace@0__:soon\" :2]");
    console_answers(&b, "CONFIG SET notify-keyspace-events KEx", "+OK");
    console_answers(&b, "SET soon v PX 20", "+OK");
    console_tells(&a, "[\"message\" \"__keyspace@0__:soon\" \"expired\"]");
    console_tells(&a, "[\"message\" \"__keyevent@0__:expired\" \"soon\"]");
    console_answers(&b, "CONFIG SET notify-keyspace-events \"\"", "+OK");
    console_close(&a);
    console_close(&b);
}

static void set_many(redisContext *redis, int from, int to, size_t len)
{
    enum { PIPELINE = 100 };
    char *value = calloc(1, len);
    redisReply *reply;
    for (int i = from; i < to; i += PIPELINE) {
        for (int k = i; k < i + PIPELINE; k++)
            redisAppendCommand(redis, "SET k%07d %b", k, value, len);
        for (int k = i; k < i + PIPELINE; k++) {
            assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
            assert_string_equal(reply->str, "OK");
            freeReplyObject(reply);
        }
    }
    free(value);
}

enum { KEYS = 60000 };

struct listener {
    redisContext *redis;
    bool told[KEYS];
    bool wrong; /* a key was told of twice, or none */
    _Atomic long long heard;
};

/* Until the connection is shut down. */
static void *hear_evicted(void *ctx)
{
    struct listener *listener = ctx;
    redisReply *reply;
    while (redisGetReply(listener->redis, (void **)&reply) == REDIS_OK) {
        int k = atoi(reply->element[2]->str + 1);
        listener->wrong =
            listener->wrong || k < 0 || k >= KEYS || listener->told[k] ||
            strcmp(reply->element[1]->str, "__keyevent@0__:evicted") != 0;
        if (!listener->wrong)
            listener->told[k] = true;
        listener->heard++;
        freeReplyObject(reply);
    }
    return NULL;
}

/* By a cache that is full, and by a budget that is lowered by much. */
static void what_is_evicted_is_told(void **state)
{
    (void)state;
    enum { LEN = 1000 };
    static struct listener listener;
    struct live *live = live_start("--maxmemory", "96mb",
                                   "--notify-keyspace-events", "Ee", NULL);
    redisContext *redis = live_connect(live);
    pthread_t thread;
    listener.redis = live_connect(live);
    freeReplyObject(
        redisCommand(listener.redis, "SUBSCRIBE __keyevent@0__:evicted"));
    pthread_create(&thread, NULL, hear_evicted, &listener);
    set_many(redis, 0, KEYS, 2 * LEN);
    long long evicted = live_info(redis, "evicted_keys");
    assert_true(evicted > 10000);
    assert_string_equal(live_text(redis, "CONFIG SET maxmemory 48mb"), "OK");
    /* Some more may go until the process is as small as it has to be. */
    while (live_info(redis, "ebb_rebuilds") == 0 ||
           live_info(redis, "ebb_rebuilding") != 0 ||
           listener.heard + live_info(redis, "ebb_lost_notifications") <
               KEYS - live_int(redis, "DBSIZE"))
        ;
    assert_int_equal(live_info(redis, "ebb_lost_notifications"), 0);
    assert_true(live_info(redis, "evicted_keys") > evicted + 10000);
    shutdown(listener.redis->fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    assert_false(listener.wrong);
    for (int i = 0; i < KEYS; i++)
        if (listener.told[i])
            redisAppendCommand(redis, "EXISTS k%07d", i);
    for (int i = 0; i < KEYS; i++) {
        redisReply *reply;
        if (!listener.told[i])
            continue;
        assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
        assert_int_equal(reply->integer, 0);
        freeReplyObject(reply);
    }
    redisFree(redis);
    redisFree(listener.redis);
    live_stop(live);
}

/* A command that removes many keys tells of each, in its order. */
static void many_at_once_are_told_in_order(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    struct live *live = live_start("--maxmemory", "256mb",
                                   "--notify-keyspace-events", "Eg", NULL);
    redisContext *redis = live_connect(live), *listener = live_connect(live);
    const char **argv = malloc((MANY + 1) * sizeof *argv);
    char(*names)[16] = malloc(MANY * sizeof *names);
    set_many(redis, 0, MANY, 1);
    freeReplyObject(redisCommand(listener, "SUBSCRIBE __keyevent@0__:del"));
    argv[0] = "DEL";
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "k%07d", i);
        argv[i + 1] = names[i];
    }
    redisReply *reply = redisCommandArgv(redis, MANY + 1, argv, NULL);
    assert_int_equal(reply->integer, MANY);
    freeReplyObject(reply);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(redisGetReply(listener, (void **)&reply), REDIS_OK);
        assert_string_equal(reply->element[2]->str, names[i]);
        freeReplyObject(reply);
    }
    free(argv);
    free(names);
    redisFree(redis);
    redisFree(listener);
    live_stop(live);
}

/* In a transaction too. */
static void transactions_tell(void **state)
{
    struct console a, b;
    console_open(&a, *state);
    console_open(&b, *state);
    console_answers(&b, "CONFIG SET notify-keyspace-events K$g", "+OK");
    console_answers(&a, "SUBSCRIBE __keyspace@0__:t",
                    "[\"subscribe\" "
                    "\"__keyspace@0__:t\" :1]");
    console_answers(&b, "MULTI", "+OK");
    console_answers(&b, "SET t 1", "+QUEUED");
    console_answers(&b, "PUBLISH __keyspace@0__:t hello", "+QUEUED");
    console_answers(&b, "DEL t", "+QUEUED");
    console_answers(&b, "EXEC", "[+OK :1 :1]");
    console_tells(&a, "[\"message\" \"__keyspace@0__:t\" \"set\"]");
    console_tells(&a, "[\"message\" \"__keyspace@0__:t\" \"hello\"]");
    console_tells(&a, "[\"message\" \"__keyspace@0__:t\" \"del\"]");
    console_answers(&b, "CONFIG SET notify-keyspace-events \"\"", "+OK");
    console_close(&a);
    console_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_option_is_shown_as_redis_does),
        cmocka_unit_test(only_what_is_wanted_is_told),
        cmocka_unit_test(newer_commands_tell_too),
        cmocka_unit_test(what_expires_is_told),
        cmocka_unit_test(what_is_evicted_is_told),
        cmocka_unit_test(many_at_once_are_told_in_order),
        cmocka_unit_test(transactions_tell),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
