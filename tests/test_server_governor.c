/* SPDX-License-Identifier: BSD-3-Clause */
/* What the governor makes of a budget, and of what is resident. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/governor.h"
#include "server/pool.h"
#include "tests/governor_world.h"

/* ----------------------------------------------------------------- limits */

static void the_budget_is_shared_out(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    world_run(world, TICK_MS);
    struct governor_state now = world_state(world);
    assert_int_equal(now.budget_bytes, 100 * MIB);
    assert_int_equal(now.base_bytes, BASE);
    assert_int_equal(now.pool_bytes, 5 * MIB);
    assert_int_equal(pool_limit(world->pool), 5 * MIB);
    assert_int_equal(now.slab_limit_bytes + now.base_bytes + now.pool_bytes +
                         now.reserve_bytes,
                     now.budget_bytes);
    assert_true(now.reserve_bytes >= MIB);
    assert_true(world_stats(world).limit_bytes <= now.slab_limit_bytes);
    assert_true(world_stats(world).limit_bytes + CACHE_SLAB >
                now.slab_limit_bytes);
}

static void the_clients_share_may_be_bytes(void **state)
{
    struct world *world = *state;
    governor_set_clients_share(world->governor, 3 * MIB);
    governor_set_budget(world->governor, 100 * MIB);
    world_run(world, TICK_MS);
    assert_int_equal(world_state(world).pool_bytes, 3 * MIB);
    /* Never more than half of the budget. */
    governor_set_clients_share(world->governor, 300 * MIB);
    world_run(world, TICK_MS);
    assert_int_equal(world_state(world).pool_bytes, 50 * MIB);
}

static void a_budget_below_the_floor_is_taken_and_warned_of(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 64 * MIB);
    world_run(world, TICK_MS);
    uint64_t floor = world_state(world).floor_bytes;
    governor_set_budget(world->governor, floor);
    world_run(world, TICK_MS);
    assert_false(world_logged(world, "is above the budget"));
    assert_int_equal(world_state(world).floor_above_budget, 0);

    governor_set_budget(world->governor, floor - 65536);
    world_run(world, 10000);
    assert_int_equal(world_logged(world, "is above the budget"), 1);
    assert_int_equal(world_state(world).budget_bytes, floor - 65536);
    assert_int_equal(world_state(world).floor_above_budget, 1);
}

/* A base that wavers about the budget must not fill the log. */
static void the_floor_is_told_once(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 64 * MIB);
    world_run(world, TICK_MS);
    governor_set_budget(world->governor, world_state(world).floor_bytes);
    world_run(world, TICK_MS);
    for (int i = 0; i < 20; i++) {
        world->base = BASE + MIB;
        world_run(world, 4000);
        assert_int_equal(world_state(world).floor_above_budget, 1);
        world->base = BASE;
        world_run(world, 20000);
    }
    assert_int_equal(world_logged(world, "is above the budget"), 1);
}

static void a_budget_of_a_byte_empties_the_cache(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    world_run(world, TICK_MS);
    world_fill(world, 60 * MIB);

    governor_set_budget(world->governor, 1);
    world_run(world, TICK_MS);
    assert_int_equal(world_state(world).slab_limit_bytes, 0);
    world_work(world);
    world_run(world, TICK_MS);
    assert_int_equal(world_stats(world).entries, 0);
    assert_int_equal(world_stats(world).resident_bytes, 0);
    assert_int_equal(world_resident(world), BASE);
    assert_int_equal(world_state(world).floor_above_budget, 1);
    /* Somebody can still connect and set it right. */
    assert_true(pool_admits(world->pool, 100));
    cache_check(world->cache);

    governor_set_budget(world->governor, 100 * MIB);
    world_run(world, TICK_MS);
    assert_int_equal(world_state(world).floor_above_budget, 0);
    world_fill(world, 60 * MIB);
    assert_true(world_stats(world).live_bytes >= (uint64_t)60 * MIB);
    cache_check(world->cache);
}

/* With a budget of the floor there is room for some slabs, with less there is
 * not. */
