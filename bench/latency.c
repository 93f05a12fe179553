/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waits at half of the load that a server can bear, which is measured first:
 * while nothing else happens, and while a budget is lowered, everything is
 * flushed, or many keys expire.
 *
 *   start, fill | most it can bear | calm | act ... window     (one round)
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"
#include "bench/drive.h"
#include "bench/host.h"
#include "bench/pace.h"
#include "bench/peer.h"
#include "bench/rounds.h"
#include "bench/table.h"
#include "bench/work.h"

enum { TTL_MAX = 3600 };

enum act { NOTHING, SHRINK, FLUSH, EXPIRE, ACTS };

static const char *const acts[ACTS + 1] = {"nothing", "shrink", "flush",
                                           "expire", NULL};

// clang-format off
/* What is measured in a round: name, decimals shown. */
#define MEASURES(X)                       \
    X(MOST,      "most ops/s",     0)     \
    X(RATE,      "load ops/s",     0)     \
    X(P50,       "p50 us",         1)     \
    X(P99,       "p99 us",         1)     \
    X(P999,      "p99.9 us",       1)     \
    X(LONGEST,   "longest us",     0)     \
    X(CALM_P50,  "calm p50 us",    1)     \
    X(CALM,      "calm p99.9 us",  1)     \
    X(CALM_MAX,  "calm longest us", 0)    \
    X(LATE,      "sent late p99.9 us", 1)
// clang-format on

#define X(id, name, decimals) id,
enum measure { MEASURES(X) MEASURE_COUNT };
#undef X

struct arguments {
    uint64_t rounds, share, rate, most_ms, calm_ms, window_ms, quiet_ms;
    uint64_t connections, sets, value, keys, from, to, expiring, ttl, seed;
    const char *act, *ebb, *only;
    int core; /* of the servers */
};

struct runner {
    struct rounds rounds[MEASURE_COUNT];
};

static bool measure_most(const struct arguments *a, const struct peer *peer,
                         uint64_t keys, double *most)
{
    static struct drive_result result;
    struct drive_plan plan = {.port = peer->port,
                              .wire = peer->wire,
                              .connections = (unsigned)a->connections,
                              .depth = 1,
                              .sets_percent = (unsigned)a->sets,
                              .value_bytes = a->value,
                              .order = KEYS_UNIFORM,
                              .keys = keys,
                              .for_ns = a->most_ms * 1000000,
                              .seed = a->seed};
    bool done = drive_run(&plan, &result);
    *most = (double)result.operations * 1e9 / (double)result.took_ns;
    return done;
}

/* Does it, and waits until the window ends.  since_ns: when that begins, which
 * for keys that expire is when the first one does. */
static bool perform(const struct arguments *a, enum act act, struct peer *peer,
                    struct pace *pace, uint64_t since_ns, uint64_t fill_ns)
{
    bool done = true;
    uint64_t for_ns = a->window_ms * 1000000;
    host_wait_until(since_ns);
    pace_begin(pace);
    switch (act) {
    case SHRINK:
        done = peer_set_budget(peer, a->to);
        break;
    case FLUSH:
        done = peer_flush(peer);
        break;
    case EXPIRE:
        for_ns += fill_ns;
        break;
    default:
        for_ns = a->quiet_ms * 1000000;
        break;
    }
    host_wait_until(since_ns + for_ns);
    return done;
}

static void note(struct runner *runner, const struct pace_result *result,
                 double most, double rate)
{
    const double values[MEASURE_COUNT] = {
        [MOST] = most,
        [RATE] = rate,
        [P50] = (double)hist_quantile_ns(&result->act, 0.5) / 1e3,
        [P99] = (double)hist_quantile_ns(&result->act, 0.99) / 1e3,
        [P999] = (double)hist_quantile_ns(&result->act, 0.999) / 1e3,
        [LONGEST] = (double)result->act.longest_ns / 1e3,
        [CALM_P50] = (double)hist_quantile_ns(&result->calm, 0.5) / 1e3,
        [CALM] = (double)hist_quantile_ns(&result->calm, 0.999) / 1e3,
        [CALM_MAX] = (double)result->calm.longest_ns / 1e3,
        [LATE] = (double)hist_quantile_ns(&result->late, 0.999) / 1e3};
    for (unsigned i = 0; i < MEASURE_COUNT; i++)
        rounds_add(&runner->rounds[i], values[i]);
}

/* The keys asked for; those that a shrink or a flush takes away, too: what the
 * budget holds. */
static uint64_t keys_of(const struct arguments *a, enum act act)
{
    return act == SHRINK || act == FLUSH ? work_keys_for(a->from, a->value)
                                         : a->keys;
}

