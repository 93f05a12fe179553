/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a SET costs inside while sizes change, in process: the phases of
 * bench/churn, on one thread that also takes the steps of the cache, as the
 * server's main thread does.  Time is what the thread itself used, so that the
 * rest of the machine matters little.  A value that is too long for one piece
 * arrives in slices, between which a server does other things.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"
#include "bench/cache_ops.h"
#include "bench/hist.h"
#include "bench/keys.h"
#include "bench/legs.h"
#include "bench/table.h"

enum {
    SMALL_MOST = 16384, /* longer values are counted by their slices */
    STEP_EVERY = 1024   /* SETs */
};

struct sets {
    struct cache *cache;
    uint64_t next_key;
    uint64_t refused;
    struct hist small, slices, steps;
};

/* Notes the time since then as a slice, and returns now. */
static uint64_t slice(struct sets *sets, uint64_t since_ns)
{
    uint64_t now_ns = ops_cpu_ns();
    hist_add(&sets->slices, now_ns - since_ns, 1);
    return now_ns;
}

/* Receives a value; NULL if there is no room. */
static struct cache_blob *receive(struct sets *sets, uint64_t bytes, bool large)
{
    struct cache_blob *blob = cache_blob_new(sets->cache, bytes);
    uint64_t last_ns = large ? ops_cpu_ns() : 0;
    for (uint64_t done = 0; blob != NULL && done < bytes;) {
        size_t len;
        char *room = cache_blob_room(blob, ops_wall_ms(), &len);
        if (room == NULL) {
            cache_blob_free(blob);
            return NULL;
        }
        memset(room, 'v', len);
        cache_blob_advance(blob, len);
        done += len;
        if (large)
            last_ns = slice(sets, last_ns);
    }
    return blob;
}

static void set(struct sets *sets, uint64_t number, uint64_t bytes)
{
    static const char value[CACHE_INLINE_MAX];
    struct cache_write write = {.value = value, .len = bytes};
    bool large = bytes > SMALL_MOST;
    uint64_t start_ns = ops_cpu_ns();
    if (bytes > CACHE_INLINE_MAX) {
        write.blob = receive(sets, bytes, large);
        if (write.blob == NULL) {
            sets->refused++;
            return;
        }
    }
    if (large)
        start_ns = ops_cpu_ns();
    if (!ops_store(sets->cache, number, &write)) {
        sets->refused++;
        cache_blob_free(write.blob);
    }
    hist_add(large ? &sets->slices : &sets->small, ops_cpu_ns() - start_ns, 1);
}

static void take_steps(struct sets *sets)
{
    for (bool more = true; more;) {
        uint64_t start_ns = ops_cpu_ns();
        more = cache_step(sets->cache, ops_wall_ms());
        hist_add(&sets->steps, ops_cpu_ns() - start_ns, 1);
    }
}

static void run_part(struct sets *sets, const struct leg *leg,
                     const struct legs_part *part)
{
    struct keys keys;
    uint64_t made = 0, bigs = 0;
    uint64_t big_first = sets->next_key + part->count;
    keys_init(&keys, leg->order, part->count, 99, 1);
    for (; made < part->count; made++) {
        if (made % STEP_EVERY == 0)
            take_steps(sets);
        if (bigs < part->bigs && made % part->big_every == 0)
            set(sets, big_first + bigs++, leg->big_bytes);
        set(sets, sets->next_key + keys_next(&keys), part->bytes);
    }
    sets->next_key += part->count + part->bigs;
}

static double us(uint64_t ns)
{
    return (double)ns / 1e3;
}

static void add_row(struct table *table, const struct legs *legs, unsigned i,
                    const struct sets *sets)
{
    table_cell(table, "%s %u", legs->name, i + 1);
    table_cell(table, "%s", legs->legs[i].name);
    table_cell(table, "%llu", (unsigned long long)sets->small.total);
    table_cell(table, "%.1f", us(hist_quantile_ns(&sets->small, 0.5)));
    table_cell(table, "%.1f", us(hist_quantile_ns(&sets->small, 0.99)));
    table_cell(table, "%.1f", us(hist_quantile_ns(&sets->small, 0.999)));
    table_cell(table, "%.0f", us(sets->small.longest_ns));
    table_cell(table, "%llu", (unsigned long long)sets->slices.total);
    table_cell(table, "%.0f", us(sets->slices.longest_ns));
    table_cell(table, "%.0f", us(sets->steps.longest_ns));
    table_cell(table, "%llu", (unsigned long long)sets->refused);
}

static void run(struct table *table, const struct legs *legs, uint64_t limit)
{
    static struct sets sets;
    struct cache_options options = {.shards = 0, .hash_key = {1}};
    struct legs_part part;
    memset(&sets, 0, sizeof sets);
    sets.cache = cache_new(&options);
    if (sets.cache == NULL)
        abort();
    cache_set_limit(sets.cache, limit);
    for (unsigned i = 0; legs->legs[i].bytes != 0; i++) {
        memset(&sets.small, 0, sizeof sets.small);
        memset(&sets.slices, 0, sizeof sets.slices);
        memset(&sets.steps, 0, sizeof sets.steps);
        sets.refused = 0;
        for (unsigned j = 0; legs_part(&legs->legs[i], j, limit, &part); j++)
            run_part(&sets, &legs->legs[i], &part);
        add_row(table, legs, i, &sets);
    }
    cache_free(sets.cache);
}

int main(int argc, char **argv)
{
    uint64_t limit = 256 << 20;
    const struct args_row rows[] = {{"limit", &limit, NULL, "for slabs"},
                                    {NULL, NULL, NULL, NULL}};
    args_read(rows, "sets: CPU of a SET while sizes change, in process", argc,
              argv);
    args_within("limit", limit, 8 << 20, UINT64_MAX >> 4);

    static const char *const headings[] = {
        "phase",           "value B", "SETs",
        "p50 us",          "p99 us",  "p99.9 us",
        "longest us",      "slices",  "longest slice us",
        "longest step us", "refused", NULL};
    static struct table table;
    table_init(&table, headings);
    printf("%llu MiB of slabs, CPU of one thread; values above %d B in "
           "slices\n\n",
           (unsigned long long)limit >> 20, SMALL_MOST);
    table_follow(&table, stdout);
    for (const struct legs *legs = legs_all; legs->name != NULL; legs++)
        run(&table, legs, limit);
    return 0;
}
