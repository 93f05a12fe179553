/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sizes of values that change: each phase writes one and a half times the
 * budget in new keys with values of one size, on top of what the phases
 * before left.  A server that cannot turn memory over from one size to
 * another grows above its budget, or holds few of the new.
 */

#include <stdio.h>
#include <string.h>

#include "bench/args.h"
#include "bench/host.h"
#include "bench/peer.h"
#include "bench/table.h"
#include "bench/work.h"

enum { PHASES = 5, SAMPLES = 20000 };

static const uint64_t sizes[PHASES] = {64, 400, 100, 1000, 64};

struct arguments {
    uint64_t budget, seed;
    const char *ebb, *only;
};

struct phase {
    uint64_t first, count; /* its keys */
    uint64_t peak, entries;
    double payload_bytes; /* of keys and values held after it */
    double newest;        /* entries of its own size held after it */
};

/* What is held of all phases so far, by asking for some keys of each. */
static bool estimate_payload(const struct peer *peer, struct phase *phases,
                             unsigned now, uint64_t seed)
{
    double found = 0, bytes = 0, share;
    for (unsigned i = 0; i <= now; i++) {
        if (!work_sample(peer, phases[i].first, phases[i].count, SAMPLES,
                         seed + i, &share))
            return false;
        double entries = share * (double)phases[i].count;
        found += entries;
        phases[now].newest = entries;
        bytes += entries * (double)(sizes[i] + WIRE_KEY);
    }
    /* The sample says how sizes share the entries; how many there are, the
     * server says. */
    double scale = found == 0 ? 0 : (double)phases[now].entries / found;
    phases[now].payload_bytes = bytes * scale;
    phases[now].newest *= scale;
    return true;
}

static bool run_phases(const struct arguments *arguments, struct peer *peer,
                       struct phase *phases)
{
    uint64_t next = 0;
    for (unsigned i = 0; i < PHASES; i++) {
        struct phase *phase = &phases[i];
        phase->first = next;
        phase->count =
            work_keys_for(arguments->budget + arguments->budget / 2, sizes[i]);
        next += phase->count;
        host_reset_peak(peer->pid);
        if (!work_fill(peer, phase->first, phase->count, sizes[i], 0))
            return false;
        phase->peak = host_peak(peer->pid);
        phase->entries = peer_entries(peer);
        if (!estimate_payload(peer, phases, i, arguments->seed))
            return false;
    }
    return true;
}

static bool run(struct table *table, const struct arguments *arguments,
                enum peer_id id)
{
    struct peer peer;
    struct phase phases[PHASES];
    struct peer_options options = {.budget_bytes = arguments->budget,
                                   .core = PEER_ANY_CORE,
                                   .ebb = arguments->ebb};
    if (!peer_start(&peer, id, &options))
        return false;
    bool done = run_phases(arguments, &peer, phases);
    done = peer_stop(&peer) && done;
    for (unsigned i = 0; done && i < PHASES; i++) {
        double budget = (double)arguments->budget;
        uint64_t fresh = work_fresh_entries(id, &options, sizes[i]);
        done = fresh != 0;
        table_cell(table, "%s", peer_name(id));
        table_cell(table, "%u", i + 1);
        table_cell(table, "%llu", (unsigned long long)sizes[i]);
        table_cell(table, "%.3f", (double)phases[i].peak / budget);
        table_cell(table, "%llu", (unsigned long long)phases[i].entries);
        table_cell(table, "%.1f", 100 * phases[i].payload_bytes / budget);
        table_cell(table, "%llu", (unsigned long long)fresh);
        table_cell(table, "%.1f",
                   fresh == 0 ? 0 : 100 * phases[i].newest / (double)fresh);
    }
    return done;
}

int main(int argc, char **argv)
{
    struct arguments a = {.budget = 256 << 20, .seed = 1};
    const struct args_row rows[] = {
        {"budget", &a.budget, NULL, "of each server, in whole MiB"},
        {"seed", &a.seed, NULL, "of the random numbers"},
        {"only", NULL, &a.only, "server to run, by name, not the others"},
        {"ebb", NULL, &a.ebb, "the program, if not the one built here"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "churn: sizes of values that change", argc, argv);
    args_within("budget", a.budget, 1 << 20, UINT64_MAX >> 4);
    peer_check_only(a.only, PEER_FLOOR);

    static const char *const headings[] = {
        "server",    "phase", "value B",        "peak/budget", "entries",
        "payload %", "fresh", "newest/fresh %", NULL};
    static struct table table;
    table_init(&table, headings);
    bool whole = true;
    for (enum peer_id id = PEER_EBB; id < PEER_FLOOR; id++) {
        if (peer_present(id, a.ebb, a.only))
            whole = run(&table, &a, id) && whole;
    }
    printf("Budget %llu MiB; each phase writes 1.5 times as much\n\n",
           (unsigned long long)a.budget >> 20);
    table_print(&table, stdout);
    return whole ? 0 : 1;
}