static void the_floor_counts_what_clients_have(void **state)
{
    static const int64_t shares[] = {-1,      -5,      -50,      -90,
                                     1 * MIB, 3 * MIB, 40 * MIB, 5000 * MIB};
    enum { LEAST = 2 << 20 };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        governor_set_clients_share(world->governor, shares[i]);
        governor_set_budget(world->governor, 100 * MIB);
        world_run(world, TICK_MS);
        uint64_t floor = world_state(world).floor_bytes;
        governor_set_budget(world->governor, (int64_t)floor);
        world_run(world, TICK_MS);
        assert_in_range(world_state(world).slab_limit_bytes, LEAST,
                        LEAST + 4096);
        governor_set_budget(world->governor, (int64_t)floor - 65536);
        world_run(world, TICK_MS);
        assert_true(world_state(world).slab_limit_bytes < LEAST);
    }
}

/* --------------------------------------------------------------- the base */

static void what_exceeds_the_budget_is_base_at_once(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    world_run(world, TICK_MS);
    uint64_t limit = world_state(world).slab_limit_bytes;
    /* As much as the clients may have: nothing changes. */
    world->clients = 5 * MIB;
    world_run(world, TICK_MS);
    assert_int_equal(world_state(world).slab_limit_bytes, limit);
    /* A little more is what a part of the reserve is for. */
    uint64_t slack = world_state(world).reserve_bytes / 4;
    world->clients = 5 * MIB + slack;
    world_run(world, TICK_MS);
    assert_int_equal(world_state(world).slab_limit_bytes, limit);
    world->clients = 6 * MIB + slack;
    world_run(world, TICK_MS);
    assert_int_equal(world_state(world).slab_limit_bytes, limit - MIB);
}

static void what_clients_leave_for_a_while_costs_no_entry(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    world_run(world, TICK_MS);
    uint64_t limit = world_state(world).slab_limit_bytes;
    /* Buffers that were freed and are still resident for a second, again and
     * again. */
    for (int i = 0; i < 10; i++) {
        world->clients = 4 * MIB;
        world_run(world, 1000);
        world->clients = 0;
        world_run(world, 1000);
        assert_int_equal(world_state(world).slab_limit_bytes, limit);
    }
    /* In use: explained. */
    world->clients = 4 * MIB;
    assert_int_equal(pool_take(world->pool, 4 * MIB), 4 * MIB);
    world_run(world, 60000);
    assert_int_equal(world_state(world).slab_limit_bytes, limit);
    pool_give(world->pool, 4 * MIB);
}

static void what_stays_is_base(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    world_run(world, TICK_MS);
    world->base = BASE + 3 * MIB;
    world_run(world, 10000);
    assert_int_equal(world_state(world).base_bytes, BASE + 3 * MIB);
}

static void the_base_falls_slowly_and_rests(void **state)
{
    struct world *world = *state;
    world->base = BASE + 10 * MIB;
    governor_set_budget(world->governor, 100 * MIB);
    world_run(world, 10000);
    assert_int_equal(world_state(world).base_bytes, BASE + 10 * MIB);

    world->base = BASE;
    world_run(world, 100);
    assert_true(world_state(world).base_bytes > BASE + 9 * MIB);
    world_run(world, 30000);
    uint64_t base = world_state(world).base_bytes;
    assert_true(base >= BASE);
    assert_true(base <= BASE + world_state(world).reserve_bytes / 4);
    /* At rest it does not move at all. */
    world_run(world, 30000);
    assert_int_equal(world_state(world).base_bytes, base);
}

static void without_a_reading_the_books_are_believed(void **state)
{
    struct world *world = *state;
    world->blind = true;
    governor_set_budget(world->governor, 100 * MIB);
    world_run(world, 1000);
    uint64_t limit = world_state(world).slab_limit_bytes;
    world_fill(world, 20 * MIB);
    world_run(world, 10000);
    assert_int_equal(world_state(world).slab_limit_bytes, limit);
    assert_int_equal(world_state(world).resident_bytes,
                     world_state(world).base_bytes +
                         world_stats(world).resident_bytes);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_budget_is_shared_out),
        TEST(the_clients_share_may_be_bytes),
        TEST(a_budget_below_the_floor_is_taken_and_warned_of),
        TEST(the_floor_is_told_once),
        TEST(a_budget_of_a_byte_empties_the_cache),
        TEST(the_floor_counts_what_clients_have),
        TEST(what_exceeds_the_budget_is_base_at_once),
        TEST(what_clients_leave_for_a_while_costs_no_entry),
        TEST(what_stays_is_base),
        TEST(the_base_falls_slowly_and_rests),
        TEST(without_a_reading_the_books_are_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
