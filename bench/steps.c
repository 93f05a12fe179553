/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The work of lowering a budget, in process and without anybody waiting: how
 * much CPU it takes in all, and how long the longest of its steps is.  Time is
 * what the thread itself used, so that the rest of the machine matters little.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"
#include "bench/cache_ops.h"
#include "bench/hist.h"
#include "bench/keys.h"
#include "bench/table.h"
#include "bench/wire.h"

static void put(struct cache *cache, uint64_t number, size_t value_bytes)
{
    static const char value[CACHE_INLINE_MAX];
    struct cache_write write = {.value = value, .len = value_bytes};
    if (!ops_store(cache, number, &write))
        abort();
}

static void touch(struct cache *cache, uint64_t number)
{
    char name[WIRE_KEY];
    struct cache_tx tx;
    struct cache_view view;
    wire_key(name, number);
    struct cache_key key = cache_key_of(cache, name, sizeof name);
    cache_begin(&tx, cache, ops_wall_ms(), &key, 1);
    cache_find(&tx, 0, &key, CACHE_TOUCH, &view);
    cache_end(&tx);
}

/* A cache filled to the limit, the order of use shuffled. */
static struct cache *filled(uint64_t limit, uint64_t value_bytes, uint64_t seed)
{
    struct keys keys;
    uint64_t count = limit / (WIRE_KEY + value_bytes);
    struct cache_options options = {.shards = 0};
    memcpy(options.hash_key, &seed, sizeof seed);
    struct cache *cache = cache_new(&options);
    if (cache == NULL)
        abort();
    cache_set_limit(cache, limit);
    for (uint64_t i = 0; i < count; i++)
        put(cache, i, value_bytes);
    keys_init(&keys, KEYS_SHUFFLED, count, 0, seed);
    for (uint64_t i = 0; i < count; i++)
        touch(cache, keys_next(&keys));
    return cache;
}

static void add_row(struct table *table, uint64_t from, uint64_t to,
                    uint64_t value_bytes, uint64_t seed)
{
    static struct hist steps;
    struct cache_stats before, after;
    struct cache *cache = filled(from, value_bytes, seed);
    memset(&steps, 0, sizeof steps);
    cache_stats(cache, ops_wall_ms(), &before);
    cache_set_limit(cache, to);
    uint64_t start_ns = ops_cpu_ns(), last_ns = start_ns;
    for (bool more = true; more;) {
        more = cache_step(cache, ops_wall_ms());
        uint64_t now_ns = ops_cpu_ns();
        hist_add(&steps, now_ns - last_ns, 1);
        last_ns = now_ns;
    }
    cache_stats(cache, ops_wall_ms(), &after);
    table_cell(table, "%llu", (unsigned long long)value_bytes);
    table_cell(table, "%llu", (unsigned long long)before.entries);
    table_cell(table, "%llu", (unsigned long long)after.entries);
    table_cell(table, "%.1f", (double)after.resident_bytes / (1 << 20));
    table_cell(table, "%llu", (unsigned long long)after.moved);
    table_cell(table, "%.0f", (double)(last_ns - start_ns) / 1e6);
    table_cell(table, "%llu", (unsigned long long)steps.total);
    table_cell(table, "%.0f", (double)hist_quantile_ns(&steps, 0.5) / 1e3);
    table_cell(table, "%.0f", (double)hist_quantile_ns(&steps, 0.99) / 1e3);
    table_cell(table, "%.0f", (double)steps.longest_ns / 1e3);
    cache_free(cache);
}

int main(int argc, char **argv)
{
    static const uint64_t sizes[] = {100, 1000};
    uint64_t from = 1 << 30, to = 100 << 20, seed = 1;
    const struct args_row rows[] = {
        {"from", &from, NULL, "the first limit for slabs"},
        {"to", &to, NULL, "the second one"},
        {"seed", &seed, NULL, "of the random numbers"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "steps: CPU and steps of lowering a limit, in process",
              argc, argv);
    args_within("from", from, 1 << 20, UINT64_MAX >> 4);
    args_within("to", to, 1 << 20, from);

    static const char *const headings[] = {
        "value B", "entries", "kept",   "resident MiB", "moved", "CPU ms",
        "steps",   "p50 us",  "p99 us", "longest us",   NULL};
    static struct table table;
    table_init(&table, headings);
    printf("Slabs from %llu to %llu MiB, CPU of the thread that does it\n\n",
           (unsigned long long)from >> 20, (unsigned long long)to >> 20);
    table_follow(&table, stdout);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        add_row(&table, from, to, sizes[i], seed);
    return 0;
}