/* Sets them behind the others, in time for a calm before the first one expires:
 * they live longer than was asked for where that takes long.  since_ns: when
 * it does; fill_ns: how long it took. */
static bool set_expiring(const struct arguments *a, const struct peer *peer,
                         uint64_t keys, uint64_t *since_ns, uint64_t *fill_ns)
{
    uint64_t calm_ns = a->calm_ms * 1000000, ttl = a->ttl;
    for (; ttl <= TTL_MAX; ttl *= 2) {
        uint64_t begun_ns = host_now_ns();
        if (!work_fill(peer, keys, a->expiring, a->value, (unsigned)ttl))
            return false;
        *fill_ns = host_now_ns() - begun_ns;
        *since_ns = begun_ns + ttl * 1000000000;
        if (host_now_ns() + calm_ns <= *since_ns)
            return true;
        fprintf(stderr, "%s: filled in %.1f s, once more with twice the ttl\n",
                peer->name, (double)*fill_ns / 1e9);
    }
    return false;
}

static bool run_filled(const struct arguments *a, enum act act,
                       struct peer *peer, uint64_t round, struct runner *runner)
{
    static struct pace_result result;
    uint64_t keys = keys_of(a, act), fill_ns = 0;
    uint64_t calm_ns = a->calm_ms * 1000000;
    double most;
    if (!measure_most(a, peer, keys, &most))
        return false;
    struct pace_plan plan = {
        .connections = (unsigned)a->connections,
        .sets_percent = (unsigned)a->sets,
        .value_bytes = a->value,
        .keys = keys,
        .rate = a->rate != 0 ? (double)a->rate : most * (double)a->share / 100,
        .seed = a->seed + round};
    uint64_t since_ns = host_now_ns() + calm_ns;
    if (act == EXPIRE) {
        if (!set_expiring(a, peer, keys, &since_ns, &fill_ns))
            return false;
        host_wait_until(since_ns - calm_ns);
    }
    struct pace *pace = pace_start(peer, &plan);
    if (pace == NULL)
        return false;
    bool done = perform(a, act, peer, pace, since_ns, fill_ns);
    done = pace_stop(pace, &result) && done;
    if (result.errors > 0)
        fprintf(stderr, "%s: %llu errors, the first: %s\n", peer->name,
                (unsigned long long)result.errors, result.error);
    if (done)
        note(runner, &result, most, plan.rate);
    return done;
}

static bool run(const struct arguments *a, enum act act, enum peer_id id,
                uint64_t round, struct runner *runner)
{
    struct peer peer;
    struct peer_options options = {.budget_bytes = a->from,
                                   .threads = 1,
                                   .core = a->core,
                                   .value_bytes = a->value,
                                   .ebb = a->ebb};
    uint64_t keys = keys_of(a, act);
    if (!peer_start(&peer, id, &options))
        return false;
    bool done = (id == PEER_FLOOR || work_fill(&peer, 0, keys, a->value, 0)) &&
                (act != SHRINK || work_shuffle(&peer, 0, keys, a->seed)) &&
                run_filled(a, act, &peer, round, runner);
    return peer_stop(&peer) && done;
}

static void add_row(struct table *table, enum act act, const char *name,
                    const struct runner *runner)
{
#define X(id, name, decimals) decimals,
    static const int decimals[] = {MEASURES(X)};
#undef X
    table_cell(table, "%s", acts[act]);
    table_cell(table, "%s", name);
    for (unsigned i = 0; i < MEASURE_COUNT; i++)
        table_cell(table, "%.*f", decimals[i],
                   rounds_median(&runner->rounds[i]));
    double calm = rounds_median(&runner->rounds[CALM]);
    if (calm > 0)
        table_cell(table, "%.2f", rounds_median(&runner->rounds[P999]) / calm);
    else
        table_cell(table, "-");
}

/* Rounds take turns over the servers; the floor has nothing to act on. */
static bool run_act(const struct arguments *a, enum act act,
                    const bool *present, struct table *table)
{
    static struct runner runners[PEER_COUNT];
    const enum peer_id end = act == NOTHING ? PEER_FLOOR + 1 : PEER_FLOOR;
    bool whole = true;
    memset(runners, 0, sizeof runners);
    for (uint64_t round = 0; round < a->rounds; round++) {
        fprintf(stderr, "%s, round %llu of %llu\n", acts[act],
                (unsigned long long)round + 1, (unsigned long long)a->rounds);
        for (enum peer_id id = PEER_EBB; id < end; id++)
            if (present[id])
                whole = run(a, act, id, round, &runners[id]) && whole;
    }
    for (enum peer_id id = PEER_EBB; id < end; id++)
        if (present[id] && runners[id].rounds[P50].count > 0)
            add_row(table, act, peer_name(id), &runners[id]);
    return whole;
}

