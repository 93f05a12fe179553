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
#include <sys/socket.h>
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

/* ---------------------------------------------------------------- MEMORY WAIT
 */

struct answer {
    long long budget, resident, done, remaining;
};

/* The next reply of the connection. */
static struct answer take_answer(redisContext *redis)
{
    static const char *const names[] = {"budget", "resident", "done",
                                        "remaining"};
    redisReply *reply = NULL;
    long long values[4];

    assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
    assert_non_null(reply);
    assert_int_equal(reply->elements, 8);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(reply->element[2 * i]->str, names[i]);
        assert_int_equal(reply->element[2 * i + 1]->type, REDIS_REPLY_INTEGER);
        values[i] = reply->element[2 * i + 1]->integer;
    }
    freeReplyObject(reply);
    return (struct answer){values[0], values[1], values[2], values[3]};
}

static struct answer wait_for(redisContext *redis, const char *timeout)
{
    redisAppendCommand(redis, "MEMORY WAIT %s", timeout);
    return take_answer(redis);
}

static void send_wait(redisContext *redis, const char *timeout)
{
    int done = 0;

    redisAppendCommand(redis, "MEMORY WAIT %s", timeout);
    while (!done)
        assert_int_equal(redisBufferWrite(redis, &done), REDIS_OK);
}

static void a_kept_budget_is_told_at_once(void **state)
{
    struct live *live = *state;
    redisContext *redis = live_connect(live);
    struct answer answer = wait_for(redis, "60000");

    assert_int_equal(answer.budget, 64 * MB);
    assert_int_equal(answer.done, 1);
    assert_int_equal(answer.remaining, 0);
    assert_in_range(answer.resident, 1, 64 * MB);
    redisFree(redis);
}

static void a_shrink_is_waited_for(void **state)
{
    struct live *live = *state;
    redisContext *redis = live_connect(live);

    for (int turn = 0; turn < 3; turn++) {
        struct answer answer;

        set_budget(redis, "64mb");
        fill(redis, KEYS);
        set_budget(redis, "24mb");
        answer = wait_for(redis, "0");
        assert_int_equal(answer.budget, 24 * MB);
        assert_int_equal(answer.done, 0);
        answer = wait_for(redis, "60000");
        assert_int_equal(answer.budget, 24 * MB);
        assert_int_equal(answer.done, 1);
        assert_int_equal(answer.remaining, 0);
        assert_true(answer.resident <= 24 * MB);
        if (!SANITIZED)
            assert_true(live_resident(live) <= 24 * MB);
    }
    redisFree(redis);
}

/* In one write: the governor has not heard of the budget yet, or only if it
 * was quick. */
static void a_change_counts_from_the_command_on(void **state)
{
    struct live *live = *state;
    redisContext *redis = live_connect(live);
    int early = 0;

    for (int i = 0; i < 50; i++) {
        redisReply *reply = NULL;
        long long mb = i % 2 ? 40 : 50;
        struct answer answer;

        redisAppendCommand(redis, "CONFIG SET maxmemory %lldmb", mb);
        redisAppendCommand(redis, "MEMORY WAIT 0");
        redisAppendCommand(redis, "MEMORY WAIT 60000");
        assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
        freeReplyObject(reply);
        answer = take_answer(redis);
        assert_int_equal(answer.budget, mb * MB);
        early += answer.done == 0;
        answer = take_answer(redis);
        assert_int_equal(answer.budget, mb * MB);
        assert_int_equal(answer.done, 1);
        assert_int_equal(live_info(redis, "ebb_budget_bytes"), mb * MB);
    }
    assert_true(early > 0);
    redisFree(redis);
}

/* Below the floor it is never done: the time decides. */
static void the_time_ends_it(void **state)
{
    struct live *live = *state;
    redisContext *redis = live_connect(live);
    struct answer answer;

    set_budget(redis, "1");
    answer = wait_for(redis, "50");
    assert_int_equal(answer.budget, 1);
    assert_int_equal(answer.done, 0);
    assert_int_equal(answer.remaining, answer.resident - 1);
    redisFree(redis);
}

