/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that is not needed any more, and nobody who asks for anything: does
 * it go back to the system?  A server is filled and emptied in one of three
 * ways, then left alone.  A fourth run empties one with many small entries
 * while a client reads, and tells how long that client waits.
 */

#include <stdio.h>
#include <string.h>

#include "bench/args.h"
#include "bench/host.h"
#include "bench/peer.h"
#include "bench/sampler.h"
#include "bench/table.h"
#include "bench/work.h"

enum { WARM_ENTRIES = 20000, SMALL_VALUE = 16, DELETED_PERCENT = 95 };

/* What an entry may cost beyond key and value without any being evicted. */
enum { BEYOND_MOST = 160 };

enum way { FLUSHED, DELETED, EXPIRED, READ, WAYS };

static const char *const ways[WAYS] = {"FLUSHALL", "95 % deleted",
                                       "all expired", "FLUSHALL, one reads"};

struct arguments {
    uint64_t entries, many, value, seconds, ttl, control_ms, seed;
    const char *ebb, *only;
};

struct outcome {
    uint64_t empty, full, first, last; /* resident bytes */
    uint64_t filled, left;             /* entries */
    uint64_t calm_ns, longest_ns, gap_ns;
};

static double mib(double bytes)
{
    return bytes / (1 << 20);
}

/* A server that has had something to do; one just started has not yet touched
 * what it will always need. */
static bool warm(struct peer *peer, const struct arguments *arguments,
                 struct outcome *outcome)
{
    bool done = work_fill(peer, 0, WARM_ENTRIES, arguments->value, 0) &&
                work_delete(peer, 0, WARM_ENTRIES, WARM_ENTRIES, 1) &&
                peer_flush(peer);
    host_wait_until(host_now_ns() + 2000000000);
    outcome->empty = host_resident(peer->pid);
    return done;
}

static void leave_alone(const struct arguments *arguments,
                        const struct peer *peer, uint64_t since_ns,
                        struct outcome *outcome)
{
    host_wait_until(since_ns + 1000000000);
    outcome->first = host_resident(peer->pid);
    host_wait_until(since_ns + arguments->seconds * 1000000000);
    outcome->last = host_resident(peer->pid);
}

static bool flush_while_read(const struct arguments *arguments,
                             struct peer *peer, struct outcome *outcome)
{
    static struct sampler_result watched;
    struct sampler_options options = {.keys = arguments->many,
                                      .seed = arguments->seed};
    struct sampler *sampler = sampler_start(peer, &options);
    if (sampler == NULL)
        return false;
    host_wait_until(host_now_ns() + arguments->control_ms * 1000000);
    sampler_begin(sampler);
    uint64_t since_ns = host_now_ns();
    bool done = peer_flush(peer);
    leave_alone(arguments, peer, since_ns, outcome);
    done = sampler_stop(sampler, &watched) && done;
    outcome->calm_ns = watched.calm_wait_ns;
    outcome->longest_ns = watched.longest_wait_ns;
    return done;
}

static bool make_empty(const struct arguments *arguments, enum way way,
                       struct peer *peer, uint64_t entries, uint64_t filled_ns,
                       struct outcome *outcome)
{
    bool done = true;
    if (way == READ)
        return flush_while_read(arguments, peer, outcome);
    if (way == FLUSHED)
        done = peer_flush(peer);
    if (way == DELETED)
        done = work_delete(peer, 0, entries, entries * DELETED_PERCENT / 100,
                           arguments->seed);
    if (way == EXPIRED)
        host_wait_until(filled_ns + arguments->ttl * 1000000000);
    leave_alone(arguments, peer, host_now_ns(), outcome);
    return done;
}

static bool run(const struct arguments *arguments, enum peer_id id,
                enum way way, struct outcome *outcome)
{
    struct peer peer;
    uint64_t entries = way == READ ? arguments->many : arguments->entries;
    uint64_t value_bytes = way == READ ? SMALL_VALUE : arguments->value;
    uint64_t each = WIRE_KEY + value_bytes + BEYOND_MOST;
    struct peer_options options = {.budget_bytes = (entries * each >> 20) << 20,
                                   .core = PEER_ANY_CORE,
                                   .ebb = arguments->ebb};
    options.budget_bytes += 128 << 20;
    uint64_t control_ns = arguments->control_ms * 1000000;
    if (way == READ)
        outcome->gap_ns = host_longest_gap_ns(control_ns);
    if (!peer_start(&peer, id, &options))
        return false;
    bool done = warm(&peer, arguments, outcome) &&
                work_fill(&peer, 0, entries, value_bytes,
                          way == EXPIRED ? (unsigned)arguments->ttl : 0);
    uint64_t filled_ns = host_now_ns();
    outcome->full = host_resident(peer.pid);
    outcome->filled = peer_entries(&peer);
    done =
        done && make_empty(arguments, way, &peer, entries, filled_ns, outcome);
    outcome->left = peer_entries(&peer);
    done = peer_stop(&peer) && done;
    uint64_t gap_ns = way == READ ? host_longest_gap_ns(control_ns) : 0;
    if (gap_ns > outcome->gap_ns)
        outcome->gap_ns = gap_ns;
    return done;
}

