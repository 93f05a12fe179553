/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Throughput, latency and the server's CPU for one operation, by requests and
 * pipeline depth.  All servers are up and filled; rounds take turns over them,
 * so that whatever else the machine does meets all alike, and the medians of
 * the rounds are shown.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"
#include "bench/drive.h"
#include "bench/host.h"
#include "bench/peer.h"
#include "bench/rounds.h"
#include "bench/table.h"
#include "bench/work.h"

enum { DEPTHS_MAX = 16 };

/* More than any round can set. */
static const uint64_t new_keys = 1ULL << 40;

enum requests { MIXED, GETS, SETS, EVICTING, REQUESTS_COUNT };

static const char *const requests_names[] = {"mixed", "get", "set", "evict",
                                             NULL};
static const char *const orders[] = {"uniform", "zipf", NULL};

// clang-format off
/* What is measured in a round: name, decimals shown; SPREAD is that of what
 * stands before it. */
#define SPREAD (-1)
#define MEASURES(X)                      \
    X(RATE,        "ops/s",      0)      \
    X(P50,         "p50 us",     1)      \
    X(P99,         "p99 us",     1)      \
    X(P999,        "p99.9 us",   1)      \
    X(LONGEST,     "p100 us",    0)      \
    X(EVICTED,     "evicted",    2)      \
    X(CPU,         "CPU ns/op",  0)      \
    X(CPU_SPREAD,  "from-to",    SPREAD) \
    X(USER,        "user ns/op", 0)      \
    X(USER_SPREAD, "from-to",    SPREAD)
// clang-format on

#define X(id, name, decimals) id,
enum measure { MEASURES(X) MEASURE_COUNT };
#undef X

struct arguments {
    uint64_t seconds, rounds, connections, sets, value, keys, theta, seed;
    uint64_t budget;
    const char *depths_text, *requests_text, *order, *ebb, *only, *other, *csv;
    uint64_t depths[DEPTHS_MAX];
    unsigned depths_count;
    bool requests[REQUESTS_COUNT];
    int core; /* of the servers */
};

struct runner {
    struct peer peer;
    bool up;
    uint64_t first_key, keys; /* those that are there */
    uint64_t next_key;        /* none from it on was ever set */
    struct rounds rounds[MEASURE_COUNT];
};

struct report {
    struct table table;
    FILE *csv;
};

static struct drive_plan plan_for(const struct runner *runner,
                                  const struct arguments *arguments,
                                  enum requests requests, unsigned depth)
{
    const unsigned percents[] = {
        [MIXED] = (unsigned)arguments->sets, [SETS] = 100, [EVICTING] = 100};
    bool zipf = strcmp(arguments->order, "zipf") == 0;
    struct drive_plan plan = {.port = runner->peer.port,
                              .wire = runner->peer.wire,
                              .connections = (unsigned)arguments->connections,
                              .depth = depth,
                              .sets_percent = percents[requests],
                              .value_bytes = arguments->value,
                              .order = zipf ? KEYS_ZIPF : KEYS_UNIFORM,
                              .theta_percent = (unsigned)arguments->theta,
                              .first_key = runner->first_key,
                              .keys = runner->keys,
                              .for_ns = arguments->seconds * 1000000000};
    if (requests == EVICTING) {
        plan.order = KEYS_SEQUENTIAL;
        plan.first_key = runner->next_key;
        plan.keys = new_keys;
    }
    return plan;
}

static uint64_t evicted(struct runner *runner)
{
    return runner->peer.id == PEER_FLOOR ? 0 : peer_evicted(&runner->peer);
}

static bool measure(struct runner *runner, const struct arguments *arguments,
                    enum requests requests, unsigned depth, uint64_t round)
{
    const struct peer *peer = &runner->peer;
    struct drive_result result;
    struct drive_plan plan = plan_for(runner, arguments, requests, depth);
    plan.seed = arguments->seed + round;
    uint64_t evicted_before = evicted(runner);
    struct host_cpu before = host_cpu(peer->pid);
    bool done = drive_run(&plan, &result);
    struct host_cpu cpu = host_cpu_since(peer->pid, before);
    if (result.errors + result.misses > 0)
        fprintf(stderr, "%s: %llu misses, %llu errors %s\n", peer->name,
                (unsigned long long)result.misses,
                (unsigned long long)result.errors, result.error);
    if (!done)
        return false;
    if (requests == EVICTING) {
        runner->next_key += result.operations;
        runner->first_key = runner->next_key - runner->keys;
    }

