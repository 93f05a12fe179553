/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replays real look-ups through the running server, as a cache beside a
 * database is used: GET, and SET on a miss.  The budget holds a tenth of the
 * pages, and the share of misses must be that of a list which strictly drops
 * the page used longest ago and holds as many pages as the server held on
 * average: so eviction is LRU over the whole cache, whatever it is made of.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "tests/answer.h"
#include "tests/live.h"

enum {
    PAGES = 65536,    /* numbers of pages are below it */
    SAMPLE = 200,     /* look-ups between two looks at DBSIZE */
    PROBE_LEN = 4000, /* bytes of the values that measure the budget */
    POINTS = 20,      /* the allowed difference, in 1/100 of a percent */
};

struct trace {
    const char *file;
    unsigned pages; /* different ones */
    uint16_t *lookups;
    size_t count;
};

/* ------------------------------------------------------------ strict LRU */

/* A ring of pages through 0, which stands for the list itself. */
struct list {
    unsigned next[PAGES + 1], prev[PAGES + 1];
    size_t len;
};

static void list_drop(struct list *list, unsigned page)
{
    list->next[list->prev[page]] = list->next[page];
    list->prev[list->next[page]] = list->prev[page];
    list->next[page] = 0;
    list->len--;
}

static void list_add(struct list *list, unsigned page)
{
    list->next[page] = list->next[0];
    list->prev[page] = 0;
    list->prev[list->next[0]] = page;
    list->next[0] = page;
    list->len++;
}

static size_t simulate(const struct trace *trace, size_t capacity)
{
    static bool there[PAGES + 1];
    static struct list list;
    size_t misses = 0;
    memset(there, 0, sizeof there);
    memset(&list, 0, sizeof list);
    for (size_t i = 0; i < trace->count; i++) {
        unsigned page = trace->lookups[i] + 1u;
        if (there[page]) {
            list_drop(&list, page);
        } else {
            misses++;
            if (list.len == capacity) {
                there[list.prev[0]] = false;
                list_drop(&list, list.prev[0]);
            }
        }
        there[page] = true;
        list_add(&list, page);
    }
    return misses;
}

/* ----------------------------------------------------------------- replay */

static void set_page(redisContext *redis, unsigned page, const char *value,
                     size_t len)
{
    answer_is_ok(redisCommand(redis, "SET page:%u %b", page, value, len));
}

/* True if it was there; then it must be what was set. */
static bool get_page(redisContext *redis, unsigned page, size_t len)
{
    redisReply *reply = redisCommand(redis, "GET page:%u", page);
    assert_non_null(reply);
    bool found = reply->type == REDIS_REPLY_STRING;
    if (found)
        assert_int_equal(reply->len, len);
    else
        assert_int_equal(reply->type, REDIS_REPLY_NIL);
    freeReplyObject(reply);
    return found;
}

/* Bytes of values of which the budget holds so many, found by filling it. */
static size_t len_for(redisContext *redis, size_t pages)
{
    char value[PROBE_LEN] = {0};
    for (unsigned page = 0; live_info(redis, "evicted_keys") == 0; page++)
        set_page(redis, page, value, sizeof value);
    long long held = live_int(redis, "DBSIZE");
    live_text(redis, "FLUSHALL");
    live_text(redis, "CONFIG RESETSTAT");
    return (size_t)held * PROBE_LEN / pages;
}

struct outcome {
    size_t misses;
    double held; /* entries on average, since the first was evicted */
};

static struct outcome replay(redisContext *redis, const struct trace *trace,
                             size_t len)
{
    struct outcome outcome = {0};
    char *value = test_calloc(1, len);
    size_t samples = 0;
    for (size_t i = 0; i < trace->count; i++) {
        if (!get_page(redis, trace->lookups[i], len)) {
            outcome.misses++;
            set_page(redis, trace->lookups[i], value, len);
        }
        if (i % SAMPLE == 0 && live_info(redis, "evicted_keys") > 0) {
            outcome.held += (double)live_int(redis, "DBSIZE");
            samples++;
        }
    }
    assert_true(samples > 0);
    outcome.held /= (double)samples;
    test_free(value);
    return outcome;
}

static void read_trace(struct trace *trace)
{
    FILE *file = fopen(trace->file, "rb");
    if (!file)
        fail_msg("%s: cannot be read; tests run from the top folder",
                 trace->file);
    unsigned char bytes[2];
    trace->lookups = test_malloc(200000 * sizeof *trace->lookups);
    while (fread(bytes, 2, 1, file) == 1)
        trace->lookups[trace->count++] = (uint16_t)(bytes[0] | bytes[1] << 8);
    fclose(file);
}

static void misses_are_those_of_strict_lru(void **state)
{
    struct trace *trace = *state;
    struct live *live = live_start("--maxmemory", "24mb", NULL);
    redisContext *redis = live_connect(live);
    read_trace(trace);
    size_t len = len_for(redis, trace->pages / 10);
    struct outcome outcome = replay(redis, trace, len);
    size_t held = (size_t)(outcome.held + 0.5);
    size_t strict = simulate(trace, held);
    double percent = 100.0 * (double)outcome.misses / (double)trace->count;
    double expected = 100.0 * (double)strict / (double)trace->count;
    printf("%s: %zu look-ups, values of %zu bytes, %zu of %u pages held: "
           "%.2f %% misses, strict LRU %.2f %%\n",
           trace->file, trace->count, len, held, trace->pages, percent,
           expected);
    assert_in_range(held, trace->pages / 13, trace->pages / 8);
    assert_in_range((int)((percent - expected) * 100 + POINTS), 0, 2 * POINTS);
    test_free(trace->lookups);
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    struct trace web07 = {.file = "tests/data/web07.u16", .pages = 20484};
    struct trace web12 = {.file = "tests/data/web12.u16", .pages = 13756};
    const struct CMUnitTest tests[] = {
        {"web07", misses_are_those_of_strict_lru, NULL, NULL, &web07},
        {"web12", misses_are_those_of_strict_lru, NULL, NULL, &web12},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
