/* SPDX-License-Identifier: BSD-3-Clause */
/* The governor in a made-up world: its clock and resident size are ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache/cache.h"
#include "server/governor.h"
#include "server/log.h"
#include "server/platform.h"
#include "server/pool.h"
#include "tests/cache_kit.h"

#define MIB (1024 * 1024LL)

enum { TICK_MS = 10, BASE = 5 << 20 };

struct world {
    struct platform platform;
    struct cache *cache;
    struct pool *pool;
    struct log *log;
    struct governor *governor;
    char log_path[32];
    int64_t now_ms;
    size_t base, clients; /* resident beside the slabs */
    bool blind;           /* the resident size cannot be read */
};

static int64_t wall_ms(void *ctx)
{
    return ((struct world *)ctx)->now_ms;
}

static int64_t monotonic_us(void *ctx)
{
    return ((struct world *)ctx)->now_ms * 1000;
}

static struct cache_stats stats_of(struct world *world)
{
    struct cache_stats stats;
    cache_stats(world->cache, world->now_ms, &stats);
    return stats;
}

static size_t resident(void *ctx)
{
    struct world *world = ctx;
    if (world->blind)
        return 0;
    return world->base + world->clients +
           (size_t)stats_of(world).resident_bytes;
}

static int set_up(void **state)
{
    static const struct cache_options options = {.shards = 4};
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->platform = (struct platform){.ctx = world,
                                        .wall_ms = wall_ms,
                                        .monotonic_us = monotonic_us,
                                        .resident = resident};
    world->now_ms = 1000000;
    world->base = BASE;
    strcpy(world->log_path, "/tmp/ebb-governor-XXXXXX");
    close(mkstemp(world->log_path));
    world->log = log_new(world->log_path, LOG_NOTICE);
    world->cache = cache_new(&options);
    world->pool = pool_new(0);
    world->governor = governor_new(world->cache, world->pool, &world->platform,
                                   world->log, 4);
    assert_non_null(world->governor);
    governor_set_clients_share(world->governor, -5);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    governor_free(world->governor);
    pool_free(world->pool);
    cache_free(world->cache);
    log_free(world->log);
    unlink(world->log_path);
    free(world);
    return 0;
}

static struct governor_state look(struct world *world)
{
    struct governor_state state;
    governor_state(world->governor, &state);
    return state;
}

static void run(struct world *world, int64_t ms)
{
    for (int64_t i = 0; i < ms; i += TICK_MS) {
        governor_tick(world->governor, world->now_ms);
        world->now_ms += TICK_MS;
    }
}

/* Stores entries until the cache holds about this many bytes of slabs. */
static void fill(struct world *world, uint64_t bytes)
{
    static char value[1000];
    char name[24];
    for (int i = 0; stats_of(world).live_bytes < bytes; i++) {
        struct cache_key key =
            cache_key_of(world->cache, name, (size_t)sprintf(name, "key%d", i));
        struct cache_write write = {.value = value, .len = sizeof value};
        assert_true(kit_store(world->cache, 0, &key, world->now_ms, &write));
    }
}

/* How often the text is in the log. */
static int logged(const struct world *world, const char *text)
{
    static char all[8192];
    FILE *file = fopen(world->log_path, "r");
    int count = 0;
    assert_non_null(file);
    all[fread(all, 1, sizeof all - 1, file)] = '\0';
    fclose(file);
    for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

/* All that is to be done; the clock stands still within a slice, so that each
 * does all it can. */
static void work(struct world *world)
{
    while (governor_slice(world->governor, world->now_ms, 200))
        world->now_ms++;
}

/* ----------------------------------------------------------------- limits */

static void the_budget_is_shared_out(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    run(world, TICK_MS);
    struct governor_state now = look(world);
    assert_int_equal(now.budget_bytes, 100 * MIB);
    assert_int_equal(now.base_bytes, BASE);
    assert_int_equal(now.pool_bytes, 5 * MIB);
    assert_int_equal(pool_limit(world->pool), 5 * MIB);
    assert_int_equal(now.slab_limit_bytes + now.base_bytes + now.pool_bytes +
                         now.reserve_bytes,
                     now.budget_bytes);
    assert_true(now.reserve_bytes >= MIB);
    assert_true(stats_of(world).limit_bytes <= now.slab_limit_bytes);
    assert_true(stats_of(world).limit_bytes + CACHE_SLAB >
                now.slab_limit_bytes);
}

static void the_clients_share_may_be_bytes(void **state)
{
    struct world *world = *state;
    governor_set_clients_share(world->governor, 3 * MIB);
    governor_set_budget(world->governor, 100 * MIB);
    run(world, TICK_MS);
    assert_int_equal(look(world).pool_bytes, 3 * MIB);
    /* Never more than half of the budget. */
    governor_set_clients_share(world->governor, 300 * MIB);
    run(world, TICK_MS);
    assert_int_equal(look(world).pool_bytes, 50 * MIB);
}

static void a_budget_below_the_floor_is_taken_and_warned_of(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 64 * MIB);
    run(world, TICK_MS);
    uint64_t floor = look(world).floor_bytes;
    governor_set_budget(world->governor, floor);
    run(world, TICK_MS);
    assert_false(logged(world, "is above the budget"));
    assert_int_equal(look(world).floor_above_budget, 0);

    governor_set_budget(world->governor, floor - 65536);
    run(world, 10000);
    assert_int_equal(logged(world, "is above the budget"), 1);
    assert_int_equal(look(world).budget_bytes, floor - 65536);
    assert_int_equal(look(world).floor_above_budget, 1);
}

