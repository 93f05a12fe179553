/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lowers the budget of a full server while a client reads, and watches how
 * its resident memory follows, how long the client waits, and what is kept.
 *
 *   fill | shuffle | calm | budget lowered ...  window ...         | count
 *                  ^ peak reset            ^ reached: peak reset again
 *
 * Before and after, with no server up, a control spins on the clock: no wait
 * shorter than its longest gap says anything about the server.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"
#include "bench/host.h"
#include "bench/peer.h"
#include "bench/sampler.h"
#include "bench/table.h"
#include "bench/work.h"

enum { VALUES = 2, TICKS = 13 };

/* When the resident memory is shown, in tenths of a second. */
static const unsigned shown[TICKS] = {0, 1,  2,  3,  4,   5,  6,
                                      8, 10, 20, 50, 100, 150};

struct arguments {
    uint64_t from, to, value[VALUES], seconds, control_ms, seed;
    const char *csv, *ebb, *only;
};

struct outcome {
    uint64_t entries, kept, fresh;
    uint64_t before, after; /* bytes resident */
    uint64_t fill_peak, shrink_peak, settled_peak;
    uint64_t lowered_ns; /* since the sampler's start */
    double reached_s;    /* since the budget was lowered; negative: never */
    double cpu_s;        /* the server's, from there to then or to the end */
    uint64_t answered_ns, gap_ns;
    struct sampler_result watched;
};

struct report {
    struct table summary, course;
    FILE *csv;
    unsigned ticks; /* that are within the time it watches */
    bool whole;     /* nothing broke */
};

static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

static double cpu_s(const struct peer *peer)
{
    return (double)host_cpu(peer->pid).all_ns / 1e9;
}

/* Waits for the end of the window; notes when the budget is first kept. */
static void await(const struct arguments *arguments, const struct peer *peer,
                  const struct sampler *sampler, uint64_t lowered_ns,
                  struct outcome *outcome)
{
    uint64_t end_ns = lowered_ns + arguments->seconds * 1000000000;
    uint64_t next_ns = host_now_ns();
    outcome->reached_s = -1;
    while (next_ns < end_ns) {
        next_ns += SAMPLER_STEP_MS * 1000000ULL / 2;
        host_wait_until(next_ns);
        uint64_t resident = sampler_resident(sampler);
        if (outcome->reached_s >= 0 || resident > arguments->to)
            continue;
        outcome->reached_s = (double)(host_now_ns() - lowered_ns) / 1e9;
        outcome->cpu_s += cpu_s(peer);
        outcome->shrink_peak = host_peak(peer->pid);
        host_reset_peak(peer->pid);
    }
    uint64_t peak = host_peak(peer->pid);
    if (outcome->reached_s >= 0) {
        outcome->settled_peak = peak;
        return;
    }
    outcome->shrink_peak = peak;
    outcome->cpu_s += cpu_s(peer);
}

/* From a full server to the end of the window. */
static bool lower(const struct arguments *arguments, struct peer *peer,
                  uint64_t keys, struct outcome *outcome)
{
    struct sampler_options options = {.keys = keys, .seed = arguments->seed};
    outcome->entries = peer_entries(peer);
    outcome->fill_peak = host_peak(peer->pid);
    outcome->before = host_resident(peer->pid);
    host_reset_peak(peer->pid);
    struct sampler *sampler = sampler_start(peer, &options);
    if (sampler == NULL)
        return false;
    host_wait_until(sampler_started_ns(sampler) +
                    arguments->control_ms * 1000000);
    sampler_begin(sampler);
    outcome->cpu_s = -cpu_s(peer);
    uint64_t lowered_ns = host_now_ns();
    bool done = peer_set_budget(peer, arguments->to);
    outcome->answered_ns = host_now_ns() - lowered_ns;
    outcome->lowered_ns = lowered_ns - sampler_started_ns(sampler);
    await(arguments, peer, sampler, lowered_ns, outcome);
    done = sampler_stop(sampler, &outcome->watched) && done;
    outcome->kept = peer_entries(peer);
    outcome->after = host_resident(peer->pid);
    return done;
}

