/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clients that ask for much and read nothing: does their output stay within
 * the budget, does it cost others their entries, do others wait?  And what
 * does a connection cost that only stays open?
 *
 *   fill | one client reads, calm | others ask and do not read | they leave
 */

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/args.h"
#include "bench/crowd.h"
#include "bench/host.h"
#include "bench/peer.h"
#include "bench/sampler.h"
#include "bench/table.h"
#include "bench/work.h"

enum { STEP_NS = 50000000, SPARE_FILES = 128 };

struct arguments {
    uint64_t budget, connections, value, depth, seconds, calm_s, idle, seed;
    const char *ebb, *only;
};

struct outcome {
    uint64_t peak, last, after;    /* resident bytes; after they left */
    uint64_t entries, kept;        /* before and after them */
    uint64_t evicted, open;        /* connections not closed by the server */
    uint64_t kernel_bytes;         /* the most for TCP, above before */
    uint64_t idle;                 /* connections that were served */
    double idle_bytes, used_bytes; /* of a connection: new, after one GET */
    struct sampler_result watched;
};

/* The time of interest: they ask, and go on asking as far as they can. */
static bool press(const struct arguments *arguments, struct peer *peer,
                  uint64_t keys, struct outcome *outcome)
{
    struct crowd crowd;
    /* Keys that were stored last. */
    crowd_init(&crowd, arguments->connections, peer->wire, arguments->depth,
               keys / 2, keys - keys / 2, arguments->seed);
    uint64_t kernel = host_tcp_bytes();
    uint64_t now_ns = host_now_ns();
    uint64_t end_ns = now_ns + arguments->seconds * 1000000000;
    bool done = crowd_join(&crowd, peer->port, arguments->connections);
    while (done && now_ns < end_ns) {
        crowd_ask(&crowd);
        uint64_t held = host_tcp_bytes();
        if (held > kernel && held - kernel > outcome->kernel_bytes)
            outcome->kernel_bytes = held - kernel;
        host_wait_until(now_ns += STEP_NS);
    }
    outcome->peak = host_peak(peer->pid);
    outcome->last = host_resident(peer->pid);
    outcome->open = crowd_open(&crowd);
    crowd_leave(&crowd);
    return done;
}

static bool run_unread(const struct arguments *arguments, enum peer_id id,
                       const struct peer_options *options,
                       struct outcome *outcome)
{
    struct peer peer;
    uint64_t keys = work_keys_for(arguments->budget, arguments->value);
    struct sampler_options sampled = {.keys = keys, .seed = arguments->seed};
    if (!peer_start(&peer, id, options))
        return false;
    bool done = work_fill(&peer, 0, keys, arguments->value, 0);
    struct sampler *sampler = done ? sampler_start(&peer, &sampled) : NULL;
    if (sampler == NULL) {
        peer_stop(&peer);
        return false;
    }
    host_wait_until(host_now_ns() + arguments->calm_s * 1000000000);
    outcome->entries = peer_entries(&peer);
    outcome->evicted = peer_evicted(&peer);
    host_reset_peak(peer.pid);
    sampler_begin(sampler);
    done = press(arguments, &peer, keys, outcome);
    done = sampler_stop(sampler, &outcome->watched) && done;
    outcome->evicted = peer_evicted(&peer) - outcome->evicted;
    outcome->kept = peer_entries(&peer);
    host_wait_until(host_now_ns() + 2000000000);
    outcome->after = host_resident(peer.pid);
    return peer_stop(&peer) && done;
}

/* Asks for one key on every connection and reads the answer; how many got the
 * value. */
static uint64_t use_all(const struct peer *peer, const struct crowd *crowd)
{
    struct wire wire;
    char request[256];
    uint64_t served = 0;
    wire_init(&wire, peer->wire, 0, 0);
    size_t len = (size_t)(wire_write(&wire.get, request, 0) - request);
    for (uint64_t i = 0; i < crowd->count; i++) {
        struct pollfd poller = {.fd = crowd->fds[i], .events = POLLIN};
        char in[256];
        if (send(crowd->fds[i], request, len, MSG_NOSIGNAL) > 0 &&
            poll(&poller, 1, 60000) == 1 &&
            read(crowd->fds[i], in, sizeof in) > 0)
            served += in[0] == '$' || in[0] == 'V';
    }
    if (served < crowd->count)
        fprintf(stderr, "%s: serves %llu of %llu idle connections\n",
                peer->name, (unsigned long long)served,
                (unsigned long long)crowd->count);
    wire_free(&wire);
    return served;
}

static double each(uint64_t before, uint64_t now, uint64_t count)
{
    return count == 0 ? 0 : ((double)now - (double)before) / (double)count;
}

static bool run_idle(const struct arguments *arguments, enum peer_id id,
                     const struct peer_options *options,
                     struct outcome *outcome)
{
    struct peer peer;
    struct crowd crowd;
    if (arguments->idle == 0)
        return true;
    if (!peer_start(&peer, id, options))
        return false;
    bool done = work_fill(&peer, 0, 1000, 100, 0);
    host_wait_until(host_now_ns() + 2000000000);
    uint64_t before = host_resident(peer.pid);
    crowd_init(&crowd, arguments->idle, peer.wire, 1, 0, 1000, 1);
    done = done && crowd_join(&crowd, peer.port, arguments->idle);
    host_wait_until(host_now_ns() + 2000000000);
    uint64_t new = host_resident(peer.pid);
    outcome->idle = done ? use_all(&peer, &crowd) : 0;
    host_wait_until(host_now_ns() + 2000000000);
    outcome->idle_bytes = each(before, new, outcome->idle);
    outcome->used_bytes = each(before, host_resident(peer.pid), outcome->idle);
    crowd_leave(&crowd);
    return peer_stop(&peer) && done;
}

