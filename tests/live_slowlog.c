/* SPDX-License-Identifier: BSD-3-Clause */
/* SLOWLOG: what it keeps of commands, and how much of that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/answer.h"
#include "tests/console.h"

enum {
    ARGS_MAX = 32,
    ARG_MAX_LEN = 128,
    LOG_MAX_BYTES = 256 * 1024,
    KEYS = 5000, /* of a command in slices */
};

/* Everything is slow from now on; what was kept is forgotten.  CONFIG SET is
 * the first entry, SLOWLOG RESET the second. */
static void begin(redisContext *redis)
{
    answer_is_ok(live_ask(redis, "CONFIG SET slowlog-max-len 128 "
                                 "slowlog-log-slower-than 0"));
    answer_is_ok(live_ask(redis, "SLOWLOG RESET"));
}

static void end(redisContext *redis)
{
    answer_is_ok(live_ask(redis, "CONFIG SET slowlog-log-slower-than 10000"));
    answer_is_ok(live_ask(redis, "SLOWLOG RESET"));
    redisFree(redis);
}

/* The entry before the newest so many. */
static redisReply *entry(redisReply *log, size_t newest)
{
    assert_int_equal(log->type, REDIS_REPLY_ARRAY);
    assert_true(log->elements > newest);
    assert_int_equal(log->element[newest]->elements, 6);
    return log->element[newest];
}

