/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the cache alone scales with threads: slices of one, two, four ... threads
 * take turns, each thread kept on one core, so that whatever else the machine
 * does meets all alike, and each is compared with the slice of one thread of
 * the same round.  A slice that did not get the cores it could use, because
 * others used them, is tried again.
 */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/args.h"
#include "bench/cache_ops.h"
#include "bench/host.h"
#include "bench/keys.h"
#include "bench/table.h"
#include "bench/wire.h"

enum { THREADS_MAX = 64, COUNTS_MAX = 7, ROUNDS_MAX = 1000, PIECE = 64 };
enum { GOT_PERCENT = 93, TRIES = 30 };

// clang-format off
static const struct work {
    const char *heading;
    operation *operation;
    enum keys_order order;
} works[] = {
    {"get, uniform",     ops_get,       KEYS_UNIFORM},
    {"get, Zipf",        ops_get,       KEYS_ZIPF},
    {"batches, uniform", ops_get_batch, KEYS_UNIFORM},
    {"batches, Zipf",    ops_get_batch, KEYS_ZIPF},
    {"9:1, uniform",     ops_mix,       KEYS_UNIFORM},
    {"9:1, Zipf",        ops_mix,       KEYS_ZIPF},
};
// clang-format on

enum { WORKS = sizeof works / sizeof works[0] };

struct slice {
    double per_second, cores, per_cpu_second;
};

struct worker {
    _Alignas(128) struct ops ops; /* no line is another's too */
    operation *operation;
    char *names[2]; /* uniform, Zipf */
    const char *from;
    uint64_t count, at, done, took_ns, cpu_ns;
    unsigned core;
    pthread_barrier_t *barrier;
    atomic_bool *stop;
};

static void *run_worker(void *argument)
{
    struct worker *worker = argument;
    host_pin(worker->core);
    pthread_barrier_wait(worker->barrier);
    uint64_t start_ns = host_now_ns(), start_cpu_ns = ops_cpu_ns();
    worker->done = 0;
    while (!atomic_load_explicit(worker->stop, memory_order_relaxed)) {
        if (worker->at + PIECE > worker->count)
            worker->at = 0;
        worker->operation(&worker->ops, worker->from + worker->at * WIRE_KEY,
                          PIECE);
        worker->at += PIECE;
        worker->done += PIECE;
    }
    worker->cpu_ns = ops_cpu_ns() - start_cpu_ns;
    worker->took_ns = host_now_ns() - start_ns;
    return NULL;
}

static struct slice run_slice(struct worker *workers, unsigned threads,
                              const struct work *work, uint64_t slice_ms)
{
    pthread_t ids[THREADS_MAX];
    pthread_barrier_t barrier;
    atomic_bool stop = false;
    struct slice slice = {0};
    double done = 0;
    pthread_barrier_init(&barrier, NULL, threads + 1);
    for (unsigned i = 0; i < threads; i++) {
        workers[i].operation = work->operation;
        workers[i].from = workers[i].names[work->order == KEYS_ZIPF];
        workers[i].core = i % host_cores();
        workers[i].barrier = &barrier;
        workers[i].stop = &stop;
        if (pthread_create(&ids[i], NULL, run_worker, &workers[i]) != 0)
            abort();
    }
    pthread_barrier_wait(&barrier);
    host_wait_until(host_now_ns() + slice_ms * 1000000);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        double took_ns = (double)workers[i].took_ns;
        done += (double)workers[i].done;
        slice.per_second += (double)workers[i].done * 1e9 / took_ns;
        slice.cores += (double)workers[i].cpu_ns / took_ns;
        slice.per_cpu_second += (double)workers[i].cpu_ns / 1e9;
    }
    slice.per_cpu_second = done / slice.per_cpu_second;
    pthread_barrier_destroy(&barrier);
    return slice;
}

static unsigned useful(unsigned threads)
{
    return threads < host_cores() ? threads : host_cores();
}

/* The best of some tries, if the machine is not ours. */
static struct slice run_slices(struct worker *workers, unsigned threads,
                               const struct work *work, uint64_t slice_ms)
{
    struct slice best = {.cores = 0};
    for (int i = 0; i < TRIES; i++) {
        struct slice slice = run_slice(workers, threads, work, slice_ms);
        if (slice.cores > best.cores)
            best = slice;
        if (best.cores * 100 > useful(threads) * GOT_PERCENT)
            break;
    }
    return best;
}

/* A number that two cores count up in turns. */
enum { PASSES = 100000 };

static void *pass_back(void *argument)
{
    atomic_uint *number = argument;
    host_pin(1);
    for (unsigned i = 0; i < PASSES; i++) {
        while (atomic_load(number) != 2 * i + 1)
            ;
        atomic_store(number, 2 * i + 2);
    }
    return NULL;
}

/* Nanoseconds until the one core sees what the other wrote: what each line that
 * both write costs, and on a virtual machine another one from day to day. */
static double pass_ns(void)
{
    _Alignas(128) atomic_uint number = 0;
    cpu_set_t before;
    pthread_t id;
    pthread_getaffinity_np(pthread_self(), sizeof before, &before);
    if (pthread_create(&id, NULL, pass_back, &number) != 0)
        abort();
    host_pin(0);
    uint64_t start_ns = host_now_ns();
    for (unsigned i = 0; i < PASSES; i++) {
        atomic_store(&number, 2 * i + 1);
        while (atomic_load(&number) != 2 * i + 2)
            ;
    }
    uint64_t took_ns = host_now_ns() - start_ns;
    pthread_join(id, NULL);
    pthread_setaffinity_np(pthread_self(), sizeof before, &before);
    return (double)took_ns / PASSES / 2;
}

