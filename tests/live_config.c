/* SPDX-License-Identifier: BSD-3-Clause */
/* CONFIG and INFO as clients see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/console.h"
#include "tests/errors.h"

#define CONFIG_FAILED(name, why)                                               \
    "-ERR CONFIG SET failed (possibly related to argument '" name "') - " why

/* ------------------------------------------------------------------ CONFIG */

static void config_get_takes_globs(void **state)
{
    CONSOLE_CHECK(
        {"CONFIG GET maxmemory", "[\"maxmemory\" \"67108864\"]"},
        {"CONFIG GET MAXMEMORY", "[\"maxmemory\" \"67108864\"]"},
        {"CONFIG GET nosuch", "[]"},
        {"CONFIG GET save append*", "[\"save\" \"\" \"appendonly\" \"no\"]"},
        {"CONFIG GET maxmem* maxmemory [m]axmemory",
         "[\"maxmemory\" \"67108864\" \"maxmemory-policy\" \"allkeys-lru\" "
         "\"maxmemory-clients\" \"5%\"]"},
        {"CONFIG GET", "-ERR wrong number of arguments for 'config|get' "
                       "command"},
        {"CONFIG", "-ERR wrong number of arguments for 'config' command"},
        {"CONFIG FOO", "-ERR unknown subcommand 'FOO'. Try CONFIG HELP."},
        {"CONFIG REWRITE", "-ERR The server is running without a config file"});
}

static void config_set_is_all_or_none(void **state)
{
    CONSOLE_CHECK(
        {"CONFIG SET timeout 7 maxclients 50", "+OK"},
        {"CONFIG GET timeout maxclients",
         "[\"maxclients\" \"50\" \"timeout\" \"7\"]"},
        {"CONFIG SET timeout 8 maxclients x",
         CONFIG_FAILED("maxclients",
                       "argument couldn't be parsed into an integer")},
        {"CONFIG SET timeout 8 Timeout 9",
         CONFIG_FAILED("Timeout", "duplicate parameter")},
        {"CONFIG SET timeout 8 port 1",
         CONFIG_FAILED("port", "can't set immutable config")},
        {"CONFIG SET timeout 8 nosuch 1",
         "-ERR Unknown option or number of arguments for CONFIG SET - "
         "'nosuch'"},
        {"CONFIG SET timeout 8 maxclients", SYNTAX},
        {"CONFIG SET timeout", "-ERR wrong number of arguments for "
                               "'config|set' command"},
        {"CONFIG GET timeout", "[\"timeout\" \"7\"]"});
}

#define NO_MEMORY_VALUE                                                        \
    CONFIG_FAILED("maxmemory", "argument must be a memory value")

static void sizes_never_wrap(void **state)
{
    CONSOLE_CHECK(
        {"CONFIG SET maxmemory 17179869184gb", NO_MEMORY_VALUE},
        {"CONFIG SET maxmemory \"\"", NO_MEMORY_VALUE},
        {"CONFIG SET maxmemory -1", NO_MEMORY_VALUE},
        {"CONFIG SET maxmemory 1.5gb", NO_MEMORY_VALUE},
        {"CONFIG SET maxmemory 1q", NO_MEMORY_VALUE},
        {"CONFIG SET maxmemory 99999999999999999999999", NO_MEMORY_VALUE},
        {"CONFIG GET maxmemory", "[\"maxmemory\" \"67108864\"]"},
        {"CONFIG SET maxmemory 40mb", "+OK"},
        {"CONFIG GET maxmemory", "[\"maxmemory\" \"41943040\"]"});
}

static void maxclients_takes_effect(void **state)
{
    struct console first, second;

    console_open(&first, *state);
    assert_string_equal(console_ask(&first, "CONFIG SET maxclients 1"), "+OK");
    console_open(&second, *state);
    assert_string_equal(console_hear(&second),
                        "-ERR max number of clients reached");
    console_close(&second);
    assert_string_equal(console_ask(&first, "CONFIG SET maxclients 2"), "+OK");
    console_open(&second, *state);
    assert_string_equal(console_ask(&second, "PING"), "+PONG");
    console_close(&second);
    console_close(&first);
}

