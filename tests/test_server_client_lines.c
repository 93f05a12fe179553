/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines by ids: sorted in steps, found, and paid for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/client_lines.h"
#include "server/pool.h"
#include "tests/rng.h"

enum { MOST = 3000, POOL = 8 << 20, LINE = 400 };

struct world {
    struct rng rng;
    struct pool *pool;
    struct client_lines lines;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    world->rng.state = test_seed();
    world->pool = pool_new(POOL);
    client_lines_init(&world->lines, world->pool);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    client_lines_release(&world->lines);
    assert_int_equal(pool_used(world->pool), 0);
    pool_free(world->pool);
    free(world);
    return 0;
}

/* Of any length that its id tells. */
static size_t line_of(uint64_t id, char line[LINE])
{
    size_t len = 20 + id % (LINE - 20);
    memset(line, 'a' + (int)(id % 26), len);
    memcpy(line, &id, sizeof id);
    return len;
}

static bool add(struct world *world, uint64_t id)
{
    char line[LINE];
    size_t len = line_of(id, line);
    return client_lines_add(&world->lines, id, line, len);
}

static void assert_line(const struct client_line *found, uint64_t id)
{
    char line[LINE];
    assert_non_null(found);
    assert_int_equal(found->id, id);
    assert_int_equal(found->len, line_of(id, line));
    assert_memory_equal(found->text, line, found->len);
}

/* The even numbers from 2 on: in order, the other way round, or in any. */
static void gather(struct world *world, size_t count, unsigned order)
{
    uint64_t ids[MOST];
    for (size_t i = 0; i < count; i++)
        ids[i] = 2 * (order == 1 ? count - i : i + 1);
    for (size_t i = count; order == 2 && i > 1; i--) {
        size_t other = rng_below(&world->rng, i);
        uint64_t id = ids[other];
        ids[other] = ids[i - 1];
        ids[i - 1] = id;
    }
    for (size_t i = 0; i < count; i++)
        assert_true(add(world, ids[i]));
}

static void they_are_sorted_in_any_steps(void **state)
{
    static const size_t counts[] = {0, 1, 2, 3, 64, 65, MOST};
    struct world *world = *state;
    struct client_lines *lines = &world->lines;
    for (unsigned i = 0; i < 3 * sizeof counts / sizeof *counts; i++) {
        size_t count = counts[i / 3], most = 1 + rng_below(&world->rng, 2000);
        size_t steps = 0, taken = 0;
        gather(world, count, i % 3);
        while (steps == 0) {
            steps = most;
            client_lines_sort(lines, &steps);
            taken += most - steps;
        }
        assert_int_equal(taken, count ? count - 1 : 0);
        for (size_t k = 0; k < count; k++)
            assert_line(&lines->lines[k], 2 * (k + 1));
        for (uint64_t id = 0; id <= 2 * count + 2; id++)
            if (id % 2 == 0 && id > 0 && id <= 2 * count)
                assert_line(client_lines_find(lines, id), id);
            else
                assert_null(client_lines_find(lines, id));
        client_lines_release(lines);
        assert_int_equal(pool_used(world->pool), 0);
    }
}

/* A line of any length is kept, and none that the pool has no room for. */
static void they_are_within_the_pool(void **state)
{
    struct world *world = *state;
    static char longest[POOL / 4];
    size_t bytes = sizeof longest;
    assert_true(client_lines_add(&world->lines, 1, longest, sizeof longest));
    assert_false(client_lines_add(&world->lines, 2, longest, POOL));
    for (uint64_t id = 3; add(world, id); id++)
        bytes += 20 + id % (LINE - 20);
    assert_in_range(bytes, POOL / 2, POOL);
    assert_true(pool_used(world->pool) >= bytes);
    assert_true(pool_used(world->pool) <= POOL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(they_are_sorted_in_any_steps),
        TEST(they_are_within_the_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
