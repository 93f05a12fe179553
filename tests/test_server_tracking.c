/* SPDX-License-Identifier: BSD-3-Clause */
/* Which clients have read which keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/pool.h"
#include "server/track_table.h"
#include "tests/rng.h"

enum { MANY = 20000, WORKERS = 3, POOL = 64 << 20 };

struct world {
    struct pool *pool;
    struct track_table *table;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    world->pool = pool_new(POOL);
    world->table = track_table_new(world->pool);
    track_set_max(world->table, UINT64_MAX);
    *state = world;
    return 0;
}

/* All memory has come back. */
static int teardown(void **state)
{
    struct world *world = *state;
    track_table_free(world->table);
    assert_int_equal(pool_used(world->pool), 0);
    pool_free(world->pool);
    free(world);
    return 0;
}

/* As good a hash as the cache's for keys that the test chose. */
static struct cache_key key_of(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *at = text; *at; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    hash = (hash ^ hash >> 29) * UINT64_C(0xBF58476D1CE4E5B9);
    return (struct cache_key){text, strlen(text), hash ^ hash >> 32};
}

static struct cache_key numbered(char text[32], unsigned number)
{
    snprintf(text, 32, "key:%u", number);
    return key_of(text);
}

static enum track_result add(struct world *world, const char *text,
                             unsigned worker, uint64_t client)
{
    struct cache_key key = key_of(text);
    return track_add(world->table, &key, 0, worker, client);
}

/* Releases them; the sum of the clients' ids. */
static uint64_t release(struct world *world, struct track_group *groups)
{
    uint64_t sum = 0;
    while (groups) {
        struct track_group *next = groups->next;
        uint32_t at = 0;
        for (uint64_t id; (id = track_next_client(groups, &at)) != 0;)
            sum += id;
        track_release(world->table, groups);
        groups = next;
    }
    return sum;
}

static uint64_t take(struct world *world, const char *text)
{
    struct cache_key key = key_of(text);
    return release(world, track_take(world->table, &key));
}

static void check_counts(struct world *world, uint64_t keys, uint64_t readers)
{
    struct track_counts counts;
    track_count(world->table, &counts);
    assert_int_equal(counts.keys, keys);
    assert_int_equal(counts.readers, readers);
}

/* ---------------------------------------------------------------- the table */

static void readers_are_told_once(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(add(world, "a", 0, 1), TRACK_ADDED);
        assert_int_equal(add(world, "a", 1, 10), TRACK_ADDED);
        assert_int_equal(add(world, "a", 0, 100), TRACK_ADDED);
        assert_int_equal(add(world, "b", 2, 1000), TRACK_ADDED);
    }
    check_counts(world, 2, 4);
    assert_int_equal(take(world, "a"), 111);
    assert_int_equal(take(world, "a"), 0);
    assert_int_equal(take(world, "c"), 0);
    check_counts(world, 1, 1);
    assert_int_equal(take(world, "b"), 1000);
    check_counts(world, 0, 0);
    assert_int_equal(track_pending(world->table), 0);
}

static void a_group_is_of_one_worker(void **state)
{
    struct world *world = *state;
    struct cache_key key = key_of("k");
    unsigned seen = 0;
    for (uint64_t client = 1; client <= 60; client++)
        add(world, "k", client % WORKERS, client);
    struct track_group *groups = track_take(world->table, &key);
    for (struct track_group *group = groups; group; group = group->next) {
        uint32_t at = 0;
        uint64_t id, count = 0;
        for (; (id = track_next_client(group, &at)) != 0; count++)
            assert_int_equal(id % WORKERS, group->worker);
        assert_int_equal(count, 20);
        seen |= 1u << group->worker;
    }
    assert_int_equal(seen, 7);
    assert_true(track_pending(world->table) > 0);
    assert_int_equal(release(world, groups), 60 * 61 / 2);
    assert_int_equal(track_pending(world->table), 0);
}

static void a_client_can_be_forgotten(void **state)
{
    struct world *world = *state;
    struct cache_key key = key_of("k");
    add(world, "k", 0, 1);
    struct track_group *group = track_take(world->table, &key);
    assert_true(track_forget(group, 7));
    assert_false(track_forget(group, 1));
    assert_int_equal(release(world, group), 0);
    for (uint64_t client = 1; client <= 10; client++)
        add(world, "k", 0, client);
    group = track_take(world->table, &key);
    assert_true(track_forget(group, 4));
    assert_int_equal(release(world, group), 51);
}

