/* SPDX-License-Identifier: BSD-3-Clause */
/* How much memory there is, read from made-up trees of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/resource.h>

#include "server/governor.h"
#include "tests/tree.h"

#define GIB (1024ULL * 1024 * 1024)

static char root[TREE_ROOT_MAX];

static int set_up(void **state)
{
    (void)state;
    tree_make(root);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tree_remove(root);
    return 0;
}

static void put(const char *path, const char *text)
{
    tree_put(root, path, text);
}

static void put_machine(void)
{
    put("/proc/meminfo", "MemTotal:       16777216 kB\nMemFree:  1 kB\n");
}

static void nothing_is_known_of_an_empty_tree(void **state)
{
    (void)state;
    assert_int_equal(governor_machine_bytes(root), 0);
}

static void the_machine_counts_without_groups(void **state)
{
    (void)state;
    put_machine();
    assert_int_equal(governor_machine_bytes(root), 16 * GIB);
    put("/proc/self/cgroup", "0::/\n");
    assert_int_equal(governor_machine_bytes(root), 16 * GIB);
}

static void a_group_of_version_2_counts(void **state)
{
    (void)state;
    put_machine();
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/sys/fs/cgroup/a/b/memory.max", "max\n");
    assert_int_equal(governor_machine_bytes(root), 16 * GIB);
    put("/sys/fs/cgroup/a/b/memory.max", "2147483648\n");
    assert_int_equal(governor_machine_bytes(root), 2 * GIB);
    /* One above it that allows less. */
    put("/sys/fs/cgroup/a/memory.max", "1073741824\n");
    assert_int_equal(governor_machine_bytes(root), 1 * GIB);
    /* More than there is counts as what there is. */
    put("/sys/fs/cgroup/a/memory.max", "max\n");
    put("/sys/fs/cgroup/a/b/memory.max", "9223372036854771712\n");
    assert_int_equal(governor_machine_bytes(root), 16 * GIB);
}

static void a_container_sees_its_group_as_the_top(void **state)
{
    (void)state;
    put_machine();
    put("/proc/self/cgroup", "0::/docker/0123456789\n");
    put("/sys/fs/cgroup/memory.max", "3221225472\n");
    assert_int_equal(governor_machine_bytes(root), 3 * GIB);
}

static void a_group_of_version_1_counts(void **state)
{
    (void)state;
    put_machine();
    put("/proc/self/cgroup", "12:cpu,cpuacct:/x\n5:memory:/a/b\n"
                             "1:name=systemd:/x\n0::/x\n");
    put("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes",
        "9223372036854771712\n");
    assert_int_equal(governor_machine_bytes(root), 16 * GIB);
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "4294967296\n");
    assert_int_equal(governor_machine_bytes(root), 4 * GIB);
    put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1073741824\n");
    assert_int_equal(governor_machine_bytes(root), 1 * GIB);
}

static void nonsense_is_ignored(void **state)
{
    (void)state;
    put_machine();
    put("/proc/self/cgroup", "\nnonsense\n0::/a:b\n:::\n7:memory\n");
    put("/sys/fs/cgroup/a:b/memory.max", "-5\n");
    assert_int_equal(governor_machine_bytes(root), 16 * GIB);
    put("/sys/fs/cgroup/a:b/memory.max", "1073741824\n");
    assert_int_equal(governor_machine_bytes(root), 1 * GIB);
}

/* A limit that cannot be looked at just now is not the same as none. */
static void without_descriptors_nothing_is_known(void **state)
{
    struct rlimit before, none;
    (void)state;
    put_machine();
    put("/proc/self/cgroup", "0::/a\n");
    put("/sys/fs/cgroup/a/memory.max", "1073741824\n");
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    for (none.rlim_cur = 3; none.rlim_cur < 20; none.rlim_cur++) {
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        uint64_t bytes = governor_machine_bytes(root);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_true(bytes == 0 || bytes == 1 * GIB);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_known_of_an_empty_tree),
        TEST(the_machine_counts_without_groups),
        TEST(a_group_of_version_2_counts),
        TEST(a_container_sees_its_group_as_the_top),
        TEST(a_group_of_version_1_counts),
        TEST(nonsense_is_ignored),
        TEST(without_descriptors_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
