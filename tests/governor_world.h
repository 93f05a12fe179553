/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GOVERNOR_WORLD_H
#define GOVERNOR_WORLD_H

/* The governor in a made-up world: its clock and resident size are ours. */

#include "cache/cache.h"
#include "server/governor.h"
#include "server/platform.h"

struct log;
struct pool;

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

/* For cmocka: *state is one. */
int world_set_up(void **state);
int world_tear_down(void **state);

struct cache_stats world_stats(struct world *world);
struct governor_state world_state(struct world *world);
size_t world_resident(void *world);
/* How often the text is in the log. */
int world_logged(const struct world *world, const char *text);

/* Lets the time go by. */
void world_run(struct world *world, int64_t ms);
/* Stores entries until the cache holds about this many bytes of slabs. */
void world_fill(struct world *world, uint64_t bytes);
/* All that is to be done; the clock stands still within a slice, so that each
 * does all it can. */
void world_work(struct world *world);

#endif