static void config_rewrite_keeps_what_was_written(void **state)
{
    char path[] = "/tmp/ebb-conf-XXXXXX", text[2000] = "";
    int fd = mkstemp(path);
    struct live *live;
    struct console t;
    FILE *file;

    (void)state;
    assert_int_equal(write(fd, "# mine\ntimeout 5\n", 17), 17);
    close(fd);
    live = live_start(path, "--maxmemory", "64mb", NULL);
    console_open(&t, live);
    assert_string_equal(console_ask(&t, "CONFIG GET timeout"),
                        "[\"timeout\" \"5\"]");
    assert_string_equal(
        console_ask(&t, "CONFIG SET timeout 6 loglevel verbose"), "+OK");
    assert_string_equal(console_ask(&t, "CONFIG REWRITE"), "+OK");
    console_close(&t);
    live_stop(live);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    unlink(path);
    assert_non_null(strstr(text, "# mine\ntimeout 6\n"));
    assert_non_null(strstr(text, "\nloglevel verbose\n"));
}

/* -------------------------------------------------------------------- INFO */

/* The value of a line of INFO, or NULL. */
static const char *info_line(const char *info, const char *name)
{
    static char value[200];
    char start[100];
    const char *at;

    snprintf(start, sizeof start, "\\r\\n%s:", name);
    at = strstr(info, start);
    if (at == NULL)
        return NULL;
    at += strlen(start);
    snprintf(value, sizeof value, "%.*s", (int)(strstr(at, "\\r\\n") - at), at);
    return value;
}

static void info_has_what_tools_look_for(void **state)
{
    static const char *const names[] = {
        "redis_version",
        "redis_mode",
        "run_id",
        "tcp_port",
        "process_id",
        "uptime_in_seconds",
        "config_file",
        "ebb_version",
        "connected_clients",
        "maxclients",
        "blocked_clients",
        "used_memory",
        "used_memory_human",
        "used_memory_rss",
        "used_memory_peak",
        "maxmemory",
        "maxmemory_human",
        "mem_fragmentation_ratio",
        "mem_clients_normal",
        "total_system_memory",
        "ebb_budget_bytes",
        "ebb_rebuilding",
        "loading",
        "rdb_bgsave_in_progress",
        "aof_rewrite_in_progress",
        "total_connections_received",
        "total_commands_processed",
        "instantaneous_ops_per_sec",
        "total_net_input_bytes",
        "total_net_output_bytes",
        "rejected_connections",
        "expired_keys",
        "evicted_keys",
        "keyspace_hits",
        "keyspace_misses",
        "total_error_replies",
        "connected_slaves",
        "used_cpu_sys",
        "used_cpu_user",
        "cluster_enabled",
    };
    struct console t;
    const char *info;

    console_open(&t, *state);
    info = console_ask(&t, "INFO");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (info_line(info, names[i]) == NULL)
            fail_msg("%s is not there", names[i]);
    assert_string_equal(info_line(info, "redis_version"), "7.2.4");
    assert_string_equal(info_line(info, "role"), "master");
    assert_string_equal(info_line(info, "loading"), "0");
    assert_string_equal(info_line(info, "maxmemory_policy"), "allkeys-lru");
    assert_string_equal(info_line(info, "maxmemory"), "67108864");
    assert_string_equal(info_line(info, "maxmemory_human"), "64.00M");
    assert_string_equal(info_line(info, "connected_clients"), "1");
    console_close(&t);
}

static void info_gives_the_sections_asked_for(void **state)
{
    CONSOLE_CHECK(
        {"INFO nosuch", "\"\""},
        {"INFO cluster", "\"# Cluster\\r\\ncluster_enabled:0\\r\\n\""},
        {"INFO KEYSPACE nosuch CLUSTER",
         "\"# Cluster\\r\\ncluster_enabled:0\\r\\n\\r\\n# Keyspace\\r\\n\""},
        {"INFO modules keyspace", "\"# Modules\\r\\n\\r\\n# Keyspace\\r\\n\""});
}

