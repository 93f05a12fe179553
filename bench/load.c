/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Throughput, latency and the server's CPU for one operation, at several
 * pipeline depths.  All servers are up and filled; rounds take turns over
 * them, so that whatever else the machine does meets all alike, and the
 * medians of the rounds are shown.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"
#include "bench/drive.h"
#include "bench/host.h"
#include "bench/peer.h"
#include "bench/table.h"
#include "bench/work.h"

enum { ROUNDS_MAX = 99, SERVER_CORE = 0, GENERATOR_CORE = 1 };

static const unsigned depths[] = {1, 10, 50};
static const char *const orders[] = {"uniform", "zipf", NULL};

// clang-format off
/* What is measured in a round: name, format. */
#define MEASURES(X)                  \
    X(RATE,    "ops/s",    "%.0f")   \
    X(P50,     "p50 us",   "%.1f")   \
    X(P99,     "p99 us",   "%.1f")   \
    X(P999,    "p99.9 us", "%.1f")   \
    X(LONGEST, "p100 us",  "%.0f")   \
    X(CPU,     "CPU ns/op", "%.0f")  \
    X(USER,    "user ns/op", "%.0f")
// clang-format on

#define X(id, name, format) id,
enum measure { MEASURES(X) MEASURE_COUNT };
#undef X

struct arguments {
    uint64_t seconds, rounds, connections, sets, value, keys, theta, seed;
    uint64_t budget;
    const char *order, *ebb, *only;
};

struct runner {
    struct peer peer;
    bool up;
    double rounds[MEASURE_COUNT][ROUNDS_MAX];
};