/* One server, one size of values. */
static bool run(const struct arguments *arguments, enum peer_id id,
                uint64_t value_bytes, struct outcome *outcome)
{
    struct peer peer;
    struct peer_options options = {.budget_bytes = arguments->from,
                                   .core = PEER_ANY_CORE,
                                   .ebb = arguments->ebb};
    uint64_t keys = work_keys_for(arguments->from, value_bytes);
    uint64_t control_ns = arguments->control_ms * 1000000;
    outcome->gap_ns = host_longest_gap_ns(control_ns);
    if (!peer_start(&peer, id, &options))
        return false;
    bool done = work_fill(&peer, 0, keys, value_bytes, 0) &&
                work_shuffle(&peer, 0, keys, arguments->seed) &&
                lower(arguments, &peer, keys, outcome);
    done = peer_stop(&peer) && done;
    uint64_t gap_ns = host_longest_gap_ns(control_ns);
    if (gap_ns > outcome->gap_ns)
        outcome->gap_ns = gap_ns;
    options.budget_bytes = arguments->to;
    if (done)
        outcome->fresh = work_fresh_entries(id, &options, value_bytes);
    return done;
}

static void write_csv(FILE *csv, const struct arguments *arguments,
                      const char *name, uint64_t value_bytes,
                      const struct outcome *outcome)
{
    for (uint32_t i = 0; i < outcome->watched.count; i++) {
        uint64_t at_ns = outcome->watched.at_ns[i];
        bool lowered = at_ns >= outcome->lowered_ns;
        fprintf(
            csv, "%s,%llu,%.4f,%llu,%llu\n", name,
            (unsigned long long)value_bytes,
            ((double)at_ns - (double)outcome->lowered_ns) / 1e9,
            (unsigned long long)outcome->watched.resident[i],
            (unsigned long long)(lowered ? arguments->to : arguments->from));
    }
}

/* The sample nearest before a time since the budget was lowered. */
static uint64_t resident_at(const struct outcome *outcome, uint64_t since_ns)
{
    const struct sampler_result *watched = &outcome->watched;
    uint32_t i = 0;
    while (i + 1 < watched->count &&
           watched->at_ns[i + 1] <= outcome->lowered_ns + since_ns)
        i++;
    return watched->resident[i];
}

static void add_rows(struct report *report, const struct arguments *arguments,
                     const char *name, uint64_t value_bytes,
                     const struct outcome *outcome)
{
    struct table *table = &report->summary;
    double to = (double)arguments->to, from = (double)arguments->from;
    table_cell(table, "%s", name);
    table_cell(table, "%llu", (unsigned long long)value_bytes);
    table_cell(table, "%.2f", (double)outcome->fill_peak / from);
    if (outcome->reached_s < 0)
        table_cell(table, "never");
    else
        table_cell(table, "%.2f", outcome->reached_s);
    table_cell(table, "%.2f", outcome->cpu_s);
    table_cell(table, "%.1f", mib(outcome->after));
    table_cell(table, "%.3f", (double)outcome->after / to);
    table_cell(table, "%.3f", (double)outcome->shrink_peak / from);
    if (outcome->reached_s < 0)
        table_cell(table, "-");
    else
        table_cell(table, "%.3f", (double)outcome->settled_peak / to);
    table_cell(table, "%.1f", (double)outcome->watched.longest_wait_ns / 1e6);
    table_cell(table, "%.1f", (double)outcome->watched.calm_wait_ns / 1e6);
    table_cell(table, "%.1f", (double)outcome->gap_ns / 1e6);
    table_cell(table, "%.1f", (double)outcome->answered_ns / 1e6);
    table_cell(table, "%llu", (unsigned long long)outcome->kept);
    table_cell(table, "%llu", (unsigned long long)outcome->fresh);
    table_cell(table, "%.1f",
               outcome->fresh == 0
                   ? 0
                   : 100.0 * (double)outcome->kept / (double)outcome->fresh);

    table_cell(&report->course, "%s", name);
    table_cell(&report->course, "%llu", (unsigned long long)value_bytes);
    for (unsigned i = 0; i < report->ticks; i++) {
        uint64_t since_ns = shown[i] * 100000000ULL;
        table_cell(&report->course, "%.0f",
                   mib(resident_at(outcome, since_ns)));
    }
}

