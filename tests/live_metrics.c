/* SPDX-License-Identifier: BSD-3-Clause */
/* What the metrics port tells of the server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"
#include "server/metrics.h"
#include "server/worker.h"
#include "tests/exposition.h"
#include "tests/sanitized.h"
#include "tests/scrape.h"

static struct exposition *read_metrics(const struct scrape *scrape)
{
    char *answer =
        scrape_ask(scrape, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    char why[EXPOSITION_WHY_MAX] = "";
    struct exposition *e;

    assert_int_equal(scrape_status(answer), 200);
    e = exposition_read(scrape_body(answer), strlen(scrape_body(answer)), why);
    if (e == NULL)
        fail_msg("%s", why);
    free(answer);
    return e;
}

static double value_of(const struct exposition *e, const char *name,
                       const char *labels)
{
    double value = -1;

    if (!exposition_value(e, name, labels, &value))
        fail_msg("%s{%s} is not there", name, labels);
    return value;
}

static void every_row_is_there(void **state)
{
    struct exposition *e = read_metrics(*state);
    size_t count = 0;

    while (metrics_name(count) != NULL) {
        if (exposition_type(e, metrics_name(count)) == NULL)
            fail_msg("%s is not there", metrics_name(count));
        count++;
    }
    assert_null(exposition_name(e, count));
    for (size_t i = 0; i < count; i++) {
        const char *name = exposition_name(e, i);

        if (strncmp(name, "ebb_", 4) != 0 && strncmp(name, "redis_", 6) != 0 &&
            strncmp(name, "process_", 8) != 0)
            fail_msg("%s has an unknown prefix", name);
    }
    exposition_free(e);
}

static void the_counters_tables_are_in_it(void **state)
{
    static const char *const names[] = {
#define X(row, help) "ebb_" #row "_total",
        CACHE_COUNTERS(X)
#undef X
#define X(row, help) "ebb_cache_" #row,
            CACHE_GAUGES(X)
#undef X
#define X(row, help) "ebb_client_" #row "_total",
                WORKER_COUNTERS(X)
#undef X
    };
    struct exposition *e = read_metrics(*state);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        value_of(e, names[i], "");
    exposition_free(e);
}

static void what_dashboards_ask_for_is_in_it(void **state)
{
    static const char *const names[] = {
        "redis_up",
        "redis_uptime_in_seconds",
        "redis_connected_clients",
        "redis_blocked_clients",
        "redis_memory_used_bytes",
        "redis_memory_max_bytes",
        "redis_commands_total",
        "redis_commands_duration_seconds_total",
        "redis_keyspace_hits_total",
        "redis_keyspace_misses_total",
        "redis_net_input_bytes_total",
        "redis_net_output_bytes_total",
        "redis_db_keys",
        "redis_db_keys_expiring",
        "redis_expired_keys_total",
        "redis_evicted_keys_total",
        "redis_commands_processed_total",
    };
    struct exposition *e = read_metrics(*state);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (exposition_type(e, names[i]) == NULL)
            fail_msg("%s is not there", names[i]);
    assert_true(value_of(e, "redis_up", "") == 1);
    assert_true(value_of(e, "redis_memory_max_bytes", "") == 64 << 20);
    assert_true(value_of(e, "redis_connected_clients", "") == 1);
    exposition_free(e);
}

static void it_counts_what_clients_do(void **state)
{
    struct scrape *scrape = *state;
    struct exposition *e;

    live_text(scrape->redis, "SELECT 3");
    live_text(scrape->redis, "SET a 1");
    live_text(scrape->redis, "SET b 1 EX 1000");
    live_text(scrape->redis, "GET a");
    freeReplyObject(redisCommand(scrape->redis, "GET nothing"));
    freeReplyObject(redisCommand(scrape->redis, "GET"));
    freeReplyObject(redisCommand(scrape->redis, "INCRBY a x"));
    freeReplyObject(redisCommand(scrape->redis, "AUTH default wrong x"));
    e = read_metrics(scrape);
    assert_true(value_of(e, "ebb_entries", "") == 2);
    assert_true(value_of(e, "ebb_cache_expiring", "") == 1);
    assert_true(value_of(e, "ebb_hits_total", "") == 1);
    assert_true(value_of(e, "ebb_misses_total", "") == 1);
    assert_true(value_of(e, "redis_db_keys", "db=\"db3\"") == 2);
    assert_true(value_of(e, "redis_db_keys", "db=\"db0\"") == 0);
    assert_true(value_of(e, "redis_db_keys_expiring", "db=\"db3\"") == 1);
    assert_true(value_of(e, "ebb_commands_total", "cmd=\"set\"") == 2);
    assert_true(value_of(e, "ebb_commands_total", "cmd=\"get\"") == 2);
    assert_true(value_of(e, "ebb_commands_rejected_total", "cmd=\"get\"") == 1);
    assert_true(value_of(e, "ebb_commands_failed_total", "cmd=\"incrby\"") ==
                1);
    assert_true(value_of(e, "redis_commands_total", "cmd=\"set\"") == 2);
    assert_true(value_of(e, "ebb_errors_total", "code=\"ERR\"") == 3);
    assert_true(value_of(e, "ebb_client_error_replies_total", "") == 3);
    assert_true(value_of(e, "ebb_connections", "") == 1);
    assert_true(value_of(e, "ebb_client_read_bytes_total", "") > 100);
    if (!SANITIZED)
        assert_true(value_of(e, "process_resident_memory_bytes", "") > 1 << 20);
    assert_true(value_of(e, "process_open_fds", "") > 5);
    exposition_free(e);
}

static void the_budget_follows_config_set(void **state)
{
    struct scrape *scrape = *state;
    struct exposition *e;

    live_text(scrape->redis, "CONFIG SET maxmemory 40mb");
    live_await_info(scrape->redis, "ebb_budget_bytes", 40 << 20, 40 << 20);
    e = read_metrics(scrape);
    assert_true(value_of(e, "ebb_budget_bytes", "") == 40 << 20);
    assert_true(value_of(e, "redis_memory_max_bytes", "") == 40 << 20);
    assert_true(value_of(e, "ebb_slab_limit_bytes", "") < 40 << 20);
    exposition_free(e);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, scrape_setup, scrape_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_row_is_there),
        TEST(the_counters_tables_are_in_it),
        TEST(what_dashboards_ask_for_is_in_it),
        TEST(it_counts_what_clients_do),
        TEST(the_budget_follows_config_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
