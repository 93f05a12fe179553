/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything at once in a container: a control group that allows a little
 * more than the budget, sizes that change, a thousand connections of which
 * some do not read, long values, budgets lowered and raised, flushes.  What
 * the kernel needs for sockets and page tables counts there as well.  Who
 * needs more than allowed is killed.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"
#include "bench/crowd.h"
#include "bench/drive.h"
#include "bench/group.h"
#include "bench/host.h"
#include "bench/legs.h"
#include "bench/peer.h"
#include "bench/sampler.h"
#include "bench/table.h"
#include "bench/work.h"

enum {
    STEP_MS = 50,
    LOWERED_S = 8, /* a budget stays that long */
    FOLLOWS_S = 3, /* and should be kept after this */
    FLUSH_S = 31,
    CROWD_S = 13, /* those that do not read come and go */
    UNREAD_PERCENT = 30,
    LEG_PART = 4, /* of the budget, so that all of them have a turn */
    BIG_KEYS = 64,
    LOAD_KEYS = 300000,
    LOAD_VALUE = 400,
    SPARE = 16 /* connections of the other parts */
};

/* Budgets in turn, in percent of the first. */
static const unsigned budgets[] = {100, 100, 100, 50, 100, 100,
                                   10,  100, 100, 25, 75,  100};

static const uint64_t big_first = 1ULL << 40, load_first = 1ULL << 41;

struct arguments {
    uint64_t budget, percent, seconds, connections;
    const char *ebb, *only;
};

struct run {
    const struct arguments *arguments;
    struct peer peer;
    uint64_t until_ns;
    atomic_bool broken;
    uint64_t operations, refused;    /* of the load */
    uint64_t churned;                /* legs that were written */
    uint64_t peak, lowered, flushes; /* peak: resident bytes */
    double lived_s, worst_share;     /* of the budget in force */
    uint64_t kills, group_peak, group_tcp, group_limited;
};

static void *churn(void *argument)
{
    struct run *run = argument;
    struct legs_log log = {.until_ns = run->until_ns};
    while (!run->broken && host_now_ns() < run->until_ns) {
        const struct legs *legs = legs_all;
        for (; legs->name != NULL; legs++) {
            const struct leg *leg = legs->legs;
            for (; leg->bytes != 0 && !run->broken; leg++) {
                if (host_now_ns() >= run->until_ns)
                    return NULL;
                log.count = 0;
                log.next_key %= big_first / 2;
                if (!legs_run(&run->peer, leg, 0,
                              run->arguments->budget / LEG_PART, &log))
                    run->broken = true;
                run->churned++;
            }
        }
    }
    return NULL;
}

/* What a cache is for, by many connections. */
static void *load(void *argument)
{
    struct run *run = argument;
    struct drive_result result;
    uint64_t connections = run->arguments->connections;
    connections -= connections * UNREAD_PERCENT / 100 + SPARE;
    struct drive_plan plan =
        work_plan(&run->peer, load_first, LOAD_KEYS, LOAD_VALUE);
    plan.connections = (unsigned)connections;
    plan.depth = 2; /* what changes sizes is to get its turn */
    plan.sets_percent = 20;
    plan.order = KEYS_ZIPF;
    plan.theta_percent = 90;
    plan.operations = 0;
    while (!run->broken && host_now_ns() < run->until_ns) {
        plan.for_ns = 5000000000;
        plan.seed++;
        if (!drive_run(&plan, &result))
            run->broken = true;
        if (result.errors > 0 && run->refused == 0)
            fprintf(stderr, "%s: refuses something: %s\n", run->peer.name,
                    result.error);
        run->operations += result.operations;
        run->refused += result.errors;
    }
    return NULL;
}

struct unread {
    struct crowd small, big;
    uint64_t since_ns;
};

