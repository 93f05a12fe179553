/* SPDX-License-Identifier: BSD-3-Clause */
/* WATCH: what makes EXEC refuse, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/limits.h"
#include "tests/answer.h"
#include "tests/errors.h"
#include "tests/live.h"
#include "tests/talk.h"

/* One client watches the key, the other sends the line, EXEC of the first must
 * say that. */
static void check(const struct live *live, const char *line, const char *exec)
{
    struct talk one = talk_open(live), other = talk_open(live);
    talk_says(&one, "FLUSHALL", "+OK");
    talk_says(&one, "SET key 1", "+OK");
    talk_says(&one, "SET until 1 EX 1000", "+OK");
    talk_says(&one, "SET text a", "+OK");
    talk_says(&one, "WATCH key until text none", "+OK");
    talk_says(&other, line, NULL);
    talk_says(&one, "MULTI", "+OK");
    talk_says(&one, "PING", "+QUEUED");
    struct resp *reply = talk_ask(&one, "EXEC");
    if (reply->raw_len != strlen(exec) + 2 ||
        memcmp(reply->raw, exec, strlen(exec)) != 0)
        fail_msg("%s: %.*s", line, (int)reply->raw_len, reply->raw);
    resp_free(reply);
    /* The next one is not concerned. */
    talk_says(&one, "MULTI", "+OK");
    talk_says(&one, "EXEC", "*0");
    talk_close(&other);
    talk_close(&one);
}

#define DIRTY "*-1"
#define CLEAN "*1\r\n+PONG"

static void changes_of_others_make_exec_refuse(void **state)
{
    static const char *const lines[] = {
        "SET key 1",       "SET none 1",       "SET key 2 XX",
        "SETNX none 1",    "SETEX key 10 1",   "GETSET key 1",
        "GETDEL key",      "GETEX key EX 10",  "GETEX until PERSIST",
        "INCR key",        "DECRBY none 1",    "APPEND text b",
        "APPEND text ''",  "MSET a 1 none 2",  "MSETNX none 1 other 2",
        "DEL a text",      "UNLINK text",      "EXPIRE key 10",
        "EXPIRE key -1",   "PEXPIREAT key 1",  "PERSIST until",
        "SET key 1 PX 10", "SET key 1 PXAT 1", "SET none 1 PXAT 1",
        "FLUSHALL",        "FLUSHDB",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        check(*state, lines[i], DIRTY);
}

static void what_changes_nothing_does_not(void **state)
{
    static const char *const lines[] = {
        "GET key",
        "MGET key text none",
        "EXISTS none",
        "TOUCH key",
        "TTL until",
        "GETEX key",
        "SET key 2 NX",
        "SET none 1 XX",
        "SETNX key 2",
        "MSETNX key 2 b 1",
        "DEL none",
        "PERSIST key",
        "EXPIRE none 10",
        "EXPIRE key 5 GT",
        "INCR text",
        "SET other 1",
        "OBJECT ENCODING key",
        "SCAN 0",
        "MULTI",
        "WATCH key",
        "SELECT 1",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        check(*state, lines[i], CLEAN);
}

static void a_key_is_of_one_database(void **state)
{
    struct talk one = talk_open(*state), other = talk_open(*state);
    talk_says(&one, "FLUSHALL", "+OK");
    talk_says(&one, "WATCH key", "+OK");
    talk_says(&other, "SELECT 1", "+OK");
    talk_says(&other, "SET key 1", "+OK");
    talk_says(&other, "FLUSHDB", "+OK");
    talk_says(&one, "MULTI", "+OK");
    talk_says(&one, "EXEC", "*0");
    talk_says(&one, "WATCH key", "+OK");
    talk_says(&one, "SELECT 1", "+OK");
    talk_says(&one, "SET key 1", "+OK");
    talk_says(&one, "MULTI", "+OK");
    talk_says(&one, "EXEC", "*0");
    talk_close(&one);
    talk_close(&other);
}

static void own_changes_count_until_it_is_forgotten(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"WATCH a", "+OK"},
        {"SET a 1", "+OK"},
        {"MULTI", "+OK"},
        {"SET a 2", "+QUEUED"},
        {"EXEC", "*-1"},
        {"GET a", "$1\r\n1"},
        /* EXEC has ended it; so do these. */
        {"SET a 3", "+OK"},
        {"MULTI", "+OK"},
        {"EXEC", "*0"},
        {"WATCH a", "+OK"},
        {"SET a 1", "+OK"},
        {"UNWATCH", "+OK"},
        {"MULTI", "+OK"},
        {"EXEC", "*0"},
        {"WATCH a", "+OK"},
        {"SET a 1", "+OK"},
        {"MULTI", "+OK"},
        {"DISCARD", "+OK"},
        {"MULTI", "+OK"},
        {"EXEC", "*0"},
        {"WATCH a", "+OK"},
        {"SET a 1", "+OK"},
        {"RESET", "+RESET"},
        {"MULTI", "+OK"},
        {"EXEC", "*0"},
        /* What it does itself is no reason, nor is UNWATCH within. */
        {"WATCH a", "+OK"},
        {"MULTI", "+OK"},
        {"SET a 1", "+QUEUED"},
        {"UNWATCH", "+QUEUED"},
        {"SET a 2", "+QUEUED"},
        {"EXEC", "*3\r\n+OK\r\n+OK\r\n+OK"},
        {"WATCH", "-ERR wrong number of arguments for 'watch' command"},
        {"UNWATCH", "+OK"},
        {"HELLO 3", NULL},
        {"WATCH a a a", "+OK"},
        {"DEL a", ":1"},
        {"MULTI", "+OK"},
        {"EXEC", "_"},
        {"HELLO 2", NULL},
        /* An error is worse. */
        {"WATCH a", "+OK"},
        {"SET a 1", "+OK"},
        {"MULTI", "+OK"},
        {"SET", "-ERR wrong number of arguments for 'set' command"},
        {"EXEC", ABORTED},
    };
    TALK_CHECK(*state, rows);
}