static void add_row(struct table *table, const struct arguments *arguments,
                    const char *name, const struct outcome *outcome)
{
    const struct sampler_result *watched = &outcome->watched;
    double budget = (double)arguments->budget;
    table_cell(table, "%s", name);
    table_cell(table, "%.3f", (double)outcome->peak / budget);
    table_cell(table, "%.3f", (double)outcome->last / budget);
    table_cell(table, "%.3f", (double)outcome->after / budget);
    table_cell(table, "%llu", (unsigned long long)outcome->evicted);
    table_cell(table, "%.1f",
               100 * (double)outcome->kept / (double)outcome->entries);
    table_cell(table, "%.2f", (double)watched->calm_p99_ns / 1e6);
    table_cell(table, "%.2f", (double)watched->p99_ns / 1e6);
    table_cell(table, "%.1f", (double)watched->longest_wait_ns / 1e6);
    table_cell(table, "%llu", (unsigned long long)outcome->open);
    table_cell(table, "%.0f", (double)outcome->kernel_bytes / (1 << 20));
    table_cell(table, "%llu", (unsigned long long)outcome->idle);
    table_cell(table, "%.0f", outcome->idle_bytes);
    table_cell(table, "%.0f", outcome->used_bytes);
}

static void check(struct arguments *a)
{
    args_within("budget", a->budget, 16 << 20, UINT64_MAX >> 4);
    args_within("connections", a->connections, 1, 20000);
    args_within("value", a->value, 0, WIRE_VALUE_MAX);
    args_within("depth", a->depth, 1, 1000000);
    args_within("seconds", a->seconds, 1, 300);
    args_within("calm", a->calm_s, 1, 300);
    args_within("idle", a->idle, 0, 25000);
    peer_check_only(a->only, PEER_FLOOR);
    uint64_t most = a->idle > a->connections ? a->idle : a->connections;
    uint64_t files = host_allow_files(most + SPARE_FILES) - SPARE_FILES;
    if (files < most)
        fprintf(stderr, "this machine allows %llu connections only\n",
                (unsigned long long)files);
    if (a->connections > files)
        a->connections = files;
    if (a->idle > files)
        a->idle = files;
}

int main(int argc, char **argv)
{
    struct arguments a = {.budget = 256 << 20,
                          .connections = 1000,
                          .value = 10 << 10,
                          .depth = 1000,
                          .seconds = 10,
                          .calm_s = 3,
                          .idle = 10000,
                          .seed = 1};
    const struct args_row rows[] = {
        {"budget", &a.budget, NULL, "of each server, in whole MiB"},
        {"connections", &a.connections, NULL, "that do not read"},
        {"value", &a.value, NULL, "bytes of a value"},
        {"depth", &a.depth, NULL, "GETs that each of them sends"},
        {"seconds", &a.seconds, NULL, "that they stay"},
        {"calm", &a.calm_s, NULL, "seconds before them"},
        {"idle", &a.idle, NULL, "connections that only stay open; 0: none"},
        {"seed", &a.seed, NULL, "of the random numbers"},
        {"only", NULL, &a.only, "server to run, by name, not the others"},
        {"ebb", NULL, &a.ebb, "the program, if not the one built here"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "readers: clients that ask and do not read", argc, argv);
    check(&a);

    static const char *const headings[] = {
        "server",     "RSS/budget worst", "last",       "after",
        "evicted",    "kept %",           "p99 before", "p99 ms",
        "longest ms", "still open",       "kernel MiB", "idle",
        "B each",     "used, B each",     NULL};
    static struct table table;
    static struct outcome outcome;
    table_init(&table, headings);
    printf("Budget %llu MiB; %llu connections send %llu GETs of %llu B each\n"
           "and do not read; then %llu idle connections\n\n",
           (unsigned long long)a.budget >> 20,
           (unsigned long long)a.connections, (unsigned long long)a.depth,
           (unsigned long long)a.value, (unsigned long long)a.idle);
    table_follow(&table, stdout);
    bool whole = true;
    uint64_t most = a.idle > a.connections ? a.idle : a.connections;
    struct peer_options options = {.budget_bytes = a.budget,
                                   .connections =
                                       (unsigned)most + SPARE_FILES / 2,
                                   .core = PEER_ANY_CORE,
                                   .ebb = a.ebb};
    for (enum peer_id id = PEER_EBB; id < PEER_FLOOR; id++) {
        if (!peer_present(id, a.ebb, a.only))
            continue;
        memset(&outcome, 0, sizeof outcome);
        if (run_unread(&a, id, &options, &outcome) &&
            run_idle(&a, id, &options, &outcome))
            add_row(&table, &a, peer_name(id), &outcome);
        else
            whole = false;
    }
    return whole ? 0 : 1;
}