static bool measure(struct runner *runner, const struct arguments *arguments,
                    unsigned depth, uint64_t round)
{
    const struct peer *peer = &runner->peer;
    struct drive_result result;
    struct drive_plan plan = {.port = peer->port,
                              .wire = peer->wire,
                              .connections = (unsigned)arguments->connections,
                              .depth = depth,
                              .sets_percent = (unsigned)arguments->sets,
                              .value_bytes = arguments->value,
                              .order = strcmp(arguments->order, "zipf") == 0
                                           ? KEYS_ZIPF
                                           : KEYS_UNIFORM,
                              .theta_percent = (unsigned)arguments->theta,
                              .keys = arguments->keys,
                              .for_ns = arguments->seconds * 1000000000,
                              .seed = arguments->seed + round};
    struct host_cpu before = host_cpu(peer->pid);
    bool done = drive_run(&plan, &result);
    struct host_cpu after = host_cpu(peer->pid);
    if (result.errors + result.misses > 0)
        fprintf(stderr, "%s: %llu misses, %llu errors %s\n", peer->name,
                (unsigned long long)result.misses,
                (unsigned long long)result.errors, result.error);
    if (!done)
        return false;

    double operations = (double)result.operations;
    double user = (double)(after.user_ns - before.user_ns);
    double system = (double)(after.system_ns - before.system_ns);
    const double values[MEASURE_COUNT] = {
        [RATE] = operations * 1e9 / (double)result.took_ns,
        [P50] = (double)hist_quantile_ns(&result.waits, 0.5) / 1e3,
        [P99] = (double)hist_quantile_ns(&result.waits, 0.99) / 1e3,
        [P999] = (double)hist_quantile_ns(&result.waits, 0.999) / 1e3,
        [LONGEST] = (double)result.waits.longest_ns / 1e3,
        [CPU] = (user + system) / operations,
        [USER] = user / operations};
    for (unsigned i = 0; i < MEASURE_COUNT; i++)
        runner->rounds[i][round] = values[i];
    return true;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *values, uint64_t count)
{
    qsort(values, count, sizeof *values, compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void add_row(struct table *table, struct runner *runner, unsigned depth,
                    uint64_t rounds)
{
#define X(id, name, format) format,
    static const char *const formats[] = {MEASURES(X)};
#undef X
    char text[TABLE_CELL];
    table_cell(table, "%s", runner->peer.name);
    table_cell(table, "%u", depth);
    for (unsigned i = 0; i < MEASURE_COUNT; i++) {
        double middle = median(runner->rounds[i], rounds);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, formats[i], middle);
#pragma GCC diagnostic pop
        table_cell(table, "%s", text);
    }
}

/* False if it broke down; true, but not up, if it is not installed. */
static bool start(struct runner *runner, enum peer_id id,
                  const struct arguments *arguments)
{
    struct peer_options options = {.budget_bytes = arguments->budget,
                                   .threads = 1,
                                   .core = host_cores() > 1 ? SERVER_CORE
                                                            : PEER_ANY_CORE,
                                   .value_bytes = arguments->value,
                                   .ebb = arguments->ebb};
    if (!peer_present(id, arguments->ebb, arguments->only))
        return true;
    if (!peer_start(&runner->peer, id, &options))
        return false;
    runner->up =
        id == PEER_FLOOR ||
        work_fill(&runner->peer, 0, arguments->keys, arguments->value, 0);
    if (!runner->up)
        peer_stop(&runner->peer);
    return runner->up;
}

/* False if a server broke down; it is left out from then on. */
static bool run_depth(struct table *table, struct runner *runners,
                      const struct arguments *arguments, unsigned depth)
{
    bool whole = true;
    for (uint64_t round = 0; round < arguments->rounds; round++) {
        for (unsigned i = 0; i < PEER_COUNT; i++) {
            if (runners[i].up &&
                !measure(&runners[i], arguments, depth, round)) {
                peer_stop(&runners[i].peer);
                whole = runners[i].up = false;
            }
        }
    }
    for (unsigned i = 0; i < PEER_COUNT; i++) {
        if (runners[i].up)
            add_row(table, &runners[i], depth, arguments->rounds);
    }
    return whole;
}

static void check(const struct arguments *a)
{
    args_within("seconds", a->seconds, 1, 86400);
    args_within("rounds", a->rounds, 1, ROUNDS_MAX);
    args_within("connections", a->connections, 1, 10000);
    args_within("sets", a->sets, 0, 100);
    args_within("value", a->value, 0, WIRE_VALUE_MAX);
    args_within("keys", a->keys, 1, UINT64_MAX);
    args_within("theta", a->theta, 0, 99);
    args_within("budget", a->budget, 1 << 20, UINT64_MAX);
    args_word("order", a->order, orders);
    peer_check_only(a->only, PEER_COUNT);
}

int main(int argc, char **argv)
{
    struct arguments a = {.seconds = 2,
                          .rounds = 5,
                          .connections = 50,
                          .sets = 10,
                          .value = 100,
                          .keys = 1000000,
                          .theta = 99,
                          .seed = 1,
                          .budget = 1 << 30,
                          .order = "uniform"};
    const struct args_row rows[] = {
        {"seconds", &a.seconds, NULL, "of a round"},
        {"rounds", &a.rounds, NULL, "whose median is shown"},
        {"connections", &a.connections, NULL, "at one time"},
        {"sets", &a.sets, NULL, "percent of SETs among GETs"},
        {"value", &a.value, NULL, "bytes of a value"},
        {"keys", &a.keys, NULL, "different keys, all of them there"},
        {"order", NULL, &a.order, "uniform or zipf"},
        {"theta", &a.theta, NULL, "skew of zipf in hundredths, below 100"},
        {"budget", &a.budget, NULL, "memory of each server"},
        {"seed", &a.seed, NULL, "of the random numbers"},
        {"only", NULL, &a.only, "server to run, by name, not the others"},
        {"ebb", NULL, &a.ebb, "the program, if not the one built here"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "load: throughput, latency and CPU, by pipeline depth",
              argc, argv);
    check(&a);

#define X(id, name, format) name,
    const char *const headings[] = {"server", "depth", MEASURES(X) NULL};
#undef X
    static struct table table;
    static struct runner runners[PEER_COUNT];
    bool whole = true;
    table_init(&table, headings);
    for (unsigned i = 0; i < PEER_COUNT; i++)
        whole = start(&runners[i], (enum peer_id)i, &a) && whole;
    if (host_cores() > 1)
        host_pin(GENERATOR_CORE);
    else
        fprintf(stderr, "one core only: server and generator share it\n");
    for (unsigned i = 0; i < sizeof depths / sizeof depths[0]; i++)
        whole = run_depth(&table, runners, &a, depths[i]) && whole;
    for (unsigned i = 0; i < PEER_COUNT; i++)
        whole = (!runners[i].up || peer_stop(&runners[i].peer)) && whole;
    printf("GET:SET %llu:%llu, %llu keys of 16 B, values of %llu B, %s, "
           "%llu connections;\nmedians of %llu rounds of %llu s\n\n",
           100 - (unsigned long long)a.sets, (unsigned long long)a.sets,
           (unsigned long long)a.keys, (unsigned long long)a.value, a.order,
           (unsigned long long)a.connections, (unsigned long long)a.rounds,
           (unsigned long long)a.seconds);
    table_print(&table, stdout);
    return whole ? 0 : 1;
}
