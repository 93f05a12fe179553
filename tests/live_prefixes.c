/* SPDX-License-Identifier: BSD-3-Clause */
/* MEMORY PREFIXES of a live server: what it tells, against what was stored. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "server/hits.h"
#include "tests/live.h"
#include "tests/talk.h"

enum {
    MANY = 100000,
    BATCH = 100,
    HITS = 20000,
    SAMPLE = 10000,
    PATIENCE_MS = 60000
};

static const struct resp *field(const struct resp *map, const char *name)
{
    const struct resp *value = resp_find(map, name);
    if (!value)
        fail_msg("%s is not there", name);
    return value;
}

static long long number(const struct resp *map, const char *name)
{
    const struct resp *value = field(map, name);
    assert_int_equal(value->kind, ':');
    return value->integer;
}

static double percent(const struct resp *map, const char *name)
{
    const struct resp *value = field(map, name);
    assert_int_equal(value->kind, ',');
    return value->number;
}

/* The row of a prefix in database 0; NULL: of the rest.  Fails without. */
static const struct resp *row_of(const struct resp *reply, const char *prefix)
{
    for (size_t i = 1; i < reply->count; i++) {
        const struct resp *at = resp_find(&reply->items[i], "prefix");
        if (prefix ? resp_is(at, '$', prefix) : at->kind == '_')
            return &reply->items[i];
    }
    fail_msg("no row of %s", prefix ? prefix : "the rest");
    return NULL;
}

static struct talk talk_in_resp3(const struct live *live)
{
    struct talk talk = talk_open(live);
    talk_says(&talk, "HELLO 3", NULL);
    return talk;
}

/* What MEMORY USAGE says of a key. */
static long long usage(struct talk *talk, const char *key)
{
    struct resp *reply = talk_ask(talk, "MEMORY USAGE %s", key);
    assert_int_equal(reply->kind, ':');
    long long bytes = reply->integer;
    resp_free(reply);
    return bytes;
}

static void set_long(struct talk *talk, const char *key, size_t len)
{
    static char line[64 * 1024];
    int n = snprintf(line, sizeof line,
                     "*3\r\n$3\r\nSET\r\n$%zu\r\n%s\r\n$%zu\r\n%0*d\r\n",
                     strlen(key), key, len, (int)len, 0);
    assert_in_range(n, len, sizeof line - 1);
    assert_true(live_send(talk->fd, line, (size_t)n));
    struct resp *reply = resp_await(&talk->reader, talk->fd, PATIENCE_MS);
    assert_true(resp_is(reply, '+', "OK"));
    resp_free(reply);
}

/* Of each ten keys one is "big:", one "mid:", and eight are "small:"; those of
 * a kind are of one size. */
static void fill(struct talk *talk)
{
    static char line[BATCH * 200], value[101];
    memset(value, 'v', 100);
    for (int i = 0; i < MANY; i += BATCH) {
        size_t len = (size_t)snprintf(line, sizeof line, "MSET");
        for (int j = i; j < i + BATCH; j++) {
            const char *kind = j % 10 == 0   ? "big"
                               : j % 10 == 1 ? "mid"
                                             : "small";
            int bytes = j % 10 == 0 ? 100 : j % 10 == 1 ? 40 : 4;
            len += (size_t)snprintf(line + len, sizeof line - len,
                                    " %s:%06d %.*s", kind, j, bytes, value);
        }
        talk_says(talk, line, "+OK");
    }
}

/* ------------------------------------------------------------------- tests */