static void command_is(const redisReply *entry, const char *const *words,
                       size_t count)
{
    const redisReply *command = entry->element[3];

    assert_int_equal(command->elements, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(command->element[i]->str, words[i]);
}

#define COMMAND_IS(entry, ...)                                                 \
    command_is(entry, (const char *const[]){__VA_ARGS__},                      \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void an_entry_has_six_parts(void **state)
{
    redisContext *redis = live_connect(*state);
    redisReply *log, *newest;
    time_t now = time(NULL);

    begin(redis);
    answer_is_ok(live_ask(redis, "CLIENT SETNAME me"));
    answer_is_ok(live_ask(redis, "SET a b"));
    log = live_ask(redis, "SLOWLOG GET");
    newest = entry(log, 0);
    COMMAND_IS(newest, "SET", "a", "b");
    assert_int_equal(newest->element[0]->type, REDIS_REPLY_INTEGER);
    assert_true(newest->element[1]->integer >= now - 1);
    assert_true(newest->element[1]->integer <= time(NULL) + 1);
    assert_true(newest->element[2]->integer >= 0);
    console_begins(newest->element[4]->str, "127.0.0.1:");
    assert_string_equal(newest->element[5]->str, "me");
    COMMAND_IS(entry(log, 1), "CLIENT", "SETNAME", "me");
    COMMAND_IS(entry(log, 2), "SLOWLOG", "RESET");
    assert_int_equal(entry(log, 1)->element[0]->integer + 1,
                     newest->element[0]->integer);
    freeReplyObject(log);
    end(redis);
}

static void long_commands_are_cut(void **state)
{
    redisContext *redis = live_connect(*state);
    const char *words[ARGS_MAX + 2];
    char text[ARG_MAX_LEN + 2];
    redisReply *log, *command;

    begin(redis);
    memset(text, 'x', sizeof text);
    text[ARG_MAX_LEN + 1] = '\0';
    words[0] = "EXISTS";
    for (size_t i = 1; i < ARGS_MAX + 2; i++)
        words[i] = text;
    for (int argc = ARGS_MAX; argc <= ARGS_MAX + 1; argc++)
        freeReplyObject(redisCommandArgv(redis, argc, words, NULL));
    log = live_ask(redis, "SLOWLOG GET 2");
    command = entry(log, 1)->element[3];
    assert_int_equal(command->elements, ARGS_MAX);
    command = entry(log, 0)->element[3];
    assert_int_equal(command->elements, ARGS_MAX);
    assert_string_equal(command->element[ARGS_MAX - 1]->str,
                        "... (2 more arguments)");
    assert_string_equal(command->element[1]->str + ARG_MAX_LEN,
                        "... (1 more bytes)");
    freeReplyObject(log);

    text[ARG_MAX_LEN] = '\0';
    freeReplyObject(redisCommand(redis, "ECHO %s", text));
    log = live_ask(redis, "SLOWLOG GET 1");
    COMMAND_IS(entry(log, 0), "ECHO", text);
    freeReplyObject(log);
    end(redis);
}

/* A value that went straight to its place is not there to be shown. */
static void long_values_have_their_length(void **state)
{
    redisContext *redis = live_connect(*state);
    char *value = calloc(1, 1 << 20);
    redisReply *log;

    begin(redis);
    answer_is_ok(redisCommand(redis, "SET big %b", value, (size_t)1 << 20));
    log = live_ask(redis, "SLOWLOG GET 1");
    COMMAND_IS(entry(log, 0), "SET", "big", "... (1048576 more bytes)");
    freeReplyObject(log);
    free(value);
    end(redis);
}

static void secrets_are_left_out(void **state)
{
    redisContext *redis = live_connect(*state);
    redisReply *log;

    begin(redis);
    freeReplyObject(live_ask(redis, "AUTH word"));
    freeReplyObject(live_ask(redis, "AUTH default word"));
    freeReplyObject(live_ask(redis, "HELLO 2 SETNAME me AUTH default word"));
    freeReplyObject(live_ask(redis, "HELLO 2 AUTH word"));
    answer_is_ok(live_ask(redis, "CONFIG SET timeout 0 requirepass word"));
    answer_is_ok(live_ask(redis, "CONFIG SET requirepass word"));
    log = live_ask(redis, "SLOWLOG GET 6");
    COMMAND_IS(entry(log, 0), "CONFIG", "SET", "requirepass", "(redacted)");
    COMMAND_IS(entry(log, 1), "CONFIG", "SET", "timeout", "0", "requirepass",
               "(redacted)");
    COMMAND_IS(entry(log, 2), "HELLO", "2", "AUTH", "(redacted)");
    COMMAND_IS(entry(log, 3), "HELLO", "2", "SETNAME", "me", "AUTH",
               "(redacted)", "(redacted)");
    COMMAND_IS(entry(log, 4), "AUTH", "(redacted)", "(redacted)");
    COMMAND_IS(entry(log, 5), "AUTH", "(redacted)");
    freeReplyObject(log);
    freeReplyObject(redisCommand(redis, "CONFIG SET requirepass %s", ""));
    end(redis);
}

static void the_newest_stay(void **state)
{
    redisContext *redis = live_connect(*state);
    redisReply *log;

    begin(redis);
    answer_is_ok(live_ask(redis, "CONFIG SET slowlog-max-len 5"));
    for (int i = 0; i < 20; i++)
        freeReplyObject(redisCommand(redis, "ECHO %d", i));
    assert_int_equal(live_int(redis, "SLOWLOG LEN"), 5);
    log = live_ask(redis, "SLOWLOG GET -1");
    assert_int_equal(log->elements, 5);
    COMMAND_IS(entry(log, 0), "SLOWLOG", "LEN");
    COMMAND_IS(entry(log, 4), "ECHO", "16");
    freeReplyObject(log);
    answer_is_ok(live_ask(redis, "CONFIG SET slowlog-max-len 128"));
    for (int i = 0; i < 20; i++)
        freeReplyObject(redisCommand(redis, "ECHO %d", i));
    log = live_ask(redis, "SLOWLOG GET");
    assert_int_equal(log->elements, 10);
    freeReplyObject(log);
    log = live_ask(redis, "SLOWLOG GET 0");
    assert_int_equal(log->elements, 0);
    freeReplyObject(log);
    answer_is_ok(live_ask(redis, "CONFIG SET slowlog-max-len 0"));
    assert_int_equal(live_int(redis, "SLOWLOG LEN"), 0);
    end(redis);
}

/* All its entries together have a limit, and are part of clients' memory. */
static void it_is_bounded_and_counted(void **state)
{
    redisContext *redis = live_connect(*state);
    const char *words[ARGS_MAX];
    char text[ARG_MAX_LEN + 1];
    long long before, full;

    begin(redis);
    answer_is_ok(live_ask(redis, "CONFIG SET slowlog-max-len 1000000"));
    answer_is_ok(live_ask(redis, "SLOWLOG RESET"));
    memset(text, 'x', ARG_MAX_LEN);
    text[ARG_MAX_LEN] = '\0';
    words[0] = "EXISTS";
    for (size_t i = 1; i < ARGS_MAX; i++)
        words[i] = text;
    before = live_info(redis, "ebb_client_pool_used_bytes");
    for (int i = 0; i < 500; i++)
        freeReplyObject(redisCommandArgv(redis, ARGS_MAX, words, NULL));
    full = live_info(redis, "ebb_client_pool_used_bytes");
    assert_in_range(full - before, LOG_MAX_BYTES - 8192, LOG_MAX_BYTES + 8192);
    assert_in_range(live_int(redis, "SLOWLOG LEN"), 30, 80);
    answer_is_ok(live_ask(redis, "SLOWLOG RESET"));
    assert_in_range(live_info(redis, "ebb_client_pool_used_bytes"), 0,
                    before + 8192);
    end(redis);
}

/* However many slices it takes, a command is one. */
static void slices_are_one_command(void **state)
{
    redisContext *redis = live_connect(*state);
    const char **words = malloc((KEYS + 1) * sizeof *words);
    redisReply *log;

    begin(redis);
    words[0] = "EXISTS";
    for (size_t i = 1; i <= KEYS; i++)
        words[i] = "a";
    freeReplyObject(redisCommandArgv(redis, KEYS + 1, words, NULL));
    log = live_ask(redis, "SLOWLOG GET 2");
    assert_string_equal(entry(log, 0)->element[3]->element[0]->str, "EXISTS");
    COMMAND_IS(entry(log, 1), "SLOWLOG", "RESET");
    freeReplyObject(log);
    free(words);
    end(redis);
}

/* Its commands are entries, it is none. */
static void exec_is_left_out(void **state)
{
    redisContext *redis = live_connect(*state);
    redisReply *log;

    begin(redis);
    answer_is_ok(live_ask(redis, "MULTI"));
    freeReplyObject(live_ask(redis, "SET a b"));
    freeReplyObject(live_ask(redis, "EXEC"));
    log = live_ask(redis, "SLOWLOG GET 2");
    COMMAND_IS(entry(log, 0), "SET", "a", "b");
    COMMAND_IS(entry(log, 1), "MULTI");
    freeReplyObject(log);
    end(redis);
}

static void nothing_is_kept_that_nobody_wants(void **state)
{
    static const char *const thresholds[] = {"-1", "3600000000",
                                             "9223372036854775807"};
    redisContext *redis = live_connect(*state);

    for (size_t i = 0; i < sizeof thresholds / sizeof *thresholds; i++) {
        begin(redis);
        answer_is_ok(redisCommand(
            redis, "CONFIG SET slowlog-log-slower-than %s", thresholds[i]));
        answer_is_ok(live_ask(redis, "SLOWLOG RESET"));
        answer_is_ok(live_ask(redis, "SET a b"));
        assert_int_equal(live_int(redis, "SLOWLOG LEN"), 0);
    }
    end(redis);
}

static void arguments_are_checked(void **state)
{
    CONSOLE_CHECK(
        {"SLOWLOG", "-ERR wrong number of arguments for 'slowlog' command"},
        {"SLOWLOG foo", "-ERR unknown subcommand 'foo'. Try SLOWLOG HELP."},
        {"SLOWLOG GET -2", "-ERR count should be greater than or equal to -1"},
        {"SLOWLOG GET x", "-ERR count should be greater than or equal to -1"},
        {"SLOWLOG GET 1 2", "-ERR unknown subcommand or wrong number of "
                            "arguments for 'GET'. Try SLOWLOG HELP."},
        {"SLOWLOG LEN x",
         "-ERR wrong number of arguments for 'slowlog|len' command"},
        {"CONFIG SET slowlog-log-slower-than -2",
         "-ERR CONFIG SET failed (possibly related to argument "
         "'slowlog-log-slower-than') - argument must be between -1 and "
         "9223372036854775807 inclusive"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_has_six_parts),
        cmocka_unit_test(long_commands_are_cut),
        cmocka_unit_test(long_values_have_their_length),
        cmocka_unit_test(secrets_are_left_out),
        cmocka_unit_test(the_newest_stay),
        cmocka_unit_test(it_is_bounded_and_counted),
        cmocka_unit_test(slices_are_one_command),
        cmocka_unit_test(exec_is_left_out),
        cmocka_unit_test(nothing_is_kept_that_nobody_wants),
        cmocka_unit_test(arguments_are_checked),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
