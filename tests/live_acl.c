/* SPDX-License-Identifier: BSD-3-Clause */
/* Users and their rules, as clients meet them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/answer.h"
#include "tests/still.h"
#include "tests/talk.h"

#define NO_KEY                                                                 \
    "-NOPERM this user has no permissions to access one of the keys used as "  \
    "arguments"
#define NO_CHANNEL                                                             \
    "-NOPERM this user has no permissions to access one of the channels used " \
    "as arguments"
#define NO_COMMAND(name)                                                       \
    "-NOPERM this user has no permissions to run the '" name "' command"
#define WRONG "-WRONGPASS invalid username-password pair or user is disabled."

/* ---------------------------------------------------------------- requests */

static void users_may_do_what_their_rules_say(void **state)
{
    struct talk talk = talk_open(*state);
    static const struct says rows[] = {
        {"ACL WHOAMI", "$7\r\ndefault"},
        {"ACL SETUSER ann on >pw ~a* %R~b +@string +select|1 -getdel", "+OK"},
        {"AUTH ann wrong", WRONG},
        {"AUTH nobody pw", WRONG},
        {"ACL WHOAMI", "$7\r\ndefault"},
        {"AUTH ann pw", "+OK"},
        {"ACL WHOAMI", NO_COMMAND("acl|whoami")},
        {"SET a1 x", "+OK"},
        {"GET a1", "$1\r\nx"},
        {"SET b x", NO_KEY},
        {"GET b", "$-1"},
        {"MGET a1 b c", NO_KEY},
        {"MGET a1 b", "*2\r\n$1\r\nx\r\n$-1"},
        {"GETDEL a1", NO_COMMAND("getdel")},
        {"CONFIG GET port", NO_COMMAND("config|get")},
        {"SELECT 1", "+OK"},
        {"SELECT 0", NO_COMMAND("select")},
        {"GET", "-ERR wrong number of arguments for 'get' command"},
        {"nosuch", "-ERR unknown command 'nosuch', with args beginning with: "},
        {"AUTH default x", "+OK"},
        {"ACL WHOAMI", "$7\r\ndefault"},
        {"SELECT 0", "+OK"},
        {"HELLO 2 AUTH ann wrong", WRONG},
        {"ACL SETUSER ann off +acl|whoami", "+OK"},
        {"AUTH ann pw", WRONG},
        {"ACL SETUSER ann on", "+OK"},
        {"AUTH ann pw", "+OK"},
        {"ACL WHOAMI", "$3\r\nann"},
        {"RESET", "+RESET"},
        {"ACL WHOAMI", "$7\r\ndefault"},
        {"ACL DELUSER ann", ":1"},
    };
    TALK_TABLE(&talk, rows);
    talk_close(&talk);
}

static void default_may_be_restricted(void **state)
{
    struct talk admin = talk_open(*state), other = talk_open(*state);
    talk_says(&admin, "ACL SETUSER root on >pw ~* &* +@all", "+OK");
    talk_says(&admin, "AUTH root pw", "+OK");
    talk_says(&other, "PING", "+PONG");
    talk_says(&admin, "ACL SETUSER default -ping", "+OK");
    talk_says(&other, "PING", NO_COMMAND("ping"));
    /* With a password clients begin without a user's rights. */
    talk_says(&admin, "ACL SETUSER default resetpass >x +ping", "+OK");
    talk_says(&other, "PING", "+PONG");
    struct talk late = talk_open(*state);
    talk_says(&late, "PING", "-NOAUTH Authentication required.");
    talk_says(&late, "AUTH x", "+OK");
    talk_says(&late, "PING", "+PONG");
    talk_says(&admin, "CONFIG SET requirepass y", "+OK");
    talk_says(&late, "RESET", "+RESET");
    talk_says(&late, "AUTH x", WRONG);
    talk_says(&late, "AUTH y", "+OK");
    talk_says(&admin, "CONFIG SET requirepass ''", "+OK");
    struct talk later = talk_open(*state);
    talk_says(&later, "PING", "+PONG");
    talk_says(&later, "AUTH y",
              "-ERR AUTH <password> called without any password configured "
              "for the default user. Are you sure your configuration is "
              "correct?");
    talk_says(&admin, "ACL DELUSER default",
              "-ERR The 'default' user cannot be removed");
    talk_says(&later, "ACL DELUSER root", ":1");
    talk_close(&later);
    talk_close(&late);
    talk_close(&other);
    talk_close(&admin);
}

