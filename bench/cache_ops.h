/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_CACHE_OPS_H
#define BENCH_CACHE_OPS_H

/*
 * Operations on a cache in this process, as a server does them, for the
 * programs that measure the cache alone.  Keys are names of WIRE_KEY bytes, one
 * after the other.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cache/cache.h"

/* What one thread works with. */
struct ops {
    struct cache *cache;
    struct cache_write write; /* what it sets */
    uint64_t hits;
};

typedef void operation(struct ops *ops, const char *names, uint64_t count);

operation ops_get, ops_set, ops_delete;
/* As a pipeline does it: what the first look needs is asked for with all others
 * before, of 16 keys at a time. */
operation ops_get_batch, ops_set_batch;
/* Of ten keys the last is set, in such batches. */
operation ops_mix;

/* Sets the key of that number, making room as often as it takes; false: there
 * is none to be made. */
bool ops_store(struct cache *cache, uint64_t number,
               const struct cache_write *write);

/* An empty cache with room for so many entries, and to spare. */
struct cache *ops_cache(uint64_t entries, uint64_t value_bytes, uint64_t seed);
/* From here on whatever is new takes the place of something old. */
void ops_stop_growing(struct cache *cache);

int64_t ops_wall_ms(void);
/* Nanoseconds of processor time that the calling thread has used. */
uint64_t ops_cpu_ns(void);

/* Sorts them and returns the middle one. */
double ops_median(double *values, uint64_t count);

#endif
