/* SPDX-License-Identifier: BSD-3-Clause */
/* Transactions and memory: of the queue, and of the values that wait in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/call.h"
#include "tests/answer.h"
#include "tests/errors.h"
#include "tests/live.h"

/* Bytes of requests are bounded, those of values that go into the cache are
 * not: they are there already. */
static void a_queue_has_a_limit(void **state)
{
    enum { MB = 1 << 20, VALUE = 3000 };
    struct live *live = *state;
    redisContext *redis = live_connect(live);
    char *value = calloc(1, MB + 1), error[100];
    memset(value, 'v', MB);
    live_text(redis, "FLUSHALL");
    live_text(redis, "CONFIG SET request-bytes-max 1mb");
    live_text(redis, "MULTI");
    for (int i = 0; i < 4; i++)
        assert_string_equal(live_text(redis, "SET long:%d %s", i, value),
                            "QUEUED");
    int queued = 0;
    redisReply *reply;
    for (;; queued++) {
        reply = redisCommand(redis, "ECHO %b", value, (size_t)VALUE);
        if (reply->type == REDIS_REPLY_ERROR)
            break;
        freeReplyObject(reply);
    }
    snprintf(error, sizeof error,
             "ERR transaction is too long, at most %d bytes", MB);
    answer_is_error(reply, error);
    assert_in_range(queued, MB / (VALUE + 200), MB / VALUE);
    assert_string_equal(live_text(redis, "SET a 1"), "QUEUED");
    answer_is_error(redisCommand(redis, "EXEC"), &ABORTED[1]);
    assert_int_equal(live_int(redis, "DBSIZE"), 0);

    /* One less is fine. */
    live_text(redis, "MULTI");
    for (int i = 0; i < 4; i++)
        live_text(redis, "SET long:%d %s", i, value);
    for (int i = 0; i < queued - 1; i++)
        live_text(redis, "ECHO %b", value, (size_t)VALUE);
    reply = redisCommand(redis, "EXEC");
    assert_int_equal(reply->elements, 4 + queued - 1);
    freeReplyObject(reply);
    assert_int_equal(live_int(redis, "STRLEN long:3"), MB);
    live_text(redis, "CONFIG SET request-bytes-max 64mb");
    free(value);
    redisFree(redis);
}

/* A value that no budget can hold is refused when it is announced. */
static void a_refused_value_aborts(void **state)
{
    redisContext *redis = live_connect(*state);
    enum { LEN = 100 << 20 };
    char *value = calloc(1, LEN + 1);
    memset(value, 'v', LEN);
    live_text(redis, "MULTI");
    answer_is_error(redisCommand(redis, "SET a %s", value), ERROR_NO_ROOM);
    answer_is_error(redisCommand(redis, "EXEC"), &ABORTED[1]);
    free(value);
    redisFree(redis);
}

/* Nothing is evicted: what would be refused is refused before EXEC. */
static void a_full_cache_aborts(void **state)
{
    struct live *live = live_start("--maxmemory", "24mb", "--maxmemory-policy",
                                   "noeviction", NULL);
    redisContext *redis = live_connect(live);
    redisReply *reply = NULL;
    char value[1001];
    (void)state;
    memset(value, 'v', 1000);
    value[1000] = 0;
    for (int i = 0; !reply || reply->type == REDIS_REPLY_STATUS; i++) {
        freeReplyObject(reply);
        reply = redisCommand(redis, "SET key:%d %s", i, value);
    }
    answer_is_error(reply, ERROR_NO_ROOM);
    live_text(redis, "MULTI");
    assert_string_equal(live_text(redis, "GET key:0"), "QUEUED");
    answer_is_error(redisCommand(redis, "SET other %s", value), ERROR_NO_ROOM);
    answer_is_error(redisCommand(redis, "EXEC"), &ABORTED[1]);
    live_text(redis, "MULTI");
    assert_string_equal(live_text(redis, "DEL key:0 key:1 key:2"), "QUEUED");
    reply = redisCommand(redis, "EXEC");
    assert_int_equal(reply->elements, 1);
    freeReplyObject(reply);
    live_text(redis, "MULTI");
    assert_string_equal(live_text(redis, "SET other %s", value), "QUEUED");
    reply = redisCommand(redis, "EXEC");
    assert_int_equal(reply->elements, 1);
    assert_string_equal(reply->element[0]->str, "OK");
    freeReplyObject(reply);
    redisFree(redis);
    live_stop(live);
}

