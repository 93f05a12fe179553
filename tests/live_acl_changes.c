/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules that change, and users that go, while clients are these users. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/answer.h"
#include "tests/errors.h"
#include "tests/still.h"
#include "tests/talk.h"

static void what_was_put_off_is_looked_at_again(void **state)
{
    struct talk admin = talk_open(*state), ann = talk_open(*state);
    talk_says(&admin, "ACL SETUSER ann on nopass ~a +@all -set", "+OK");
    talk_says(&ann, "AUTH ann x", "+OK");
    talk_says(&ann, "MULTI", "+OK");
    talk_says(&ann, "SET a x", NOPERM_COMMAND("set"));
    talk_says(&ann, "EXEC", ABORTED);
    talk_says(&ann, "MULTI", "+OK");
    talk_says(&ann, "GET a", "+QUEUED");
    talk_says(&ann, "STRLEN a", "+QUEUED");
    talk_says(&admin, "ACL SETUSER ann -get", "+OK");
    talk_says(&ann, "EXEC",
              "*2\r\n-NOPERM ACLs rules changed between the moment the "
              "transaction was accumulated and the EXEC call. This command is "
              "no longer allowed for the following reason: no permission to "
              "execute the command or subcommand\r\n:0");
    talk_says(&admin, "ACL DELUSER ann", ":1");
    talk_close(&ann);
    talk_close(&admin);
}

/* --------------------------------------------------------------- deletion */

/* The first request after a change may be one with a long value. */
static void a_long_value_goes_by_the_rules_of_now(void **state)
{
    redisContext *admin = live_connect(*state), *eve = live_connect(*state);
    char *value = calloc(1, 10001);
    assert_non_null(value);
    memset(value, 'v', 10000);
    answer_is_ok(redisCommand(admin, "ACL SETUSER eve on nopass ~* +get"));
    answer_is_ok(redisCommand(eve, "AUTH eve x"));
    answer_is_error(redisCommand(eve, "SET eve %s", value),
                    &NOPERM_COMMAND("set")[1]);
    answer_is_ok(redisCommand(admin, "ACL SETUSER eve +set"));
    answer_is_ok(redisCommand(eve, "SET eve %s", value));
    answer_is_ok(redisCommand(admin, "ACL SETUSER eve +@all"));
    answer_is_ok(redisCommand(eve, "SET eve %s", value));
    answer_is_ok(redisCommand(admin, "ACL SETUSER eve -set"));
    answer_is_error(redisCommand(eve, "SET eve %s", value),
                    &NOPERM_COMMAND("set")[1]);
    assert_int_equal(live_int(admin, "DEL eve"), 1);
    assert_int_equal(live_int(admin, "ACL DELUSER eve"), 1);
    free(value);
    redisFree(eve);
    redisFree(admin);
}

static void the_deleted_are_disconnected(void **state)
{
    struct talk admin = talk_open(*state), idle = talk_open(*state),
                other = talk_open(*state), self = talk_open(*state);
    talk_says(&admin, "ACL SETUSER ann on nopass +@all ~* &*", "+OK");
    talk_says(&admin, "ACL SETUSER ben on nopass +@all ~* &*", "+OK");
    talk_says(&idle, "AUTH ann x", "+OK");
    talk_says(&other, "AUTH ben x", "+OK");
    talk_says(&admin, "ACL DELUSER nobody ann ann", ":1");
    assert_true(live_is_closed(idle.fd));
    talk_says(&other, "PING", "+PONG");
    talk_says(&self, "AUTH ben x", "+OK");
    talk_says(&self, "ACL DELUSER ben", ":1");
    assert_true(live_is_closed(self.fd));
    assert_true(live_is_closed(other.fd));
    /* One of the same name is another. */
    talk_says(&admin, "ACL SETUSER ann", "+OK");
    talk_says(&admin, "CLIENT KILL USER ann", ":0");
    talk_says(&admin, "ACL DELUSER ann", ":1");
    talk_says(&admin, "CLIENT KILL USER ann", "-ERR No such user 'ann'");
    talk_close(&self);
    talk_close(&other);
    talk_close(&idle);
    talk_close(&admin);
}