/* ------------------------------------------------- what goes by itself */

static long long time_ms(redisContext *redis)
{
    redisReply *reply = redisCommand(redis, "TIME");
    long long ms = atoll(reply->element[0]->str) * 1000 +
                   atoll(reply->element[1]->str) / 1000;
    freeReplyObject(reply);
    return ms;
}

static bool exec_refuses(redisContext *redis)
{
    live_text(redis, "MULTI");
    redisReply *reply = redisCommand(redis, "EXEC");
    bool refuses = reply->type == REDIS_REPLY_NIL;
    assert_true(refuses || reply->type == REDIS_REPLY_ARRAY);
    freeReplyObject(reply);
    return refuses;
}

static void a_key_that_expires_makes_it_refuse(void **state)
{
    redisContext *redis = live_connect(*state);
    live_text(redis, "SET key 1");
    long long start = time_ms(redis);
    live_int(redis, "PEXPIRE key 300");
    long long end = time_ms(redis) + 301;
    live_text(redis, "WATCH key");
    bool in_time = time_ms(redis) < start + 300; /* not on a busy machine */
    while (time_ms(redis) < end)
        continue;
    assert_true(exec_refuses(redis) || !in_time);

    /* One that had expired already is as one that was never there. */
    live_text(redis, "SET key 1 PX 1");
    end = time_ms(redis) + 2;
    while (time_ms(redis) < end)
        continue;
    live_text(redis, "WATCH key");
    assert_int_equal(live_int(redis, "EXISTS key"), 0);
    assert_false(exec_refuses(redis));
    redisFree(redis);
}

/* Until the key is not there any more. */
static void fill(redisContext *redis, const char *key)
{
    for (int i = 0; live_int(redis, "EXISTS %s", key); i++)
        live_text(redis, "SET filler:%d %02000d", i, i);
}

static void a_key_that_is_evicted_makes_it_refuse(void **state)
{
    struct live *live = live_start("--maxmemory", "24mb", NULL);
    redisContext *redis = live_connect(live), *other = live_connect(live);
    (void)state;
    live_text(redis, "SET key 1");
    live_text(redis, "WATCH key none");
    fill(other, "key");
    assert_true(exec_refuses(redis));

    /* Made anew, it is not the one that was watched. */
    live_text(redis, "SET key 1");
    live_text(redis, "WATCH key");
    fill(other, "key");
    live_text(other, "SET key 1");
    assert_true(exec_refuses(redis));
    redisFree(redis);
    redisFree(other);
    live_stop(live);
}

/* Lowering the budget drops what was not used for longest unseen. */
static void a_key_that_is_cut_makes_it_refuse(void **state)
{
    struct live *live = live_start("--maxmemory", "128mb", NULL);
    redisContext *redis = live_connect(live), *other = live_connect(live);
    (void)state;
    live_text(redis, "SET old 1");
    for (int i = 0; i < 20000; i++)
        live_text(other, "SET filler:%d %02000d", i, i);
    live_text(redis, "SET new 1");
    live_text(redis, "WATCH old");
    live_text(other, "WATCH new");
    live_text(redis, "CONFIG SET maxmemory 24mb");
    redisReply *reply = redisCommand(redis, "MEMORY WAIT 60000");
    freeReplyObject(reply);
    assert_int_equal(live_int(redis, "EXISTS old"), 0);
    assert_int_equal(live_int(redis, "EXISTS new"), 1);
    assert_true(exec_refuses(redis));
    assert_false(exec_refuses(other));
    redisFree(redis);
    redisFree(other);
    live_stop(live);
}

/* ------------------------------------------------------------------ limits */

static redisReply *watch_many(redisContext *redis, int first, int count)
{
    static char keys[LIMIT_WATCHED + 1][16];
    const char *argv[LIMIT_WATCHED + 2] = {"WATCH"};
    for (int i = 0; i < count; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", first + i);
        argv[i + 1] = keys[i];
    }
    return redisCommandArgv(redis, count + 1, argv, NULL);
}

