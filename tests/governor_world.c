/* SPDX-License-Identifier: BSD-3-Clause */
/* The governor in a made-up world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/log.h"
#include "server/pool.h"
#include "tests/cache_kit.h"
#include "tests/governor_world.h"

static int64_t wall_ms(void *ctx)
{
    return ((struct world *)ctx)->now_ms;
}

static int64_t monotonic_us(void *ctx)
{
    return ((struct world *)ctx)->now_ms * 1000;
}

struct cache_stats world_stats(struct world *world)
{
    struct cache_stats stats;
    cache_stats(world->cache, world->now_ms, &stats);
    return stats;
}

size_t world_resident(void *ctx)
{
    struct world *world = ctx;
    if (world->blind)
        return 0;
    return world->base + world->clients +
           (size_t)world_stats(world).resident_bytes;
}

int world_set_up(void **state)
{
    static const struct cache_options options = {.shards = 4};
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->platform = (struct platform){.ctx = world,
                                        .wall_ms = wall_ms,
                                        .monotonic_us = monotonic_us,
                                        .resident = world_resident};
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

int world_tear_down(void **state)
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

struct governor_state world_state(struct world *world)
{
    struct governor_state state;
    governor_state(world->governor, &state);
    return state;
}

void world_run(struct world *world, int64_t ms)
{
    for (int64_t i = 0; i < ms; i += TICK_MS) {
        governor_tick(world->governor, world->now_ms);
        world->now_ms += TICK_MS;
    }
}

void world_fill(struct world *world, uint64_t bytes)
{
    static char value[1000];
    char name[24];
    for (int i = 0; world_stats(world).live_bytes < bytes; i++) {
        struct cache_key key =
            cache_key_of(world->cache, name, (size_t)sprintf(name, "key%d", i));
        struct cache_write write = {.value = value, .len = sizeof value};
        assert_true(kit_store(world->cache, 0, &key, world->now_ms, &write));
    }
}

int world_logged(const struct world *world, const char *text)
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

void world_work(struct world *world)
{
    while (governor_slice(world->governor, world->now_ms, 200))
        world->now_ms++;
}