    double operations = (double)result.operations;
    const double values[MEASURE_COUNT] = {
        [RATE] = operations * 1e9 / (double)result.took_ns,
        [P50] = (double)hist_quantile_ns(&result.waits, 0.5) / 1e3,
        [P99] = (double)hist_quantile_ns(&result.waits, 0.99) / 1e3,
        [P999] = (double)hist_quantile_ns(&result.waits, 0.999) / 1e3,
        [LONGEST] = (double)result.waits.longest_ns / 1e3,
        [EVICTED] = (double)(evicted(runner) - evicted_before) / operations,
        [CPU] = (double)cpu.all_ns / operations,
        [USER] = (double)cpu.user_ns / operations};
    for (unsigned i = 0; i < MEASURE_COUNT; i++)
        rounds_add(&runner->rounds[i], values[i]);
    return true;
}

static void add_spread(struct table *table, const struct rounds *rounds)
{
    table_cell(table, "%.0f-%.0f", rounds_least(rounds), rounds_most(rounds));
}

/* The quotient of medians; none if the other one did not run. */
static void add_ratio(struct table *table, const struct runner *runner,
                      const struct runner *other, enum measure measure)
{
    if (other->up)
        table_cell(table, "%.2f",
                   rounds_median(&runner->rounds[measure]) /
                       rounds_median(&other->rounds[measure]));
    else
        table_cell(table, "-");
}

static void add_row(struct table *table, const struct runner *runners,
                    const struct runner *runner, enum requests requests,
                    unsigned depth)
{
#define X(id, name, decimals) decimals,
    static const int decimals[] = {MEASURES(X)};
#undef X
    table_cell(table, "%s", runner->peer.name);
    table_cell(table, "%s", requests_names[requests]);
    table_cell(table, "%u", depth);
    for (unsigned i = 0; i < MEASURE_COUNT; i++) {
        if (decimals[i] == SPREAD)
            add_spread(table, &runner->rounds[i - 1]);
        else
            table_cell(table, "%.*f", decimals[i],
                       rounds_median(&runner->rounds[i]));
    }
    add_ratio(table, runner, &runners[PEER_FLOOR], CPU);
    add_ratio(table, runner, &runners[PEER_REDIS], USER);
}

static void write_csv(FILE *csv, const struct runner *runner,
                      enum requests requests, unsigned depth)
{
    const struct rounds *rounds = runner->rounds;
    fprintf(csv, "%s,%s,%u", runner->peer.name, requests_names[requests],
            depth);
    for (unsigned i = CPU; i <= USER; i += USER - CPU)
        fprintf(csv, ",%.1f,%.1f,%.1f", rounds_median(&rounds[i]),
                rounds_least(&rounds[i]), rounds_most(&rounds[i]));
    fprintf(csv, ",%.0f,%.1f\n", rounds_median(&rounds[RATE]),
            rounds_median(&rounds[P99]));
}

/* Fills it: with all keys, or until it is full and half of what it holds is
 * asked for. */
static bool fill(struct runner *runner, const struct arguments *arguments)
{
    struct peer *peer = &runner->peer;
    uint64_t count = arguments->keys;
    if (arguments->requests[EVICTING])
        count = work_keys_for(arguments->budget, arguments->value);
    runner->keys = runner->next_key = count;
    if (peer->id == PEER_FLOOR)
        return true;
    if (!work_fill(peer, 0, count, arguments->value, 0))
        return false;
    if (arguments->requests[EVICTING]) {
        runner->keys = peer_entries(peer) / 2;
        runner->first_key = count - runner->keys;
    }
    return runner->keys > 0;
}

/* False if it broke down; true, but not up, if it is not installed. */
static bool start(struct runner *runner, enum peer_id id,
                  const struct arguments *arguments)
{
    struct peer_options options = {.budget_bytes = arguments->budget,
                                   .threads = 1,
                                   .core = arguments->core,
                                   .value_bytes = arguments->value,
                                   .ebb = arguments->ebb,
                                   .other = arguments->other};
    bool wanted = id != PEER_OTHER || *arguments->other != '\0';
    if (!wanted || !peer_present(id, arguments->ebb, arguments->only))
        return true;
    if (!peer_start(&runner->peer, id, &options))
        return false;
    runner->up = fill(runner, arguments);
    if (!runner->up)
        peer_stop(&runner->peer);
    return runner->up;
}

/* False if a server broke down; it is left out from then on. */
static bool run_rows(struct report *report, struct runner *runners,
                     const struct arguments *arguments, enum requests requests,
                     unsigned depth)
{
    bool whole = true;
    for (unsigned i = 0; i < PEER_COUNT; i++)
        memset(runners[i].rounds, 0, sizeof runners[i].rounds);
    for (uint64_t round = 0; round < arguments->rounds; round++) {
        for (unsigned i = 0; i < PEER_COUNT; i++) {
            if (runners[i].up &&
                !measure(&runners[i], arguments, requests, depth, round)) {
                peer_stop(&runners[i].peer);
                whole = runners[i].up = false;
            }
        }
    }
    for (unsigned i = 0; i < PEER_COUNT; i++) {
        const struct runner *runner = &runners[i];
        if (!runner->up)
            continue;
        add_row(&report->table, runners, runner, requests, depth);
        if (report->csv != NULL)
            write_csv(report->csv, runner, requests, depth);
    }
    return whole;
}