static void kill_and_list_know_users(void **state)
{
    struct talk admin = talk_open(*state), ann = talk_open(*state);
    talk_says(&admin, "ACL SETUSER ann on nopass +@all", "+OK");
    talk_says(&ann, "AUTH ann x", "+OK");
    struct resp *list = talk_ask(&admin, "CLIENT LIST");
    assert_non_null(strstr(list->text, " user=ann "));
    assert_non_null(strstr(list->text, " user=default "));
    resp_free(list);
    talk_says(&admin, "CLIENT KILL USER ann SKIPME no", ":1");
    assert_true(live_is_closed(ann.fd));
    talk_says(&admin, "ACL DELUSER ann", ":1");
    talk_close(&ann);
    talk_close(&admin);
}

/* As many as there may be users: all of them are kept waiting meanwhile. */
static void so_many_are_deleted_at_one_time(void **state)
{
    enum { MOST = 1024 };
    redisContext *redis = live_connect(*state);
    const char *argv[MOST + 3] = {"ACL", "DELUSER"};
    live_text(redis, "ACL SETUSER ann");
    for (int i = 0; i <= MOST; i++)
        argv[i + 2] = "ann";
    answer_is_error(redisCommandArgv(redis, MOST + 3, argv, NULL),
                    "ERR more than 1024 names");
    redisReply *reply = redisCommandArgv(redis, MOST + 2, argv, NULL);
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
    redisFree(redis);
}

static void who_may_not_listen_any_more_is_disconnected(void **state)
{
    struct talk admin = talk_open(*state), ann = talk_open(*state),
                stays = talk_open(*state);
    talk_says(&admin, "ACL SETUSER ann on nopass +@all &news.* &x", "+OK");
    talk_says(&ann, "AUTH ann x", "+OK");
    talk_says(&stays, "AUTH ann x", "+OK");
    talk_says(&ann, "SUBSCRIBE other", NOPERM_CHANNEL);
    talk_says(&ann, "PSUBSCRIBE news.a", NOPERM_CHANNEL);
    talk_says(&ann, "PUBLISH other x", NOPERM_CHANNEL);
    talk_says(&ann, "SUBSCRIBE news.a",
              "*3\r\n$9\r\nsubscribe\r\n$6\r\nnews.a\r\n:1");
    talk_says(&stays, "SUBSCRIBE x", "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1");
    talk_says(&admin, "ACL SETUSER ann &more", "+OK");
    talk_says(&ann, "PING", "*2\r\n$4\r\npong\r\n$0\r\n");
    talk_says(&admin, "ACL SETUSER ann resetchannels &x", "+OK");
    assert_true(live_is_closed(ann.fd));
    talk_says(&stays, "PING", "*2\r\n$4\r\npong\r\n$0\r\n");
    talk_says(&admin, "ACL DELUSER ann", ":1");
    talk_close(&stays);
    talk_close(&ann);
    talk_close(&admin);
}

/* What it listens to it takes along when it becomes another, and keeps as long
 * as this one's channels do not become fewer. */
static void who_becomes_another_listens_on(void **state)
{
    static const char subscribed[] = ">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1";
    struct talk admin = talk_open(*state), ann = talk_open(*state);
    struct resp *heard;
    talk_says(&admin, "ACL SETUSER ann on nopass +@all resetchannels", "+OK");
    talk_says(&ann, "HELLO 3", NULL);
    talk_says(&ann, "SUBSCRIBE c", subscribed);
    talk_says(&ann, "AUTH ann x", "+OK");
    talk_says(&ann, "SUBSCRIBE d", NOPERM_CHANNEL);
    talk_says(&admin, "PUBLISH c m", ":1");
    heard = resp_await(&ann.reader, ann.fd, 10000);
    assert_non_null(heard);
    resp_free(heard);
    talk_says(&admin, "ACL SETUSER ann -get", "+OK");
    talk_says(&ann, "PING", "+PONG");
    talk_says(&admin, "ACL SETUSER ann &a &d", "+OK");
    talk_says(&admin, "ACL SETUSER ann (&b) +get", "+OK");
    talk_says(&ann, "PING", "+PONG");
    talk_says(&admin, "ACL SETUSER ann resetchannels &d", "+OK");
    assert_true(live_is_closed(ann.fd));
    talk_says(&admin, "ACL DELUSER ann", ":1");
    talk_close(&ann);
    talk_close(&admin);
}