static void what_was_put_off_is_looked_at_again(void **state)
{
    struct talk admin = talk_open(*state), ann = talk_open(*state);
    talk_says(&admin, "ACL SETUSER ann on nopass ~a +@all -set", "+OK");
    talk_says(&ann, "AUTH ann x", "+OK");
    talk_says(&ann, "MULTI", "+OK");
    talk_says(&ann, "SET a x", NO_COMMAND("set"));
    talk_says(&ann, "EXEC",
              "-EXECABORT Transaction discarded because of "
              "previous errors.");
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

/* A value that its sender may not store must not push out what others have. */
static void a_long_value_is_not_taken_in_vain(void **state)
{
    enum { LEN = 8 << 20, SMALL = 1000 };
    struct talk admin = talk_open(*state), ann = talk_open(*state);
    redisContext *redis = live_connect(*state);
    char *value = calloc(1, LEN + 2), head[64];
    /* More than there is room for. */
    answer_is_ok(live_ask(redis, "DEBUG POPULATE 100000 key %d", SMALL));
    long long evicted = live_info(redis, "evicted_keys");
    assert_true(evicted > 0);
    talk_says(&admin, "ACL SETUSER ann on nopass ~a +@all", "+OK");
    talk_says(&ann, "AUTH ann x", "+OK");
    int len = snprintf(head, sizeof head,
                       "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$%d\r\n", LEN);
    memcpy(value + LEN, "\r\n", 2);
    assert_true(live_send(ann.fd, head, (size_t)len));
    assert_true(live_send(ann.fd, value, LEN + 2));
    talk_says(&ann, "SET a x", NO_KEY); /* that of the one before */
    talk_says(&ann, "GET a", "+OK");
    talk_says(&admin, "EXISTS b", ":0");
    assert_true(live_info(redis, "evicted_keys") - evicted < LEN / SMALL / 2);
    free(value);
    redisFree(redis);
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
                    &NO_COMMAND("set")[1]);
    answer_is_ok(redisCommand(admin, "ACL SETUSER eve +set"));
    answer_is_ok(redisCommand(eve, "SET eve %s", value));
    answer_is_ok(redisCommand(admin, "ACL SETUSER eve +@all"));
    answer_is_ok(redisCommand(eve, "SET eve %s", value));
    answer_is_ok(redisCommand(admin, "ACL SETUSER eve -set"));
    answer_is_error(redisCommand(eve, "SET eve %s", value),
                    &NO_COMMAND("set")[1]);
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
    talk_says(&ann, "SUBSCRIBE other", NO_CHANNEL);
    talk_says(&ann, "PSUBSCRIBE news.a", NO_CHANNEL);
    talk_says(&ann, "PUBLISH other x", NO_CHANNEL);
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

/* --------------------------------------------------------------------- log */

static void what_is_denied_is_told(void **state)
{
    redisContext *redis = live_connect(*state), *ann = live_connect(*state);
    long long commands = live_info(redis, "acl_access_denied_cmd");
    long long keys = live_info(redis, "acl_access_denied_key");
    long long channels = live_info(redis, "acl_access_denied_channel");
    long long passwords = live_info(redis, "acl_access_denied_auth");
    answer_is_ok(redisCommand(redis, "ACL LOG RESET"));
    answer_is_ok(redisCommand(
        redis, "ACL SETUSER ann on >pw +get +publish +multi +discard"));
    freeReplyObject(redisCommand(ann, "AUTH ann secretguess"));
    answer_is_ok(redisCommand(ann, "AUTH ann pw"));
    freeReplyObject(redisCommand(ann, "SET k v"));
    freeReplyObject(redisCommand(ann, "SET k v"));
    freeReplyObject(redisCommand(ann, "GET key"));
    answer_is_ok(redisCommand(ann, "MULTI"));
    freeReplyObject(redisCommand(ann, "PUBLISH chan x"));

    static const struct {
        const char *reason, *context, *object;
        long long count;
    } rows[] = {
        {"channel", "multi", "chan", 1},
        {"key", "toplevel", "key", 1},
        {"command", "toplevel", "set", 2},
        {"auth", "toplevel", "AUTH", 1},
    };
    redisReply *log = redisCommand(redis, "ACL LOG");
    assert_int_equal(log->elements, 4);
    for (size_t i = 0; i < 4; i++) {
        redisReply **of = log->element[i]->element;
        assert_int_equal(log->element[i]->elements, 20);
        assert_string_equal(of[0]->str, "count");
        assert_int_equal(of[1]->integer, rows[i].count);
        assert_string_equal(of[3]->str, rows[i].reason);
        assert_string_equal(of[5]->str, rows[i].context);
        assert_string_equal(of[7]->str, rows[i].object);
        assert_string_equal(of[9]->str, "ann");
        assert_string_equal(of[12]->str, "client-info");
        assert_null(strstr(of[13]->str, "secretguess"));
    }
    freeReplyObject(log);
    log = redisCommand(redis, "ACL LOG 1");
    assert_int_equal(log->elements, 1);
    freeReplyObject(log);
    assert_int_equal(live_info(redis, "acl_access_denied_cmd") - commands, 2);
    assert_int_equal(live_info(redis, "acl_access_denied_key") - keys, 1);
    assert_int_equal(live_info(redis, "acl_access_denied_channel") - channels,
                     1);
    assert_int_equal(live_info(redis, "acl_access_denied_auth") - passwords, 1);
    assert_int_equal(live_int(redis, "ACL DELUSER ann"), 1);
    redisFree(ann);
    redisFree(redis);
}

static void the_log_is_bounded(void **state)
{
    redisContext *redis = live_connect(*state);
    answer_is_ok(redisCommand(redis, "ACL LOG RESET"));
    answer_is_ok(redisCommand(redis, "CONFIG SET acllog-max-len 3"));
    for (int i = 0; i < 10; i++)
        freeReplyObject(redisCommand(redis, "AUTH nobody%d x", i));
    redisReply *log = redisCommand(redis, "ACL LOG 100");
    assert_int_equal(log->elements, 3);
    assert_string_equal(log->element[0]->element[9]->str, "nobody9");
    freeReplyObject(log);
    answer_is_ok(redisCommand(redis, "CONFIG SET acllog-max-len 0"));
    freeReplyObject(redisCommand(redis, "AUTH nobody x"));
    log = redisCommand(redis, "ACL LOG");
    assert_int_equal(log->elements, 0);
    freeReplyObject(log);
    answer_is_ok(redisCommand(redis, "CONFIG SET acllog-max-len 128"));
    redisFree(redis);
}

/* ----------------------------------------------------------------- secrets */

static void passwords_are_shown_to_nobody(void **state)
{
    struct talk talk = talk_open(*state);
    talk_says(&talk, "CONFIG SET slowlog-log-slower-than 0", "+OK");
    talk_says(&talk, "ACL SETUSER ann on >hunter2 +@all", "+OK");
    talk_says(&talk, "AUTH ann hunter2", "+OK");
    talk_says(&talk, "AUTH default hunter2", "+OK");
    talk_says(&talk, "HELLO 2 AUTH ann hunter3", WRONG);
    static const char *const asking[] = {"SLOWLOG GET", "ACL LOG",
                                         "INFO all",    "CLIENT LIST",
                                         "ACL LIST",    "ACL GETUSER ann"};
    for (size_t i = 0; i < sizeof asking / sizeof *asking; i++) {
        struct resp *reply = talk_ask(&talk, "%s", asking[i]);
        char *text = resp_show(reply);
        assert_null(strstr(text, "hunter"));
        free(text);
        resp_free(reply);
    }
    talk_says(&talk, "CONFIG SET slowlog-log-slower-than 10000", "+OK");
    talk_says(&talk, "ACL DELUSER ann", ":1");
    talk_close(&talk);
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
                            &NO_COMMAND("get")[1]);
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
    assert_true(resp_is(reply, '-', &NO_COMMAND("get")[1]));
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
        cmocka_unit_test(users_may_do_what_their_rules_say),
        cmocka_unit_test(default_may_be_restricted),
        cmocka_unit_test(what_was_put_off_is_looked_at_again),
        cmocka_unit_test_setup_teardown(a_long_value_is_not_taken_in_vain,
                                        live_setup_debug, live_teardown),
        cmocka_unit_test(a_long_value_goes_by_the_rules_of_now),
        cmocka_unit_test(the_deleted_are_disconnected),
        cmocka_unit_test(kill_and_list_know_users),
        cmocka_unit_test(so_many_are_deleted_at_one_time),
        cmocka_unit_test(who_may_not_listen_any_more_is_disconnected),
        cmocka_unit_test(what_is_denied_is_told),
        cmocka_unit_test(the_log_is_bounded),
        cmocka_unit_test(passwords_are_shown_to_nobody),
        cmocka_unit_test(rules_change_while_they_are_used),
        cmocka_unit_test_setup_teardown(long_checks_go_by_the_rules_of_now,
                                        live_setup_debug, live_teardown),
        cmocka_unit_test(the_idle_keep_no_old_rules),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
