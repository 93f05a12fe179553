/* SPDX-License-Identifier: BSD-3-Clause */
/* What Ebb does not have, asked for as clients and tools do, and the version
 * that it reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/console.h"

enum { MANY = 5000 };

#define NO_SCRIPTS                                                             \
    "Ebb runs no scripts. Instead of one, use SET with IFEQ (compare and "     \
    "set), DELIFEQ (compare and delete), INCREX (count with expiry), or MULTI"
#define NO_CLUSTER  "-ERR This instance has cluster support disabled"
#define NO_REPLICAS "-ERR Ebb neither has replicas nor is one"
#define NO_SAVING   "-ERR Ebb saves nothing: it is a cache"

static void scripts_are_refused_with_what_to_use(void **state)
{
    CONSOLE_CHECK(
        {"EVAL \"return 1\" 0", "-ERR " NO_SCRIPTS},
        {"EVAL_RO \"return 1\" 0", "-ERR " NO_SCRIPTS},
        {"EVALSHA abc 0", "-NOSCRIPT " NO_SCRIPTS},
        {"EVALSHA_RO abc 0", "-NOSCRIPT " NO_SCRIPTS},
        {"FCALL f 0", "-ERR " NO_SCRIPTS}, {"FCALL_RO f 0", "-ERR " NO_SCRIPTS},
        {"SCRIPT LOAD \"return 1\"", "-ERR " NO_SCRIPTS},
        {"SCRIPT DEBUG YES", "-ERR " NO_SCRIPTS},
        {"FUNCTION LOAD x", "-ERR " NO_SCRIPTS},
        {"FUNCTION RESTORE x", "-ERR " NO_SCRIPTS},
        {"FUNCTION DUMP", "-ERR " NO_SCRIPTS},
        {"EVAL x", "-ERR wrong number of arguments for 'eval' command"});
}

static void what_lists_scripts_finds_none(void **state)
{
    CONSOLE_CHECK(
        {"SCRIPT EXISTS abc def", "[:0 :0]"}, {"SCRIPT FLUSH", "+OK"},
        {"SCRIPT FLUSH SYNC", "+OK"},
        {"SCRIPT FLUSH x", "-ERR SCRIPT FLUSH only support SYNC|ASYNC option"},
        {"SCRIPT KILL", "-NOTBUSY No scripts in execution right now."},
        {"SCRIPT DEBUG NO", "+OK"}, {"FUNCTION LIST", "[]"},
        {"FUNCTION LIST LIBRARYNAME x WITHCODE", "[]"},
        {"FUNCTION FLUSH", "+OK"}, {"FUNCTION FLUSH ASYNC", "+OK"},
        {"FUNCTION STATS", "[\"running_script\" nil \"engines\" []]"},
        {"FUNCTION DELETE x", "-ERR Library not found"});
}

static void many_scripts_do_not_exist(void **state)
{
    redisContext *redis = live_connect(*state);
    const char **words = malloc((MANY + 2) * sizeof *words);
    redisReply *reply;

    words[0] = "SCRIPT";
    words[1] = "EXISTS";
    for (int i = 0; i < MANY; i++)
        words[i + 2] = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
    reply = redisCommandArgv(redis, MANY + 2, words, NULL);
    assert_non_null(reply);
    assert_int_equal(reply->elements, MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(reply->element[i]->integer, 0);
    freeReplyObject(reply);
    free(words);
    redisFree(redis);
}

static void there_is_no_cluster(void **state)
{
    CONSOLE_CHECK(
        {"CLUSTER INFO", NO_CLUSTER}, {"CLUSTER NODES", NO_CLUSTER},
        {"CLUSTER SLOTS", NO_CLUSTER}, {"CLUSTER SHARDS", NO_CLUSTER},
        {"CLUSTER KEYSLOT a", NO_CLUSTER}, {"CLUSTER HELP", NO_CLUSTER},
        {"READONLY", NO_CLUSTER}, {"READWRITE", NO_CLUSTER},
        {"ASKING", NO_CLUSTER}, {"CLUSTER COUNT-FAILURE-REPORTS x", NO_CLUSTER},
        {"CLUSTER FOO", "-ERR unknown subcommand 'FOO'. Try CLUSTER HELP."},
        {"CLUSTER INFO x",
         "-ERR wrong number of arguments for 'cluster|info' command"},
        {"CLUSTER MEET x",
         "-ERR wrong number of arguments for 'cluster|meet' command"});
}

static void there_are_no_replicas(void **state)
{
    CONSOLE_CHECK(
        {"ROLE", "[\"master\" :0 []]"}, {"WAIT 1 1000000", ":0"},
        {"WAIT x 0", "-ERR value is not an integer or out of range"},
        {"WAIT 0 x", "-ERR timeout is not an integer or out of range"},
        {"WAIT 0 -1", "-ERR timeout is negative"}, {"REPLICAOF NO ONE", "+OK"},
        {"SLAVEOF no one", "+OK"}, {"REPLICAOF 127.0.0.1 6379", NO_REPLICAS},
        {"SYNC", NO_REPLICAS}, {"PSYNC ? -1", NO_REPLICAS},
        {"REPLCONF capa eof", NO_REPLICAS},
        {"FAILOVER", "-ERR FAILOVER requires connected replicas."},
        {"FAILOVER ABORT", "-ERR No failover in progress."});
}

static void nothing_is_saved_or_loaded(void **state)
{
    CONSOLE_CHECK(
        {"SAVE", NO_SAVING}, {"BGSAVE", NO_SAVING}, {"BGREWRITEAOF", NO_SAVING},
        {"MODULE LIST", "[]"},
        {"MODULE LOAD /x.so",
         "-ERR MODULE command not allowed. Ebb has none and loads none"},
        {"MODULE UNLOAD x",
         "-ERR MODULE command not allowed. Ebb has none and loads none"});
}

/* As in Redis, they are refused before EXEC, which then refuses as well. */
static void what_is_not_allowed_is_not_put_off(void **state)
{
    static const char *const lines[] = {"MODULE LOAD /x.so", "MODULE UNLOAD x",
                                        "DEBUG SLEEP 0"};
    struct console t;

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        console_open(&t, *state);
        console_answers(&t, "MULTI", "+OK");
        console_begins(console_ask(&t, lines[i]), "-ERR ");
        console_begins(console_ask(&t, "EXEC"), "-EXECABORT ");
        console_close(&t);
    }
}