/* A base that wavers about the budget must not fill the log. */
static void the_floor_is_told_once(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 64 * MIB);
    run(world, TICK_MS);
    governor_set_budget(world->governor, look(world).floor_bytes);
    run(world, TICK_MS);
    for (int i = 0; i < 20; i++) {
        world->base = BASE + MIB;
        run(world, 4000);
        assert_int_equal(look(world).floor_above_budget, 1);
        world->base = BASE;
        run(world, 20000);
    }
    assert_int_equal(logged(world, "is above the budget"), 1);
}

static void a_budget_of_a_byte_empties_the_cache(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    run(world, TICK_MS);
    fill(world, 60 * MIB);

    governor_set_budget(world->governor, 1);
    run(world, TICK_MS);
    assert_int_equal(look(world).slab_limit_bytes, 0);
    work(world);
    run(world, TICK_MS);
    assert_int_equal(stats_of(world).entries, 0);
    assert_int_equal(stats_of(world).resident_bytes, 0);
    assert_int_equal(resident(world), BASE);
    assert_int_equal(look(world).floor_above_budget, 1);
    /* Somebody can still connect and set it right. */
    assert_true(pool_admits(world->pool, 100));
    cache_check(world->cache);

    governor_set_budget(world->governor, 100 * MIB);
    run(world, TICK_MS);
    assert_int_equal(look(world).floor_above_budget, 0);
    fill(world, 60 * MIB);
    assert_true(stats_of(world).live_bytes >= (uint64_t)60 * MIB);
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
        run(world, TICK_MS);
        uint64_t floor = look(world).floor_bytes;
        governor_set_budget(world->governor, (int64_t)floor);
        run(world, TICK_MS);
        assert_in_range(look(world).slab_limit_bytes, LEAST, LEAST + 4096);
        governor_set_budget(world->governor, (int64_t)floor - 65536);
        run(world, TICK_MS);
        assert_true(look(world).slab_limit_bytes < LEAST);
    }
}

/* --------------------------------------------------------------- the base */

static void what_exceeds_the_budget_is_base_at_once(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    run(world, TICK_MS);
    uint64_t limit = look(world).slab_limit_bytes;
    /* As much as the clients may have: nothing changes. */
    world->clients = 5 * MIB;
    run(world, TICK_MS);
    assert_int_equal(look(world).slab_limit_bytes, limit);
    /* A little more is what a part of the reserve is for. */
    uint64_t slack = look(world).reserve_bytes / 4;
    world->clients = 5 * MIB + slack;
    run(world, TICK_MS);
    assert_int_equal(look(world).slab_limit_bytes, limit);
    world->clients = 6 * MIB + slack;
    run(world, TICK_MS);
    assert_int_equal(look(world).slab_limit_bytes, limit - MIB);
}

static void what_clients_leave_for_a_while_costs_no_entry(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    run(world, TICK_MS);
    uint64_t limit = look(world).slab_limit_bytes;
    /* Buffers that were freed and are still resident for a second, again and
     * again. */
    for (int i = 0; i < 10; i++) {
        world->clients = 4 * MIB;
        run(world, 1000);
        world->clients = 0;
        run(world, 1000);
        assert_int_equal(look(world).slab_limit_bytes, limit);
    }
    /* In use: explained. */
    world->clients = 4 * MIB;
    assert_int_equal(pool_take(world->pool, 4 * MIB), 4 * MIB);
    run(world, 60000);
    assert_int_equal(look(world).slab_limit_bytes, limit);
    pool_give(world->pool, 4 * MIB);
}

