/* SPDX-License-Identifier: BSD-3-Clause */
/* MULTI, EXEC and DISCARD. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/call.h"
#include "tests/answer.h"
#include "tests/errors.h"
#include "tests/live.h"
#include "tests/talk.h"

static void commands_run_when_exec_says_so(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"MULTI", "+OK"},
        {"EXEC", "*0"},
        {"MULTI", "+OK"},
        {"SET a 1", "+QUEUED"},
        {"INCR a", "+QUEUED"},
        {"GET a", "+QUEUED"},
        {"EXEC", "*3\r\n+OK\r\n:2\r\n$1\r\n2"},
        {"GET a", "$1\r\n2"},
        {"MULTI", "+OK"},
        {"SET a 9", "+QUEUED"},
        {"DISCARD", "+OK"},
        {"GET a", "$1\r\n2"},
        {"EXEC", "-ERR EXEC without MULTI"},
        {"DISCARD", "-ERR DISCARD without MULTI"},
    };
    TALK_CHECK(*state, rows);
}

static void an_error_before_exec_aborts_it(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"MULTI", "+OK"},
        {"SET a 1", "+QUEUED"},
        {"SET a", "-ERR wrong number of arguments for 'set' command"},
        {"SET a 2", "+QUEUED"},
        {"EXEC", ABORTED},
        {"EXISTS a", ":0"},
        {"MULTI", "+OK"},
        {"NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: "},
        {"EXEC", ABORTED},
        {"MULTI", "+OK"},
        {"SHUTDOWN", "-ERR Command not allowed inside a transaction"},
        {"EXEC", ABORTED},
        {"MULTI", "+OK"},
        {"EXEC now", "-EXECABORT Transaction discarded because of: wrong "
                     "number of arguments for 'exec' command"},
        {"EXEC", "-ERR EXEC without MULTI"},
        {"EXEC now", "-EXECABORT Transaction discarded because of: wrong "
                     "number of arguments for 'exec' command"},
        {"MULTI", "+OK"},
        {"MULTI", "-ERR MULTI calls can not be nested"},
        {"WATCH a", "-ERR WATCH inside MULTI is not allowed"},
        {"PING", "+QUEUED"},
        {"EXEC", "*1\r\n+PONG"},
    };
    TALK_CHECK(*state, rows);
}

static void an_error_in_exec_does_not_stop_the_rest(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"MULTI", "+OK"},
        {"SET a x", "+QUEUED"},
        {"INCR a", "+QUEUED"},
        {"SELECT 99", "+QUEUED"},
        {"APPEND a y", "+QUEUED"},
        {"EXEC",
         "*4\r\n+OK\r\n" NOT_INT "\r\n-ERR DB index is out of range\r\n:2"},
    };
    TALK_CHECK(*state, rows);
}

static void what_they_change_of_the_connection_stays(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"MULTI", "+OK"},
        {"SELECT 3", "+QUEUED"},
        {"SET here 1", "+QUEUED"},
        {"GET none", "+QUEUED"},
        {"CLIENT SETNAME me", "+QUEUED"},
        {"EXEC", "*4\r\n+OK\r\n+OK\r\n$-1\r\n+OK"},
        {"DBSIZE", ":1"},
        {"CLIENT GETNAME", "$2\r\nme"},
        {"MULTI", "+OK"},
        {"RESET", "+RESET"},
        {"EXEC", "-ERR EXEC without MULTI"},
        {"DBSIZE", ":0"},
        {"MULTI", "+OK"},
        {"QUIT", "+OK"},
    };
    TALK_CHECK(*state, rows);
}

static void hello_changes_the_shape_of_what_follows(void **state)
{
    struct talk talk = talk_open(*state);
    talk_says(&talk, "MULTI", "+OK");
    talk_says(&talk, "GET none", "+QUEUED");
    talk_says(&talk, "HELLO 3", "+QUEUED");
    talk_says(&talk, "GET none", "+QUEUED");
    struct resp *reply = talk_ask(&talk, "EXEC");
    assert_int_equal(reply->count, 3);
    assert_memory_equal(reply->items[0].raw, "$-1\r\n", 5);
    assert_int_equal(reply->items[1].kind, '%');
    assert_memory_equal(reply->items[2].raw, "_\r\n", 3);
    resp_free(reply);
    talk_close(&talk);
}

/* As Redis does it, which leaves holes in the array. */
static void replies_may_be_off_within(void **state)
{
    static const struct says rows[] = {
        {"MULTI", "+OK"},
        {"PING 1", "+QUEUED"},
        {"CLIENT REPLY OFF", "+QUEUED"},
        {"PING 2", "+QUEUED"},
        {"CLIENT REPLY ON", "+QUEUED"},
        {"PING 4", "+QUEUED"},
        {"ECHO 5", "+QUEUED"},
        /* The array ends with the replies of the two requests after it. */
        {"EXEC\r\nECHO 6\r\nECHO 7",
         "*6\r\n$1\r\n1\r\n+OK\r\n$1\r\n4\r\n$1\r\n5\r\n$1\r\n6\r\n$1\r\n7"},
        {"MULTI", "+OK"},
        {"CLIENT REPLY SKIP", "+QUEUED"},
        {"ECHO 1", "+QUEUED"},
        {"EXEC\r\nECHO skipped\r\nECHO 2", "*2\r\n$1\r\n1\r\n$1\r\n2"},
        {"PING", "+PONG"},
        {"CLIENT REPLY SKIP\r\nMULTI\r\nPING", "+QUEUED"},
        {"CLIENT REPLY SKIP", "+QUEUED"},
        {"EXEC\r\nECHO skipped\r\nECHO 2", "*2\r\n+PONG\r\n$1\r\n2"},
    };
    TALK_CHECK(*state, rows);
}