static void lastsave_is_the_start(void **state)
{
    redisContext *redis = live_connect(*state);
    long long up = live_info(redis, "uptime_in_seconds");
    long long saved = live_int(redis, "LASTSAVE");
    long long now = (long long)time(NULL);

    assert_in_range(now - up - saved, 0, 2);
    redisFree(redis);
}

static void the_reported_version_is_an_option(void **state)
{
    struct live *live = live_start("--reported-version", "8.10.3", NULL);
    struct console t;

    (void)state;
    console_open(&t, live);
    assert_non_null(
        strstr(console_ask(&t, "HELLO 2"), "\"version\" \"8.10.3\""));
    assert_non_null(
        strstr(console_ask(&t, "INFO server"), "redis_version:8.10.3\\r\\n"));
    console_begins(console_ask(&t, "CONFIG SET reported-version 1"),
                   "-ERR CONFIG SET failed");
    console_close(&t);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_are_refused_with_what_to_use),
        cmocka_unit_test(what_lists_scripts_finds_none),
        cmocka_unit_test(many_scripts_do_not_exist),
        cmocka_unit_test(there_is_no_cluster),
        cmocka_unit_test(there_are_no_replicas),
        cmocka_unit_test(nothing_is_saved_or_loaded),
        cmocka_unit_test(what_is_not_allowed_is_not_put_off),
        cmocka_unit_test(lastsave_is_the_start),
        cmocka_unit_test(the_reported_version_is_an_option),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
