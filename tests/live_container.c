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

#include "tests/live.h"

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

static void the_budget_follows_a_group(void **state)
{
    struct live *live;
    redisContext *redis;

    (void)state;
    if (!make_groups()) {
        printf(
            "SKIPPED: no control groups of version 1 can be made below " GROUPS
            "\n");
        return;
    }
    live = live_start("--maxmemory", "75%", NULL);
    redis = live_connect(live);
    assert_true(put(inner, "cgroup.procs", live_pid(live)));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_budget_follows_a_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