static void fill(struct worker *workers, uint64_t threads, uint64_t entries,
                 uint64_t count)
{
    enum { SOME = 10000 };
    char *names = malloc(SOME * WIRE_KEY);
    struct keys keys;
    for (uint64_t at = 0; names && at < entries; at += SOME) {
        uint64_t some = entries - at < SOME ? entries - at : SOME;
        for (uint64_t i = 0; i < some; i++)
            wire_key(names + i * WIRE_KEY, at + i);
        ops_set(&workers[0].ops, names, some);
    }
    free(names);
    for (uint64_t i = 0; i < threads; i++)
        for (unsigned zipf = 0; zipf < 2; zipf++) {
            char *to = malloc(count * WIRE_KEY);
            if (to == NULL)
                abort();
            keys_init(&keys, zipf ? KEYS_ZIPF : KEYS_UNIFORM, entries, 99, 1);
            keys.state += i + 1; /* other keys, with the same liked most */
            for (uint64_t n = 0; n < count; n++)
                wire_key(to + n * WIRE_KEY, keys_next(&keys));
            workers[i].names[zipf] = to;
            workers[i].count = count;
        }
}

/* The row of one work and number of threads, which is counts[at]. */
static void add_row(struct table *table, const struct work *work,
                    const unsigned *counts, unsigned at,
                    const struct slice (*slices)[COUNTS_MAX], uint64_t rounds)
{
    static double speed[ROUNDS_MAX], cores[ROUNDS_MAX], wall[ROUNDS_MAX],
        cpu[ROUNDS_MAX], two[ROUNDS_MAX];
    for (uint64_t i = 0; i < rounds; i++) {
        const struct slice *one = &slices[i][0], *this = &slices[i][at];
        speed[i] = this->per_second / 1e6;
        cores[i] = this->cores;
        wall[i] = this->per_second / one->per_second;
        cpu[i] =
            this->per_cpu_second / one->per_cpu_second * useful(counts[at]);
        two[i] = this->per_second / slices[i][at > 0].per_second;
    }
    table_cell(table, "%s", work->heading);
    table_cell(table, "%u", counts[at]);
    table_cell(table, "%.2f", ops_median(speed, rounds));
    table_cell(table, "%.2f", ops_median(cores, rounds));
    table_cell(table, "%.2f", ops_median(wall, rounds));
    table_cell(table, "%.2f", ops_median(cpu, rounds));
    table_cell(table, "%.2f", ops_median(two, rounds));
}

int main(int argc, char **argv)
{
    uint64_t entries = 1000000, value_bytes = 100, threads = 8, rounds = 21;
    uint64_t slice_ms = 20, count = 500000;
    const struct args_row rows[] = {
        {"entries", &entries, NULL, "how many; each with a key of 16 B"},
        {"value", &value_bytes, NULL, "bytes of each value"},
        {"threads", &threads, NULL, "up to so many: 1, 2, 4, ..."},
        {"rounds", &rounds, NULL, "whose medians are shown"},
        {"slice", &slice_ms, NULL, "milliseconds of each slice"},
        {"names", &count, NULL, "of keys, that each thread has"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "cache_scale: the cache's speed by threads", argc, argv);
    args_within("rounds", rounds, 1, ROUNDS_MAX);
    args_within("threads", threads, 1, THREADS_MAX);
    args_within("value", value_bytes, 0, CACHE_INLINE_MAX);
    args_within("names", count, PIECE, UINT64_MAX);

    static const char value[CACHE_INLINE_MAX];
    static struct worker workers[THREADS_MAX];
    static struct slice slices[WORKS][ROUNDS_MAX][COUNTS_MAX];
    static struct table table;
    static const char *const headings[] = {
        "work", "threads", "M/s", "cores", "x one", "x one by CPU", "x two", 0};
    struct cache *cache = ops_cache(entries, value_bytes, 1);
    for (uint64_t i = 0; i < threads; i++)
        workers[i].ops = (struct ops){
            .cache = cache, .write = {.value = value, .len = value_bytes}};
    fill(workers, threads, entries, count);
    unsigned counts[COUNTS_MAX], of_counts = 0;
    for (unsigned n = 1; n <= threads; n *= 2)
        counts[of_counts++] = n;
    double pass_before_ns = host_cores() > 1 ? pass_ns() : 0;
    for (uint64_t round = 0; round < rounds; round++)
        for (unsigned w = 0; w < WORKS; w++)
            for (unsigned n = 0; n < of_counts; n++)
                slices[w][round][n] =
                    run_slices(workers, counts[n], &works[w], slice_ms);
    table_init(&table, headings);
    for (unsigned w = 0; w < WORKS; w++)
        for (unsigned n = 0; n < of_counts; n++)
            add_row(&table, &works[w], counts, n,
                    (const struct slice(*)[COUNTS_MAX])slices[w], rounds);
    printf("millions of operations a second, and the processor time got for "
           "them;\nas a multiple of one thread's (by CPU: as if each of %u "
           "cores were all its own),\nand of two; medians of %llu rounds of "
           "%llu ms\n\n",
           host_cores(), (unsigned long long)rounds,
           (unsigned long long)slice_ms);
    table_print(&table, stdout);
    if (host_cores() > 1)
        printf(
            "\nA line goes from one core to the other in %.0f ns before this "
            "and %.0f after it.\n",
            pass_before_ns, pass_ns());
    return 0;
}