static void info_is_verbatim_in_resp3(void **state)
{
    struct console t;

    console_open(&t, *state);
    console_ask(&t, "HELLO 3");
    assert_string_equal(console_ask(&t, "INFO modules"),
                        "=\"# Modules\\r\\n\"");
    assert_string_equal(console_ask(&t, "INFO nosuch"), "=\"\"");
    console_begins(console_ask(&t, "CLIENT INFO"), "=\"id=");
    console_begins(console_ask(&t, "CLIENT LIST"), "=\"id=");
    console_close(&t);
}

static void has_section(struct console *t, const char *line, const char *title,
                        bool wanted)
{
    if ((strstr(console_ask(t, line), title) != NULL) != wanted)
        fail_msg("%s: %s", line, title);
}

static void all_has_more_than_the_default(void **state)
{
    struct console t;

    console_open(&t, *state);
    has_section(&t, "INFO", "# Commandstats", false);
    has_section(&t, "INFO default", "# Commandstats", false);
    has_section(&t, "INFO default commandstats", "# Commandstats", true);
    has_section(&t, "INFO all", "# Commandstats", true);
    has_section(&t, "INFO everything", "# Commandstats", true);
    has_section(&t, "INFO default", "# Errorstats", true);
    console_close(&t);
}

static void info_counts_commands_and_errors(void **state)
{
    unsigned long long usec, rejected, failed, calls;
    const char *info;
    struct console t;
    double per_call;

    console_open(&t, *state);
    console_ask(&t, "SET a x");
    console_ask(&t, "INCR a");
    console_ask(&t, "INCR");
    console_ask(&t, "INCR b");
    console_ask(&t, "EXPIRE b 1000");
    console_ask(&t, "SELECT 4");
    console_ask(&t, "SET c 1");
    info = console_ask(&t, "INFO commandstats errorstats keyspace");
    assert_non_null(info_line(info, "cmdstat_incr"));
    assert_int_equal(sscanf(info_line(info, "cmdstat_incr"),
                            "calls=%llu,usec=%llu,usec_per_call=%lf,"
                            "rejected_calls=%llu,failed_calls=%llu",
                            &calls, &usec, &per_call, &rejected, &failed),
                     5);
    assert_int_equal(calls, 2);
    assert_int_equal(rejected, 1);
    assert_int_equal(failed, 1);
    assert_string_equal(info_line(info, "errorstat_ERR"), "count=2");
    assert_string_equal(info_line(info, "db0"), "keys=2,expires=1,avg_ttl=0");
    assert_string_equal(info_line(info, "db4"), "keys=1,expires=0,avg_ttl=0");
    assert_null(info_line(info, "db1"));
    assert_string_equal(console_ask(&t, "CONFIG RESETSTAT"), "+OK");
    info = console_ask(&t, "INFO commandstats errorstats stats");
    assert_null(info_line(info, "cmdstat_incr"));
    assert_null(info_line(info, "errorstat_ERR"));
    assert_string_equal(info_line(info, "total_error_replies"), "0");
    assert_string_equal(info_line(info, "total_connections_received"), "0");
    console_close(&t);
}

/* Lists of arguments end somewhere, with an error that says so. */
static void long_lists_have_a_limit(void **state)
{
    static const struct exchange heads[] = {
        {"CONFIG GET", "-ERR more than 1024 patterns"},
        {"INFO", "-ERR more than 1024 sections"},
    };

    for (size_t i = 0; i < 2; i++) {
        char line[8192];
        struct console t;
        size_t len = strlen(heads[i].line);

        strcpy(line, heads[i].line);
        for (int j = 0; j < 1024; j++, len += 2)
            strcpy(line + len, " x");
        console_open(&t, *state);
        assert_string_not_equal(console_ask(&t, line), heads[i].answer);
        strcpy(line + len, " x");
        assert_string_equal(console_ask(&t, line), heads[i].answer);
        console_close(&t);
    }
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, live_setup, live_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(config_get_takes_globs),
        TEST(config_set_is_all_or_none),
        TEST(sizes_never_wrap),
        TEST(maxclients_takes_effect),
        cmocka_unit_test(config_rewrite_keeps_what_was_written),
        TEST(info_has_what_tools_look_for),
        TEST(info_gives_the_sections_asked_for),
        TEST(info_is_verbatim_in_resp3),
        TEST(all_has_more_than_the_default),
        TEST(info_counts_commands_and_errors),
        TEST(long_lists_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
