/* SPDX-License-Identifier: BSD-3-Clause */
/* Users and their rules, as clients meet them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/answer.h"
#include "tests/errors.h"
#include "tests/talk.h"

static void users_may_do_what_their_rules_say(void **state)
{
    struct talk talk = talk_open(*state);
    static const struct says rows[] = {
        {"ACL WHOAMI", "$7\r\ndefault"},
        {"ACL SETUSER ann on >pw ~a* %R~b +@string +select|1 -getdel", "+OK"},
        {"AUTH ann wrong", WRONGPASS},
        {"AUTH nobody pw", WRONGPASS},
        {"ACL WHOAMI", "$7\r\ndefault"},
        {"AUTH ann pw", "+OK"},
        {"ACL WHOAMI", NOPERM_COMMAND("acl|whoami")},
        {"SET a1 x", "+OK"},
        {"GET a1", "$1\r\nx"},
        {"SET b x", NOPERM_KEY},
        {"GET b", "$-1"},
        {"MGET a1 b c", NOPERM_KEY},
        {"MGET a1 b", "*2\r\n$1\r\nx\r\n$-1"},
        {"GETDEL a1", NOPERM_COMMAND("getdel")},
        {"CONFIG GET port", NOPERM_COMMAND("config|get")},
        {"SELECT 1", "+OK"},
        {"SELECT 0", NOPERM_COMMAND("select")},
        {"GET", "-ERR wrong number of arguments for 'get' command"},
        {"nosuch", "-ERR unknown command 'nosuch', with args beginning with: "},
        {"AUTH default x", "+OK"},
        {"ACL WHOAMI", "$7\r\ndefault"},
        {"SELECT 0", "+OK"},
        {"HELLO 2 AUTH ann wrong", WRONGPASS},
        {"ACL SETUSER ann off +acl|whoami", "+OK"},
        {"AUTH ann pw", WRONGPASS},
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
    talk_says(&other, "PING", NOPERM_COMMAND("ping"));
    /* With a password clients begin without a user's rights. */
    talk_says(&admin, "ACL SETUSER default resetpass >x +ping", "+OK");
    talk_says(&other, "PING", "+PONG");
    struct talk late = talk_open(*state);
    talk_says(&late, "PING", "-NOAUTH Authentication required.");
    talk_says(&late, "AUTH x", "+OK");
    talk_says(&late, "PING", "+PONG");
    talk_says(&admin, "CONFIG SET requirepass y", "+OK");
    talk_says(&late, "RESET", "+RESET");
    talk_says(&late, "AUTH x", WRONGPASS);
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
    talk_says(&ann, "SET a x", NOPERM_KEY); /* that of the one before */
    talk_says(&ann, "GET a", "+OK");
    talk_says(&admin, "EXISTS b", ":0");
    assert_true(live_info(redis, "evicted_keys") - evicted < LEN / SMALL / 2);
    free(value);
    redisFree(redis);
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
    talk_says(&talk, "HELLO 2 AUTH ann hunter3", WRONGPASS);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_may_do_what_their_rules_say),
        cmocka_unit_test(default_may_be_restricted),
        cmocka_unit_test_setup_teardown(a_long_value_is_not_taken_in_vain,
                                        live_setup_debug, live_teardown),
        cmocka_unit_test(what_is_denied_is_told),
        cmocka_unit_test(the_log_is_bounded),
        cmocka_unit_test(passwords_are_shown_to_nobody),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
