/* SPDX-License-Identifier: BSD-3-Clause */
/* LATENCY: histograms of commands, and events that took long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/answer.h"
#include "tests/console.h"

/* The number of calls that a histogram says, which its columns reach. */
static long long calls_in(const redisReply *histogram)
{
    static const long long tops[] = {
        1,     2,     4,     8,      16,     33,     66,
        132,   264,   528,   1056,   2113,   4227,   8454,
        16908, 33816, 67633, 135266, 270532, 541065, 1073741};
    const redisReply *columns = histogram->element[3];
    long long before = 0, top = 0;
    size_t at = 0;

    assert_int_equal(histogram->elements, 4);
    assert_string_equal(histogram->element[0]->str, "calls");
    assert_string_equal(histogram->element[2]->str, "histogram_usec");
    assert_true(columns->elements > 0);
    for (size_t i = 0; i < columns->elements; i += 2) {
        top = columns->element[i]->integer;
        while (at < sizeof tops / sizeof *tops && tops[at] != top)
            at++;
        assert_true(at < sizeof tops / sizeof *tops);
        assert_true(columns->element[i + 1]->integer > before);
        before = columns->element[i + 1]->integer;
    }
    assert_int_equal(before, histogram->element[1]->integer);
    return before;
}

static void histograms_count_calls(void **state)
{
    redisContext *redis = live_connect(*state);
    redisReply *reply;

    answer_is_ok(live_ask(redis, "CONFIG RESETSTAT"));
    for (int i = 0; i < 1000; i++)
        freeReplyObject(live_ask(redis, "GET a"));
    freeReplyObject(live_ask(redis, "CONFIG GET maxmemory"));
    freeReplyObject(live_ask(redis, "CONFIG GET port"));
    reply = live_ask(redis, "LATENCY HISTOGRAM get set config|get get nosuch");
    assert_int_equal(reply->elements, 4);
    assert_string_equal(reply->element[0]->str, "get");
    assert_int_equal(calls_in(reply->element[1]), 1000);
    assert_string_equal(reply->element[2]->str, "config|get");
    assert_int_equal(calls_in(reply->element[3]), 2);
    freeReplyObject(reply);
    reply = live_ask(redis, "LATENCY HISTOGRAM config"); /* and RESETSTAT */
    assert_int_equal(reply->elements, 4);
    freeReplyObject(reply);
    reply = live_ask(redis, "LATENCY HISTOGRAM");
    assert_int_equal(reply->elements, 8);
    freeReplyObject(reply);
    answer_is_ok(live_ask(redis, "CONFIG RESETSTAT"));
    reply = live_ask(redis, "LATENCY HISTOGRAM get");
    assert_int_equal(reply->elements, 0);
    freeReplyObject(reply);
    redisFree(redis);
}

static void a_histogram_is_a_map(void **state)
{
    struct console t;

    console_open(&t, *state);
    console_ask(&t, "CONFIG RESETSTAT");
    console_ask(&t, "ECHO hi");
    console_ask(&t, "HELLO 3");
    console_begins(console_ask(&t, "LATENCY HISTOGRAM echo"),
                   "{\"echo\": {\"calls\": :1, \"histogram_usec\": {");
    assert_string_equal(console_ask(&t, "LATENCY HISTOGRAM nosuch"), "{}");
    console_close(&t);
}

static void info_tells_percentiles(void **state)
{
    redisContext *redis = live_connect(*state);
    double p50, p99, p999;
    const char *line;

    answer_is_ok(live_ask(redis, "CONFIG RESETSTAT"));
    for (int i = 0; i < 100; i++)
        freeReplyObject(live_ask(redis, "GET a"));
    line = strstr(live_text(redis, "INFO latencystats"),
                  "latency_percentiles_usec_get:");
    assert_non_null(line);
    assert_int_equal(sscanf(line,
                            "latency_percentiles_usec_get:p50=%lf,p99=%lf,"
                            "p99.9=%lf\r",
                            &p50, &p99, &p999),
                     3);
    assert_true(p50 > 1 && p50 <= p99 && p99 <= p999);
    redisFree(redis);
}

static void nothing_is_an_event_before_one_is_wanted(void **state)
{
    CONSOLE_CHECK(
        {"LATENCY LATEST", "[]"}, {"LATENCY HISTORY command", "[]"},
        {"LATENCY HISTORY nosuch", "[]"}, {"LATENCY RESET", ":0"},
        {"LATENCY RESET command nosuch", ":0"},
        {"LATENCY", "-ERR wrong number of arguments for 'latency' command"},
        {"LATENCY foo", "-ERR unknown subcommand 'foo'. Try LATENCY HELP."},
        {"LATENCY HISTORY",
         "-ERR wrong number of arguments for 'latency|history' command"},
        {"CONFIG SET latency-monitor-threshold -1",
         "-ERR CONFIG SET failed (possibly related to argument "
         "'latency-monitor-threshold') - argument must be between 0 and "
         "9223372036854775807 inclusive"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_an_event_before_one_is_wanted),
        cmocka_unit_test(histograms_count_calls),
        cmocka_unit_test(a_histogram_is_a_map),
        cmocka_unit_test(info_tells_percentiles),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
