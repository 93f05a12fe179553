/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the cache alone costs: nanoseconds of processor time for one operation,
 * without a network or a server, by entries, size of values and threads.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/args.h"
#include "bench/cache_ops.h"
#include "bench/host.h"
#include "bench/keys.h"
#include "bench/ratio.h"
#include "bench/table.h"
#include "bench/wire.h"

/* LEAST: of a phase with random keys, so that few entries are timed too. */
enum { THREADS_MAX = 64, ROUNDS_MAX = 99, LEAST = 300000 };

/* What one thread does in one phase. */
struct job {
    struct ops ops;
    operation *operation;
    char *names;          /* of keys, one after the other */
    uint64_t count, most; /* of names; room for names */
    double ns;            /* for one of them */
    pthread_barrier_t *barrier;
};

/* Which keys: those set first, those set later, in two parts, those never set.
 */
enum range { OLD, NEWER, NEWEST, ABSENT };

// clang-format off
/* Phases in turn on one cache: heading, operation, order, which keys, or the
 * first half of them, whether each thread has a part of them for itself, and
 * whether nothing new fits without evicting. */
static const struct phase {
    const char *heading;
    operation *operation;
    enum keys_order order;
    enum range range;
    bool half, own_part, at_limit;
} phases[] = {
    {"set new",     ops_set,       KEYS_SEQUENTIAL, OLD,    false, true,  false},
    {"get",         ops_get,       KEYS_UNIFORM,    OLD,    false, false, false},
    {"get zipf",    ops_get,       KEYS_ZIPF,       OLD,    false, false, false},
    {"get miss",    ops_get,       KEYS_UNIFORM,    ABSENT, false, false, false},
    {"get batch",   ops_get_batch, KEYS_UNIFORM,    OLD,    false, false, false},
    {"set again",   ops_set,       KEYS_UNIFORM,    OLD,    false, false, false},
    {"again batch", ops_set_batch, KEYS_UNIFORM,    OLD,    false, false, false},
    {"set evict",   ops_set,       KEYS_SEQUENTIAL, NEWER,  false, true,  true},
    {"evict batch", ops_set_batch, KEYS_SEQUENTIAL, NEWEST, false, true,  true},
    {"delete",      ops_delete,    KEYS_SHUFFLED,   NEWEST, true,  true,  true},
};
// clang-format on

/* And one more number: for an entry that goes when only a quarter may stay. */
enum { PHASES = sizeof phases / sizeof phases[0], SHRINK = PHASES, NUMBERS };

static void *run_job(void *argument)
{
    struct job *job = argument;
    pthread_barrier_wait(job->barrier);
    uint64_t start_ns = ops_cpu_ns();
    job->operation(&job->ops, job->names, job->count);
    job->ns = (double)(ops_cpu_ns() - start_ns) / (double)job->count;
    return NULL;
}

static void make_names(struct job *job, const struct phase *phase,
                       uint64_t entries, unsigned threads, unsigned thread,
                       uint64_t seed)
{
    struct keys keys;
    uint64_t first = (uint64_t)phase->range * entries;
    uint64_t count = phase->half ? entries / 2 : entries;
    if (phase->own_part) {
        count /= threads;
        first += thread * count;
    }
    job->count = phase->own_part ? count : job->most;
    keys_init(&keys, phase->order, count, 99, seed + thread);
    for (uint64_t i = 0; i < job->count; i++)
        wire_key(job->names + i * WIRE_KEY, first + keys_next(&keys));
}