/* ----------------------------------------------------------------- threads */

enum { CHANGES = 300 };

static void *change_and_change_back(void *ctx)
{
    redisContext *redis = live_connect(ctx);
    for (int i = 0; i < CHANGES; i++) {
        answer_is_ok(redisCommand(redis, "ACL SETUSER ann -get"));
        answer_is_ok(redisCommand(redis, "ACL SETUSER ann +get ~k%d", i % 50));
        answer_is_ok(redisCommand(redis, "ACL SETUSER ben on nopass"));
        assert_int_equal(live_int(redis, "ACL DELUSER ben"), 1);
    }
    redisFree(redis);
    return NULL;
}

/* Rules change on one thread while others go by them: each request is answered
 * by the rules of before or after. */
static void rules_change_while_they_are_used(void **state)
{
    enum { CLIENTS = 4 };
    struct live *live = *state;
    redisContext *clients[CLIENTS], *admin = live_connect(live);
    pthread_t thread;
    answer_is_ok(redisCommand(admin, "ACL SETUSER ann on nopass ~a* +get"));
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = live_connect(live);
        answer_is_ok(redisCommand(clients[i], "AUTH ann x"));
    }
    assert_int_equal(
        pthread_create(&thread, NULL, change_and_change_back, live), 0);
    for (int round = 0; round < 2 * CHANGES; round++)
        for (size_t i = 0; i < CLIENTS; i++) {
            redisReply *reply = redisCommand(clients[i], "GET absent");
            assert_non_null(reply);
            if (reply->type != REDIS_REPLY_NIL &&
                strncmp(reply->str, "NOPERM", 6) != 0)
                fail_msg("%s", reply->str);
            freeReplyObject(reply);
        }
    pthread_join(thread, NULL);
    /* What was answered with OK holds for all from then on. */
    for (int round = 0; round < 50; round++) {
        answer_is_ok(redisCommand(admin, "ACL SETUSER ann -get"));
        for (size_t i = 0; i < CLIENTS; i++)
            answer_is_error(redisCommand(clients[i], "GET absent"),
                            &NOPERM_COMMAND("get")[1]);
        answer_is_ok(redisCommand(admin, "ACL SETUSER ann +get"));
        for (size_t i = 0; i < CLIENTS; i++) {
            redisReply *reply = redisCommand(clients[i], "GET absent");
            assert_int_equal(reply->type, REDIS_REPLY_NIL);
            freeReplyObject(reply);
        }
    }
    assert_int_equal(live_int(admin, "ACL DELUSER ann"), 1);
    for (size_t i = 0; i < CLIENTS; i++)
        redisFree(clients[i]);
    redisFree(admin);
}

/* Rules that need long, and are others before they have been gone through:
 * those of now count, also if somebody else has looked at them before. */