static void client_list_shows_it(void **state)
{
    redisContext *redis = live_connect(*state);
    assert_non_null(strstr(live_text(redis, "CLIENT INFO"), " multi=-1 "));
    live_text(redis, "MULTI");
    live_text(redis, "PING");
    live_text(redis, "CLIENT INFO");
    live_text(redis, "CLIENT LIST");
    redisReply *reply = redisCommand(redis, "EXEC");
    for (size_t i = 1; i <= 2; i++) {
        const char *line = strstr(reply->element[i]->str, "cmd=exec");
        assert_non_null(line);
        assert_non_null(strstr(reply->element[i]->str, " multi=3 watch=0 "));
        assert_non_null(strstr(reply->element[i]->str, " flags=x "));
    }
    freeReplyObject(reply);
    redisFree(redis);
}

/* Others would wait, in the end for EXEC itself. */
static void nothing_waits_within(void **state)
{
    struct live *live = live_start("--maxmemory", "1", "--threads", "2", NULL);
    struct talk talk = talk_open(live);
    (void)state;
    talk_says(&talk, "MULTI", "+OK");
    talk_says(&talk, "MEMORY WAIT 1000000000", "+QUEUED");
    talk_says(&talk, "CLIENT KILL ID 1000000", "+QUEUED");
    talk_says(&talk, "ECHO end", "+QUEUED");
    struct resp *reply = talk_ask(&talk, "EXEC");
    assert_int_equal(reply->count, 3);
    assert_int_equal(resp_find(&reply->items[0], "done")->integer, 0);
    assert_int_equal(reply->items[1].integer, 0);
    assert_true(resp_is(&reply->items[2], '$', "end"));
    resp_free(reply);
    talk_close(&talk);
    live_stop(live);
}

