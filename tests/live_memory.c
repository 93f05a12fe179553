/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory sheet: its parts are all that is resident, whatever is stored and
 * whoever is connected.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
// cmocka wants the above first
#include <cmocka.h>

#include "server/sheet.h"
#include "tests/answer.h"
#include "tests/exposition.h"
#include "tests/live.h"
#include "tests/sanitized.h"
#include "tests/scrape.h"
#include "tests/talk.h"

enum { MB = 1 << 20, BATCH = 500, CLIENTS = 100, HELD = 6000 };

static const char *const parts[SHEET_ALL] = {
#define X(part, help) #part,
    SHEET_PARTS(X)
#undef X
        "unexplained",
};

/* ----------------------------------------------------------------- helpers */

static redisReply *stats_ask(redisContext *redis)
{
    redisReply *reply = redisCommand(redis, "MEMORY STATS");
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    assert_int_equal(reply->elements % 2, 0);
    return reply;
}

static const redisReply *stats_field(const redisReply *stats, const char *name)
{
    for (size_t i = 0; i < stats->elements; i += 2)
        if (strcmp(stats->element[i]->str, name) == 0)
            return stats->element[i + 1];
    fail_msg("%s is not there", name);
    return NULL;
}

static long long stats_int(const redisReply *stats, const char *name)
{
    const redisReply *field = stats_field(stats, name);
    assert_int_equal(field->type, REDIS_REPLY_INTEGER);
    return field->integer;
}

static double stats_share(const redisReply *stats, const char *name)
{
    const redisReply *field = stats_field(stats, name);
    char *end;
    assert_int_equal(field->type, REDIS_REPLY_STRING);
    double share = strtod(field->str, &end);
    assert_true(end == field->str + field->len);
    return share;
}

static void set_many(redisContext *redis, unsigned count, size_t len)
{
    static char value[16 * 1024];
    assert_true(len <= sizeof value);
    for (unsigned i = 0; i < count; i++) {
        redisAppendCommand(redis, "SET key:%u %b", i, value, len);
        if (i % BATCH == BATCH - 1)
            answers_are_ok(redis, BATCH);
    }
    answers_are_ok(redis, count % BATCH);
}

/* So many clients send the first bytes of a long request. */
static void hold(struct live *live, int fds[CLIENTS], size_t len)
{
    static char half[64 * 1024];
    const char *begin = "*2\r\n$4\r\nECHO\r\n$64000\r\n";
    memset(half, 'x', sizeof half);
    memcpy(half, begin, strlen(begin));
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = live_socket(live);
        assert_true(live_send(fds[i], half, len));
    }
}

/* The parts add up to what is resident, and 2 % of that are unexplained at
 * most. */
static void check_sheet(struct live *live, redisContext *redis,
                        const char *when)
{
    redisReply *stats = stats_ask(redis);
    long long total = stats_int(stats, "resident.total"), sum = 0;
    long long unexplained = stats_int(stats, "resident.unexplained");
    for (enum sheet_part part = 0; part < SHEET_ALL; part++) {
        char name[64];
        snprintf(name, sizeof name, "resident.%s", parts[part]);
        long long bytes = stats_int(stats, name);
        assert_true(part == SHEET_UNEXPLAINED || bytes >= 0);
        sum += bytes;
    }
    freeReplyObject(stats);
    long long resident = (long long)live_resident(live);
    printf("%s: %.2f MiB are resident, %.2f %% unexplained\n", when,
           (double)total / MB, 100.0 * (double)unexplained / (double)total);
    assert_int_equal(sum, total);
    if (SANITIZED)
        return;
    assert_true(llabs(unexplained) * 50 <= total);
    assert_true(llabs(resident - total) * 50 <= total);
}

/* ------------------------------------------------------------------- tests */

static void the_names_are_those_of_redis(void **state)
{
    static const char *const ints[] = {
        "peak.allocated",      "total.allocated",
        "startup.allocated",   "replication.backlog",
        "clients.slaves",      "clients.normal",
        "cluster.links",       "aof.buffer",
        "lua.caches",          "functions.caches",
        "overhead.total",      "keys.count",
        "keys.bytes-per-key",  "dataset.bytes",
        "allocator.allocated", "allocator.active",
        "allocator.resident",  "allocator-fragmentation.bytes",
        "allocator-rss.bytes", "rss-overhead.bytes",
        "fragmentation.bytes",
    };
    static const char *const doubles[] = {
        "dataset.percentage",  "peak.percentage",
        "allocator-rss.ratio", "allocator-fragmentation.ratio",
        "rss-overhead.ratio",  "fragmentation",
    };
    redisContext *redis = live_connect(*state);
    live_text(redis, "SET key value");
    redisReply *stats = stats_ask(redis);
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
        stats_int(stats, ints[i]);
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++)
        assert_true(stats_share(stats, doubles[i]) >= 0);
    assert_int_equal(stats_int(stats, "keys.count"), 1);
    assert_int_equal(stats_int(stats, "dataset.bytes"), strlen("keyvalue"));
    assert_true(stats_share(stats, "dataset.percentage") < 100);
    freeReplyObject(stats);
    redisFree(redis);
}