static bool unread_begin(struct unread *unread, const struct run *run)
{
    const struct peer *peer = &run->peer;
    uint64_t most = run->arguments->connections * UNREAD_PERCENT / 100;
    uint64_t seed = unread->since_ns = host_now_ns();
    crowd_init(&unread->small, most, peer->wire, 1000, load_first, LOAD_KEYS,
               seed);
    crowd_init(&unread->big, most, peer->wire, 20, big_first, BIG_KEYS, seed);
    return crowd_join(&unread->small, peer->port, most - most / 4) &&
           crowd_join(&unread->big, peer->port, most / 4);
}

static void unread_end(struct unread *unread)
{
    crowd_leave(&unread->small);
    crowd_leave(&unread->big);
}

struct order {
    unsigned turn;
    uint64_t budget, since_ns; /* in force, and since when */
    uint64_t flushed_ns;
};

/* Budgets and flushes, and what is resident; false if it broke down. */
static bool step(struct run *run, struct order *order)
{
    uint64_t now_ns = host_now_ns();
    double share = (double)host_resident(run->peer.pid) / (double)order->budget;
    bool settled = now_ns - order->since_ns > FOLLOWS_S * 1000000000ULL;
    uint64_t peak = host_peak(run->peer.pid);
    if (peak > run->peak)
        run->peak = peak;
    if (settled && share > run->worst_share)
        run->worst_share = share;
    if (now_ns - order->flushed_ns > FLUSH_S * 1000000000ULL) {
        order->flushed_ns = now_ns;
        run->flushes++;
        return peer_flush(&run->peer);
    }
    if (now_ns - order->since_ns < LOWERED_S * 1000000000ULL)
        return true;
    order->turn = (order->turn + 1) % (sizeof budgets / sizeof budgets[0]);
    uint64_t bytes = run->arguments->budget / 100 * budgets[order->turn];
    bytes = bytes >> 20 << 20;
    run->lowered += bytes < order->budget;
    order->budget = bytes;
    order->since_ns = now_ns;
    return peer_set_budget(&run->peer, bytes);
}

static void conduct(struct run *run)
{
    struct unread unread = {0};
    uint64_t start_ns = host_now_ns(), now_ns = start_ns;
    struct order order = {.budget = run->arguments->budget,
                          .since_ns = now_ns,
                          .flushed_ns = now_ns};
    run->broken = !unread_begin(&unread, run) || run->broken;
    while (!run->broken && now_ns < run->until_ns) {
        crowd_ask(&unread.small);
        crowd_ask(&unread.big);
        if (!peer_alive(&run->peer) || !step(run, &order))
            run->broken = true;
        if (now_ns - unread.since_ns > CROWD_S * 1000000000ULL) {
            unread_end(&unread);
            run->broken = !unread_begin(&unread, run) || run->broken;
        }
        now_ns += STEP_MS * 1000000ULL;
        host_wait_until(now_ns);
    }
    unread_end(&unread);
    run->lived_s = (double)(host_now_ns() - start_ns) / 1e9;
}

/* False if the server did not come through. */
static bool run_peer(struct run *run, enum peer_id id, struct group *group)
{
    static struct sampler_result waits;
    struct peer_options options = {
        .budget_bytes = run->arguments->budget,
        /* Those that left may not yet be gone when others come. */
        .connections = 2 * (unsigned)run->arguments->connections + SPARE,
        .core = PEER_ANY_CORE,
        .value_bytes = WIRE_VALUE_MAX,
        .group = group->path,
        .ebb = run->arguments->ebb};
    struct sampler_options big = {.keys = BIG_KEYS,
                                  .seed = 1,
                                  .sets = true,
                                  .first = big_first,
                                  .value_bytes = WIRE_VALUE_MAX,
                                  .pause_us = 10000};
    pthread_t churner, loader;
    if (!peer_start(&run->peer, id, &options))
        return false;
    run->until_ns = host_now_ns() + run->arguments->seconds * 1000000000;
    struct sampler *sampler = sampler_start(&run->peer, &big);
    if (sampler == NULL || pthread_create(&churner, NULL, churn, run) != 0 ||
        pthread_create(&loader, NULL, load, run) != 0)
        abort();
    conduct(run);
    pthread_join(churner, NULL);
    pthread_join(loader, NULL);
    bool whole = sampler_stop(sampler, &waits) && !run->broken;
    run->kills = group_kills(group);
    run->group_peak = group_peak(group);
    run->group_tcp = group_tcp_peak(group);
    run->group_limited = group_limited(group);
    return peer_stop(&run->peer) && whole && run->kills == 0;
}

