/* SPDX-License-Identifier: BSD-3-Clause */
/* COMMAND GETKEYS and GETKEYSANDFLAGS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/console.h"

enum { MANY = 12345, NAMES_MAX = 1024 };

static void keys_are_found(void **state)
{
    CONSOLE_CHECK({"COMMAND GETKEYS GET a", "[\"a\"]"},
                  {"COMMAND GETKEYS get GET", "[\"GET\"]"},
                  {"COMMAND GETKEYS SET a b EX 10", "[\"a\"]"},
                  {"COMMAND GETKEYS MSET a b c d", "[\"a\" \"c\"]"},
                  {"COMMAND GETKEYS MSET a b c", "[\"a\" \"c\"]"},
                  {"COMMAND GETKEYS DEL a b a", "[\"a\" \"b\" \"a\"]"},
                  {"COMMAND GETKEYS OBJECT ENCODING a", "[\"a\"]"},
                  {"COMMAND GETKEYS MEMORY USAGE a SAMPLES 0", "[\"a\"]"},
                  {"COMMAND GETKEYS EVAL x 1 a b", "[\"a\"]"},
                  {"COMMAND GETKEYS EVALSHA_RO x 2 a b", "[\"a\" \"b\"]"},
                  {"COMMAND GETKEYS FCALL x 0 a", "[]"},
                  {"COMMAND GETKEYS EVAL x 2 a", "[]"});
}

static void flags_say_what_is_done(void **state)
{
    CONSOLE_CHECK(
        {"COMMAND GETKEYSANDFLAGS GET a", "[[\"a\" [+RO +access]]]"},
        {"COMMAND GETKEYSANDFLAGS SET a b", "[[\"a\" [+OW +update]]]"},
        {"COMMAND GETKEYSANDFLAGS SET a b NX get",
         "[[\"a\" [+RW +access +update]]]"},
        {"COMMAND GETKEYSANDFLAGS SET a get", "[[\"a\" [+OW +update]]]"},
        {"COMMAND GETKEYSANDFLAGS DEL a b",
         "[[\"a\" [+RM +delete]] [\"b\" [+RM +delete]]]"});
}

static void what_has_no_keys_is_refused(void **state)
{
    CONSOLE_CHECK(
        {"COMMAND GETKEYS nosuch a", "-ERR Invalid command specified"},
        {"COMMAND GETKEYS OBJECT nosuch a", "-ERR Invalid command specified"},
        {"COMMAND GETKEYS config|get a", "-ERR Invalid command specified"},
        {"COMMAND GETKEYS PING a", "-ERR The command has no key arguments"},
        {"COMMAND GETKEYS SPUBLISH a b",
         "-ERR The command has no key arguments"},
        {"COMMAND GETKEYSANDFLAGS SSUBSCRIBE a",
         "-ERR The command has no key arguments"},
        {"COMMAND GETKEYSANDFLAGS PING a",
         "-ERR The command has no key arguments"},
        {"COMMAND GETKEYS GET a b",
         "-ERR Invalid number of arguments specified for command"},
        {"COMMAND GETKEYS MSET a",
         "-ERR Invalid number of arguments specified for command"},
        {"COMMAND GETKEYS GET", "-ERR wrong number of arguments for "
                                "'command|getkeys' command"});
}

/* They come in slices. */
static void many_keys_all_come(void **state)
{
    redisContext *redis = live_connect(*state);
    const char **argv = malloc((MANY + 3) * sizeof *argv);
    char(*texts)[8] = malloc(MANY * sizeof *texts);
    redisReply *reply;

    argv[0] = "command";
    argv[1] = "getkeys";
    argv[2] = "touch";
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "k%d", i);
        argv[i + 3] = texts[i];
    }
    reply = redisCommandArgv(redis, MANY + 3, argv, NULL);
    assert_non_null(reply);
    assert_int_equal(reply->elements, MANY);
    for (int i = 0; i < MANY; i++)
        assert_string_equal(reply->element[i]->str, texts[i]);
    freeReplyObject(reply);
    free(texts);
    free(argv);
    redisFree(redis);
}

static void names_have_a_limit(void **state)
{
    static const char *const subcommands[] = {"INFO", "DOCS"};
    redisContext *redis = live_connect(*state);
    const char **argv = malloc((NAMES_MAX + 3) * sizeof *argv);

    argv[0] = "COMMAND";
    for (int i = 0; i <= NAMES_MAX; i++)
        argv[i + 2] = "nosuch";
    for (size_t i = 0; i < 2; i++) {
        redisReply *reply;

        argv[1] = subcommands[i];
        reply = redisCommandArgv(redis, NAMES_MAX + 2, argv, NULL);
        assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
        freeReplyObject(reply);
        reply = redisCommandArgv(redis, NAMES_MAX + 3, argv, NULL);
        assert_int_equal(reply->type, REDIS_REPLY_ERROR);
        assert_string_equal(reply->str, "ERR more than 1024 names");
        freeReplyObject(reply);
    }
    free(argv);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_found),
        cmocka_unit_test(flags_say_what_is_done),
        cmocka_unit_test(what_has_no_keys_is_refused),
        cmocka_unit_test(many_keys_all_come),
        cmocka_unit_test(names_have_a_limit),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