static void check(struct arguments *a)
{
    a->depths_count = args_numbers("depths", a->depths_text, 1, 1000000,
                                   a->depths, DEPTHS_MAX);
    args_words("requests", a->requests_text, requests_names, a->requests);
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

static void print_report(const struct report *report, const struct arguments *a)
{
    printf("mixed is GET:SET %llu:%llu, keys of 16 B, values of %llu B, ",
           100 - (unsigned long long)a->sets, (unsigned long long)a->sets,
           (unsigned long long)a->value);
    if (a->requests[EVICTING])
        printf("servers full at %llu MiB", (unsigned long long)a->budget >> 20);
    else
        printf("%llu of them", (unsigned long long)a->keys);
    printf(", %s, %llu connections;\nmedians of %llu rounds of %llu s, and "
           "from the least to the most\n\n",
           a->order, (unsigned long long)a->connections,
           (unsigned long long)a->rounds, (unsigned long long)a->seconds);
    table_print(&report->table, stdout);
}

static FILE *open_csv(const char *path)
{
    FILE *csv = fopen(path, "w");
    if (csv == NULL) {
        perror(path);
        exit(1);
    }
    fputs("server,requests,depth,cpu_ns,cpu_ns_least,cpu_ns_most,user_ns,"
          "user_ns_least,user_ns_most,per_second,p99_us\n",
          csv);
    return csv;
}

/* Every kind of requests at every depth; false if a server broke down. */
static bool run_all(struct report *report, const struct arguments *a)
{
    static struct runner runners[PEER_COUNT];
    bool whole = true;
    for (unsigned i = 0; i < PEER_COUNT; i++)
        whole = start(&runners[i], (enum peer_id)i, a) && whole;
    for (unsigned i = 0; i < REQUESTS_COUNT; i++) {
        for (unsigned j = 0; a->requests[i] && j < a->depths_count; j++)
            whole = run_rows(report, runners, a, (enum requests)i,
                             (unsigned)a->depths[j]) &&
                    whole;
    }
    for (unsigned i = 0; i < PEER_COUNT; i++)
        whole = (!runners[i].up || peer_stop(&runners[i].peer)) && whole;
    return whole;
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
                          .depths_text = "1,10,50",
                          .requests_text = "mixed",
                          .order = "uniform",
                          .other = ""};
    const struct args_row rows[] = {
        {"seconds", &a.seconds, NULL, "of a round"},
        {"rounds", &a.rounds, NULL, "whose median is shown"},
        {"connections", &a.connections, NULL, "at one time"},
        {"depths", NULL, &a.depths_text, "how many requests are sent at once"},
        {"requests", NULL, &a.requests_text,
         "some of mixed,get,set,evict; evict: SETs of new keys, all are full"},
        {"sets", &a.sets, NULL, "percent of SETs among GETs, if mixed"},
        {"value", &a.value, NULL, "bytes of a value"},
        {"keys", &a.keys, NULL,
         "different keys; with evict: half of what is held"},
        {"order", NULL, &a.order, "uniform or zipf"},
        {"theta", &a.theta, NULL, "skew of zipf in hundredths, below 100"},
        {"budget", &a.budget, NULL, "memory of each server"},
        {"seed", &a.seed, NULL, "of the random numbers"},
        {"only", NULL, &a.only, "server to run, by name, not the others"},
        {"ebb", NULL, &a.ebb, "the program, if not the one built here"},
        {"peer", NULL, &a.other,
         "command of one more server of RESP; %p: its port, %m: its memory"},
        {"csv", NULL, &a.csv, "file to write the medians to"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "load: throughput, latency and CPU, by pipeline depth",
              argc, argv);
    check(&a);
    a.core = peer_take_cores();

#define X(id, name, decimals) name,
    const char *const headings[] = {"server",        "requests",
                                    "depth",         MEASURES(X) "CPU to floor",
                                    "user to redis", NULL};
#undef X
    static struct report report;
    table_init(&report.table, headings);
    if (a.csv != NULL)
        report.csv = open_csv(a.csv);
    bool whole = run_all(&report, &a);
    print_report(&report, &a);
    if (report.csv != NULL && fclose(report.csv) != 0) {
        perror(a.csv);
        whole = false;
    }
    return whole ? 0 : 1;
}
