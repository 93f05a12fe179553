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
#include "bench/fleet.h"
#include "bench/host.h"
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
};

struct runner {
    uint64_t first_key, keys; /* those that are there */
    uint64_t next_key;        /* none from it on was ever set */
    struct rounds rounds[MEASURE_COUNT];
};

struct load {
    const struct arguments *arguments;
    enum requests requests;
    unsigned depth;
    struct runner runners[PEER_COUNT];
    struct fleet fleet;
    struct table table;
    FILE *csv;
};

static struct drive_plan plan_for(const struct load *load,
                                  const struct peer *peer, uint64_t round)
{
    const struct arguments *a = load->arguments;
    const struct runner *runner = &load->runners[peer->id];
    const unsigned percents[] = {
        [MIXED] = (unsigned)a->sets, [SETS] = 100, [EVICTING] = 100};
    bool zipf = strcmp(a->order, "zipf") == 0;
    struct drive_plan plan = {.port = peer->port,
                              .wire = peer->wire,
                              .connections = (unsigned)a->connections,
                              .depth = load->depth,
                              .sets_percent = percents[load->requests],
                              .value_bytes = a->value,
                              .order = zipf ? KEYS_ZIPF : KEYS_UNIFORM,
                              .theta_percent = (unsigned)a->theta,
                              .first_key = runner->first_key,
                              .keys = runner->keys,
                              .for_ns = a->seconds * 1000000000,
                              .seed = a->seed + round};
    if (load->requests == EVICTING) {
        plan.order = KEYS_SEQUENTIAL;
        plan.first_key = runner->next_key;
        plan.keys = new_keys;
    }
    return plan;
}

static uint64_t evicted(struct peer *peer)
{
    return peer->id == PEER_FLOOR ? 0 : peer_evicted(peer);
}

static bool measure(struct peer *peer, uint64_t round, void *ctx)
{
    struct load *load = ctx;
    struct runner *runner = &load->runners[peer->id];
    struct drive_result result;
    struct drive_plan plan = plan_for(load, peer, round);
    uint64_t evicted_before = evicted(peer);
    struct host_cpu before = host_cpu(peer->pid);
    bool done = drive_run(&plan, &result);
    struct host_cpu cpu = host_cpu_since(peer->pid, before);
    drive_tell(&result, peer->name);
    if (!done)
        return false;
    if (load->requests == EVICTING) {
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
        [EVICTED] = (double)(evicted(peer) - evicted_before) / operations,
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
static void add_ratio(struct load *load, const struct runner *runner,
                      enum peer_id other, enum measure measure)
{
    if (load->fleet.up[other])
        table_cell(&load->table, "%.2f",
                   rounds_median(&runner->rounds[measure]) /
                       rounds_median(&load->runners[other].rounds[measure]));
    else
        table_cell(&load->table, "-");
}

static void add_row(struct load *load, enum peer_id id)
{
    struct table *table = &load->table;
    const struct runner *runner = &load->runners[id];
#define X(id, name, decimals) decimals,
    static const int decimals[] = {MEASURES(X)};
#undef X
    table_cell(table, "%s", load->fleet.peers[id].name);
    table_cell(table, "%s", requests_names[load->requests]);
    table_cell(table, "%u", load->depth);
    for (unsigned i = 0; i < MEASURE_COUNT; i++) {
        if (decimals[i] == SPREAD)
            add_spread(table, &runner->rounds[i - 1]);
        else
            table_cell(table, "%.*f", decimals[i],
                       rounds_median(&runner->rounds[i]));
    }
    add_ratio(load, runner, PEER_FLOOR, CPU);
    add_ratio(load, runner, PEER_REDIS, USER);
}

static void write_csv(const struct load *load, enum peer_id id)
{
    FILE *csv = load->csv;
    const struct rounds *rounds = load->runners[id].rounds;
    fprintf(csv, "%s,%s,%u", load->fleet.peers[id].name,
            requests_names[load->requests], load->depth);
    for (unsigned i = CPU; i <= USER; i += USER - CPU)
        fprintf(csv, ",%.1f,%.1f,%.1f", rounds_median(&rounds[i]),
                rounds_least(&rounds[i]), rounds_most(&rounds[i]));
    fprintf(csv, ",%.0f,%.1f\n", rounds_median(&rounds[RATE]),
            rounds_median(&rounds[P99]));
}

/* Fills it: with all keys, or until it is full and half of what it holds is
 * asked for. */
static bool fill(struct peer *peer, uint64_t round, void *ctx)
{
    struct load *load = ctx;
    struct runner *runner = &load->runners[peer->id];
    const struct arguments *a = load->arguments;
    uint64_t count = a->keys;
    (void)round;
    if (a->requests[EVICTING])
        count = work_keys_for(a->budget, a->value);
    runner->keys = runner->next_key = count;
    if (peer->id == PEER_FLOOR)
        return true;
    if (!work_fill(peer, 0, count, a->value, 0))
        return false;
    if (a->requests[EVICTING]) {
        runner->keys = peer_entries(peer) / 2;
        runner->first_key = count - runner->keys;
    }
    return runner->keys > 0;
}

static void run_rows(struct load *load, enum requests requests, unsigned depth)
{
    char what[64];
    snprintf(what, sizeof what, "%s, depth %u", requests_names[requests],
             depth);
    load->requests = requests;
    load->depth = depth;
    for (unsigned i = 0; i < PEER_COUNT; i++)
        memset(load->runners[i].rounds, 0, sizeof load->runners[i].rounds);
    fleet_rounds(&load->fleet, what, load->arguments->rounds, measure, load);
    for (enum peer_id id = PEER_EBB; id < PEER_COUNT; id++) {
        if (!load->fleet.up[id])
            continue;
        add_row(load, id);
        if (load->csv != NULL)
            write_csv(load, id);
    }
}

/* Every kind of requests at every depth; false if a server broke down. */
static bool run_all(struct load *load)
{
    const struct arguments *a = load->arguments;
    const struct peer_options options = {.budget_bytes = a->budget,
                                         .threads = 1,
                                         .value_bytes = a->value,
                                         .ebb = a->ebb,
                                         .other = a->other};
    fleet_start(&load->fleet, PEER_COUNT, &options, a->only, fill, load);
    for (unsigned i = 0; i < REQUESTS_COUNT; i++)
        for (unsigned j = 0; a->requests[i] && j < a->depths_count; j++)
            run_rows(load, (enum requests)i, (unsigned)a->depths[j]);
    return fleet_stop(&load->fleet);
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

static void print_head(const struct arguments *a)
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

#define X(id, name, decimals) name,
    const char *const headings[] = {"server",        "requests",
                                    "depth",         MEASURES(X) "CPU to floor",
                                    "user to redis", NULL};
#undef X
    static struct load load;
    load.arguments = &a;
    table_init(&load.table, headings);
    if (a.csv != NULL)
        load.csv = open_csv(a.csv);
    print_head(&a);
    table_follow(&load.table, stdout);
    bool whole = run_all(&load);
    if (load.csv != NULL && fclose(load.csv) != 0) {
        perror(a.csv);
        whole = false;
    }
    return whole ? 0 : 1;
}