/* More than is done while nobody else may run. */
static void long_ones_are_complete(void **state)
{
    enum { COUNT = 2 * CALL_ATOMIC_KEYS + 100 };
    struct live *live =
        live_start("--maxmemory", "1gb", "--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    (void)state;
    redisAppendCommand(redis, "MULTI");
    for (int i = 0; i < COUNT; i++)
        redisAppendCommand(redis, "SET key:%d %d", i, i);
    for (int i = 0; i < COUNT; i++)
        redisAppendCommand(redis, "GET key:%d", i);
    redisAppendCommand(redis, "KEYS *");
    redisAppendCommand(redis, "EXEC");
    redisReply *reply;
    for (int i = 0; i < 2 * COUNT + 2; i++) {
        assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
        assert_string_equal(reply->str, i ? "QUEUED" : "OK");
        freeReplyObject(reply);
    }
    assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
    assert_int_equal(reply->elements, 2 * COUNT + 1);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(atoi(reply->element[COUNT + i]->str), i);
    assert_int_equal(reply->element[2 * COUNT]->elements, COUNT);
    freeReplyObject(reply);
    redisFree(redis);
    live_stop(live);
}

/* Its reply is sent as it is made. */
static void long_replies_are_complete(void **state)
{
    enum { COUNT = 3000, LEN = 15000, LONG = 100000 };
    redisContext *redis = live_connect(*state);
    char *value = calloc(1, LONG + 1);
    memset(value, 'v', LONG);
    live_text(redis, "SET short %b", value, (size_t)LEN);
    live_text(redis, "SET long %s", value);
    redisAppendCommand(redis, "MULTI");
    for (int i = 0; i < COUNT; i++)
        redisAppendCommand(redis, i % 100 ? "GET short" : "GET long");
    redisAppendCommand(redis, "EXEC");
    redisReply *reply;
    for (int i = 0; i < COUNT + 1; i++) {
        assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
        freeReplyObject(reply);
    }
    assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
    assert_int_equal(reply->elements, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(reply->element[i]->len, i % 100 ? LEN : LONG);
    freeReplyObject(reply);
    free(value);
    redisFree(redis);
}

/* Wherever it was: within a request, between MULTI and EXEC, in EXEC. */
static void a_client_may_go_at_any_time(void **state)
{
    enum { TIMES = 60, KEYS = 50000, LEN = 100000 };
    struct live *live =
        live_start("--maxmemory", "128mb", "--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    char *value = malloc(LEN), head[64];
    (void)state;
    memset(value, 'v', LEN);
    for (int i = 0; i < KEYS; i++)
        redisAppendCommand(redis, "SET key:%d %d", i, i);
    answers_are_ok(redis, KEYS);
    int len = snprintf(head, sizeof head,
                       "*3\r\n$3\r\nSET\r\n$4\r\nlong\r\n$%d\r\n", LEN);
    for (int i = 0; i < TIMES; i++) {
        int fd = live_socket(live);
        assert_true(live_send(fd, "WATCH a b\r\nMULTI\r\n", 18));
        assert_true(live_send(fd, head, (size_t)len));
        assert_true(live_send(fd, value, LEN));
        assert_true(live_send(fd, "\r\nKEYS *\r\nCLIENT LIST\r\n", 23));
        if (i % 3 == 0)
            assert_true(live_send(fd, "KEYS *\r\nEXEC\r\n", 14));
        else if (i % 3 == 1)
            assert_true(live_send(fd, head, (size_t)len));
        close(fd);
    }
    live_await_info(redis, "connected_clients", 0, 1);
    live_await_info(redis, "total_watched_keys", 0, 0);
    assert_true(live_int(redis, "DBSIZE") >= KEYS);
    free(value);
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_run_when_exec_says_so),
        cmocka_unit_test(an_error_before_exec_aborts_it),
        cmocka_unit_test(an_error_in_exec_does_not_stop_the_rest),
        cmocka_unit_test(what_they_change_of_the_connection_stays),
        cmocka_unit_test(hello_changes_the_shape_of_what_follows),
        cmocka_unit_test(replies_may_be_off_within),
        cmocka_unit_test(client_list_shows_it),
        cmocka_unit_test(nothing_waits_within),
        cmocka_unit_test(long_ones_are_complete),
        cmocka_unit_test(long_replies_are_complete),
        cmocka_unit_test(a_client_may_go_at_any_time),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