/* Nor does EXEC run a part of what it cannot run. */
static void a_cache_full_by_then_aborts(void **state)
{
    struct live *live = live_start("--maxmemory", "24mb", "--maxmemory-policy",
                                   "noeviction", NULL);
    redisContext *redis = live_connect(live), *other = live_connect(live);
    redisReply *reply = NULL;
    char value[1001];
    (void)state;
    memset(value, 'v', 1000);
    value[1000] = 0;
    live_text(redis, "SET small 1");
    live_text(redis, "MULTI");
    assert_string_equal(live_text(redis, "DEL small"), "QUEUED");
    assert_string_equal(live_text(redis, "SET late %s", value), "QUEUED");
    for (int i = 0; !reply || reply->type == REDIS_REPLY_STATUS; i++) {
        freeReplyObject(reply);
        reply = redisCommand(other, "SET key:%d %s", i, value);
    }
    freeReplyObject(reply);
    assert_string_equal(live_text(redis, "EXEC"),
                        "EXECABORT Transaction discarded because of: OOM "
                        "command not allowed when used memory > 'maxmemory'.");
    assert_int_equal(live_int(redis, "EXISTS small late"), 1);
    assert_string_equal(live_text(redis, "EXEC"), "ERR EXEC without MULTI");
    redisFree(redis);
    redisFree(other);
    live_stop(live);
}

static void a_queue_is_clients_memory(void **state)
{
    struct live *live = *state;
    redisContext *redis = live_connect(live), *other = live_connect(live);
    char value[2001];
    live_without_slowlog(redis);
    long long before = live_info(redis, "ebb_client_pool_used_bytes");
    memset(value, 'v', 2000);
    value[2000] = 0;
    live_text(other, "MULTI");
    for (int i = 0; i < 100; i++)
        live_text(other, "ECHO %s", value);
    live_await_info(redis, "ebb_client_pool_used_bytes", before + 200000,
                    before + 800000);
    redisFree(other);
    live_await_info(redis, "ebb_client_pool_used_bytes", 0, before);
    redisFree(redis);
}

/* Values that wait for EXEC are not evicted: they go when they are too many
 * for a lower budget, and the client stays. */
static void a_lower_budget_aborts(void **state)
{
    enum { VALUES = 100, LEN = 1 << 20 };
    struct live *live =
        live_start("--maxmemory", "256mb", "--threads", "2", NULL);
    redisContext *redis = live_connect(live), *other = live_connect(live);
    char *value = malloc(LEN);
    (void)state;
    memset(value, 'v', LEN);
    live_text(redis, "MULTI");
    for (int i = 0; i < VALUES; i++)
        assert_string_equal(
            live_text(redis, "SET key:%d %b", i, value, (size_t)LEN), "QUEUED");
    live_text(other, "CONFIG SET maxmemory 48mb");
    redisReply *reply = redisCommand(other, "MEMORY WAIT 60000");
    assert_int_equal(reply->elements, 8);
    assert_int_equal(reply->element[5]->integer, 1);
    freeReplyObject(reply);
    answer_is_error(redisCommand(redis, "EXEC"), &ABORTED[1]);
    assert_int_equal(live_int(redis, "DBSIZE"), 0);
    live_text(redis, "MULTI");
    live_text(redis, "SET key %b", value, (size_t)LEN);
    reply = redisCommand(redis, "EXEC");
    assert_int_equal(reply->elements, 1);
    freeReplyObject(reply);
    assert_int_equal(live_int(redis, "STRLEN key"), LEN);
    free(value);
    redisFree(redis);
    redisFree(other);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_has_a_limit),
        cmocka_unit_test(a_refused_value_aborts),
        cmocka_unit_test(a_full_cache_aborts),
        cmocka_unit_test(a_cache_full_by_then_aborts),
        cmocka_unit_test(a_queue_is_clients_memory),
        cmocka_unit_test(a_lower_budget_aborts),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
