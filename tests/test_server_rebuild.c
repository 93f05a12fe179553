/* SPDX-License-Identifier: BSD-3-Clause */
/* How the governor reaches another budget. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/governor.h"
#include "tests/governor_world.h"

static void a_lower_budget_is_reached_in_slices(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    world_run(world, TICK_MS);
    world_fill(world, 80 * MIB);
    assert_true(world_resident(world) > 85 * MIB);

    governor_set_budget(world->governor, 32 * MIB);
    world_run(world, TICK_MS);
    assert_true(world_state(world).rebuilding);
    assert_int_equal(world_state(world).rebuilds, 1);
    assert_int_equal(world_state(world).rebuild_from_bytes, 100 * MIB);
    assert_int_equal(world_state(world).rebuild_to_bytes, 32 * MIB);
    assert_true(world_stats(world).limit_bytes < 32 * MIB);
    assert_true(world_logged(world, "is lowered"));

    world_work(world);
    world_run(world, TICK_MS);
    assert_false(world_state(world).rebuilding);
    assert_true(world_resident(world) <= 32 * MIB);
    assert_true(world_logged(world, "is kept"));
    cache_check(world->cache);
}

static void a_raised_budget_is_no_rebuild(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 32 * MIB);
    world_run(world, TICK_MS);
    uint64_t limit = world_state(world).slab_limit_bytes;
    governor_set_budget(world->governor, 64 * MIB);
    world_run(world, TICK_MS);
    assert_false(world_state(world).rebuilding);
    assert_int_equal(world_state(world).rebuilds, 0);
    assert_true(world_state(world).slab_limit_bytes > limit + 30 * MIB);
}

static struct governor_progress progress(struct world *world)
{
    struct governor_progress now;
    governor_progress(world->governor, &now);
    return now;
}

static void a_budget_is_done_when_it_is_kept(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    assert_false(progress(world).done);
    world_run(world, 2 * TICK_MS);
    assert_true(progress(world).done);
    world_fill(world, 80 * MIB);
    world_run(world, TICK_MS);
    assert_true(progress(world).done);
    assert_int_equal(progress(world).remaining_bytes, 0);

    governor_set_budget(world->governor, 32 * MIB);
    assert_false(progress(world).done);
    world_run(world, 10 * TICK_MS);
    assert_false(progress(world).done);
    assert_int_equal(progress(world).budget_bytes, 32 * MIB);
    assert_int_equal(progress(world).resident_bytes, world_resident(world));
    assert_int_equal(progress(world).remaining_bytes,
                     world_resident(world) - 32 * MIB);
    assert_int_equal(progress(world).floor_bytes,
                     world_state(world).floor_bytes);
    world_work(world);
    world_run(world, TICK_MS);
    assert_true(progress(world).done);
    assert_int_equal(progress(world).remaining_bytes, 0);
}

/* Being below it by chance is not enough: what was allowed before it is in
 * force may still be taken. */
static void a_budget_not_in_force_is_not_done(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    world_run(world, 2 * TICK_MS);
    world_fill(world, 20 * MIB);
    governor_set_budget(world->governor, 64 * MIB);
    assert_int_equal(progress(world).budget_bytes, 64 * MIB);
    assert_false(progress(world).done);
    world_run(world, TICK_MS);
    assert_false(progress(world).done);
    world_run(world, TICK_MS);
    assert_true(progress(world).done);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_lower_budget_is_reached_in_slices),
        TEST(a_raised_budget_is_no_rebuild),
        TEST(a_budget_is_done_when_it_is_kept),
        TEST(a_budget_not_in_force_is_not_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