static void add_row(struct table *table, const struct run *run,
                    uint64_t limit_bytes)
{
    double budget = (double)run->arguments->budget;
    table_cell(table, "%s", run->peer.name);
    table_cell(table, "%.0f", run->lived_s);
    table_cell(table, "%llu", (unsigned long long)run->kills);
    table_cell(table, "%.3f", (double)run->peak / budget);
    table_cell(table, "%.3f", run->worst_share);
    table_cell(table, "%.3f", (double)run->group_peak / (double)limit_bytes);
    table_cell(table, "%.3f",
               (double)(run->group_peak + run->group_tcp) /
                   (double)limit_bytes);
    table_cell(table, "%llu", (unsigned long long)run->group_limited);
    table_cell(table, "%llu", (unsigned long long)run->lowered);
    table_cell(table, "%llu", (unsigned long long)run->flushes);
    table_cell(table, "%llu", (unsigned long long)run->churned);
    table_cell(table, "%llu", (unsigned long long)run->operations);
    table_cell(table, "%llu", (unsigned long long)run->refused);
}

static bool run_all(struct table *table, const struct arguments *a)
{
    uint64_t limit_bytes = a->budget / 100 * a->percent;
    bool whole = true;
    for (enum peer_id id = PEER_EBB; id < PEER_FLOOR; id++) {
        struct run run = {.arguments = a};
        struct group group;
        if (!peer_present(id, a->ebb, a->only))
            continue;
        if (!group_make(&group, limit_bytes)) {
            fprintf(stderr, "NOT RUN: no control group with a limit of memory "
                            "can be made here\n");
            return false;
        }
        whole = run_peer(&run, id, &group) && whole;
        group_remove(&group);
        add_row(table, &run, limit_bytes);
    }
    return whole;
}

int main(int argc, char **argv)
{
    struct arguments a = {.budget = 1 << 30,
                          .percent = 105,
                          .seconds = 600,
                          .connections = 1000,
                          .only = "ebb-server"};
    const struct args_row rows[] = {
        {"budget", &a.budget, NULL, "of the server, in whole MiB"},
        {"percent", &a.percent, NULL, "of the budget that the group allows"},
        {"seconds", &a.seconds, NULL, "that it goes on"},
        {"connections", &a.connections, NULL, "in all"},
        {"only", NULL, &a.only, "server to run, by name, or all"},
        {"ebb", NULL, &a.ebb, "the program, if not the one built here"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "limit: everything at once, where more memory kills", argc,
              argv);
    args_within("budget", a.budget, 160 << 20, UINT64_MAX >> 10);
    args_within("percent", a.percent, 100, 1000);
    args_within("seconds", a.seconds, 1, 86400);
    args_within("connections", a.connections, 2 * SPARE, 15000);
    if (strcmp(a.only, "all") == 0)
        a.only = NULL;
    peer_check_only(a.only, PEER_FLOOR);
    if (host_allow_files(2 * a.connections) < 2 * a.connections)
        fprintf(stderr, "there may be too few descriptors here\n");

    static const char *const headings[] = {"server",
                                           "lived s",
                                           "killed",
                                           "RSS/budget worst",
                                           "RSS/budget in force",
                                           "group peak/limit",
                                           "with TCP",
                                           "at limit",
                                           "lowered",
                                           "flushed",
                                           "churns",
                                           "operations",
                                           "refused",
                                           NULL};
    static struct table table;
    table_init(&table, headings);
    printf("Budget %llu MiB, a control group of %llu %% of it, %llu s\n\n",
           (unsigned long long)a.budget >> 20, (unsigned long long)a.percent,
           (unsigned long long)a.seconds);
    table_follow(&table, stdout);
    bool whole = run_all(&table, &a);
    return whole ? 0 : 1;
}
