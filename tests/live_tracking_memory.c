/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients that cache while memory runs out: whatever goes from the cache is
 * told, and what is remembered stays within its part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/answer.h"
#include "tests/console.h"
#include "tests/sanitized.h"

enum { MB = 1 << 20, KEYS = 3000, QUIET_MS = 20000 };

struct reader {
    struct console console;
    bool told[KEYS];
    size_t replies;
};

static void reader_open(struct reader *reader, const struct live *live)
{
    memset(reader, 0, sizeof *reader);
    console_open(&reader->console, live);
    console_ask(&reader->console, "HELLO 3");
    console_ask(&reader->console, "CLIENT TRACKING on");
}

/* One reply or push. */
static void reader_hear(struct reader *reader)
{
    const char *text = console_hear(&reader->console), *at;
    assert_string_not_equal(text, "(no reply)");
    if (strcmp(text, ALL_INVALID) == 0) {
        memset(reader->told, true, sizeof reader->told);
    } else if (text[0] == '>') {
        at = strstr(text, "[\"old:");
        if (at)
            reader->told[strtoul(at + 6, NULL, 10)] = true;
    } else {
        reader->replies++;
    }
}

static void read_old(struct reader *reader)
{
    char line[40];
    for (int i = 0; i < KEYS; i++) {
        snprintf(line, sizeof line, "EXISTS old:%d", i);
        console_say(&reader->console, line);
    }
    while (reader->replies < KEYS)
        reader_hear(reader);
}

static void store(redisContext *redis, const char *prefix, int from, int to)
{
    static char value[1000];
    memset(value, 'v', sizeof value);
    for (int i = from; i < to;) {
        int batch = 0;
        for (; batch < 500 && i < to; batch++, i++)
            redisAppendCommand(redis, "SET %s:%d %b", prefix, i, value,
                               sizeof value);
        while (batch-- > 0) {
            redisReply *reply = NULL;
            assert_int_equal(redisGetReply(redis, (void **)&reply), REDIS_OK);
            assert_int_equal(reply->type, REDIS_REPLY_STATUS);
            freeReplyObject(reply);
        }
    }
}

/* Each of the old keys that is not there must have been told, or will be. */
static void check_gone_are_told(struct reader *reader, redisContext *redis,
                                size_t least)
{
    size_t gone = 0;
    for (int i = 0; i < KEYS; i++) {
        if (live_int(redis, "EXISTS old:%d", i) == 1)
            continue;
        gone++;
        while (!reader->told[i])
            reader_hear(reader);
    }
    if (gone < least)
        fail_msg("only %zu of %d have gone", gone, KEYS);
}

static void what_is_evicted_is_told(void **state)
{
    struct live *live = live_start("--maxmemory", "32mb", "--threads", "2",
                                   "--maxmemory-clients", "25%", NULL);
    redisContext *redis = live_connect(live);
    struct reader *reader = malloc(sizeof *reader);
    (void)state;
    store(redis, "old", 0, KEYS);
    reader_open(reader, live);
    read_old(reader);
    store(redis, "new", 0, 40000);
    check_gone_are_told(reader, redis, KEYS);
    console_close(&reader->console);
    free(reader);
    redisFree(redis);
    live_stop(live);
}

