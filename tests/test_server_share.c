/* SPDX-License-Identifier: BSD-3-Clause */
/* A budget that is a share of the machine, or of the container. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "server/governor.h"
#include "server/server.h"
#include "tests/options_kit.h"

static void a_share_is_told_in_bytes(void **state)
{
    struct server *server = *state;
    uint64_t most = (uint64_t)conf_option(CONF_maxmemory)->most;
    uint64_t machine = governor_machine_bytes("");
    uint64_t half = machine / 100 * 50, most_of_it = machine / 100 * 80;
    char text[32];

    assert_string_equal(SET("maxmemory", "50%"), "");
    snprintf(text, sizeof text, "%llu",
             (unsigned long long)(half < most ? half : most));
    assert_string_equal(options_kit_get(server, CONF_maxmemory), text);
    assert_string_equal(SET("maxmemory", "0"), "");
    snprintf(text, sizeof text, "%llu",
             (unsigned long long)(most_of_it < most ? most_of_it : most));
    assert_string_equal(options_kit_get(server, CONF_maxmemory), text);
}

static const char *budget_after_ms(struct server *server, int64_t ms)
{
    static int64_t now_ms = 1000000;

    for (int64_t i = 0; i < ms; i += 10) {
        now_ms += 10;
        governor_tick(server->governor, now_ms);
    }
    return options_kit_get(server, CONF_maxmemory);
}

static uint64_t in_force(struct server *server)
{
    struct governor_state governor;

    governor_state(server->governor, &governor);
    return governor.budget_bytes;
}

static void put_limit(const char *path, uint64_t bytes)
{
    char text[32];

    snprintf(text, sizeof text, "%llu\n", (unsigned long long)bytes);
    tree_put(options_kit_root, path, text);
}

/* The limit changes again and again: the budget follows. */
static void follow(struct server *server, const char *path)
{
    static const unsigned limits_mib[] = {400, 200, 1000, 100, 400};

    for (size_t i = 0; i < sizeof limits_mib / sizeof limits_mib[0]; i++) {
        char expected[32];
        uint64_t bytes = (uint64_t)limits_mib[i] * MB;

        put_limit(path, bytes);
        snprintf(expected, sizeof expected, "%llu",
                 (unsigned long long)(bytes / 100 * 75));
        assert_string_equal(budget_after_ms(server, 1100), expected);
        assert_int_equal(in_force(server), bytes / 100 * 75);
    }
}

static void a_share_follows_the_container(void **state)
{
    struct server *server = *state;
    const char *const group2 = "/sys/fs/cgroup/pod/box/memory.max";
    const char *const pod2 = "/sys/fs/cgroup/pod/memory.max";

    tree_make(options_kit_root);
    tree_put(options_kit_root, "/proc/meminfo", "MemTotal: 2097152 kB\n");
    tree_put(options_kit_root, "/proc/self/cgroup", "0::/pod/box\n");
    tree_put(options_kit_root, group2, "max\n");
    assert_string_equal(SET("maxmemory", "75%"), "");
    assert_string_equal(options_kit_get(server, CONF_maxmemory), "1610612700");
    follow(server, group2);
    /* The one above allows less; then none of them bounds it. */
    put_limit(pod2, 100 * MB);
    assert_string_equal(budget_after_ms(server, 1100), "78643200");
    tree_put(options_kit_root, group2, "max\n");
    tree_put(options_kit_root, pod2, "max\n");
    assert_string_equal(budget_after_ms(server, 1100), "1610612700");

    tree_put(options_kit_root, "/proc/self/cgroup",
             "3:cpu:/x\n4:memory:/box\n0::/\n");
    follow(server, "/sys/fs/cgroup/memory/box/memory.limit_in_bytes");

    /* As it was: what cannot be read changes nothing. */
    tree_remove(options_kit_root);
    assert_string_equal(budget_after_ms(server, 1100), "314572800");
    assert_string_equal(SET("maxmemory", "50%"), "");
    assert_string_equal(options_kit_get(server, CONF_maxmemory), "314572800");
    options_kit_root[0] = '\0';
}

/* Bytes are bytes, whatever the container has; 0 is a share. */
static void bytes_do_not_follow(void **state)
{
    struct server *server = *state;

    tree_make(options_kit_root);
    tree_put(options_kit_root, "/proc/self/cgroup", "0::/\n");
    put_limit("/sys/fs/cgroup/memory.max", 200 * MB);
    assert_string_equal(SET("maxmemory", "100mb"), "");
    put_limit("/sys/fs/cgroup/memory.max", 50 * MB);
    assert_string_equal(budget_after_ms(server, 3000), "104857600");
    assert_string_equal(SET("maxmemory", "0"), "");
    assert_string_equal(options_kit_get(server, CONF_maxmemory), "41943040");
    put_limit("/sys/fs/cgroup/memory.max", 60 * MB);
    assert_string_equal(budget_after_ms(server, 1100), "50331600");
    tree_remove(options_kit_root);
    options_kit_root[0] = '\0';
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_share_is_told_in_bytes),
        TEST(a_share_follows_the_container),
        TEST(bytes_do_not_follow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
