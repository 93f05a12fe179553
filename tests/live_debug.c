/* SPDX-License-Identifier: BSD-3-Clause */
/* DEBUG, and what it makes possible to test: slow commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/answer.h"
#include "tests/console.h"

#define NOT_ALLOWED                                                            \
    "-ERR DEBUG command not allowed. If the enable-debug-command option is "   \
    "set to \"local\", you can run it from a local connection, otherwise you " \
    "need to set this option in the configuration file, and then restart the " \
    "server."
#define NOT_POSITIVE "-ERR value is out of range, must be positive"

static int start(void **state)
{
    *state = live_start("--threads", "2", "--maxmemory", "64mb",
                        "--enable-debug-command", "yes", NULL);
    return 0;
}

static void it_is_for_those_who_may(void **state)
{
    struct live *live = live_start("--threads", "1", NULL);
    struct console t;

    (void)state;
    console_open(&t, live);
    assert_string_equal(console_ask(&t, "DEBUG SLEEP 0"), NOT_ALLOWED);
    assert_string_equal(console_ask(&t, "DEBUG nosuch"), NOT_ALLOWED);
    assert_string_equal(console_ask(&t, "DEBUG"),
                        "-ERR wrong number of arguments for 'debug' command");
    console_begins(console_ask(&t, "CONFIG SET enable-debug-command yes"),
                   "-ERR CONFIG SET failed");
    console_close(&t);
    live_stop(live);

    live = live_start("--enable-debug-command", "local", NULL);
    console_open(&t, live);
    assert_string_equal(console_ask(&t, "DEBUG SLEEP 0"), "+OK");
    console_close(&t);
    live_stop(live);
}

static void arguments_are_checked(void **state)
{
    CONSOLE_CHECK(
        {"DEBUG nosuch", "-ERR unknown subcommand or wrong number of arguments "
                         "for 'nosuch'. Try DEBUG HELP."},
        {"DEBUG JMAP", "-ERR unknown subcommand or wrong number of arguments "
                       "for 'JMAP'. Try DEBUG HELP."},
        {"DEBUG SEGFAULT", "-ERR unknown subcommand or wrong number of "
                           "arguments for 'SEGFAULT'. Try DEBUG HELP."},
        {"DEBUG SLEEP", "-ERR unknown subcommand or wrong number of arguments "
                        "for 'SLEEP'. Try DEBUG HELP."},
        {"DEBUG SLEEP x", "+OK"}, {"DEBUG SLEEP -1", "+OK"},
        {"DEBUG ERROR \"FOO bar\"", "-FOO bar"}, {"DEBUG LOG hi", "+OK"},
        {"DEBUG OBJECT nosuch", "-ERR no such key"},
        {"DEBUG POPULATE x", NOT_POSITIVE}, {"DEBUG POPULATE -1", NOT_POSITIVE},
        {"DEBUG POPULATE 1 key x", NOT_POSITIVE},
        {"DEBUG POPULATE 1 key 1048577",
         "-ERR values have at most 1048576 bytes"},
        {"DEBUG PROTOCOL nosuch",
         "-ERR Wrong protocol type name. Please use one of the following: "
         "string|integer|double|bignum|null|array|set|map|attrib|push|"
         "verbatim|true|false"});
}

/* What was sent before the answer to QUIT, in that version of the protocol. */
static void protocol_is(const struct live *live, int version, const char *type,
                        const char *bytes)
{
    static const char mark[] = "+PONG\r\n";
    char line[100];
    const char *text;
    int fd = live_socket(live);
    int len = snprintf(line, sizeof line,
                       "HELLO %d\r\nPING\r\nDEBUG PROTOCOL %s\r\nQUIT\r\n",
                       version, type);

    live_send(fd, line, (size_t)len);
    text = strstr(live_read_all(fd), mark);
    assert_non_null(text);
    text += sizeof mark - 1;
    if (strncmp(text, bytes, strlen(bytes)) != 0)
        fail_msg("%s in version %d is %s", type, version, text);
    assert_string_equal(text + strlen(bytes), "+OK\r\n");
    close(fd);
}

