/* SPDX-License-Identifier: BSD-3-Clause */
/* Options while the server runs: all or none, stored and applied together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "protocol/parse.h"
#include "server/acl.h"
#include "server/governor.h"
#include "server/options.h"
#include "server/server.h"
#include "tests/options_kit.h"

#define FAILED(name, why)                                                      \
    "ERR CONFIG SET failed (possibly related to argument '" name "') - " why

static void what_may_change_has_an_effect(void **state)
{
    (void)state;
    for (int id = 0; id < CONF_COUNT; id++) {
        bool runtime = conf_option(id)->change == CONF_RUNTIME;

        if (options_has_effect(id) != runtime)
            fail_msg("%s", conf_option(id)->name);
    }
}

static void several_are_set_at_once(void **state)
{
    struct server *server = *state;

    assert_string_equal(
        SET("timeout", "7", "MAXCLIENTS", "123", "maxmemory", "64mb"), "");
    assert_int_equal(server->limits.idle_ms, 7000);
    assert_int_equal(server->limits.clients, 123);
    assert_int_equal(options_budget(server), 64 * MB);
    assert_string_equal(options_kit_get(server, CONF_timeout), "7");
    assert_string_equal(options_kit_get(server, CONF_maxclients), "123");
    assert_string_equal(options_kit_get(server, CONF_maxmemory), "67108864");
}

static void the_last_wrong_value_undoes_all(void **state)
{
    struct server *server = *state;
    struct rlimit limit = {512, 1000 + LIMIT_OWN_FDS};
    int64_t idle_ms = server->limits.idle_ms;
    uint64_t budget = options_budget(server);

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_string_equal(
        SET("maxmemory", "64mb", "timeout", "9", "loglevel", "loud"),
        FAILED("loglevel", "argument(s) must be one of the following: debug, "
                           "verbose, notice, warning"));
    assert_string_equal(
        SET("timeout", "9", "maxclients", "1001"),
        FAILED("maxclients",
               "The operating system is not able to handle the specified "
               "number of clients, try with 1000"));
    assert_int_equal(server->limits.idle_ms, idle_ms);
    assert_int_equal(options_budget(server), budget);
    assert_string_equal(options_kit_get(server, CONF_timeout), "0");
    assert_string_equal(SET("maxclients", "1000"), "");
    getrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(limit.rlim_cur, 1000 + LIMIT_OWN_FDS);
}

static void wrong_names_are_refused(void **state)
{
    struct server *server = *state;

    assert_string_equal(
        SET("timeout", "9", "nosuch", "1"),
        "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'");
    assert_string_equal(SET("timeout", "9", "port", "1"),
                        FAILED("port", "can't set immutable config"));
    assert_string_equal(SET("save", "3600 1"),
                        FAILED("save", "can't set immutable config (Always "
                                       "empty: nothing is saved)"));
    assert_string_equal(SET("timeout", "9", "TIMEOUT", "9"),
                        FAILED("TIMEOUT", "duplicate parameter"));
    assert_string_equal(options_kit_get(server, CONF_timeout), "0");
}

/* Programs for Redis turn saving off: it is. */
static void what_is_fixed_may_be_set_to_what_it_is(void **state)
{
    struct server *server = *state;

    assert_string_equal(SET("save", ""), "");
    assert_string_equal(SET("appendonly", "no", "timeout", "0"), "");
    assert_string_equal(options_kit_get(server, CONF_save), "");
    assert_string_equal(options_kit_get(server, CONF_appendonly), "no");
}

static void the_mark_is_below_the_limit(void **state)
{
    static const char why[] = "output-mark must be at most output-limit";
    struct server *server = *state;
    struct conf conf = server->conf;

    assert_string_equal(SET("output-limit", "1mb"), "");
    assert_string_equal(SET("output-mark", "1mb"), "");
    assert_string_equal(
        SET("output-mark", "1048577"),
        FAILED("output-mark", "output-mark must be at most output-limit"));
    assert_string_equal(SET("output-mark", "3mb", "output-limit", "4mb"), "");
    assert_string_equal(
        SET("output-limit", "2mb"),
        FAILED("output-limit", "output-mark must be at most output-limit"));
    conf.output_mark = conf.output_limit + 1;
    assert_string_equal(options_fit(server, &conf), why);
}

/* A name of any length stays within the error. */
static void long_names_are_cut(void **state)
{
    struct server *server = *state;
    char name[5000];
    const char *error;

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    error = SET(name, "1");
    assert_int_equal(strlen(error),
                     strlen("ERR Unknown option or number of arguments for "
                            "CONFIG SET - ''") +
                         LIMIT_ERROR_ECHO);
}

/* As Redis takes it: what it means is the governor's to say. */
static void a_budget_below_the_floor_is_taken(void **state)
{
    struct server *server = *state;
    struct governor_state governor;

    assert_string_equal(SET("maxmemory", "1"), "");
    assert_string_equal(options_kit_get(server, CONF_maxmemory), "1");
    governor_tick(server->governor, 1);
    governor_state(server->governor, &governor);
    assert_int_equal(governor.budget_bytes, 1);
    assert_int_equal(governor.floor_above_budget, 1);
    assert_string_equal(SET("maxmemory", "100mb"), "");
    governor_tick(server->governor, 2);
    governor_state(server->governor, &governor);
    assert_int_equal(governor.floor_above_budget, 0);
}

