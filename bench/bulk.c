/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Long values: bytes for each second of the server's CPU, beside a loop that
 * only sends as many different values from where they lie.  Rounds take turns
 * over the servers, and medians are shown.
 */

#include <stdio.h>
#include <string.h>

#include "bench/args.h"
#include "bench/drive.h"
#include "bench/fleet.h"
#include "bench/host.h"
#include "bench/rounds.h"
#include "bench/table.h"
#include "bench/work.h"

static const unsigned depths[] = {1, 10};

struct arguments {
    uint64_t ms, rounds, connections, value, keys, budget, seed;
    const char *ebb, *only;
};

struct runner {
    struct rounds speed, per_cpu; /* bytes a second; for a second of CPU */
};

struct bulk {
    const struct arguments *arguments;
    unsigned depth;
    struct runner runners[PEER_OTHER];
    struct fleet fleet;
    struct table table;
};

static bool fill(struct peer *peer, uint64_t round, void *ctx)
{
    const struct bulk *bulk = ctx;
    const struct arguments *a = bulk->arguments;
    (void)round;
    return peer->id == PEER_FLOOR || work_fill(peer, 0, a->keys, a->value, 0);
}

static bool measure(struct peer *peer, uint64_t round, void *ctx)
{
    static struct drive_result result;
    struct bulk *bulk = ctx;
    struct runner *runner = &bulk->runners[peer->id];
    const struct arguments *a = bulk->arguments;
    struct drive_plan plan = {.port = peer->port,
                              .wire = peer->wire,
                              .connections = (unsigned)a->connections,
                              .depth = bulk->depth,
                              .value_bytes = a->value,
                              .order = KEYS_UNIFORM,
                              .keys = a->keys,
                              .for_ns = a->ms * 1000000,
                              .seed = a->seed + round};
    struct host_cpu before = host_cpu(peer->pid);
    bool done = drive_run(&plan, &result);
    double cpu_ns = (double)host_cpu_since(peer->pid, before).all_ns;
    drive_tell(&result, peer->name);
    double bytes = (double)result.hits * (double)a->value;
    rounds_add(&runner->speed, bytes * 1e9 / (double)result.took_ns);
    rounds_add(&runner->per_cpu, cpu_ns > 0 ? bytes * 1e9 / cpu_ns : 0);
    return done;
}

/* Both of the same round, so that what else the machine does meets both. */
static double share_of(const struct rounds *rounds, const struct rounds *floor)
{
    struct rounds shares = {0};
    for (uint64_t i = 0; i < rounds->count; i++)
        rounds_add(&shares, rounds->values[i] / floor->values[i]);
    return rounds_median(&shares);
}

static void add_row(struct bulk *bulk, enum peer_id id)
{
    struct table *table = &bulk->table;
    const struct runner *runner = &bulk->runners[id];
    const struct runner *floor = &bulk->runners[PEER_FLOOR];
    table_cell(table, "%s", peer_name(id));
    table_cell(table, "%u", bulk->depth);
    table_cell(table, "%.2f", rounds_median(&runner->speed) / 1e9);
    table_cell(table, "%.2f", rounds_median(&runner->per_cpu) / 1e9);
    table_cell(table, "%.2f", rounds_least(&runner->per_cpu) / 1e9);
    table_cell(table, "%.2f", rounds_most(&runner->per_cpu) / 1e9);
    if (bulk->fleet.up[PEER_FLOOR])
        table_cell(table, "%.2f", share_of(&runner->per_cpu, &floor->per_cpu));
    else
        table_cell(table, "-");
}

static void run_depth(struct bulk *bulk, unsigned depth)
{
    char what[32];
    snprintf(what, sizeof what, "depth %u", depth);
    bulk->depth = depth;
    memset(bulk->runners, 0, sizeof bulk->runners);
    fleet_rounds(&bulk->fleet, what, bulk->arguments->rounds, measure, bulk);
    for (enum peer_id id = PEER_EBB; id < PEER_OTHER; id++)
        if (bulk->fleet.up[id])
            add_row(bulk, id);
}

static bool run(struct bulk *bulk)
{
    const struct arguments *a = bulk->arguments;
    const struct peer_options options = {.budget_bytes = a->budget,
                                         .threads = 1,
                                         .value_bytes = a->value,
                                         .values = a->keys,
                                         .ebb = a->ebb};
    fleet_start(&bulk->fleet, PEER_OTHER, &options, a->only, fill, bulk);
    for (unsigned i = 0; i < sizeof depths / sizeof depths[0]; i++)
        run_depth(bulk, depths[i]);
    return fleet_stop(&bulk->fleet);
}

int main(int argc, char **argv)
{
    struct arguments a = {.ms = 1000,
                          .rounds = 5,
                          .connections = 10,
                          .value = 100 << 10,
                          .keys = 1000,
                          .budget = 1 << 30,
                          .seed = 1};
    const struct args_row rows[] = {
        {"ms", &a.ms, NULL, "of a round"},
        {"rounds", &a.rounds, NULL, "whose median is shown"},
        {"connections", &a.connections, NULL, "at one time"},
        {"value", &a.value, NULL, "bytes of a value"},
        {"keys", &a.keys, NULL, "different values, all of them there"},
        {"budget", &a.budget, NULL, "memory of each server"},
        {"seed", &a.seed, NULL, "of the random numbers"},
        {"only", NULL, &a.only, "server to run, by name, not the others"},
        {"ebb", NULL, &a.ebb, "the program, if not the one built here"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "bulk: long values, by bytes for a second of CPU", argc,
              argv);
    args_within("ms", a.ms, 1, 600000);
    args_within("rounds", a.rounds, 1, ROUNDS_MAX);
    args_within("connections", a.connections, 1, 10000);
    args_within("value", a.value, 1, WIRE_VALUE_MAX);
    args_within("keys", a.keys, 1, 1000000);
    args_within("budget", a.budget, 1 << 20, UINT64_MAX);
    peer_check_only(a.only, PEER_OTHER);

    static const char *const headings[] = {"server",   "depth", "GB/s",
                                           "GB/CPU s", "least", "most",
                                           "of floor", NULL};
    static struct bulk bulk;
    bulk.arguments = &a;
    table_init(&bulk.table, headings);
    printf("GET of %llu values of %llu B at random, %llu connections; medians "
           "of %llu rounds of %llu ms\n\n",
           (unsigned long long)a.keys, (unsigned long long)a.value,
           (unsigned long long)a.connections, (unsigned long long)a.rounds,
           (unsigned long long)a.ms);
    table_follow(&bulk.table, stdout);
    bool whole = run(&bulk);
    return whole ? 0 : 1;
}