static void others_are_served_meanwhile(void **state)
{
    enum { WAITERS = 50 };
    struct live *live = live_start("--threads", "1", "--maxmemory", "1", NULL);
    redisContext *redis = live_connect(live), *waiters[WAITERS];

    (void)state;
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = live_connect(live);
        /* Something behind it has to wait, too. */
        redisAppendCommand(waiters[i], "PING");
        send_wait(waiters[i], "9223372036854775807");
        redisAppendCommand(waiters[i], "PING");
    }
    for (int i = 0; i < 100; i++)
        assert_string_equal(live_text(redis, "PING"), "PONG");
    set_budget(redis, "64mb");
    for (int i = 0; i < WAITERS; i++) {
        redisReply *reply = NULL;
        struct answer answer;

        assert_int_equal(redisGetReply(waiters[i], (void **)&reply), REDIS_OK);
        assert_string_equal(reply->str, "PONG");
        freeReplyObject(reply);
        answer = take_answer(waiters[i]);
        assert_int_equal(answer.budget, 64 * MB);
        assert_int_equal(answer.done, 1);
        assert_int_equal(redisGetReply(waiters[i], (void **)&reply), REDIS_OK);
        assert_string_equal(reply->str, "PONG");
        freeReplyObject(reply);
        redisFree(waiters[i]);
    }
    redisFree(redis);
    live_stop(live);
}

/* A client that goes away is forgotten at once, whatever it wanted to wait. */
static void who_leaves_is_forgotten(void **state)
{
    enum { WAITERS = 50 };
    struct live *live = *state;
    redisContext *redis = live_connect(live);
    long long used;

    live_without_slowlog(redis);
    used = live_info(redis, "ebb_client_pool_used_bytes");
    set_budget(redis, "1");
    for (int i = 0; i < WAITERS; i++) {
        redisContext *waiter = live_connect(live);

        assert_string_equal(live_text(waiter, "PING"), "PONG");
        send_wait(waiter, "86400000");
        redisFree(waiter);
    }
    live_await_info(redis, "connected_clients", 1, 1);
    live_await_info(redis, "ebb_client_pool_used_bytes", 0, used);
    redisFree(redis);
}

/* Who only says that nothing more will come has the answer at once. */
static void a_half_closed_client_is_answered(void **state)
{
    static const char request[] = "MEMORY WAIT 86400000\r\n";
    struct live *live = *state;
    redisContext *redis = live_connect(live);
    int fd = live_socket(live);

    set_budget(redis, "1");
    live_await_info(redis, "ebb_budget_bytes", 1, 1);
    assert_true(live_send(fd, request, strlen(request)));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_memory_equal(live_read_all(fd), "*8\r\n$6\r\nbudget\r\n:1\r\n", 20);
    close(fd);
    redisFree(redis);
}

static void waiters_do_not_keep_it_from_stopping(void **state)
{
    struct live *live = *state;
    redisContext *redis = live_connect(live), *waiter = live_connect(live);

    set_budget(redis, "1");
    for (int i = 0; i < 3; i++)
        send_wait(waiter, "86400000");
    live_await_info(redis, "connected_clients", 2, 2);
    redisFree(redis);
    redisFree(waiter);
}

static void expect_error(redisContext *redis, const char *request,
                         const char *text)
{
    redisReply *reply = redisCommand(redis, request);

    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_ERROR);
    assert_string_equal(reply->str, text);
    freeReplyObject(reply);
}

static void its_argument_is_a_time(void **state)
{
    static const char not_int[] = "ERR value is not an integer or out of range";
    static const char resp3[] = "HELLO 3\r\nMEMORY WAIT 0\r\nQUIT\r\n";
    struct live *live = *state;
    redisContext *redis = live_connect(live);
    int fd = live_socket(live);

    expect_error(redis, "MEMORY WAIT -1", "ERR timeout is negative");
    expect_error(redis, "MEMORY WAIT 1.5", not_int);
    expect_error(redis, "MEMORY WAIT 9223372036854775808", not_int);
    expect_error(redis, "MEMORY WAIT",
                 "ERR wrong number of arguments for 'memory|wait' command");
    assert_true(live_send(fd, resp3, strlen(resp3)));
    assert_non_null(strstr(live_read_all(fd), "\r\n%4\r\n$6\r\nbudget\r\n"));
    close(fd);
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
        TEST(a_kept_budget_is_told_at_once),
        TEST(a_shrink_is_waited_for),
        TEST(a_change_counts_from_the_command_on),
        TEST(the_time_ends_it),
        cmocka_unit_test(others_are_served_meanwhile),
        TEST(who_leaves_is_forgotten),
        TEST(a_half_closed_client_is_answered),
        TEST(waiters_do_not_keep_it_from_stopping),
        TEST(its_argument_is_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
