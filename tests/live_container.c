/* SPDX-License-Identifier: BSD-3-Clause */
/* The budget follows the limit of a real control group, of version 1, where
 * there are such groups and the test may make one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/answer.h"
#include "tests/live.h"
#include "tests/sanitized.h"

#define GROUPS "/sys/fs/cgroup/memory"

enum { MB = 1 << 20 };

static char outer[PATH_MAX / 4], inner[PATH_MAX / 2];

/* Writes a number to a file of a group; false if the system refuses it. */
static bool put(const char *group, const char *name, long long number)
{
    char path[PATH_MAX];
    FILE *file;
    bool good;

    snprintf(path, sizeof path, "%s/%s", group, name);
    file = fopen(path, "w");
    if (file == NULL)
        return false;
    good = fprintf(file, "%lld\n", number) > 0;
    return fclose(file) == 0 && good;
}

/* A number from such a file. */
static long long get(const char *group, const char *name)
{
    char path[PATH_MAX];
    FILE *file;
    long long number = -1;

    snprintf(path, sizeof path, "%s/%s", group, name);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lld", &number), 1);
    fclose(file);
    return number;
}

static bool limit(const char *group, long long mb)
{
    return put(group, "memory.limit_in_bytes", mb < 0 ? -1 : mb * MB);
}

static void remove_groups(void)
{
    rmdir(inner);
    rmdir(outer);
}

static bool make_groups(void)
{
    snprintf(outer, sizeof outer, GROUPS "/ebb-test-%d", (int)getpid());
    snprintf(inner, sizeof inner, "%s/inner", outer);
    if (mkdir(outer, 0755) == 0 && mkdir(inner, 0755) == 0 && limit(outer, 256))
        return true;
    remove_groups();
    return false;
}

static void await_budget(redisContext *redis, long long bytes)
{
    live_await_info(redis, "maxmemory", bytes, bytes);
    live_await_info(redis, "ebb_budget_bytes", bytes, bytes);
}

static long long share(long long mb, long long percent)
{
    return mb * MB / 100 * percent;
}

/* A server in a group, of 256 MiB; NULL: there are no groups. */
static struct live *start_in_group(void)
{
    struct live *live;

    if (!make_groups()) {
        printf("SKIPPED: no control groups of version 1 can be made below %s"
               "\n",
               GROUPS);
        return NULL;
    }
    live = live_start("--maxmemory", "75%", NULL);
    assert_true(put(inner, "cgroup.procs", live_pid(live)));
    return live;
}

static void the_budget_follows_a_group(void **state)
{
    struct live *live = start_in_group();
    redisContext *redis;

    (void)state;
    if (live == NULL)
        return;
    redis = live_connect(live);
    await_budget(redis, share(256, 75));
    live_await_log(live, "75% of it are");
    assert_true(limit(outer, 512));
    await_budget(redis, share(512, 75));
    /* The least of all levels counts. */
    assert_true(limit(inner, 128));
    await_budget(redis, share(128, 75));
    assert_true(limit(outer, 96));
    await_budget(redis, share(96, 75));
    assert_true(limit(outer, -1));
    await_budget(redis, share(128, 75));
    /* What was set in bytes stays. */
    assert_string_equal(live_text(redis, "CONFIG SET maxmemory 50mb"), "OK");
    assert_true(limit(inner, 256));
    assert_string_equal(live_text(redis, "CONFIG SET maxmemory 0"), "OK");
    await_budget(redis, share(256, 80));
    redisFree(redis);
    live_stop(live);
    remove_groups();
}

/* The budget is lowered first; when that is done, the system takes the lower
 * limit, and the server lives. */
static void shrink_then_wait_then_resize(void **state)
{
    enum { KEYS = 120000, LEN = 1000, BATCH = 500 };
    static char value[LEN];
    if (SANITIZED) /* they need more than the group allows */
        skip();
    struct live *live = start_in_group();
    redisContext *redis;
    redisReply *reply;

    (void)state;
    if (live == NULL)
        return;
    redis = live_connect(live);
    await_budget(redis, share(256, 75));
    for (unsigned key = 0; key < KEYS; key += BATCH) {
        for (unsigned i = 0; i < BATCH; i++)
            redisAppendCommand(redis, "SET key:%u %b", key + i, value,
                               sizeof value);
        answers_are_ok(redis, BATCH);
    }
    assert_string_equal(live_text(redis, "CONFIG SET maxmemory 72mb"), "OK");
    reply = redisCommand(redis, "MEMORY WAIT 60000");
    assert_int_equal(reply->elements, 8);
    assert_string_equal(reply->element[4]->str, "done");
    assert_int_equal(reply->element[5]->integer, 1);
    freeReplyObject(reply);
    /* The group has not been asked to reclaim anything yet: of huge pages, too,
     * what was given back is gone. */
    assert_in_range(get(inner, "memory.usage_in_bytes"), 16 * MB, 72 * MB);
    assert_true(limit(inner, 96));
    assert_string_equal(live_text(redis, "CONFIG SET maxmemory 75%%"), "OK");
    await_budget(redis, share(96, 75));
    assert_true(live_int(redis, "DBSIZE") > 0);
    redisFree(redis);
    live_stop(live);
    remove_groups();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_budget_follows_a_group),
        cmocka_unit_test(shrink_then_wait_then_resize),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