/* Nanoseconds for one operation, the mean over the threads. */
static double run_phase(const struct phase *phase, struct job *jobs,
                        unsigned threads, uint64_t entries, uint64_t seed)
{
    pthread_t ids[THREADS_MAX];
    pthread_barrier_t barrier;
    double sum = 0;
    pthread_barrier_init(&barrier, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        jobs[i].operation = phase->operation;
        jobs[i].barrier = &barrier;
        make_names(&jobs[i], phase, entries, threads, i, seed);
    }
    for (unsigned i = 0; i < threads; i++) {
        if (pthread_create(&ids[i], NULL, run_job, &jobs[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        sum += jobs[i].ns;
    }
    pthread_barrier_destroy(&barrier);
    return sum / threads;
}

/* Nanoseconds for one entry that goes when only a quarter may stay. */
static double shrink(struct cache *cache)
{
    struct cache_stats before, after;
    cache_stats(cache, ops_wall_ms(), &before);
    uint64_t start_ns = ops_cpu_ns();
    cache_set_limit(cache, before.resident_bytes / 4);
    while (cache_step(cache, ops_wall_ms()))
        ;
    uint64_t took_ns = ops_cpu_ns() - start_ns;
    cache_stats(cache, ops_wall_ms(), &after);
    uint64_t gone = before.entries - after.entries;
    return (double)took_ns / (double)(gone > 0 ? gone : 1);
}

static void run_round(uint64_t entries, uint64_t value_bytes, unsigned threads,
                      uint64_t seed, double *ns)
{
    static const char value[CACHE_INLINE_MAX];
    static struct job jobs[THREADS_MAX];
    struct cache *cache = ops_cache(entries, value_bytes, seed);
    for (unsigned i = 0; i < threads; i++) {
        jobs[i] = (struct job){.ops.cache = cache};
        jobs[i].most = (entries > LEAST ? entries : LEAST) / threads;
        jobs[i].ops.write =
            (struct cache_write){.value = value, .len = value_bytes};
        jobs[i].names = malloc(jobs[i].most * WIRE_KEY);
        if (jobs[i].names == NULL)
            abort();
    }
    for (unsigned i = 0; i < PHASES; i++) {
        if (phases[i].at_limit && !phases[i - 1].at_limit)
            ops_stop_growing(cache);
        ns[i] = run_phase(&phases[i], jobs, threads, entries, seed + i);
    }
    ns[SHRINK] = shrink(cache);
    for (unsigned i = 0; i < threads; i++)
        free(jobs[i].names);
    cache_free(cache);
}

static void add_row(struct table *table, uint64_t entries, uint64_t value_bytes,
                    unsigned threads, uint64_t rounds)
{
    static double ns[NUMBERS][ROUNDS_MAX];
    for (uint64_t round = 0; round < rounds; round++) {
        double of_round[NUMBERS];
        run_round(entries, value_bytes, threads, round + 1, of_round);
        for (unsigned i = 0; i < NUMBERS; i++)
            ns[i][round] = of_round[i];
    }
    table_cell(table, "%llu", (unsigned long long)entries);
    table_cell(table, "%llu", (unsigned long long)value_bytes);
    table_cell(table, "%u", threads);
    for (unsigned i = 0; i < NUMBERS; i++)
        table_cell(table, "%.0f", ops_median(ns[i], rounds));
}

/* Printed row by row. */
static void make_table(struct table *table, uint64_t entries, uint64_t few,
                       uint64_t threads, uint64_t rounds)
{
    static const uint64_t sizes[] = {16, 100, 1000};
    const char *headings[RATIO_NAMES + NUMBERS + 1] = {"entries", "value B",
                                                       "threads"};
    for (unsigned i = 0; i < PHASES; i++)
        headings[RATIO_NAMES + i] = phases[i].heading;
    headings[RATIO_NAMES + SHRINK] = "shrink";
    table_init(table, headings);
    table_follow(table, stdout);
    add_row(table, few, 100, 1, rounds);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        add_row(table, entries, sizes[i], 1, rounds);
    for (unsigned n = 2; n <= threads; n *= 2)
        add_row(table, entries, 100, n, rounds);
}

int main(int argc, char **argv)
{
    uint64_t entries = 1000000, few = 10000, rounds = 3, threads = 8;
    const char *baseline = "";
    const struct args_row rows[] = {
        {"entries", &entries, NULL, "how many; each with a key of 16 B"},
        {"few", &few, NULL, "of a case that fits the processor's caches"},
        {"threads", &threads, NULL, "up to so many: 1, 2, 4, ..."},
        {"rounds", &rounds, NULL, "whose median is shown"},
        {"baseline", NULL, &baseline, "what this once printed, to compare"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "cache: ns of one operation, in process", argc, argv);
    args_within("rounds", rounds, 1, ROUNDS_MAX);
    args_within("threads", threads, 1, THREADS_MAX);
    args_within("few", few, 2 * threads, UINT64_MAX);
    args_within("entries", entries, 2 * threads, UINT64_MAX);

    static struct table table, ratios;
    printf("ns of CPU for one operation of one thread; medians of %llu "
           "rounds\n\n",
           (unsigned long long)rounds);
    make_table(&table, entries, few, threads, rounds);
    if (*baseline != '\0') {
        if (!ratio_read(&table, baseline, &ratios)) {
            fprintf(stderr, "cache: no table in %s\n", baseline);
            return 1;
        }
        printf("\nas a part of %s\n\n", baseline);
        table_print(&ratios, stdout);
    }
    return 0;
}
