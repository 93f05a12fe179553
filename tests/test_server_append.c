/* SPDX-License-Identifier: BSD-3-Clause */
/* APPEND to a long value: a slice a turn, whatever happens in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server/call.h"
#include "server/worker.h"
#include "tests/cache_kit.h"

enum {
    OLD = 1 << 20,
    ADDED = 1 << 19,
    SLICE = 256 * 1024,
    LEAST = 32 * 1024, /* of a slice */
    LIMIT = 64 << 20,
};

struct world {
    struct server *server;
    struct worker *worker;
    struct session session;
    struct buf out;
    char *bytes; /* OLD + ADDED of them */
    struct arg argv[3];
    struct call call;
};

static struct world *world_new(void)
{
    struct cache_options options = {.shards = 4, .address_bytes = 256 << 20};
    struct world *world = calloc(1, sizeof *world);
    world->server = calloc(1, sizeof *world->server);
    world->worker =
        aligned_alloc(_Alignof(struct worker), sizeof *world->worker);
    memset(world->worker, 0, sizeof *world->worker);
    world->worker->server = world->server;
    world->server->cache = cache_new(&options);
    assert_non_null(world->server->cache);
    cache_set_limit(world->server->cache, LIMIT);
    cache_set_policy(world->server->cache, CACHE_ALLKEYS_LRU);
    atomic_store(&world->server->limits.bulk_bytes, LIMIT);
    world->bytes = malloc(OLD + ADDED);
    for (size_t i = 0; i < OLD + ADDED; i++)
        world->bytes[i] = (char)(i * 31 + i / 251);
    world->argv[0] = (struct arg){"append", 6};
    world->argv[1] = (struct arg){"key", 3};
    world->argv[2] = (struct arg){world->bytes + OLD, ADDED};
    world->call = (struct call){.server = world->server,
                                .worker = world->worker,
                                .session = &world->session,
                                .argv = world->argv,
                                .argc = 3,
                                .now_ms = 1000,
                                .reply = {&world->out, 2},
                                .command = command_find("append", 6)};
    return world;
}

static void world_free(struct world *world)
{
    cache_check(world->server->cache);
    cache_free(world->server->cache);
    buf_release(&world->out);
    free(world->server);
    free(world->worker);
    free(world->bytes);
    free(world);
}

static void set(struct world *world, const char *bytes, size_t len)
{
    struct call *call = &world->call;
    struct cache_key key = cache_key_of(world->server->cache, "key", 3);
    struct cache_write write = {.blob = call_blob_of(call, bytes, len)};
    assert_non_null(write.blob);
    assert_true(kit_store(world->server->cache, 0, &key, 1000, &write));
}

static void assert_value(struct world *world, const char *bytes, size_t len)
{
    struct cache_key key = cache_key_of(world->server->cache, "key", 3);
    struct cache_tx tx;
    struct cache_view view;
    char *copy = malloc(len);
    cache_begin(&tx, world->server->cache, 1000, &key, 1);
    assert_true(cache_find(&tx, 0, &key, 0, &view));
    assert_int_equal(view.len, len);
    cache_view_copy(&view, 0, copy, len);
    cache_end(&tx);
    cache_tx_close(&tx);
    assert_memory_equal(copy, bytes, len);
    free(copy);
}

static void end(struct world *world)
{
    if (world->call.state)
        world->call.state_free(world->call.state);
    world->call.state = NULL;
}

/* Runs it to its end; returns how many turns it took. */
static unsigned run(struct world *world)
{
    unsigned turns = 1;
    enum command_result result;
    while ((result = cmd_append(&world->call)) == COMMAND_AGAIN)
        turns++;
    assert_int_equal(result, COMMAND_DONE);
    end(world);
    return turns;
}

static void no_turn_copies_more_than_a_slice(void **state)
{
    (void)state;
    struct world *world = world_new();
    set(world, world->bytes, OLD);
    assert_in_range(run(world), (OLD + ADDED) / SLICE,
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
    world->server->ticks.scale = UINT64_MAX; /* whatever is done takes long */
    assert_in_range(run(world), (OLD + ADDED) / SLICE * 3,
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
            assert_int_equal(cmd_append(&world->call), COMMAND_AGAIN);
        set(world, world->bytes, OLD);
        run(world);
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
    cache_stats(world->server->cache, 1000, &before);
    set(world, world->bytes, OLD);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(cmd_append(&world->call), COMMAND_AGAIN);
    set(world, "short", 5);
    run(world);
    cache_stats(world->server->cache, 1000, &after);
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
    cache_stats(world->server->cache, 1000, &before);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(cmd_append(&world->call), COMMAND_AGAIN);
    cache_stats(world->server->cache, 1000, &after);
    assert_true(after.live_bytes > before.live_bytes);
    assert_in_range(world->call.owned_bytes, OLD - CACHE_INLINE_MAX + 3 * SLICE,
                    OLD + 3 * SLICE);
    end(world);
    assert_int_equal(world->call.owned_bytes, 0);
    cache_stats(world->server->cache, 1000, &after);
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