static void report_init(struct report *report, const char *csv,
                        uint64_t seconds)
{
    static const char *const summary[] = {
        "server",        "value B",     "fill peak/old",
        "reached s",     "CPU s",       "RSS MiB",
        "RSS/new",       "peak/old",    "peak after/new",
        "reader max ms", "calm max ms", "control ms",
        "answer ms",     "kept",        "fresh",
        "kept %",        NULL};
    char texts[TICKS][16];
    const char *course[TICKS + 3] = {"RSS MiB after", "value B"};
    for (unsigned i = 0; i < TICKS && shown[i] <= seconds * 10; i++) {
        report->ticks = i + 1;
        snprintf(texts[i], sizeof texts[i], "%.1f s", shown[i] / 10.0);
        course[i + 2] = texts[i];
    }
    table_init(&report->summary, summary);
    table_init(&report->course, course);
    report->whole = true;
    report->csv = fopen(csv, "w");
    if (report->csv == NULL) {
        perror(csv);
        exit(1);
    }
    fputs("server,value_bytes,seconds,resident_bytes,budget_bytes\n",
          report->csv);
}

static void check(const struct arguments *a)
{
    enum { LONGEST_MS = SAMPLER_MAX * SAMPLER_STEP_MS };
    args_within("from", a->from, 1 << 20, UINT64_MAX >> 4);
    args_within("to", a->to, 1 << 20, a->from);
    args_within("value", a->value[0], 0, WIRE_VALUE_MAX);
    args_within("value2", a->value[1], 0, WIRE_VALUE_MAX);
    args_within("seconds", a->seconds, 1, LONGEST_MS / 1000);
    args_within("control", a->control_ms, 0, LONGEST_MS - a->seconds * 1000);
    peer_check_only(a->only, PEER_FLOOR);
}

int main(int argc, char **argv)
{
    struct arguments a = {.from = 1 << 30,
                          .to = 100 << 20,
                          .value = {100, 1000},
                          .seconds = 15,
                          .control_ms = 2000,
                          .seed = 1,
                          .csv = "shrink.csv"};
    const struct args_row rows[] = {
        {"from", &a.from, NULL, "the first budget"},
        {"to", &a.to, NULL, "the second one, in whole MiB"},
        {"value", &a.value[0], NULL, "bytes of a value"},
        {"value2", &a.value[1], NULL, "of a second run; 0: none"},
        {"seconds", &a.seconds, NULL, "to watch after lowering the budget"},
        {"control", &a.control_ms, NULL, "ms of calm before; of spinning"},
        {"csv", NULL, &a.csv, "file for all samples"},
        {"seed", &a.seed, NULL, "of the random numbers"},
        {"only", NULL, &a.only, "server to run, by name, not the others"},
        {"ebb", NULL, &a.ebb, "the program, if not the one built here"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "shrink: a full server's budget is lowered", argc, argv);
    check(&a);

    bool present[PEER_FLOOR];
    for (enum peer_id id = PEER_EBB; id < PEER_FLOOR; id++)
        present[id] = peer_present(id, a.ebb, a.only);
    static struct report report;
    static struct outcome outcome;
    report_init(&report, a.csv, a.seconds);
    printf(
        "%.0f MiB filled, shuffled, lowered to %.0f MiB, one client reads\n\n",
        mib(a.from), mib(a.to));
    table_follow(&report.summary, stdout);
    for (unsigned i = 0; i < VALUES && a.value[i] != 0; i++) {
        for (enum peer_id id = PEER_EBB; id < PEER_FLOOR; id++) {
            if (!present[id])
                continue;
            memset(&outcome, 0, sizeof outcome);
            if (!run(&a, id, a.value[i], &outcome)) {
                report.whole = false;
                continue;
            }
            add_rows(&report, &a, peer_name(id), a.value[i], &outcome);
            write_csv(report.csv, &a, peer_name(id), a.value[i], &outcome);
        }
    }
    fclose(report.csv);
    putchar('\n');
    table_print(&report.course, stdout);
    return report.whole ? 0 : 1;
}
