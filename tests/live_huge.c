/* SPDX-License-Identifier: BSD-3-Clause */
/* A server's slabs in huge pages, as the kernel counts them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>
#include <time.h>

#include "tests/answer.h"
#include "tests/live.h"
#include "tests/sanitized.h"

enum { MB = 1 << 20, LEN = 1000, BATCH = 500, KEYS = 60000, PATIENCE_S = 60 };

/* A number of the kernel's on the server's memory, in bytes. */
static long long rollup(const struct live *live, const char *name)
{
    char path[64], line[256];
    long long kb = -1;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)live_pid(live));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (kb < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            kb = strtoll(line + strlen(name), NULL, 10);
    fclose(file);
    assert_true(kb >= 0);
    return kb * 1024;
}

static void fill(redisContext *redis, unsigned from, unsigned to)
{
    static char value[LEN];
    for (unsigned key = from; key < to; key++) {
        redisAppendCommand(redis, "SET key:%u %b", key, value, sizeof value);
        if ((key - from) % BATCH == BATCH - 1 || key + 1 == to)
            answers_are_ok(redis, (key - from) % BATCH + 1);
    }
}

/* What both say, when nothing is under way. */
static long long huge_bytes(const struct live *live, redisContext *redis)
{
    time_t end = time(NULL) + PATIENCE_S;
    for (;;) {
        long long bytes = live_info(redis, "ebb_cache_huge_bytes");
        long long kernel = rollup(live, "AnonHugePages:");
        if (bytes == kernel)
            return bytes;
        if (time(NULL) > end)
            fail_msg("%lld bytes are in huge pages, %lld are told", kernel,
                     bytes);
    }
}

/* None where the system gives none, which is told. */
static bool has_some(const struct live *live, redisContext *redis)
{
    bool some = huge_bytes(live, redis) > 0;
    if (!some)
        printf("SKIPPED: huge pages, the system gives none\n");
    return some;
}

static void what_is_stored_lies_in_huge_pages(void **state)
{
    (void)state;
    if (SANITIZED) /* their memory may be huge */
        skip();
    struct live *live = live_start("--maxmemory", "128mb", NULL);
    redisContext *redis = live_connect(live);
    fill(redis, 0, KEYS);
    if (has_some(live, redis))
        assert_in_range(huge_bytes(live, redis), 2 * MB,
                        live_info(redis, "ebb_cache_resident_bytes"));
    /* Lowered, the budget is kept, and of no huge page a part is left. */
    live_text(redis, "CONFIG SET maxmemory 48mb");
    freeReplyObject(redisCommand(redis, "MEMORY WAIT 60000"));
    assert_in_range(live_resident(live), 1, 48 * MB);
    huge_bytes(live, redis);
    live_text(redis, "FLUSHALL");
    live_await_info(redis, "ebb_cache_resident_bytes", 0, MB);
    assert_int_equal(huge_bytes(live, redis), 0);
    redisFree(redis);
    live_stop(live);
}

static void none_are_made_if_not_wanted(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    struct live *live = live_start("--maxmemory", "128mb", "--threads", "1",
                                   "--huge-pages", "no", NULL);
    redisContext *redis = live_connect(live);
    fill(redis, 0, KEYS / 2);
    assert_int_equal(huge_bytes(live, redis), 0);
    live_text(redis, "CONFIG SET huge-pages yes");
    fill(redis, KEYS / 2, KEYS / 4 * 3);
    if (has_some(live, redis)) {
        long long some = huge_bytes(live, redis);
        live_text(redis, "CONFIG SET huge-pages no");
        fill(redis, KEYS / 4 * 3, KEYS);
        /* Two threads may just have begun with one each. */
        assert_in_range(huge_bytes(live, redis), some, some + 4 * MB);
    }
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_stored_lies_in_huge_pages),
        cmocka_unit_test(none_are_made_if_not_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