static void clients_get_half_at_most(void **state)
{
    static const char says[] = FAILED(
        "maxmemory-clients", "argument must be at most half of maxmemory");
    struct server *server = *state;

    assert_string_equal(SET("maxmemory", "64mb"), "");
    assert_string_equal(SET("maxmemory-clients", "33554433"), says);
    assert_string_equal(SET("maxmemory-clients", "51%"), says);
    assert_string_equal(SET("maxmemory-clients", "33554432"), "");
    assert_string_equal(SET("maxmemory-clients", "50%"), "");
    assert_string_equal(SET("maxmemory-clients", "40mb", "maxmemory", "128mb"),
                        "");
    assert_string_equal(options_kit_get(server, CONF_maxmemory_clients),
                        "41943040");

    struct conf conf = server->conf; /* as a file or flags might have it */
    assert_null(options_fit(server, &conf));
    conf.maxmemory = 64 * MB;
    conf.maxmemory_clients = 32 * MB;
    assert_null(options_fit(server, &conf));
    conf.maxmemory_clients++;
    assert_non_null(options_fit(server, &conf));
    conf.maxmemory_clients = -51; /* percent */
    assert_non_null(options_fit(server, &conf));
}

/* --------------------------------------------------------------- passwords */

static bool ok(struct server *server, const char *password)
{
    return acl_password_ok(server->acl, password, strlen(password));
}

static void a_password_is_compared_whole(void **state)
{
    struct server *server = *state;
    char longer[2 * CONF_TEXT_MAX];

    assert_true(acl_is_nopass(server->acl));
    assert_true(ok(server, "anything"));
    assert_string_equal(SET("requirepass", "secret"), "");
    assert_false(acl_is_nopass(server->acl));
    assert_true(ok(server, "secret"));
    assert_false(ok(server, ""));
    assert_false(ok(server, "secre"));
    assert_false(ok(server, "secret "));
    assert_false(ok(server, "Secret"));
    assert_false(acl_password_ok(server->acl, "secret\0", 7));
    memset(longer, 0, sizeof longer);
    memcpy(longer, "secret", 6);
    assert_false(acl_password_ok(server->acl, longer, CONF_TEXT_MAX));
    assert_false(acl_password_ok(server->acl, longer, sizeof longer));
    assert_string_equal(options_kit_get(server, CONF_requirepass),
                        "(redacted)");
    assert_string_equal(SET("requirepass", ""), "");
    assert_true(ok(server, "anything"));
    assert_string_equal(options_kit_get(server, CONF_requirepass), "");
}

static void a_password_may_be_as_long_as_a_text(void **state)
{
    struct server *server = *state;
    char text[CONF_TEXT_MAX + 1];

    memset(text, 'p', sizeof text);
    text[CONF_TEXT_MAX] = '\0';
    assert_string_not_equal(SET("requirepass", text), "");
    assert_true(acl_is_nopass(server->acl));
    text[CONF_TEXT_MAX - 1] = '\0';
    assert_string_equal(SET("requirepass", text), "");
    assert_true(ok(server, text));
    text[CONF_TEXT_MAX - 2] = 'q';
    assert_false(ok(server, text));
    text[CONF_TEXT_MAX - 2] = '\0';
    assert_false(ok(server, text));
}

/* ----------------------------------------------------------------- threads */

static void *set_many_times(void *ctx)
{
    struct server *server = ctx;
    struct arg pairs[4] = {{"timeout", 7}, {0}, {"maxclients", 10}, {0}};
    char value[16], why[OPTIONS_WHY_MAX], text[CONF_TEXT_MAX];

    for (int i = 1; i <= 1000; i++) {
        int len = snprintf(value, sizeof value, "%d", i);

        pairs[1] = pairs[3] = (struct arg){value, (size_t)len};
        if (options_set(server, pairs, 2, why) != NULL)
            return server;
        options_get(server, CONF_timeout, text);
        if (atoi(text) < 1)
            return server;
    }
    return NULL;
}

/* What is stored and what is applied come from the same CONFIG SET. */
static void two_at_once_do_not_mix(void **state)
{
    struct server *server = *state;
    pthread_t thread;
    void *failed;

    assert_int_equal(pthread_create(&thread, NULL, set_many_times, server), 0);
    assert_null(set_many_times(server));
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(server->limits.idle_ms, server->conf.timeout * 1000);
    assert_int_equal(server->limits.clients, server->conf.maxclients);
    assert_int_equal(server->conf.timeout, server->conf.maxclients);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_may_change_has_an_effect),
        TEST(several_are_set_at_once),
        TEST(the_last_wrong_value_undoes_all),
        TEST(wrong_names_are_refused),
        TEST(what_is_fixed_may_be_set_to_what_it_is),
        TEST(the_mark_is_below_the_limit),
        TEST(long_names_are_cut),
        TEST(a_budget_below_the_floor_is_taken),
        TEST(clients_get_half_at_most),
        TEST(a_password_is_compared_whole),
        TEST(a_password_may_be_as_long_as_a_text),
        TEST(two_at_once_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