static void add_row(struct table *table, const char *name, enum way way,
                    const struct outcome *outcome)
{
    double share = way == DELETED ? 1 - DELETED_PERCENT / 100.0 : 0;
    double empty = (double)outcome->empty, last = (double)outcome->last;
    double allowed = empty + 1.1 * share * ((double)outcome->full - empty);
    table_cell(table, "%s", name);
    table_cell(table, "%s", ways[way]);
    table_cell(table, "%llu", (unsigned long long)outcome->filled);
    table_cell(table, "%.1f", mib(empty));
    table_cell(table, "%.1f", mib((double)outcome->full));
    table_cell(table, "%.1f", mib((double)outcome->first));
    table_cell(table, "%.1f", mib(last));
    table_cell(table, "%.1f", mib(allowed));
    table_cell(table, "%.3f", last / allowed);
    table_cell(table, "%llu", (unsigned long long)outcome->left);
    if (way == READ) {
        table_cell(table, "%.1f", (double)outcome->longest_ns / 1e6);
        table_cell(table, "%.1f", (double)outcome->calm_ns / 1e6);
        table_cell(table, "%.1f", (double)outcome->gap_ns / 1e6);
    } else {
        for (unsigned i = 0; i < 3; i++)
            table_cell(table, "-");
    }
}

static void check(const struct arguments *a)
{
    args_within("entries", a->entries, 1000, 100000000);
    args_within("many", a->many, 1000, 100000000);
    args_within("value", a->value, 0, WIRE_VALUE_MAX);
    args_within("seconds", a->seconds, 1, 300);
    args_within("ttl", a->ttl, 1, 3600);
    args_within("control", a->control_ms, 0, 60000);
    peer_check_only(a->only, PEER_FLOOR);
}

int main(int argc, char **argv)
{
    struct arguments a = {.entries = 2000000,
                          .many = 10000000,
                          .value = 100,
                          .seconds = 5,
                          .ttl = 20,
                          .control_ms = 2000,
                          .seed = 1};
    const struct args_row rows[] = {
        {"entries", &a.entries, NULL, "to fill with and leave alone after"},
        {"many", &a.many, NULL, "entries that are flushed while one reads"},
        {"value", &a.value, NULL, "bytes of a value; of the many: 16"},
        {"seconds", &a.seconds, NULL, "until resident memory is read"},
        {"ttl", &a.ttl, NULL, "seconds; filling should take less"},
        {"control", &a.control_ms, NULL, "ms of calm before; of spinning"},
        {"seed", &a.seed, NULL, "of the random numbers"},
        {"only", NULL, &a.only, "server to run, by name, not the others"},
        {"ebb", NULL, &a.ebb, "the program, if not the one built here"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "giveback: is memory returned when nobody asks?", argc,
              argv);
    check(&a);

    char last[32];
    snprintf(last, sizeof last, "%llu s MiB", (unsigned long long)a.seconds);
    const char *const headings[] = {"server",
                                    "emptied by",
                                    "filled",
                                    "empty MiB",
                                    "full MiB",
                                    "1 s MiB",
                                    last,
                                    "allowed MiB",
                                    "RSS/allowed",
                                    "left",
                                    "reader max ms",
                                    "calm max ms",
                                    "control ms",
                                    NULL};
    static struct table table;
    table_init(&table, headings);
    printf("Allowed: empty and 1.1 times what is left\n\n");
    table_follow(&table, stdout);
    bool whole = true;
    for (enum peer_id id = PEER_EBB; id < PEER_FLOOR; id++) {
        if (!peer_present(id, a.ebb, a.only))
            continue;
        for (unsigned way = 0; way < WAYS; way++) {
            struct outcome outcome = {0};
            if (run(&a, id, (enum way)way, &outcome))
                add_row(&table, peer_name(id), (enum way)way, &outcome);
            else
                whole = false;
        }
    }
    return whole ? 0 : 1;
}