static void test_what_is_few_is_told_exactly(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "1", NULL);
    struct talk talk = talk_in_resp3(live);
    talk_says(&talk, "SET user:1 a", "+OK");
    talk_says(&talk, "SET user:2:x bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
              "+OK");
    talk_says(&talk, "SET alone c", "+OK");
    long long users = usage(&talk, "user:1") + usage(&talk, "user:2:x");
    long long alone = usage(&talk, "alone");
    talk_says(&talk, "SELECT 7", "+OK");
    set_long(&talk, "user:1", 30000);
    long long large = usage(&talk, "user:1");

    struct resp *reply = talk_ask(&talk, "MEMORY PREFIXES");
    assert_int_equal(reply->kind, '*');
    assert_int_equal(reply->count, 4);
    const struct resp *whole = &reply->items[0];
    assert_int_equal(number(whole, "keys"), 4);
    assert_int_equal(number(whole, "keys.sampled"), 4);
    assert_int_equal(number(whole, "bytes"), users + alone + large);
    assert_int_equal(number(whole, "bytes.estimated"), users + alone + large);
    assert_true(percent(whole, "bytes.margin") == 0);
    const struct resp *first = &reply->items[1];
    assert_true(resp_is(field(first, "prefix"), '$', "user:"));
    assert_int_equal(number(first, "db"), 7);
    assert_int_equal(number(first, "bytes"), large);
    assert_int_equal(number(first, "keys"), 1);
    assert_true(percent(first, "keys.percent") == 25);
    assert_true(percent(first, "keys.margin") == 0);
    const struct resp *second = &reply->items[2];
    assert_int_equal(number(second, "db"), 0);
    assert_int_equal(number(second, "bytes"), users);
    assert_int_equal(number(second, "keys"), 2);
    assert_int_equal(number(row_of(reply, ""), "bytes"), alone);
    resp_free(reply);
    talk_close(&talk);
    live_stop(live);
}

static void test_its_arguments(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "1", NULL);
    struct talk talk = talk_in_resp3(live);
    talk_says(&talk, "MSET a:b:1 v a:c:1 v a:b/2 v", "+OK");
    struct resp *reply = talk_ask(&talk, "MEMORY PREFIXES / 1");
    assert_int_equal(reply->count, 3);
    assert_int_equal(number(row_of(reply, ""), "keys"), 2);
    assert_int_equal(number(row_of(reply, NULL), "keys"), 1);
    resp_free(reply);
    reply = talk_ask(&talk, "memory prefixes : 10 2");
    assert_int_equal(reply->count, 4);
    assert_int_equal(number(row_of(reply, "a:"), "keys"), 1);
    assert_int_equal(number(row_of(reply, "a:b:"), "keys"), 1);
    assert_int_equal(number(row_of(reply, "a:c:"), "keys"), 1);
    resp_free(reply);
    static const struct says wrong[] = {
        {"MEMORY PREFIXES \"\"", "-ERR syntax error"},
        {"MEMORY PREFIXES : 1 1 1", "-ERR syntax error"},
        {"MEMORY PREFIXES : x", "-ERR value is not an integer or out of range"},
        {"MEMORY PREFIXES : 0",
         "-ERR value is out of range, must be from 1 to 1000"},
        {"MEMORY PREFIXES : 1 17",
         "-ERR value is out of range, must be from 1 to 16"},
    };
    TALK_TABLE(&talk, wrong);
    talk_close(&talk);
    live_stop(live);
}

static void test_nothing_is_stored(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "1", NULL);
    struct talk talk = talk_open(live);
    talk_says(&talk, "MEMORY PREFIXES",
              "*1\r\n*14\r\n$4\r\nkeys\r\n:0\r\n$12\r\nkeys.sampled\r\n:0\r\n"
              "$5\r\nbytes\r\n:0\r\n$15\r\nbytes.estimated\r\n:0\r\n"
              "$12\r\nbytes.margin\r\n$4\r\n0.00\r\n"
              "$12\r\nhits.sampled\r\n:0\r\n$12\r\nhits.seconds\r\n:0");
    talk_close(&talk);
    live_stop(live);
}

/* The estimate is within four margins, which is eight standard deviations. */
static void check_row(const struct resp *reply, const char *prefix,
                      double bytes_percent, double keys_percent)
{
    const struct resp *row = row_of(reply, prefix);
    double bytes_off = percent(row, "bytes.percent") - bytes_percent;
    double keys_off = percent(row, "keys.percent") - keys_percent;
    double bytes_margin = percent(row, "bytes.margin");
    double keys_margin = percent(row, "keys.margin");
    assert_true(bytes_margin > 0 && bytes_margin < 3);
    assert_true(keys_margin > 0 && keys_margin < 1.1);
    assert_true(bytes_off < 4 * bytes_margin && bytes_off > -4 * bytes_margin);
    assert_true(keys_off < 4 * keys_margin && keys_off > -4 * keys_margin);
}