static void long_checks_go_by_the_rules_of_now(void **state)
{
    enum { PATTERNS = 200, KEY = 60000 };
    struct talk admin = talk_open(*state), ann = talk_open(*state);
    static char line[KEY + 64];
    size_t len = (size_t)sprintf(line, "ACL SETUSER ann on nopass +@all &x");
    for (int i = 0; i < PATTERNS; i++)
        len += (size_t)sprintf(line + len, " ~*aaaaaaaa%d", i);
    strcpy(line + len, " ~a*");
    talk_says(&admin, line, "+OK");
    talk_says(&ann, "HELLO 3 AUTH ann x", NULL);
    talk_says(&ann, "SUBSCRIBE x", ">3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1");
    len = (size_t)sprintf(line, "*2\r\n$3\r\nGET\r\n$%d\r\n", KEY);
    memset(line + len, 'a', KEY);
    strcpy(line + len + KEY, "\r\n");
    /* Both at one look of the only worker: the check is begun, and then the
     * rules are others. */
    static const char less[] = "ACL SETUSER ann -get\r\n";
    still_begin(*state);
    assert_true(live_send(ann.fd, line, len + KEY + 2));
    assert_true(live_send(admin.fd, less, sizeof less - 1));
    still_end(*state);
    struct resp *reply = resp_await(&admin.reader, admin.fd, 60000);
    assert_true(resp_is(reply, '+', "OK"));
    resp_free(reply);
    reply = resp_await(&ann.reader, ann.fd, 60000);
    assert_non_null(reply);
    assert_true(resp_is(reply, '-', &NOPERM_COMMAND("get")[1]));
    resp_free(reply);
    talk_says(&admin, "ACL DELUSER ann", ":1");
    talk_close(&ann);
    talk_close(&admin);
}

/* ------------------------------------------------------------- old rules */

/* ACL SETUSER with as many patterns as a user may have, each long. */
static void set_long_rules(redisContext *redis, int version)
{
    enum { PATTERNS = 240, LEN = 250 };
    static char words[PATTERNS + 7][LEN + 1];
    const char *argv[PATTERNS + 7] = {"ACL", "SETUSER", "idle", "reset",
                                      "on",  "nopass",  "+@all"};
    for (int i = 0; i < PATTERNS; i++) {
        snprintf(words[i], sizeof words[i], "~%0*d", LEN - 1,
                 version * PATTERNS + i);
        argv[7 + i] = words[i];
    }
    redisReply *reply = redisCommandArgv(redis, PATTERNS + 7, argv, NULL);
    assert_non_null(reply);
    assert_string_equal(reply->str, "OK");
    freeReplyObject(reply);
}

/* Each saw other rules last. */
static void the_idle_keep_no_old_rules(void **state)
{
    enum { CLIENTS = 50, MOST = (1 << 20) + (1 << 18) };
    redisContext *redis = live_connect(*state), *idle[CLIENTS];
    long long most = 0;
    for (int i = 0; i < CLIENTS; i++) {
        set_long_rules(redis, i);
        long long bytes = live_info(redis, "ebb_old_rules_bytes");
        most = bytes > most ? bytes : most;
        idle[i] = live_connect(*state);
        assert_string_equal(live_text(idle[i], "AUTH idle x"), "OK");
        assert_string_equal(live_text(idle[i], "PING"), "PONG");
    }
    assert_in_range(most, 0, MOST);
    /* And the last are let go of by themselves. */
    set_long_rules(redis, CLIENTS);
    live_await_info(redis, "ebb_old_rules_bytes", 0, 0);
    for (int i = 0; i < CLIENTS; i++) {
        assert_string_equal(live_text(idle[i], "PING"), "PONG");
        redisFree(idle[i]);
    }
    assert_int_equal(live_int(redis, "ACL DELUSER idle"), 1);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_off_is_looked_at_again),
        cmocka_unit_test(a_long_value_goes_by_the_rules_of_now),
        cmocka_unit_test(the_deleted_are_disconnected),
        cmocka_unit_test(kill_and_list_know_users),
        cmocka_unit_test(so_many_are_deleted_at_one_time),
        cmocka_unit_test(who_may_not_listen_any_more_is_disconnected),
        cmocka_unit_test(who_becomes_another_listens_on),
        cmocka_unit_test(rules_change_while_they_are_used),
        cmocka_unit_test_setup_teardown(long_checks_go_by_the_rules_of_now,
                                        live_setup_debug, live_teardown),
        cmocka_unit_test(the_idle_keep_no_old_rules),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