static void what_stays_is_base(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    run(world, TICK_MS);
    world->base = BASE + 3 * MIB;
    run(world, 10000);
    assert_int_equal(look(world).base_bytes, BASE + 3 * MIB);
}

static void the_base_falls_slowly_and_rests(void **state)
{
    struct world *world = *state;
    world->base = BASE + 10 * MIB;
    governor_set_budget(world->governor, 100 * MIB);
    run(world, 10000);
    assert_int_equal(look(world).base_bytes, BASE + 10 * MIB);

    world->base = BASE;
    run(world, 100);
    assert_true(look(world).base_bytes > BASE + 9 * MIB);
    run(world, 30000);
    uint64_t base = look(world).base_bytes;
    assert_true(base >= BASE);
    assert_true(base <= BASE + look(world).reserve_bytes / 4);
    /* At rest it does not move at all. */
    run(world, 30000);
    assert_int_equal(look(world).base_bytes, base);
}

static void without_a_reading_the_books_are_believed(void **state)
{
    struct world *world = *state;
    world->blind = true;
    governor_set_budget(world->governor, 100 * MIB);
    run(world, 1000);
    uint64_t limit = look(world).slab_limit_bytes;
    fill(world, 20 * MIB);
    run(world, 10000);
    assert_int_equal(look(world).slab_limit_bytes, limit);
    assert_int_equal(look(world).resident_bytes,
                     look(world).base_bytes + stats_of(world).resident_bytes);
}

/* -------------------------------------------------------------- rebuilding */

static void a_lower_budget_is_reached_in_slices(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    run(world, TICK_MS);
    fill(world, 80 * MIB);
    assert_true(resident(world) > 85 * MIB);

    governor_set_budget(world->governor, 32 * MIB);
    run(world, TICK_MS);
    assert_true(look(world).rebuilding);
    assert_int_equal(look(world).rebuilds, 1);
    assert_int_equal(look(world).rebuild_from_bytes, 100 * MIB);
    assert_int_equal(look(world).rebuild_to_bytes, 32 * MIB);
    assert_true(stats_of(world).limit_bytes < 32 * MIB);
    assert_true(logged(world, "is lowered"));

    work(world);
    run(world, TICK_MS);
    assert_false(look(world).rebuilding);
    assert_true(resident(world) <= 32 * MIB);
    assert_true(logged(world, "is kept"));
    cache_check(world->cache);
}

static void a_raised_budget_is_no_rebuild(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 32 * MIB);
    run(world, TICK_MS);
    uint64_t limit = look(world).slab_limit_bytes;
    governor_set_budget(world->governor, 64 * MIB);
    run(world, TICK_MS);
    assert_false(look(world).rebuilding);
    assert_int_equal(look(world).rebuilds, 0);
    assert_true(look(world).slab_limit_bytes > limit + 30 * MIB);
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
    run(world, 2 * TICK_MS);
    assert_true(progress(world).done);
    fill(world, 80 * MIB);
    run(world, TICK_MS);
    assert_true(progress(world).done);
    assert_int_equal(progress(world).remaining_bytes, 0);

    governor_set_budget(world->governor, 32 * MIB);
    assert_false(progress(world).done);
    run(world, 10 * TICK_MS);
    assert_false(progress(world).done);
    assert_int_equal(progress(world).budget_bytes, 32 * MIB);
    assert_int_equal(progress(world).resident_bytes, resident(world));
    assert_int_equal(progress(world).remaining_bytes,
                     resident(world) - 32 * MIB);
    assert_int_equal(progress(world).floor_bytes, look(world).floor_bytes);
    work(world);
    run(world, TICK_MS);
    assert_true(progress(world).done);
    assert_int_equal(progress(world).remaining_bytes, 0);
}

/* Being below it by chance is not enough: what was allowed before it is in
 * force may still be taken. */
static void a_budget_not_in_force_is_not_done(void **state)
{
    struct world *world = *state;
    governor_set_budget(world->governor, 100 * MIB);
    run(world, 2 * TICK_MS);
    fill(world, 20 * MIB);
    governor_set_budget(world->governor, 64 * MIB);
    assert_int_equal(progress(world).budget_bytes, 64 * MIB);
    assert_false(progress(world).done);
    run(world, TICK_MS);
    assert_false(progress(world).done);
    run(world, TICK_MS);
    assert_true(progress(world).done);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
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
        TEST(a_lower_budget_is_reached_in_slices),
        TEST(a_raised_budget_is_no_rebuild),
        TEST(a_budget_is_done_when_it_is_kept),
        TEST(a_budget_not_in_force_is_not_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