static void test_a_sample_of_many(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "2", NULL);
    struct talk talk = talk_in_resp3(live);
    fill(&talk);
    double big = (double)usage(&talk, "big:000000");
    double mid = (double)usage(&talk, "mid:000001");
    double small = (double)usage(&talk, "small:000002") * 8;
    double all = big + mid + small;
    struct resp *reply = talk_ask(&talk, "MEMORY PREFIXES : 2");
    const struct resp *whole = &reply->items[0];
    assert_int_equal(number(whole, "keys"), MANY);
    assert_in_range(number(whole, "keys.sampled"), SAMPLE, SAMPLE + 1000);
    assert_true((double)number(whole, "bytes") == all * (MANY / 10));
    assert_int_equal(reply->count, 4);
    check_row(reply, "big:", 100 * big / all, 10);
    check_row(reply, "small:", 100 * small / all, 80);
    check_row(reply, NULL, 100 * mid / all, 10);
    resp_free(reply);
    talk_close(&talk);
    live_stop(live);
}

/* More prefixes than the table has rows. */
static void test_too_many_prefixes(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "1", NULL);
    struct talk talk = talk_in_resp3(live);
    fill(&talk);
    struct resp *reply = talk_ask(&talk, "MEMORY PREFIXES 0 1000 16");
    assert_int_equal(reply->count, 1002);
    long long keys = 0;
    for (size_t i = 1; i < reply->count; i++)
        keys += number(&reply->items[i], "keys");
    assert_in_range(keys, MANY - 1001, MANY + 1001); /* each is rounded */
    resp_free(reply);
    talk_close(&talk);
    live_stop(live);
}

/* They use memory until somebody meets them. */
static void test_expired_keys_count(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "1", NULL);
    struct talk talk = talk_in_resp3(live);
    talk_says(&talk, "SET keep:1 v", "+OK");
    talk_says(&talk, "SET gone:1 v PX 1", "+OK");
    struct resp *reply = talk_ask(&talk, "MEMORY PREFIXES");
    const struct resp *whole = &reply->items[0];
    assert_true(number(whole, "keys.sampled") >= number(whole, "keys"));
    resp_free(reply);
    talk_close(&talk);
    live_stop(live);
}

static void test_hits(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "1", NULL);
    struct talk talk = talk_in_resp3(live);
    talk_says(&talk, "MSET hot:1 v hot:2 v cold:1 vvvvvvvvvvvvvvvvvvvvv",
              "+OK");
    for (int i = 0; i < HITS / 2; i++) {
        talk_says(&talk, i % 2 ? "GET hot:1" : "GET hot:2", "$1\r\nv");
        talk_says(&talk, "GET none:1", "_");
        talk_says(&talk, "EXISTS hot:1", ":1");
    }
    struct resp *reply = talk_ask(&talk, "MEMORY PREFIXES");
    assert_in_range(number(&reply->items[0], "hits.sampled"),
                    HITS / 2 / (2 * HITS_EVERY), HITS);
    assert_int_equal(reply->count, 3);
    assert_true(percent(row_of(reply, "hot:"), "hits.percent") == 100);
    assert_true(percent(row_of(reply, "hot:"), "hits.margin") < 10);
    assert_true(percent(row_of(reply, "cold:"), "hits.percent") == 0);
    assert_true(percent(row_of(reply, "cold:"), "hits.margin") > 0);
    resp_free(reply);
    talk_close(&talk);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_few_is_told_exactly),
        cmocka_unit_test(test_its_arguments),
        cmocka_unit_test(test_nothing_is_stored),
        cmocka_unit_test(test_a_sample_of_many),
        cmocka_unit_test(test_too_many_prefixes),
        cmocka_unit_test(test_expired_keys_count),
        cmocka_unit_test(test_hits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
