/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GOVERNOR_H
#define GOVERNOR_H

/*
 * The governor keeps the process within its budget:
 *
 *   budget = base (binary, stacks, libraries, allocator) + client pool
 *          + reserve + slabs
 *
 * Slabs and client bytes are counted when they are taken and refused at their
 * limits there and then.  Every tick the governor reads the resident size,
 * learns the base from it and sets the limit for the slabs; between ticks it
 * runs cache_step in slices while there is work.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct governor;
struct cache;
struct pool;
struct platform;
struct log;

struct governor_state {
    uint64_t budget_bytes;   /* in force */
    uint64_t resident_bytes; /* last read */
    uint64_t base_bytes;     /* what is neither slab nor client buffer */
    uint64_t reserve_bytes;
    uint64_t pool_bytes; /* the clients' share */
    uint64_t slab_limit_bytes;
    uint64_t floor_bytes;        /* the least budget with which to store */
    uint64_t floor_above_budget; /* 1: it is above the one in force */
    bool rebuilding; /* the budget was lowered and is not yet reached */
    uint64_t rebuilds, rebuild_from_bytes, rebuild_to_bytes, last_rebuild_ms;
};

/* How far the process is from the budget that was set last. */
struct governor_progress {
    uint64_t budget_bytes;
    uint64_t resident_bytes;
    uint64_t remaining_bytes; /* of the resident ones, above the budget */
    uint64_t floor_bytes;
    bool done; /* it is in force, and kept by a reading taken since then */
};

/* The platform's clock and resident size are what it goes by.  log: NULL for
 * silence.  `threads` is the number of the process's threads, whose share of
 * the kernel's counts may lag. */
struct governor *governor_new(struct cache *cache, struct pool *pool,
                              const struct platform *platform, struct log *log,
                              unsigned threads);
void governor_free(struct governor *governor);

/*
 * From any thread; takes effect at the next tick, at most 10 ms later.  Any
 * budget is taken: below the floor the cache is empty, and clients keep a
 * little so that one of them can set it right.
 *
 * budget: bytes, or minus percent of what the machine or container has, which
 * is looked at again every second.  clients_share: bytes, or minus percent of
 * the budget.
 */
void governor_set_budget(struct governor *governor, int64_t budget);
void governor_set_clients_share(struct governor *governor, int64_t share);

/* On the main thread.  The tick adjusts limits; a slice does about slice_us of
 * work and is true while more is left. */
void governor_tick(struct governor *governor, int64_t now_ms);
bool governor_slice(struct governor *governor, int64_t now_ms,
                    unsigned slice_us);

/* From any thread.  What a budget is in bytes just now; the one that was set
 * last. */
uint64_t governor_bytes_of(const struct governor *governor, int64_t budget);
uint64_t governor_budget(struct governor *governor);
void governor_state(struct governor *governor, struct governor_state *out);
void governor_progress(struct governor *governor,
                       struct governor_progress *out);

/* The memory of the machine or of the container (cgroup v1 or v2, every level
 * above counts), whichever is less; 0 if nothing tells.  root: "" or a made
 * tree, for tests. */
uint64_t governor_machine_bytes(const char *root);

#endif