/* Against a plain array, while the table grows and contracts. */
static void it_finds_what_was_put_in(void **state)
{
    struct world *world = *state;
    uint64_t *sums = calloc(MANY, sizeof *sums), keys = 0;
    struct rng rng = {1};
    char text[32];
    for (int i = 0; i < 20 * MANY; i++) {
        /* Mostly more, then mostly fewer. */
        bool more = rng_below(&rng, 100) < (i < 8 * MANY ? 80u : 25u);
        unsigned number = (unsigned)rng_below(&rng, MANY);
        struct cache_key key = numbered(text, number);
        if (more) {
            /* A bit of the sum for each of its clients. */
            uint64_t client = UINT64_C(1) << rng_below(&rng, 20);
            assert_int_equal(track_add(world->table, &key, 0,
                                       (unsigned)(client % WORKERS), client),
                             TRACK_ADDED);
            keys += sums[number] == 0;
            sums[number] |= client;
        } else {
            assert_int_equal(release(world, track_take(world->table, &key)),
                             sums[number]);
            keys -= sums[number] != 0;
            sums[number] = 0;
        }
    }
    uint64_t readers = 0;
    for (unsigned i = 0; i < MANY; i++)
        readers += (uint64_t)__builtin_popcountll(sums[i]);
    check_counts(world, keys, readers);
    for (unsigned i = 0; i < MANY; i++) {
        struct cache_key key = numbered(text, i);
        assert_int_equal(release(world, track_take(world->table, &key)),
                         sums[i]);
    }
    check_counts(world, 0, 0);
    free(sums);
}

/* ---------------------------------------------------------------- its limits
 */

static void no_more_keys_than_may_be(void **state)
{
    struct world *world = *state;
    char text[32];
    track_set_max(world->table, 10);
    for (unsigned i = 0; i < 10; i++) {
        numbered(text, i);
        assert_int_equal(add(world, text, 0, 1), TRACK_ADDED);
    }
    assert_int_equal(add(world, "more", 0, 1), TRACK_FULL);
    assert_int_equal(add(world, "key:3", 0, 2), TRACK_ADDED);
    assert_false(track_is_over(world->table));
    struct track_group *some = track_take_any(world->table, 12345);
    assert_non_null(some);
    release(world, some);
    assert_int_equal(add(world, "more", 0, 1), TRACK_ADDED);
    assert_int_equal(take(world, "more"), 1);
    track_set_max(world->table, 5);
    assert_true(track_is_over(world->table));
    for (unsigned i = 0; track_is_over(world->table); i++)
        release(world, track_take_any(world->table, i * UINT64_C(7) << 29));
    struct track_counts counts;
    track_count(world->table, &counts);
    assert_int_equal(counts.keys, 5);
    while (counts.keys-- > 0)
        release(world, track_take_any(world->table, 0));
    assert_null(track_take_any(world->table, 0));
}

/* The pool says how many. */
static void no_more_memory_than_its_part(void **state)
{
    struct world *world = *state;
    size_t part = POOL / TRACK_POOL_PART;
    char text[32];
    unsigned i = 0;
    for (;; i++) {
        struct cache_key key = numbered(text, i);
        if (track_add(world->table, &key, 0, 0, 1) != TRACK_ADDED)
            break;
        assert_true(pool_used(world->pool) <= part);
    }
    assert_true(pool_used(world->pool) > part - 1000);
    assert_true(i > part / 200);
    assert_int_equal(
        track_add(world->table, &(struct cache_key){"x", 1, 5}, 0, 0, 1),
        TRACK_FULL);
    /* What was taken out is not in the table any more, though it is held. */
    struct cache_key first = numbered(text, 0);
    struct track_group *group = track_take(world->table, &first);
    assert_int_equal(track_add(world->table, &first, 0, 0, 2), TRACK_ADDED);
    release(world, group);
    pool_set_limit(world->pool, POOL / 2);
    assert_true(track_is_over(world->table));
    pool_set_limit(world->pool, POOL);
}

static void the_pool_may_have_no_room(void **state)
{
    struct world *world = *state;
    assert_int_equal(add(world, "a", 0, 1), TRACK_ADDED);
    size_t rest = pool_take(world->pool, SIZE_MAX);
    assert_int_equal(add(world, "b", 0, 1), TRACK_FULL);
    assert_int_equal(add(world, "a", 0, 2), TRACK_FULL);
    assert_int_equal(add(world, "a", 1, 2), TRACK_FULL);
    assert_false(track_pend(world->table, 1));
    pool_give(world->pool, rest);
    assert_int_equal(take(world, "a"), 1);
}

/* What workers have borrowed for replies, which after a lower limit can be all
 * there is, does not turn keys away. */
static void what_is_borrowed_is_no_use(void **state)
{
    struct world *world = *state;
    size_t borrowed = pool_borrow(world->pool, SIZE_MAX);
    assert_int_equal(borrowed, POOL);
    assert_int_equal(add(world, "key", 1, 1), TRACK_ADDED);
    pool_set_limit(world->pool, POOL / 2);
    assert_int_equal(add(world, "another", 1, 1), TRACK_ADDED);
    pool_repay(world->pool, borrowed);
}

static void a_key_has_so_many_readers(void **state)
{
    struct world *world = *state;
    for (uint64_t client = 1; client <= TRACK_READERS; client++)
        assert_int_equal(add(world, "k", 0, client), TRACK_ADDED);
    assert_int_equal(add(world, "k", 0, TRACK_READERS + 1), TRACK_CROWD);
    assert_int_equal(add(world, "k", 0, 1), TRACK_ADDED);
    assert_int_equal(add(world, "k", 1, TRACK_READERS + 1), TRACK_ADDED);
    assert_int_equal(take(world, "k"),
                     (uint64_t)(TRACK_READERS + 1) * (TRACK_READERS + 2) / 2);
}

