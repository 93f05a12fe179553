/* SPDX-License-Identifier: BSD-3-Clause */
/* The system's settings for huge pages, read from made-up trees of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/huge_pages.h"
#include "tests/tree.h"

#define FOLDER "/sys/kernel/mm/transparent_hugepage"

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

static void the_setting_for_all_counts(void **state)
{
    (void)state;
    assert_false(huge_pages_are_advised(root));
    tree_put(root, FOLDER "/enabled", "[always] madvise never\n");
    assert_false(huge_pages_are_advised(root));
    tree_put(root, FOLDER "/enabled", "always [madvise] never\n");
    assert_true(huge_pages_are_advised(root));
    tree_put(root, FOLDER "/enabled", "always madvise [never]\n");
    assert_true(huge_pages_are_advised(root));
    tree_put(root, FOLDER "/enabled", "");
    assert_false(huge_pages_are_advised(root));
}

static void so_does_that_for_each_size(void **state)
{
    static const char other[] = "always inherit [madvise] never\n";
    (void)state;
    tree_put(root, FOLDER "/enabled", "always [madvise] never\n");
    tree_put(root, FOLDER "/hugepages-64kB/enabled", other);
    tree_put(root, FOLDER "/hugepages-2048kB/enabled",
             "always [inherit] madvise never\n");
    assert_true(huge_pages_are_advised(root));
    tree_put(root, FOLDER "/hugepages-64kB/enabled",
             "[always] inherit madvise never\n");
    assert_false(huge_pages_are_advised(root));
    tree_put(root, FOLDER "/hugepages-64kB/enabled", other);
    assert_true(huge_pages_are_advised(root));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_setting_for_all_counts, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(so_does_that_for_each_size, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
