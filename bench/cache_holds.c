/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long the locks of shards are held, by what holds them.  Linked with a
 * cache that tells it of each (LOCK_TIMED, see cache/lock.h), which takes some
 * of the time that is shown.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/args.h"
#include "bench/cache_ops.h"
#include "bench/hist.h"
#include "bench/host.h"
#include "bench/keys.h"
#include "bench/table.h"
#include "bench/wire.h"
#include "cache/core.h"

enum { THREADS_MAX = 64, PIECE = 1000 };

/* Of the calling thread; NULL: it is not counted. */
static _Thread_local struct hist *holds;
static _Thread_local const struct cache *held_of;

void lock_held(const struct lock *lock, uint64_t ns)
{
    const char *shards = (const char *)(held_of ? held_of->shards : NULL);
    size_t offset = (size_t)((const char *)lock - shards);
    if (shards && offset < held_of->shard_count * sizeof(struct shard))
        hist_add(holds, ns, 1);
}

// clang-format off
static const struct work {
    const char *heading;
    operation *operation; /* NULL: steps, while the limit goes up and down */
    enum keys_order order;
    unsigned spread; /* times as many keys as are stored */
} works[] = {
    {"get, uniform",         ops_get,       KEYS_UNIFORM, 1},
    {"get, Zipf",            ops_get,       KEYS_ZIPF,    1},
    {"get batch, uniform",   ops_get_batch, KEYS_UNIFORM, 1},
    {"set again, uniform",   ops_set,       KEYS_UNIFORM, 1},
    {"set and evict",        ops_set,       KEYS_UNIFORM, 100},
    {"set and evict, batch", ops_set_batch, KEYS_UNIFORM, 100},
    {"steps of a shrink",    NULL,          KEYS_UNIFORM, 1},
};
// clang-format on

enum { WORKS = sizeof works / sizeof works[0] };

struct worker {
    struct ops ops;
    const struct work *work;
    struct keys keys;
    uint64_t count;
    struct hist hist;
};

static void step(struct cache *cache)
{
    struct cache_stats stats;
    cache_stats(cache, ops_wall_ms(), &stats);
    cache_set_limit(cache, stats.resident_bytes / 2);
    while (cache_step(cache, ops_wall_ms()))
        ;
    cache_set_limit(cache, stats.limit_bytes);
}

static void *run_worker(void *argument)
{
    struct worker *worker = argument;
    char names[PIECE * WIRE_KEY];
    holds = &worker->hist;
    if (!worker->work->operation) {
        held_of = worker->ops.cache;
        step(worker->ops.cache);
    }
    for (uint64_t done = 0; worker->work->operation && done < worker->count;
         done += PIECE) {
        for (unsigned i = 0; i < PIECE; i++)
            wire_key(names + i * WIRE_KEY, keys_next(&worker->keys));
        held_of = worker->ops.cache;
        worker->work->operation(&worker->ops, names, PIECE);
        held_of = NULL;
    }
    held_of = NULL;
    return NULL;
}

static void run_work(const struct work *work, struct worker *workers,
                     unsigned threads, uint64_t entries, uint64_t count,
                     struct hist *hist)
{
    pthread_t ids[THREADS_MAX];
    for (unsigned i = 0; i < threads; i++) {
        workers[i].work = work;
        workers[i].count = count / threads;
        workers[i].hist = (struct hist){0};
        keys_init(&workers[i].keys, work->order, entries * work->spread, 99, 1);
        workers[i].keys.state += i + 1;
        if (pthread_create(&ids[i], NULL, run_worker, &workers[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        hist_merge(hist, &workers[i].hist);
    }
}

static void add_row(struct table *table, const struct work *work,
                    unsigned threads, const struct hist *hist)
{
    static const double shares[] = {0.5, 0.99, 0.999, 1};
    table_cell(table, "%s", work->heading);
    table_cell(table, "%u", threads);
    table_cell(table, "%llu", (unsigned long long)hist->total);
    for (unsigned i = 0; i < sizeof shares / sizeof shares[0]; i++)
        table_cell(table, "%llu",
                   (unsigned long long)hist_quantile_ns(hist, shares[i]));
}

int main(int argc, char **argv)
{
    uint64_t entries = 1000000, value_bytes = 100, threads = 2, count = 2000000;
    const struct args_row rows[] = {
        {"entries", &entries, NULL, "how many; each with a key of 16 B"},
        {"value", &value_bytes, NULL, "bytes of each value"},
        {"threads", &threads, NULL, "that do the same"},
        {"count", &count, NULL, "of operations of each kind"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "cache_holds: how long locks are held", argc, argv);
    args_within("threads", threads, 1, THREADS_MAX);
    args_within("value", value_bytes, 0, CACHE_INLINE_MAX);

    static const char value[CACHE_INLINE_MAX];
    static struct worker workers[THREADS_MAX];
    static struct table table;
    static const char *const headings[] = {
        "work", "threads", "holds", "p50 ns", "p99", "p99.9", "longest", NULL};
    const struct work fill = {"", ops_set, KEYS_SEQUENTIAL, 1};
    struct cache *cache = ops_cache(entries, value_bytes, 1);
    for (uint64_t i = 0; i < threads; i++)
        workers[i].ops = (struct ops){
            .cache = cache, .write = {.value = value, .len = value_bytes}};
    struct hist ignored = {0};
    run_work(&fill, workers, 1, entries, entries, &ignored);
    ops_stop_growing(cache);
    table_init(&table, headings);
    printf("ns that the locks of shards are held\n\n");
    table_follow(&table, stdout);
    for (unsigned i = 0; i < WORKS; i++) {
        unsigned of_work = works[i].operation ? (unsigned)threads : 1;
        struct hist hist = {0};
        run_work(&works[i], workers, of_work, entries, count, &hist);
        add_row(&table, &works[i], of_work, &hist);
    }
    printf("\nThe machine keeps a thread that only reads the clock waiting for "
           "up to %.0f us.\n",
           (double)host_longest_gap_ns(500000000) / 1e3);
    return 0;
}