/* -------------------------------------------------------------- as a whole */

static void fill(struct world *world, unsigned count)
{
    char text[32];
    for (unsigned i = 0; i < count; i++) {
        struct cache_key key = numbered(text, i);
        for (unsigned j = 0; j < 5; j++)
            track_add(world->table, &key, j, i % WORKERS, j + 1);
    }
}

static void it_is_emptied_at_once(void **state)
{
    struct world *world = *state;
    struct track_group *kept;
    fill(world, MANY);
    struct cache_key key = key_of("key:77");
    kept = track_take(world->table, &key);
    track_clear(world->table);
    check_counts(world, 0, 0);
    assert_null(track_take_any(world->table, 1));
    fill(world, 100);
    check_counts(world, 100, 500);
    int steps = 0;
    while (track_step(world->table))
        steps++;
    assert_true(steps > MANY / 300);
    check_counts(world, 100, 500);
    assert_int_equal(release(world, kept), 15);
    track_clear(world->table);
    while (track_step(world->table))
        ;
    assert_int_equal(pool_used(world->pool), 0);
}

static void a_walk_sees_all_that_stay(void **state)
{
    struct world *world = *state;
    unsigned char *seen = calloc(2 * MANY, 1);
    struct track_walk walk;
    char text[32];
    fill(world, MANY);
    track_walk_begin(world->table, &walk);
    for (unsigned n = 0; track_walk_next(world->table, &walk); n++) {
        assert_false(walk.crowded);
        for (unsigned i = 0; i < walk.count; i++) {
            struct track_key *key = walk.keys[i];
            snprintf(text, sizeof text, "%.*s", (int)key->len, key->bytes);
            assert_int_equal(key->dbs, 31);
            seen[atoi(text + 4)] = 1;
            track_let_go(world->table, key);
        }
        /* Meanwhile odd ones go and others come. */
        numbered(text, n % MANY | 1);
        take(world, text);
        numbered(text, MANY + n % MANY);
        struct cache_key key = key_of(text);
        track_add(world->table, &key, 0, 0, 1);
        track_add(world->table, &key, 1, 0, 1);
        track_add(world->table, &key, 2, 0, 1);
        track_add(world->table, &key, 3, 0, 1);
        track_add(world->table, &key, 4, 0, 1);
    }
    for (unsigned i = 0; i < MANY; i += 2)
        assert_true(seen[i]);
    free(seen);
}

/* Who holds a key can look at it though it was taken out and released. */
static void a_key_that_is_held_stays(void **state)
{
    struct world *world = *state;
    struct track_walk walk;
    add(world, "held", 0, 1);
    track_walk_begin(world->table, &walk);
    do
        assert_true(track_walk_next(world->table, &walk));
    while (walk.count == 0);
    assert_int_equal(take(world, "held"), 1);
    assert_memory_equal(walk.keys[0]->bytes, "held", 4);
    assert_true(track_pending(world->table) > 0);
    track_let_go(world->table, walk.keys[0]);
    assert_int_equal(track_pending(world->table), 0);
    while (track_walk_next(world->table, &walk))
        assert_int_equal(walk.count, 0);
}

/* All keys fall into one bucket. */
static void a_crowded_bucket_comes_in_pieces(void **state)
{
    struct world *world = *state;
    struct track_walk walk;
    char texts[100][32];
    struct cache_key keys[100];
    unsigned seen = 0;
    for (int i = 0; i < 100; i++) {
        keys[i] = numbered(texts[i], (unsigned)i);
        keys[i].hash = 1;
        track_add(world->table, &keys[i], 0, 0, 1);
    }
    track_walk_begin(world->table, &walk);
    while (track_walk_next(world->table, &walk)) {
        assert_int_equal(walk.crowded, walk.count > 0 && seen < 96);
        for (unsigned i = 0; i < walk.count; i++, seen++) {
            struct cache_key key = {walk.keys[i]->bytes, walk.keys[i]->len, 1};
            release(world, track_take(world->table, &key));
            track_let_go(world->table, walk.keys[i]);
        }
    }
    assert_int_equal(seen, 100);
}

int main(void)
{
#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WORLD(readers_are_told_once),
        WORLD(a_group_is_of_one_worker),
        WORLD(a_client_can_be_forgotten),
        WORLD(it_finds_what_was_put_in),
        WORLD(no_more_keys_than_may_be),
        WORLD(no_more_memory_than_its_part),
        WORLD(the_pool_may_have_no_room),
        WORLD(what_is_borrowed_is_no_use),
        WORLD(a_key_has_so_many_readers),
        WORLD(it_is_emptied_at_once),
        WORLD(a_walk_sees_all_that_stay),
        WORLD(a_key_that_is_held_stays),
        WORLD(a_crowded_bucket_comes_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
