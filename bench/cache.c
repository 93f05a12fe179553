/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cache alone, in one process, without a network: nanoseconds for one
 * operation, as seen by one thread, while all threads do the same.  Keys are
 * made beforehand, so that only the cache is timed; the best of some rounds
 * is shown, the one that the rest of the machine disturbed least.
 */

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"
#include "bench/host.h"
#include "bench/keys.h"
#include "bench/table.h"
#include "bench/wire.h"
#include "cache/cache.h"

/* LEAST: of a phase with random keys, so that few entries are timed too. */
enum { THREADS_MAX = 64, BATCH = 16, SPARE_MB = 64, LEAST = 300000 };

struct job;
typedef void operation(struct job *job, const char *names, uint64_t count);

/* What one thread does in one phase. */
struct job {
    struct cache *cache;
    operation *operation;
    char *names;                /* of keys, one after the other */
    uint64_t count, most, hits; /* of names; room for names */
    struct cache_write write;
    uint64_t took_ns;
    pthread_barrier_t *barrier;
};

static int64_t wall_ms(void)
{
    return (int64_t)(host_now_ns() / 1000000) + 1;
}

static struct cache_key key_at(const struct job *job, const char *name)
{
    return cache_key_of(job->cache, name, WIRE_KEY);
}

static void get_one(struct job *job, const struct cache_key *key,
                    int64_t now_ms)
{
    char value[CACHE_INLINE_MAX];
    struct cache_tx tx;
    struct cache_view view;
    cache_begin(&tx, job->cache, now_ms, key, 1);
    if (cache_find(&tx, 0, key, CACHE_TOUCH | CACHE_COUNT, &view)) {
        cache_view_copy(&view, 0, value, view.len);
        __asm__ volatile("" : : "r"(value) : "memory");
        job->hits++;
    }
    cache_end(&tx);
}

static void get(struct job *job, const char *names, uint64_t count)
{
    int64_t now_ms = wall_ms();
    for (uint64_t i = 0; i < count; i++) {
        struct cache_key key = key_at(job, names + i * WIRE_KEY);
        get_one(job, &key, now_ms);
    }
}

/* As a pipeline does it: what the first look needs is asked for with all others
 * before. */
static void get_batch(struct job *job, const char *names, uint64_t count)
{
    int64_t now_ms = wall_ms();
    struct cache_key keys[BATCH];
    uint32_t ahead[BATCH];
    for (uint64_t done = 0; done < count; done += BATCH) {
        uint64_t size = count - done < BATCH ? count - done : BATCH;
        for (uint64_t i = 0; i < size; i++)
            keys[i] = key_at(job, names + (done + i) * WIRE_KEY);
        for (uint64_t i = 0; i < size; i++)
            cache_prefetch(job->cache, 0, &keys[i]);
        for (uint64_t i = 0; i < size; i++)
            ahead[i] = cache_prefetch_entry(job->cache, 0, &keys[i]);
        for (uint64_t i = 0; i < size; i++)
            cache_prefetch_use(job->cache, ahead[i]);
        for (uint64_t i = 0; i < size; i++)
            get_one(job, &keys[i], now_ms);
    }
}

static void set(struct job *job, const char *names, uint64_t count)
{
    int64_t now_ms = wall_ms();
    for (uint64_t i = 0; i < count; i++) {
        struct cache_key key = key_at(job, names + i * WIRE_KEY);
        struct cache_tx tx;
        bool waited = false;
        cache_begin(&tx, job->cache, now_ms, &key, 1);
        while (cache_put(&tx, 0, &key, &job->write) == CACHE_NO_ROOM) {
            cache_end(&tx);
            waited = true;
            if (!cache_make_room(&tx))
                abort();
            cache_begin_again(&tx, &key, 1);
        }
        cache_end(&tx);
        if (waited)
            cache_tx_close(&tx);
    }
}

static void delete (struct job *job, const char *names, uint64_t count)
{
    int64_t now_ms = wall_ms();
    for (uint64_t i = 0; i < count; i++) {
        struct cache_key key = key_at(job, names + i * WIRE_KEY);
        struct cache_tx tx;
        cache_begin(&tx, job->cache, now_ms, &key, 1);
        job->hits += cache_remove(&tx, 0, &key);
        cache_end(&tx);
    }
}

/* Which keys: those set first, those set later, those never set. */
enum range { OLD, NEWER, ABSENT };

// clang-format off
/* Phases in turn on one cache: heading, operation, order, which keys, and
 * whether each thread has a part of them for itself. */