static void maps_and_doubles_in_resp3(void **state)
{
    struct talk talk = talk_open(*state);
    talk_says(&talk, "HELLO 3", NULL);
    struct resp *stats = talk_ask(&talk, "MEMORY STATS");
    bool found = false;
    assert_int_equal(stats->kind, '%');
    for (size_t i = 0; i + 1 < stats->count; i += 2)
        if (strcmp(stats->items[i].text, "peak.percentage") == 0)
            found = stats->items[i + 1].kind == ',' &&
                    stats->items[i + 1].number > 0 &&
                    stats->items[i + 1].number <= 100;
    assert_true(found);
    resp_free(stats);
    struct resp *text = talk_ask(&talk, "MEMORY DOCTOR");
    assert_int_equal(text->kind, '=');
    resp_free(text);
    talk_close(&talk);
}

static void the_parts_are_all(void **state)
{
    (void)state;
    struct live *live =
        live_start("--maxmemory", "64mb", "--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    check_sheet(live, redis, "empty");
    set_many(redis, SANITIZED ? 10000 : 700000, 100);
    check_sheet(live, redis, "full");
    set_many(redis, SANITIZED ? 100 : 6000, 16 * 1024);
    check_sheet(live, redis, "full of longer values");

    int fds[CLIENTS];
    hold(live, fds, HELD);
    live_await_info(redis, "ebb_client_pool_used_bytes", CLIENTS * HELD,
                    64 * MB);
    check_sheet(live, redis, "with clients");
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    live_await_info(redis, "connected_clients", 1, 1);
    check_sheet(live, redis, "without them");

    live_text(redis, "CONFIG SET maxmemory 32mb");
    check_sheet(live, redis, "shrinking");
    freeReplyObject(redisCommand(redis, "MEMORY WAIT 60000"));
    check_sheet(live, redis, "shrunk");
    live_text(redis, "FLUSHALL");
    check_sheet(live, redis, "flushed");
    redisFree(redis);
    live_stop(live);
}

/* What is free goes at once, though the server would keep it for a while. */
static void what_is_free_is_given_back(void **state)
{
    redisContext *redis = live_connect(*state);
    set_many(redis, 100000, 100);
    live_text(redis, "FLUSHALL");
    live_await_info(redis, "ebb_cache_flushed_entries", 0, 0);
    long long stock;
    do {
        assert_string_equal(live_text(redis, "MEMORY PURGE"), "OK");
        stock = live_info(redis, "ebb_cache_stock_bytes");
    } while (stock > 0);
    redisReply *stats = stats_ask(redis);
    assert_true(stats_int(stats, "resident.slack") < MB);
    freeReplyObject(stats);
    redisFree(redis);
}

/* The allocator does not keep it until somebody allocates: it would become part
 * of the base then, and cost entries. */
static void what_clients_had_costs_no_entries(void **state)
{
    enum { LEN = 18000, PATIENCE_S = 60, SOME = 2000 };
    redisContext *redis = live_connect(*state);
    int fds[CLIENTS];
    set_many(redis, SANITIZED ? 1000 : 700000, 100);
    long long evicted = live_info(redis, "evicted_keys");
    hold(*state, fds, LEN);
    live_await_info(redis, "ebb_client_pool_used_bytes", CLIENTS * LEN,
                    64 * MB);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    live_await_info(redis, "connected_clients", 1, 1);
    time_t end = time(NULL) + PATIENCE_S;
    long long kept;
    do {
        redisReply *stats = stats_ask(redis);
        kept = stats_int(stats, "resident.allocator");
        freeReplyObject(stats);
    } while (kept > MB && time(NULL) < end);
    evicted = live_info(redis, "evicted_keys") - evicted;
    printf("the allocator keeps %lld bytes, %lld entries were evicted\n", kept,
           evicted);
    assert_true(kept <= MB);
    assert_true(evicted <= SOME);
    redisFree(redis);
}

/* Bytes that are used beside the base and clients. */
static long long used_net(redisContext *redis)
{
    redisReply *stats = stats_ask(redis);
    long long bytes = stats_int(stats, "total.allocated") -
                      stats_int(stats, "startup.allocated") -
                      stats_int(stats, "clients.normal");
    freeReplyObject(stats);
    return bytes;
}

static void used_memory_knows_every_entry(void **state)
{
    redisContext *redis = live_connect(*state);
    live_text(redis, "SET key 1");
    long long before = used_net(redis);
    long long entry = live_int(redis, "MEMORY USAGE key");
    live_text(redis, "SETEX key 1000 %01000d", 1);
    assert_int_equal(used_net(redis) - before,
                     live_int(redis, "MEMORY USAGE key") - entry);
    live_text(redis, "SET key 1");
    assert_int_equal(used_net(redis), before);
    redisFree(redis);
}

static void at_the_limit_nearly_all_is_used(void **state)
{
    if (SANITIZED)
        skip();
    redisContext *redis = live_connect(*state);
    set_many(redis, 700000, 100);
    assert_true(live_info(redis, "evicted_keys") > 0);
    long long used = live_info(redis, "used_memory");
    long long resident = live_info(redis, "used_memory_rss");
    printf("%lld bytes are used, %lld resident\n", used, resident);
    assert_true(used * 100 >= 64LL * MB * 88);
    assert_true(used <= 64LL * MB);
    assert_true(llabs(resident - used) * 20 <= resident);
    assert_true(live_info(redis, "allocator_allocated") <=
                live_info(redis, "allocator_resident"));
    redisFree(redis);
}

static void the_allocator_is_told_of_when_empty(void **state)
{
    if (SANITIZED)
        skip();
    redisContext *redis = live_connect(*state);
    long long allocated = live_info(redis, "allocator_allocated");
    assert_true(allocated > 100000);
    assert_true(live_info(redis, "allocator_active") >= allocated);
    assert_true(live_info(redis, "allocator_resident") >= allocated);
    assert_true(live_info(redis, "used_memory") >= allocated);
    assert_non_null(strstr(live_text(redis, "MEMORY MALLOC-STATS"), "arena"));
    redisFree(redis);
}

static void the_doctor_says_what_it_means(void **state)
{
    redisContext *redis = live_connect(*state);
    assert_non_null(strstr(live_text(redis, "MEMORY DOCTOR"), "all is well"));
    live_text(redis, "CONFIG SET maxmemory 1mb");
    live_await_info(redis, "ebb_floor_above_budget", 1, 1);
    const char *text = live_text(redis, "MEMORY DOCTOR");
    assert_non_null(strstr(text, "Floor: maxmemory is 1.00M"));
    redisFree(redis);
}

static void the_metrics_tell_the_same(void **state)
{
    struct scrape *scrape = *state;
    char why[EXPOSITION_WHY_MAX] = "";
    set_many(scrape->redis, 100000, 100);
    char *answer =
        scrape_ask(scrape, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    struct exposition *e =
        exposition_read(scrape_body(answer), strlen(scrape_body(answer)), why);
    if (!e)
        fail_msg("%s", why);
    double sum = 0, payload = 0, resident = 0;
    for (enum sheet_part part = 0; part < SHEET_ALL; part++) {
        char label[64];
        double bytes;
        snprintf(label, sizeof label, "part=\"%s\"", parts[part]);
        assert_true(exposition_value(e, "ebb_memory_bytes", label, &bytes));
        sum += bytes;
    }
    assert_true(
        exposition_value(e, "ebb_memory_bytes", "part=\"payload\"", &payload));
    assert_true(exposition_value(e, "ebb_resident_bytes", "", &resident));
    assert_true(payload > 100000 * 100);
    if (!SANITIZED)
        assert_true(sum > resident * 0.98 && sum < resident * 1.02);
    exposition_free(e);
    free(answer);
}

#define LIVE(test)                                                             \
    cmocka_unit_test_setup_teardown(test, live_setup, live_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(the_names_are_those_of_redis),
        LIVE(maps_and_doubles_in_resp3),
        cmocka_unit_test(the_parts_are_all),
        LIVE(what_is_free_is_given_back),
        LIVE(what_clients_had_costs_no_entries),
        LIVE(used_memory_knows_every_entry),
        LIVE(at_the_limit_nearly_all_is_used),
        LIVE(the_allocator_is_told_of_when_empty),
        LIVE(the_doctor_says_what_it_means),
        cmocka_unit_test_setup_teardown(the_metrics_tell_the_same, scrape_setup,
                                        scrape_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
