/* SPDX-License-Identifier: BSD-3-Clause */
/* How much may be subscribed to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/answer.h"
#include "tests/live.h"
#include "tests/sanitized.h"

enum { LIMIT_CHANNEL = 65536 + 32, LIMIT_SUBSCRIPTIONS = 65536 };

static void names_have_a_limit(void **state)
{
    redisContext *redis = live_connect(*state);
    char *name = calloc(1, LIMIT_CHANNEL + 1);
    redisReply *reply =
        redisCommand(redis, "SUBSCRIBE %b", name, (size_t)LIMIT_CHANNEL + 1);
    assert_int_equal(reply->type, REDIS_REPLY_ERROR);
    assert_string_equal(reply->str,
                        "ERR name is too long, at most 65568 bytes");
    freeReplyObject(reply);
    reply = redisCommand(redis, "SUBSCRIBE %b", name, (size_t)LIMIT_CHANNEL);
    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    assert_int_equal(reply->element[1]->len, LIMIT_CHANNEL);
    freeReplyObject(reply);
    free(name);
    redisFree(redis);
}

/* Asks for channels number from to to - 1 at once; the last reply. */
static redisReply *subscribe_many(redisContext *redis, int from, int to)
{
    int count = to - from + 1;
    const char **argv = malloc((size_t)count * sizeof *argv);
    char(*names)[16] = malloc((size_t)count * sizeof *names);
    argv[0] = "SUBSCRIBE";
    for (int i = 1; i < count; i++) {
        snprintf(names[i], sizeof names[i], "c%d", from + i - 1);
        argv[i] = names[i];
    }
    redisAppendCommandArgv(redis, count, argv, NULL);
    redisReply *reply = NULL;
    for (int i = 1; i < count; i++) {
        freeReplyObject(reply);
        assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
    }
    free(argv);
    free(names);
    return reply;
}

static void subscriptions_have_a_limit(void **state)
{
    (void)state;
    struct live *live = live_start("--maxmemory", "600mb",
                                   "--maxmemory-clients", "300mb", NULL);
    redisContext *redis = live_connect(live), *other = live_connect(live);
    redisReply *reply = subscribe_many(redis, 0, LIMIT_SUBSCRIPTIONS);
    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    assert_int_equal(reply->element[2]->integer, LIMIT_SUBSCRIPTIONS);
    freeReplyObject(reply);
    reply = subscribe_many(redis, LIMIT_SUBSCRIPTIONS, LIMIT_SUBSCRIPTIONS + 1);
    assert_string_equal(
        reply->str, "ERR too many subscriptions, a client has at most 65536");
    freeReplyObject(reply);
    live_await_info(other, "pubsub_channels", LIMIT_SUBSCRIPTIONS,
                    LIMIT_SUBSCRIPTIONS);
    reply = redisCommand(other, "PUBSUB CHANNELS c6553?");
    assert_int_equal(reply->elements, 6);
    freeReplyObject(reply);
    assert_int_equal(live_int(other, "PUBLISH c77 x"), 1);
    /* Taken apart by and by when their client has gone. */
    redisFree(redis);
    live_await_info(other, "pubsub_channels", 0, 0);
    live_await_info(other, "ebb_client_push_bytes", 0, 0);
    redisFree(other);
    live_stop(live);
}

/* They are collected and sent in parts, up to output-limit. */
static void a_long_list_of_channels_is_whole(void **state)
{
    enum { NAMES = 90, MORE = 20, LEN = 10000 };
    (void)state;
    struct live *live =
        live_start("--maxmemory", "200mb", "--output-limit", "1mb", NULL);
    redisContext *redis = live_connect(live), *other = live_connect(live);
    char name[LEN];
    memset(name, 'n', LEN);
    for (int i = 0; i < NAMES; i++) {
        memcpy(name, (char[]){(char)(i / 10 + '0'), (char)(i % 10 + '0')}, 2);
        freeReplyObject(redisCommand(redis, "SUBSCRIBE %b", name, (size_t)LEN));
    }
    redisReply *reply = redisCommand(other, "PUBSUB CHANNELS");
    assert_int_equal(reply->elements, NAMES);
    for (int i = 0; i < NAMES; i++) {
        memcpy(name, (char[]){(char)(i / 10 + '0'), (char)(i % 10 + '0')}, 2);
        assert_int_equal(reply->element[i]->len, LEN);
        assert_memory_equal(reply->element[i]->str, name, LEN);
    }
    freeReplyObject(reply);
    for (int i = 0; i < MORE; i++) {
        name[0] = (char)('a' + i);
        freeReplyObject(redisCommand(redis, "SUBSCRIBE %b", name, (size_t)LEN));
    }
    reply = redisCommand(other, "PUBSUB CHANNELS");
    answer_is_error(reply, "OOM command not allowed when used memory > "
                           "'maxmemory'.");
    assert_int_equal(live_int(other, "PUBLISH none x"), 0);
    redisFree(redis);
    redisFree(other);
    live_stop(live);
}

/* Of a small pool they take a quarter, and then no more. */
static void subscriptions_have_a_share_of_memory(void **state)
{
    (void)state;
    struct live *live = live_start("--maxmemory", "64mb", NULL);
    redisContext *redis = live_connect(live), *other = live_connect(live);
    redisReply *reply = subscribe_many(redis, 0, 6000);
    assert_string_equal(
        reply->str, "OOM subscriptions use all the memory that they may have");
    freeReplyObject(reply);
    assert_in_range(live_info(other, "pubsub_channels"), 1000, 5999);
    if (!SANITIZED)
        assert_true(live_resident(live) <= 64 << 20);
    /* Who ends some of them may have others. */
    reply = redisCommand(redis, "UNSUBSCRIBE c0");
    freeReplyObject(reply);
    reply = redisCommand(redis, "SUBSCRIBE d");
    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    freeReplyObject(reply);
    redisFree(redis);
    live_await_info(other, "pubsub_channels", 0, 0);
    redisFree(other);
    live_stop(live);
}

/* When clients' memory is made less, who has most subscriptions is closed. */
static void subscriptions_go_when_memory_does(void **state)
{
    (void)state;
    struct live *live = live_start("--maxmemory", "400mb",
                                   "--maxmemory-clients", "200mb", NULL);
    redisContext *few = live_connect(live), *many = live_connect(live),
                 *other = live_connect(live);
    redisReply *reply = redisCommand(few, "SUBSCRIBE d");
    freeReplyObject(reply);
    freeReplyObject(subscribe_many(many, 0, 30000));
    assert_string_equal(live_text(other, "CONFIG SET maxmemory-clients 4mb"),
                        "OK");
    live_await_info(other, "pubsub_channels", 1, 1);
    assert_int_equal(live_info(other, "ebb_client_closed_memory"), 1);
    assert_int_equal(live_int(other, "PUBLISH d still"), 1);
    assert_int_equal(redisGetReply(few, (void **)&reply), REDIS_OK);
    assert_string_equal(reply->element[2]->str, "still");
    freeReplyObject(reply);
    redisFree(few);
    redisFree(many);
    redisFree(other);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_a_limit),
        cmocka_unit_test(subscriptions_have_a_limit),
        cmocka_unit_test(a_long_list_of_channels_is_whole),
        cmocka_unit_test(subscriptions_have_a_share_of_memory),
        cmocka_unit_test(subscriptions_go_when_memory_does),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
