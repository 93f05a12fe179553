/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking at a long value: a slice a turn, whatever happens in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "server/call_look.h"
#include "tests/server_kit.h"

enum { LEN = 1 << 20 };

struct world {
    struct server_kit kit;
    struct cache_key key;
    struct call call;
    char *bytes;
};

/* The bytes in the order they come. */
struct sum {
    uint64_t hash;
    size_t len;
};

static void see(const struct call *call, void *sum, size_t at,
                const char *bytes, size_t len)
{
    struct sum *s = sum;
    (void)call;
    assert_int_equal(at, s->len);
    for (size_t i = 0; i < len; i++)
        s->hash = s->hash * 31 + (unsigned char)bytes[i];
    s->len += len;
}

static uint64_t hash_of(const char *bytes, size_t len)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < len; i++)
        hash = hash * 31 + (unsigned char)bytes[i];
    return hash;
}

static struct world *world_new(void)
{
    struct world *world = calloc(1, sizeof *world);
    server_kit_init(&world->kit);
    world->bytes = malloc(LEN);
    for (size_t i = 0; i < LEN; i++)
        world->bytes[i] = (char)(i * 31 + i / 251);
    world->key = server_kit_key(&world->kit, "key");
    world->call = server_kit_call(&world->kit, NULL, 0, NULL);
    return world;
}

static void world_free(struct world *world)
{
    command_drop(&world->call);
    server_kit_release(&world->kit);
    free(world->bytes);
    free(world);
}

static void set(struct world *world, const char *bytes, size_t len)
{
    server_kit_set(&world->kit, world->key, bytes, len);
}

/* One run of a command that looks at `len` bytes from `from` on. */
static bool run(struct world *world, size_t from, size_t len, struct sum *sum)
{
    const struct call_look look = {from, len, see, sum, sizeof *sum};
    struct cache_tx tx;
    struct cache_view view;
    *sum = (struct sum){0};
    cache_begin(&tx, world->kit.server->cache, SERVER_KIT_NOW_MS, &world->key,
                1);
    assert_true(cache_find(&tx, 0, &world->key, 0, &view));
    bool seen = call_look(&world->call, &view, &look);
    cache_end(&tx);
    cache_tx_close(&tx);
    return seen;
}

static void all_of_it_is_seen_a_slice_a_turn(void **state)
{
    static const size_t ranges[][2] = {
        {0, LEN}, {1, LEN - 1}, {12345, 500000}, {LEN - 5, 5}, {70000, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        struct world *world = world_new();
        size_t from = ranges[i][0], len = ranges[i][1], turns = 0;
        struct sum sum;
        set(world, world->bytes, LEN);
        assert_false(run(world, from, len, &sum));
        assert_true(world->call.owned_bytes > LEN - CACHE_SLAB);
        while (!call_look_on(&world->call))
            turns++;
        assert_int_equal(turns + 1,
                         (len + CALL_LOOK_BYTES - 1) / CALL_LOOK_BYTES);
        assert_true(run(world, from, len, &sum));
        assert_int_equal(sum.len, len);
        assert_true(sum.hash == hash_of(world->bytes + from, len));
        world_free(world);
    }
}

static void a_value_that_changes_meanwhile_is_looked_at_anew(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 17; turns += 4) {
        struct world *world = world_new();
        struct sum sum;
        set(world, world->bytes, LEN - 3);
        assert_false(run(world, 0, LEN - 3, &sum));
        for (unsigned i = 0; i < turns; i++)
            call_look_on(&world->call);
        set(world, world->bytes, LEN);
        while (!call_look_on(&world->call))
            ;
        /* Whoever only reads may have what it was. */
        assert_true(call_looked(&world->call, &sum, sizeof sum));
        assert_int_equal(sum.len, LEN - 3);
        assert_false(run(world, 0, LEN, &sum));
        assert_true(call_look_on(&world->call));
        assert_false(run(world, 0, LEN, &sum));
        while (!call_look_on(&world->call))
            ;
        assert_true(run(world, 0, LEN, &sum));
        assert_true(sum.hash == hash_of(world->bytes, LEN));
        world_free(world);
    }
}

static void who_goes_leaves_nothing(void **state)
{
    struct world *world = world_new();
    struct cache_stats before, after;
    struct sum sum;
    (void)state;
    cache_stats(world->kit.server->cache, SERVER_KIT_NOW_MS, &before);
    set(world, world->bytes, LEN);
    assert_false(run(world, 0, LEN, &sum));
    call_look_on(&world->call);
    struct cache_tx tx;
    cache_begin(&tx, world->kit.server->cache, SERVER_KIT_NOW_MS, &world->key,
                1);
    assert_true(cache_remove(&tx, 0, &world->key));
    cache_end(&tx);
    cache_tx_close(&tx);
    cache_stats(world->kit.server->cache, SERVER_KIT_NOW_MS, &after);
    assert_true(after.live_bytes > before.live_bytes + LEN / 2);
    command_drop(&world->call);
    while (cache_step(world->kit.server->cache, 1000))
        ;
    cache_stats(world->kit.server->cache, SERVER_KIT_NOW_MS, &after);
    assert_true(after.live_bytes < before.live_bytes + LEN / 2);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_is_seen_a_slice_a_turn),
        cmocka_unit_test(a_value_that_changes_meanwhile_is_looked_at_anew),
        cmocka_unit_test(who_goes_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