static void one_client_watches_so_many(void **state)
{
    redisContext *redis = live_connect(*state);
    char error[80];
    snprintf(error, sizeof error, "ERR too many watched keys, at most %d",
             LIMIT_WATCHED);
    answer_is_ok(watch_many(redis, 0, LIMIT_WATCHED));
    answer_is_ok(redisCommand(redis, "WATCH k0 k1"));
    answer_is_error(redisCommand(redis, "WATCH k0 other"), error);
    assert_int_equal(live_info(redis, "total_watched_keys"), LIMIT_WATCHED);
    assert_int_equal(live_info(redis, "watching_clients"), 1);
    /* All those from before are still watched. */
    live_text(redis, "SET k%d 1", LIMIT_WATCHED - 1);
    assert_true(exec_refuses(redis));
    assert_int_equal(live_info(redis, "total_watched_keys"), 0);
    redisFree(redis);
}

static void all_together_watch_so_many(void **state)
{
    enum { CLIENTS = LIMIT_WATCHED_ALL / LIMIT_WATCHED };
    struct live *live = live_start("--maxmemory", "512mb", NULL);
    redisContext *redis = live_connect(live), *clients[CLIENTS];
    char error[100];
    (void)state;
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = live_connect(live);
        answer_is_ok(watch_many(clients[i], i / 2, LIMIT_WATCHED));
    }
    assert_int_equal(live_info(redis, "total_watched_keys"), LIMIT_WATCHED_ALL);
    snprintf(error, sizeof error,
             "ERR too many keys are watched by all clients together, at most "
             "%d",
             LIMIT_WATCHED_ALL);
    answer_is_error(redisCommand(redis, "WATCH k"), error);
    redisFree(clients[0]);
    live_await_info(redis, "total_watched_keys", 0,
                    LIMIT_WATCHED_ALL - LIMIT_WATCHED);
    answer_is_ok(redisCommand(redis, "WATCH k"));
    /* Several watch the same key. */
    live_text(redis, "SET k40 1");
    for (int i = 1; i < CLIENTS; i++) {
        assert_int_equal(exec_refuses(clients[i]), i / 2 <= 40);
        redisFree(clients[i]);
    }
    assert_false(exec_refuses(redis));
    live_await_info(redis, "watching_clients", 0, 0);
    live_await_info(redis, "total_watched_keys", 0, 0);
    redisFree(redis);
    live_stop(live);
}

static void watched_keys_are_clients_memory(void **state)
{
    enum { KEYS = 20, LEN = 60000 };
    redisContext *redis = live_connect(*state), *other = live_connect(*state);
    live_without_slowlog(redis);
    long long before = live_info(redis, "ebb_client_pool_used_bytes");
    char *key = malloc(LEN);
    memset(key, 'k', LEN);
    for (int i = 0; i < KEYS; i++)
        answer_is_ok(redisCommand(other, "WATCH %b%d", key, (size_t)LEN, i));
    live_await_info(redis, "ebb_client_pool_used_bytes", before + KEYS * LEN,
                    before + 2 * KEYS * LEN);
    assert_non_null(strstr(live_text(other, "CLIENT INFO"), " watch=20 "));
    /* There is no room for all that could be: none for a key, or for a request
     * that has come in part. */
    redisReply *reply;
    for (int i = KEYS;; i++) {
        assert_true(i < LIMIT_WATCHED);
        reply = redisCommand(other, "WATCH %b%d", key, (size_t)LEN, i);
        if (reply->type == REDIS_REPLY_ERROR)
            break;
        freeReplyObject(reply);
    }
    bool request = strstr(reply->str, "request") != NULL;
    answer_is_error(reply, request ? "OOM the request does not fit into the "
                                     "memory that clients may use"
                                   : "OOM the keys do not fit into the memory "
                                     "that clients may use");
    assert_true(live_int(redis, "DBSIZE") >= 0);
    redisFree(other);
    live_await_info(redis, "ebb_client_pool_used_bytes", 0, before);
    free(key);
    redisFree(redis);
}

static void client_list_shows_it(void **state)
{
    redisContext *redis = live_connect(*state);
    live_text(redis, "WATCH a b");
    assert_non_null(strstr(live_text(redis, "CLIENT INFO"), " flags=N "));
    assert_non_null(strstr(live_text(redis, "CLIENT INFO"), " watch=2 "));
    live_text(redis, "SET a 1");
    assert_non_null(strstr(live_text(redis, "CLIENT INFO"), " flags=d "));
    live_text(redis, "UNWATCH");
    assert_non_null(strstr(live_text(redis, "CLIENT INFO"), " watch=0 "));
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_of_others_make_exec_refuse),
        cmocka_unit_test(what_changes_nothing_does_not),
        cmocka_unit_test(a_key_is_of_one_database),
        cmocka_unit_test(own_changes_count_until_it_is_forgotten),
        cmocka_unit_test(a_key_that_expires_makes_it_refuse),
        cmocka_unit_test(a_key_that_is_evicted_makes_it_refuse),
        cmocka_unit_test(a_key_that_is_cut_makes_it_refuse),
        cmocka_unit_test(one_client_watches_so_many),
        cmocka_unit_test(all_together_watch_so_many),
        cmocka_unit_test(watched_keys_are_clients_memory),
        cmocka_unit_test(client_list_shows_it),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
