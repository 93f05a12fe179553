/* SPDX-License-Identifier: BSD-3-Clause */
/* APPEND to a long value: a slice a turn, whatever happens in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/server_kit.h"

enum {
    OLD = 1 << 20,
    ADDED = 1 << 19,
    SLICE = 256 * 1024,
    LEAST = 32 * 1024, /* of a slice */
};

struct world {
    struct server_kit kit;
    struct cache_key key;
    struct buf out;
    char *bytes; /* OLD + ADDED of them */
    struct arg argv[3];
    struct call call;
};

static struct world *world_new(void)
{
    struct world *world = calloc(1, sizeof *world);
    server_kit_init(&world->kit);
    world->key = server_kit_key(&world->kit, "key");
    cache_set_policy(world->kit.server->cache, CACHE_ALLKEYS_LRU);
    world->bytes = malloc(OLD + ADDED);
    for (size_t i = 0; i < OLD + ADDED; i++)
        world->bytes[i] = (char)(i * 31 + i / 251);
    world->argv[0] = (struct arg){"append", 6};
    world->argv[1] = (struct arg){"key", 3};
    world->argv[2] = (struct arg){world->bytes + OLD, ADDED};
    world->call = server_kit_call(&world->kit, world->argv, 3, &world->out);
    return world;
}

static void world_free(struct world *world)
{
    server_kit_release(&world->kit);
    buf_release(&world->out);
    free(world->bytes);
    free(world);
}

static void set(struct world *world, const char *bytes, size_t len)
{
    server_kit_set(&world->kit, world->key, bytes, len);
}

static void assert_value(struct world *world, const char *bytes, size_t len)
{
    size_t value_len;
    char *value = server_kit_value(&world->kit, world->key, &value_len);
    assert_int_equal(value_len, len);
    assert_memory_equal(value, bytes, len);
    free(value);
}

static void no_turn_copies_more_than_a_slice(void **state)
{
    (void)state;
    struct world *world = world_new();
    set(world, world->bytes, OLD);
    assert_in_range(server_kit_run(&world->call), (OLD + ADDED) / SLICE,
                    (OLD + ADDED) / SLICE + 2);
    assert_value(world, world->bytes, OLD + ADDED);
    assert_int_equal(buf_len(&world->out), strlen(":1572864\r\n"));
    assert_memory_equal(world->out.data + world->out.start, ":1572864\r\n", 10);
    world_free(world);
}

static void turns_are_shorter_that_take_long(void **state)
{
    (void)state;
    struct world *world = world_new();
    set(world, world->bytes, OLD);
    world->kit.server->ticks.scale =
        UINT64_MAX; /* whatever is done takes long */
    assert_in_range(server_kit_run(&world->call), (OLD + ADDED) / SLICE * 3,
                    (OLD + ADDED) / LEAST + 2);
    assert_value(world, world->bytes, OLD + ADDED);
    world_free(world);
}

static void a_value_that_changes_meanwhile_is_appended_to(void **state)
{
    (void)state;
    for (unsigned turns = 1; turns < (OLD + ADDED) / SLICE; turns++) {
        struct world *world = world_new();
        set(world, world->bytes + 5, OLD - 7);
        for (unsigned i = 0; i < turns; i++)
            assert_int_equal(world->call.command->run(&world->call),
                             COMMAND_AGAIN);
        set(world, world->bytes, OLD);
        server_kit_run(&world->call);
        assert_value(world, world->bytes, OLD + ADDED);
        world_free(world);
    }
}

/* What was made of the long one is of no use then. */
static void a_value_that_becomes_short_leaves_nothing(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct cache_stats before, after;
    world->argv[2].len = 3;
    set(world, "short", 5);
    cache_stats(world->kit.server->cache, SERVER_KIT_NOW_MS, &before);
    set(world, world->bytes, OLD);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(world->call.command->run(&world->call), COMMAND_AGAIN);
    set(world, "short", 5);
    server_kit_run(&world->call);
    cache_stats(world->kit.server->cache, SERVER_KIT_NOW_MS, &after);
    assert_in_range(after.live_bytes, before.live_bytes,
                    before.live_bytes + 64);
    world_free(world);
}

static void a_client_that_goes_leaves_nothing(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct cache_stats before, after;
    set(world, world->bytes, OLD);
    cache_stats(world->kit.server->cache, SERVER_KIT_NOW_MS, &before);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(world->call.command->run(&world->call), COMMAND_AGAIN);
    cache_stats(world->kit.server->cache, SERVER_KIT_NOW_MS, &after);
    assert_true(after.live_bytes > before.live_bytes);
    assert_in_range(world->call.owned_bytes, OLD - CACHE_INLINE_MAX + 3 * SLICE,
                    OLD + 3 * SLICE);
    command_drop(&world->call);
    assert_int_equal(world->call.owned_bytes, 0);
    cache_stats(world->kit.server->cache, SERVER_KIT_NOW_MS, &after);
    assert_int_equal(after.live_bytes, before.live_bytes);
    assert_value(world, world->bytes, OLD);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_turn_copies_more_than_a_slice),
        cmocka_unit_test(turns_are_shorter_that_take_long),
        cmocka_unit_test(a_value_that_changes_meanwhile_is_appended_to),
        cmocka_unit_test(a_value_that_becomes_short_leaves_nothing),
        cmocka_unit_test(a_client_that_goes_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