static const struct phase {
    const char *heading;
    operation *operation;
    enum keys_order order;
    enum range range;
    bool own_part;
} phases[] = {
    {"set new",   set,       KEYS_SEQUENTIAL, OLD,    true},
    {"get",       get,       KEYS_UNIFORM,    OLD,    false},
    {"get zipf",  get,       KEYS_ZIPF,       OLD,    false},
    {"get batch", get_batch, KEYS_UNIFORM,    OLD,    false},
    {"get miss",  get,       KEYS_UNIFORM,    ABSENT, false},
    {"set again", set,       KEYS_UNIFORM,    OLD,    false},
    {"set evict", set,       KEYS_SEQUENTIAL, NEWER,  true},
    {"delete",    delete,    KEYS_SHUFFLED,   NEWER,  true},
};
// clang-format on

enum { PHASES = sizeof phases / sizeof phases[0], EVICTING = 6 };

static void *run_job(void *argument)
{
    struct job *job = argument;
    pthread_barrier_wait(job->barrier);
    uint64_t start_ns = host_now_ns();
    job->operation(job, job->names, job->count);
    job->took_ns = host_now_ns() - start_ns;
    return NULL;
}

static void make_names(struct job *job, const struct phase *phase,
                       uint64_t entries, unsigned threads, unsigned thread,
                       uint64_t seed)
{
    struct keys keys;
    uint64_t first = (uint64_t)phase->range * entries, count = entries;
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
        sum += (double)jobs[i].took_ns / (double)jobs[i].count;
    }
    pthread_barrier_destroy(&barrier);
    return sum / threads;
}

/* From here on whatever is new takes the place of something old. */
static void stop_growing(struct cache *cache)
{
    struct cache_stats stats;
    cache_stats(cache, wall_ms(), &stats);
    cache_set_limit(cache, stats.resident_bytes);
}

static void run_round(uint64_t entries, uint64_t value_bytes, unsigned threads,
                      uint64_t seed, double *ns)
{
    static const char value[CACHE_INLINE_MAX];
    static struct job jobs[THREADS_MAX];
    struct cache_options options = {.shards = 0};
    memcpy(options.hash_key, &seed, sizeof seed);
    struct cache *cache = cache_new(&options);
    if (cache == NULL)
        abort();
    cache_set_limit(cache, entries * (value_bytes + WIRE_KEY + 80) +
                               ((size_t)SPARE_MB << 20));
    for (unsigned i = 0; i < threads; i++) {
        jobs[i] = (struct job){.cache = cache};
        jobs[i].most = (entries > LEAST ? entries : LEAST) / threads;
        jobs[i].write =
            (struct cache_write){.value = value, .len = value_bytes};
        jobs[i].names = malloc(jobs[i].most * WIRE_KEY);
        if (jobs[i].names == NULL)
            abort();
    }
    for (unsigned i = 0; i < PHASES; i++) {
        if (i == EVICTING)
            stop_growing(cache);
        ns[i] = run_phase(&phases[i], jobs, threads, entries, seed + i);
    }
    for (unsigned i = 0; i < threads; i++)
        free(jobs[i].names);
    cache_free(cache);
}

static void add_row(struct table *table, uint64_t entries, uint64_t value_bytes,
                    unsigned threads, uint64_t rounds)
{
    double ns[PHASES], best[PHASES];
    for (uint64_t round = 0; round < rounds; round++) {
        run_round(entries, value_bytes, threads, round + 1, ns);
        for (unsigned i = 0; i < PHASES; i++)
            best[i] = round == 0 || ns[i] < best[i] ? ns[i] : best[i];
    }
    table_cell(table, "%llu", (unsigned long long)entries);
    table_cell(table, "%llu", (unsigned long long)value_bytes);
    table_cell(table, "%u", threads);
    for (unsigned i = 0; i < PHASES; i++)
        table_cell(table, "%.0f", best[i]);
}

int main(int argc, char **argv)
{
    static const uint64_t sizes[] = {16, 100, 1000};
    uint64_t entries = 1000000, few = 10000, rounds = 3;
    uint64_t threads = host_cores();
    const struct args_row rows[] = {
        {"entries", &entries, NULL, "how many; each with a key of 16 B"},
        {"few", &few, NULL, "of a case that fits the processor's caches"},
        {"threads", &threads, NULL, "of the cases with more than one"},
        {"rounds", &rounds, NULL, "whose best is shown"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "cache: ns of one operation, in process", argc, argv);
    args_within("rounds", rounds, 1, UINT64_MAX);
    args_within("threads", threads, 1, THREADS_MAX);
    args_within("few", few, threads, UINT64_MAX);
    args_within("entries", entries, threads, UINT64_MAX);

    const char *headings[PHASES + 4] = {"entries", "value B", "threads"};
    static struct table table;
    for (unsigned i = 0; i < PHASES; i++)
        headings[i + 3] = phases[i].heading;
    table_init(&table, headings);
    add_row(&table, few, 100, 1, rounds);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        add_row(&table, entries, sizes[i], 1, rounds);
        if (threads > 1)
            add_row(&table, entries, sizes[i], (unsigned)threads, rounds);
    }
    printf("ns for one operation of one thread; the best of %llu rounds\n\n",
           (unsigned long long)rounds);
    table_print(&table, stdout);
    return 0;
}