static void check(const struct arguments *a)
{
    args_within("rounds", a->rounds, 1, ROUNDS_MAX);
    args_within("share", a->share, 1, 99);
    args_within("rate", a->rate, 0, 1000000000);
    args_within("most", a->most_ms, 1, 600000);
    args_within("calm", a->calm_ms, 1, 600000);
    args_within("window", a->window_ms, 1, 600000);
    args_within("quiet", a->quiet_ms, 1, 600000);
    args_within("connections", a->connections, 1, 10000);
    args_within("sets", a->sets, 0, 100);
    args_within("value", a->value, 0, WIRE_VALUE_MAX);
    args_within("keys", a->keys, 1, UINT64_MAX);
    args_within("from", a->from, 1 << 20, UINT64_MAX >> 4);
    args_within("to", a->to, 1 << 20, a->from);
    args_within("expiring", a->expiring, 1, UINT64_MAX);
    args_within("ttl", a->ttl, 1, TTL_MAX);
    if (a->act != NULL)
        args_word("act", a->act, acts);
    peer_check_only(a->only, PEER_OTHER);
}

static void print_head(const struct arguments *a)
{
    printf("GET:SET %llu:%llu, values of %llu B, %llu connections, due at "
           "random times;\nseed %llu; medians of %llu rounds; server and "
           "generator on %s\n\n",
           100 - (unsigned long long)a->sets, (unsigned long long)a->sets,
           (unsigned long long)a->value, (unsigned long long)a->connections,
           (unsigned long long)a->seed, (unsigned long long)a->rounds,
           a->core == PEER_ANY_CORE ? "the same core" : "a core each");
}

int main(int argc, char **argv)
{
    struct arguments a = {.rounds = 3,
                          .share = 50,
                          .most_ms = 1000,
                          .calm_ms = 1000,
                          .window_ms = 1000,
                          .quiet_ms = 3000,
                          .connections = 50,
                          .sets = 10,
                          .value = 100,
                          .keys = 300000,
                          .from = 256 << 20,
                          .to = 25 << 20,
                          .expiring = 300000,
                          .ttl = 5,
                          .seed = 1};
    const struct args_row rows[] = {
        {"rounds", &a.rounds, NULL, "whose median is shown"},
        {"share", &a.share, NULL, "percent of the most it can bear"},
        {"rate", &a.rate, NULL, "requests a second instead; 0: by share"},
        {"most", &a.most_ms, NULL, "ms to find out what it can bear"},
        {"calm", &a.calm_ms, NULL, "ms before something happens"},
        {"window", &a.window_ms, NULL, "ms to watch from then on"},
        {"quiet", &a.quiet_ms, NULL, "the same, when nothing happens"},
        {"connections", &a.connections, NULL, "at one time"},
        {"sets", &a.sets, NULL, "percent of SETs among GETs"},
        {"value", &a.value, NULL, "bytes of a value"},
        {"keys", &a.keys, NULL, "that are asked for, if not all are to go"},
        {"from", &a.from, NULL, "memory of each server"},
        {"to", &a.to, NULL, "to which a shrink lowers that, in whole MiB"},
        {"expiring", &a.expiring, NULL, "keys that expire"},
        {"ttl", &a.ttl, NULL, "seconds that they live; more if needed"},
        {"act", NULL, &a.act, "nothing, shrink, flush or expire, not all"},
        {"seed", &a.seed, NULL, "of the random numbers"},
        {"only", NULL, &a.only, "server to run, by name, not the others"},
        {"ebb", NULL, &a.ebb, "the program, if not the one built here"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "latency: waits at half of the load it can bear", argc,
              argv);
    check(&a);
    a.core = peer_take_cores();

#define X(id, name, decimals) name,
    const char *const headings[] = {"meanwhile", "server",
                                    MEASURES(X) "p99.9/calm", NULL};
#undef X
    static struct table table;
    bool present[PEER_COUNT] = {false}, whole = true;
    for (enum peer_id id = PEER_EBB; id < PEER_OTHER; id++)
        present[id] = peer_present(id, a.ebb, a.only);
    table_init(&table, headings);
    print_head(&a);
    table_follow(&table, stdout);
    for (unsigned act = 0; act < ACTS; act++)
        if (a.act == NULL || strcmp(a.act, acts[act]) == 0)
            whole = run_act(&a, (enum act)act, present, &table) && whole;
    return whole ? 0 : 1;
}
