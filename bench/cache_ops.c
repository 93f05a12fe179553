/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations on a cache in this process. */

#include "bench/cache_ops.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/host.h"
#include "bench/wire.h"

enum { BATCH = 16, SPARE_MB = 64, OVERHEAD = 80, MIX = 10 };

int64_t ops_wall_ms(void)
{
    return (int64_t)(host_now_ns() / 1000000) + 1;
}

uint64_t ops_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double ops_median(double *values, uint64_t count)
{
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2]
                     : (values[count / 2 - 1] + values[count / 2]) / 2;
}

struct cache *ops_cache(uint64_t entries, uint64_t value_bytes, uint64_t seed)
{
    struct cache_options options = {.shards = 0};
    memcpy(options.hash_key, &seed, sizeof seed);
    struct cache *cache = cache_new(&options);
    if (cache == NULL)
        abort();
    cache_set_limit(cache, entries * (value_bytes + WIRE_KEY + OVERHEAD) +
                               ((size_t)SPARE_MB << 20));
    return cache;
}

void ops_stop_growing(struct cache *cache)
{
    struct cache_stats stats;
    cache_stats(cache, ops_wall_ms(), &stats);
    cache_set_limit(cache, stats.resident_bytes);
}

/* ------------------------------------------------------------ one by one */

bool ops_store(struct cache *cache, uint64_t number,
               const struct cache_write *write)
{
    char name[WIRE_KEY];
    struct cache_tx tx;
    bool room = true;
    wire_key(name, number);
    struct cache_key key = cache_key_of(cache, name, sizeof name);
    cache_begin(&tx, cache, ops_wall_ms(), &key, 1);
    while (room && cache_put(&tx, 0, &key, write) == CACHE_NO_ROOM) {
        cache_end(&tx);
        room = cache_make_room(&tx);
        cache_begin_again(&tx, &key, 1);
    }
    cache_end(&tx);
    cache_tx_close(&tx);
    return room;
}

typedef void single(struct ops *ops, const struct cache_key *key,
                    int64_t now_ms);

static void get_one(struct ops *ops, const struct cache_key *key,
                    int64_t now_ms)
{
    char value[CACHE_INLINE_MAX];
    struct cache_tx tx;
    struct cache_view view;
    cache_begin(&tx, ops->cache, now_ms, key, 1);
    if (cache_find(&tx, 0, key, CACHE_TOUCH | CACHE_COUNT, &view)) {
        cache_view_copy(&view, 0, value, view.len);
        __asm__ volatile("" : : "r"(value) : "memory");
        ops->hits++;
    }
    cache_end(&tx);
}

static void set_one(struct ops *ops, const struct cache_key *key,
                    int64_t now_ms)
{
    struct cache_tx tx;
    bool waited = false;
    cache_begin(&tx, ops->cache, now_ms, key, 1);
    while (cache_put(&tx, 0, key, &ops->write) == CACHE_NO_ROOM) {
        cache_end(&tx);
        waited = true;
        if (!cache_make_room(&tx))
            abort();
        cache_begin_again(&tx, key, 1);
    }
    cache_end(&tx);
    if (waited)
        cache_tx_close(&tx);
}

static void delete_one(struct ops *ops, const struct cache_key *key,
                       int64_t now_ms)
{
    struct cache_tx tx;
    cache_begin(&tx, ops->cache, now_ms, key, 1);
    ops->hits += cache_remove(&tx, 0, key);
    cache_end(&tx);
}

static inline void each(struct ops *ops, const char *names, uint64_t count,
                        single *one)
{
    int64_t now_ms = ops_wall_ms();
    for (uint64_t i = 0; i < count; i++) {
        struct cache_key key =
            cache_key_of(ops->cache, names + i * WIRE_KEY, WIRE_KEY);
        one(ops, &key, now_ms);
    }
}

void ops_get(struct ops *ops, const char *names, uint64_t count)
{
    each(ops, names, count, get_one);
}

void ops_set(struct ops *ops, const char *names, uint64_t count)
{
    each(ops, names, count, set_one);
}

void ops_delete(struct ops *ops, const char *names, uint64_t count)
{
    each(ops, names, count, delete_one);
}

/* ---------------------------------------------------------------- batches */

/* Of `part` keys the last is done with `last`, the others with `one`. */
static inline void batches(struct ops *ops, const char *names, uint64_t count,
                           single *one, unsigned part, single *last)
{
    struct cache_key keys[BATCH];
    struct cache_ahead ahead[BATCH];
    for (uint64_t done = 0; done < count; done += BATCH) {
        int64_t now_ms = ops_wall_ms();
        uint64_t size = count - done < BATCH ? count - done : BATCH;
        for (uint64_t i = 0; i < size; i++)
            keys[i] = cache_key_of(ops->cache, names + (done + i) * WIRE_KEY,
                                   WIRE_KEY);
        for (uint64_t i = 0; i < size; i++)
            ahead[i] = cache_ahead(ops->cache, 0, &keys[i]);
        for (unsigned step = 0; step < CACHE_AHEAD_STEPS; step++)
            cache_ahead_steps(ops->cache, ahead, size);
        for (uint64_t i = 0; i < size; i++)
            ((done + i) % part == part - 1 ? last : one)(ops, &keys[i], now_ms);
    }
}

void ops_get_batch(struct ops *ops, const char *names, uint64_t count)
{
    batches(ops, names, count, get_one, 1, get_one);
}

void ops_set_batch(struct ops *ops, const char *names, uint64_t count)
{
    batches(ops, names, count, set_one, 1, set_one);
}

void ops_mix(struct ops *ops, const char *names, uint64_t count)
{
    batches(ops, names, count, get_one, MIX, set_one);
}