static void there_is_a_reply_of_each_type(void **state)
{
    static const char attribute[] =
        "|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n"
        "$39\r\nSome real reply following the attribute\r\n";
    static const char push[] = ">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n$40\r\n"
                               "Some real reply following the push reply\r\n";
    static const struct {
        const char *type, *resp2, *resp3;
    } rows[] = {
        {"string", "$11\r\nHello World\r\n", "$11\r\nHello World\r\n"},
        {"INTEGER", ":12345\r\n", ":12345\r\n"},
        {"double", "$5\r\n3.141\r\n", ",3.141\r\n"},
        {"null", "$-1\r\n", "_\r\n"},
        {"set", "*3\r\n:0\r\n:1\r\n:2\r\n", "~3\r\n:0\r\n:1\r\n:2\r\n"},
        {"attrib", attribute + sizeof attribute - 47, attribute},
        {"push", "-ERR RESP2 is not supported by this command\r\n", push},
        {"true", ":1\r\n", "#t\r\n"},
        {"false", ":0\r\n", "#f\r\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        protocol_is(*state, 2, rows[i].type, rows[i].resp2);
        protocol_is(*state, 3, rows[i].type, rows[i].resp3);
    }
}

static void populate_stores_what_is_not_there(void **state)
{
    redisContext *redis = live_connect(*state);

    answer_is_ok(live_ask(redis, "FLUSHALL"));
    answer_is_ok(live_ask(redis, "SET p:1 mine"));
    answer_is_ok(live_ask(redis, "DEBUG POPULATE 2500 p"));
    assert_int_equal(live_int(redis, "DBSIZE"), 2500);
    assert_string_equal(live_text(redis, "GET p:1"), "mine");
    assert_string_equal(live_text(redis, "GET p:2499"), "value:2499");
    answer_is_ok(live_ask(redis, "DEBUG POPULATE 2"));
    assert_string_equal(live_text(redis, "GET key:1"), "value:1");
    answer_is_ok(live_ask(redis, "DEBUG POPULATE 1 cut 5"));
    answer_is_bytes(live_ask(redis, "GET cut:0"), "value", 5);
    answer_is_ok(live_ask(redis, "DEBUG POPULATE 1 longer 10"));
    answer_is_bytes(live_ask(redis, "GET longer:0"), "value:0\0\0", 10);
    answer_is_ok(live_ask(redis, "DEBUG POPULATE 3 big 1048576"));
    assert_int_equal(live_int(redis, "STRLEN big:2"), 1048576);
    answer_is_bytes(live_ask(redis, "GETRANGE big:2 0 8"), "value:2\0", 9);
    answer_is_ok(live_ask(redis, "DEBUG POPULATE 0"));
    redisFree(redis);
}

/* More than the budget: the first leave for the last. */
static void populate_keeps_to_the_budget(void **state)
{
    struct live *live = live_start("--maxmemory", "32mb",
                                   "--enable-debug-command", "yes", NULL);
    redisContext *redis = live_connect(live);

    (void)state;
    answer_is_ok(live_ask(redis, "DEBUG POPULATE 100000 p 1000"));
    assert_int_equal(live_int(redis, "EXISTS p:0"), 0);
    assert_int_equal(live_int(redis, "EXISTS p:99999"), 1);
    assert_true(live_int(redis, "DBSIZE") < 32000);
    redisFree(redis);
    live_stop(live);
}

static void object_tells_how_it_is_kept(void **state)
{
    redisContext *redis = live_connect(*state);

    answer_is_ok(live_ask(redis, "SET a hello"));
    assert_string_equal(live_text(redis, "DEBUG OBJECT a"),
                        "Value at:0x0 refcount:1 encoding:embstr "
                        "serializedlength:5 lru:0 lru_seconds_idle:0");
    redisFree(redis);
}

/* Nobody meets them, and they stay until they may be looked for. */
static void expired_keys_can_be_left_alone(void **state)
{
    redisContext *redis = live_connect(*state);

    answer_is_ok(live_ask(redis, "FLUSHALL"));
    answer_is_ok(live_ask(redis, "DEBUG SET-ACTIVE-EXPIRE 0"));
    for (int i = 0; i < 100; i++)
        answer_is_ok(redisCommand(redis, "SET key:%d x PX 1", i));
    answer_is_ok(live_ask(redis, "DEBUG SLEEP 0.3"));
    assert_int_equal(live_int(redis, "DBSIZE"), 100);
    answer_is_ok(live_ask(redis, "DEBUG SET-ACTIVE-EXPIRE 1"));
    while (live_int(redis, "DBSIZE") > 0)
        continue;
    redisFree(redis);
}

/* ------------------------------------------------------------ slow commands
 */

static void a_sleep_is_slow_and_others_are_served(void **state)
{
    redisContext *redis = live_connect(*state), *other = live_connect(*state);
    redisReply *log, *entry = NULL;

    answer_is_ok(live_ask(redis, "CONFIG SET slowlog-log-slower-than 40000"));
    answer_is_ok(live_ask(redis, "SLOWLOG RESET"));
    redisAppendCommand(redis, "DEBUG SLEEP 3600");
    assert_int_equal(redisBufferWrite(redis, NULL), REDIS_OK);
    assert_string_equal(live_text(other, "PING"), "PONG");
    redisFree(redis); /* ends it */

    answer_is_ok(live_ask(other, "SLOWLOG RESET"));
    answer_is_ok(live_ask(other, "DEBUG SLEEP 0.05"));
    log = live_ask(other, "SLOWLOG GET -1");
    for (size_t i = 0; i < log->elements; i++) {
        entry = log->element[i];
        if (strcmp(entry->element[3]->element[2]->str, "0.05") == 0)
            break;
        assert_true(i + 1 < log->elements);
    }
    assert_non_null(entry);
    assert_true(entry->element[2]->integer >= 50000);
    freeReplyObject(log);
    answer_is_ok(live_ask(other, "CONFIG SET slowlog-log-slower-than 10000"));
    redisFree(other);
}

static void what_took_long_is_an_event(void **state)
{
    redisContext *redis = live_connect(*state);
    redisReply *reply, *event;

    answer_is_ok(live_ask(redis, "CONFIG SET latency-monitor-threshold 30"));
    answer_is_ok(live_ask(redis, "DEBUG SLEEP 0.06"));
    answer_is_ok(live_ask(redis, "DEBUG SLEEP 0.03"));
    reply = live_ask(redis, "LATENCY LATEST");
    assert_true(reply->elements >= 1);
    event = reply->element[0];
    assert_int_equal(event->elements, 4);
    assert_string_equal(event->element[0]->str, "command");
    assert_true(event->element[2]->integer >= 30);
    assert_true(event->element[3]->integer >= 60);
    freeReplyObject(reply);
    reply = live_ask(redis, "LATENCY HISTORY command");
    assert_true(reply->elements >= 1);
    assert_int_equal(reply->element[0]->elements, 2);
    assert_true(reply->element[0]->element[1]->integer >= 30);
    freeReplyObject(reply);
    assert_non_null(strstr(live_text(redis, "LATENCY DOCTOR"), "command: in "));
    assert_int_equal(live_int(redis, "LATENCY RESET command nosuch"), 1);
    reply = live_ask(redis, "LATENCY HISTORY command");
    assert_int_equal(reply->elements, 0);
    freeReplyObject(reply);
    answer_is_ok(live_ask(redis, "CONFIG SET latency-monitor-threshold 0"));
    answer_is_ok(live_ask(redis, "DEBUG SLEEP 0.05"));
    reply = live_ask(redis, "LATENCY HISTORY command");
    assert_int_equal(reply->elements, 0);
    freeReplyObject(reply);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_for_those_who_may),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(there_is_a_reply_of_each_type),
        cmocka_unit_test(populate_stores_what_is_not_there),
        cmocka_unit_test(populate_keeps_to_the_budget),
        cmocka_unit_test(object_tells_how_it_is_kept),
        cmocka_unit_test(expired_keys_can_be_left_alone),
        cmocka_unit_test(a_sleep_is_slow_and_others_are_served),
        cmocka_unit_test(what_took_long_is_an_event),
    };
    return cmocka_run_group_tests(tests, start, live_teardown);
}