/* A cut, which does not look at what it drops. */
static void what_a_lower_budget_drops_is_told(void **state)
{
    struct live *live =
        live_start("--maxmemory", "160mb", "--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    struct reader *reader = malloc(sizeof *reader);
    struct console bcast;
    (void)state;
    store(redis, "old", 0, KEYS);
    store(redis, "new", 0, 100000);
    reader_open(reader, live);
    /* EXISTS leaves them as old as they are. */
    read_old(reader);
    store(redis, "newer", 0, 20000);
    console_open(&bcast, live);
    console_ask(&bcast, "HELLO 3");
    console_ask(&bcast, "CLIENT TRACKING on BCAST");
    live_text(redis, "CONFIG SET maxmemory 24mb");
    while (live_int(redis, "DBSIZE") > 40000)
        ;
    check_gone_are_told(reader, redis, KEYS / 2);
    /* Which keys they were nobody knows. */
    const char *text;
    do
        text = console_hear(&bcast);
    while (strcmp(text, ALL_INVALID) != 0 && text[0] == '>');
    assert_string_equal(text, ALL_INVALID);
    console_close(&bcast);
    console_close(&reader->console);
    free(reader);
    redisFree(redis);
    live_stop(live);
}

/* Long keys, more of them than there is room for. */
static void what_is_remembered_stays_within_its_part(void **state)
{
    enum { READERS = 8, READS = 4000, LEN = 2000 };
    struct live *live =
        live_start("--maxmemory", "32mb", "--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    live_without_slowlog(redis);
    size_t pool = (size_t)live_info(redis, "ebb_client_pool_bytes");
    struct console readers[READERS];
    char line[LEN + 100];
    long long told = 0;
    (void)state;
    for (int i = 0; i < READERS; i++) {
        console_open(&readers[i], live);
        console_ask(&readers[i], "HELLO 3");
        console_ask(&readers[i], "CLIENT TRACKING on");
    }
    for (int n = 0; n < READS; n++) {
        struct console *t = &readers[n % READERS];
        snprintf(line, sizeof line, "GET %d:%0*d", n, LEN, n);
        console_say(t, line);
        while (strcmp(console_hear(t), "nil") != 0)
            told++;
        if (n % 100 == 0)
            assert_true(
                (size_t)live_info(redis, "ebb_client_pool_used_bytes") <= pool);
    }
    long long keys = live_info(redis, "tracking_total_keys");
    assert_true(keys > 0 && keys * LEN <= (long long)pool / 4);
    assert_true(told > 0);
    if (!SANITIZED)
        assert_true(live_resident(live) <= 32 * MB);
    for (int i = 0; i < READERS; i++)
        console_close(&readers[i]);
    live_await_info(redis, "tracking_total_keys", 0, 0);
    live_await_info(redis, "ebb_client_pool_used_bytes", 0, 20000);
    redisFree(redis);
    live_stop(live);
}

/* Told more than it reads: it is closed at its limit, and costs nobody. */
static void who_does_not_read_what_it_is_told(void **state)
{
    struct live *live =
        live_start("--maxmemory", "32mb", "--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    struct console deaf;
    (void)state;
    console_open(&deaf, live);
    console_ask(&deaf, "HELLO 3");
    console_ask(&deaf, "CLIENT TRACKING on BCAST");
    live_text(redis, "SET kept 1");
    for (int i = 0; live_info(redis, "tracking_clients") > 0; i++) {
        store(redis, "some-long-name-that-is-told-to-all", 0, 5000);
        if (!SANITIZED)
            assert_true(live_resident(live) <= 32 * MB);
        assert_true(i < 2000);
    }
    assert_true(live_info(redis, "ebb_client_closed_output") +
                    live_info(redis, "ebb_client_closed_memory") +
                    live_info(redis, "ebb_client_closed_stalled") >
                0);
    assert_string_equal(live_text(redis, "GET kept"), "1");
    console_close(&deaf);
    redisFree(redis);
    live_stop(live);
}

/* What is told on another worker than the change was made on is on its way for
 * a while: who makes so much of it waits. */
static void what_is_redirected_does_not_pile_up(void **state)
{
    enum { TRACKERS = 200, WRITERS = 8, ROUNDS = 60, SETS = 500 };
    struct live *live =
        live_start("--maxmemory", "64mb", "--threads", "4", NULL);
    redisContext *redis = live_connect(live), *told = live_connect(live);
    redisContext *trackers[TRACKERS], *writers[WRITERS];
    long long to = live_int(told, "CLIENT ID"), most = 0;
    (void)state;
    for (int i = 0; i < TRACKERS; i++) {
        trackers[i] = live_connect(live);
        answer_is_ok(redisCommand(
            trackers[i], "CLIENT TRACKING on REDIRECT %lld BCAST", to));
    }
    for (int i = 0; i < WRITERS; i++)
        writers[i] = live_connect(live);
    for (int n = 0; n < ROUNDS; n++) {
        for (int i = 0; i < WRITERS; i++) {
            int done = 0;
            for (int k = 0; k < SETS; k++)
                redisAppendCommand(writers[i], "SET %d:%d:%d v", i, n, k);
            while (!done)
                assert_int_equal(redisBufferWrite(writers[i], &done), REDIS_OK);
        }
        long long bytes = live_info(redis, "ebb_client_push_bytes");
        most = bytes > most ? bytes : most;
        for (int i = 0; i < WRITERS; i++)
            for (int k = 0; k < SETS; k++) {
                void *reply;
                assert_int_equal(redisGetReply(writers[i], &reply), REDIS_OK);
                answer_is_ok(reply);
            }
    }
    assert_in_range(most, 0, live_info(redis, "ebb_client_pool_bytes") / 4);
    live_await_info(redis, "ebb_client_push_bytes", 0, 0);
    for (int i = 0; i < TRACKERS; i++)
        redisFree(trackers[i]);
    for (int i = 0; i < WRITERS; i++)
        redisFree(writers[i]);
    redisFree(told);
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_evicted_is_told),
        cmocka_unit_test(what_a_lower_budget_drops_is_told),
        cmocka_unit_test(what_is_remembered_stays_within_its_part),
        cmocka_unit_test(who_does_not_read_what_it_is_told),
        cmocka_unit_test(what_is_redirected_does_not_pile_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
