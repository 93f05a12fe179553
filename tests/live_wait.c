/* SPDX-License-Identifier: BSD-3-Clause */
/* Budgets below what the process needs, and waiting for a lower budget. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/answer.h"
#include "tests/live.h"
#include "tests/sanitized.h"

enum { MB = 1 << 20, LEN = 900, KEYS = 40000, BATCH = 500 };

static void fill(redisContext *redis, unsigned keys)
{
    static char value[LEN];

    memset(value, 'v', sizeof value);
    for (unsigned key = 0; key < keys; key += BATCH) {
        for (unsigned i = 0; i < BATCH; i++)
            redisAppendCommand(redis, "SET key:%u %b", key + i, value, LEN);
        answers_are_ok(redis, BATCH);
    }
}

static void set_budget(redisContext *redis, const char *budget)
{
    assert_string_equal(live_text(redis, "CONFIG SET maxmemory %s", budget),
                        "OK");
}

/* ------------------------------------------------------------ below the floor
 */

static void set_is_refused(redisContext *redis)
{
    redisReply *reply = redisCommand(redis, "SET key value");

    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_ERROR);
    assert_memory_equal(reply->str, "OOM ", 4);
    freeReplyObject(reply);
}

static void a_byte_leaves_an_empty_cache(void **state)
{
    struct live *live = *state;
    redisContext *redis = live_connect(live), *late;
    size_t empty = live_resident(live);

    fill(redis, KEYS);
    set_budget(redis, "1");
    live_await_log(live, "is above the budget of 1:");
    live_await_info(redis, "ebb_floor_above_budget", 1, 1);
    live_await_info(redis, "ebb_cache_resident_bytes", 0, 0);
    assert_int_equal(live_int(redis, "DBSIZE"), 0);
    set_is_refused(redis);
    assert_int_equal(live_info(redis, "maxmemory"), 1);
    if (!SANITIZED)
        live_await_info(redis, "used_memory_rss", 0, (long long)empty + MB);

    /* Whoever comes then can set it right, and all is as before. */
    late = live_connect(live);
    set_is_refused(late);
    set_budget(late, "64mb");
    live_await_info(late, "ebb_floor_above_budget", 0, 0);
    fill(late, KEYS);
    assert_true(live_int(late, "DBSIZE") > (SANITIZED ? 0 : KEYS - 1));
    redisFree(late);
    redisFree(redis);
}

static void it_starts_with_a_byte(void **state)
{
    struct live *live = live_start("--maxmemory", "1", NULL);
    redisContext *redis = live_connect(live);

    (void)state;
    assert_int_equal(live_info(redis, "ebb_floor_above_budget"), 1);
    set_is_refused(redis);
    set_budget(redis, "64mb");
    live_await_info(redis, "ebb_floor_above_budget", 0, 0);
    fill(redis, BATCH);
    redisFree(redis);
    live_stop(live);
}

/* Budgets with which there are some slabs, but hardly any. */
static void few_slabs_are_no_trap(void **state)
{
    struct live *live = *state;
    redisContext *redis = live_connect(live);
    long long floor = live_info(redis, "ebb_floor_bytes");

    for (long long bytes = floor; bytes > 0; bytes -= 300000) {
        char text[32];

        snprintf(text, sizeof text, "%lld", bytes);
        set_budget(redis, text);
        live_await_info(redis, "ebb_budget_bytes", bytes, bytes);
        for (unsigned i = 0; i < 300; i++) {
            redisReply *reply = redisCommand(redis, "SET key:%u %u", i, i);

            assert_non_null(reply);
            if (reply->type == REDIS_REPLY_ERROR)
                assert_memory_equal(reply->str, "OOM ", 4);
            freeReplyObject(reply);
        }
    }
    set_budget(redis, "64mb");
    live_await_info(redis, "ebb_floor_above_budget", 0, 0);
    fill(redis, BATCH);
    redisFree(redis);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, live_setup, live_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_byte_leaves_an_empty_cache),
        cmocka_unit_test(it_starts_with_a_byte),
        TEST(few_slabs_are_no_trap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
