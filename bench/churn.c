/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sizes of values that change: each phase writes one and a half times the
 * budget (twice, if keys come in random order) on top of what the phases
 * before left.  A server that cannot turn memory over from one size to
 * another grows above its budget, or holds few of the new.  Beside it one
 * client sets values one at a time, and notes how long it waits; the control
 * does the same with a server that only answers.
 */

#include <stdio.h>
#include <string.h>

#include "bench/args.h"
#include "bench/course.h"
#include "bench/drive.h"
#include "bench/host.h"
#include "bench/legs.h"
#include "bench/peer.h"
#include "bench/sampler.h"
#include "bench/table.h"
#include "bench/work.h"

enum {
    ENTRY_BYTES = 28, /* that an entry may cost beyond key and value */
    PROBE_KEYS = 64,
    PROBE_PAUSE_US = 200,
    CONTROL_MS = 1000,
    SEQUENCES = 6
};

/* No other key is there. */
static const uint64_t probe_first = 1ULL << 40;

struct arguments {
    uint64_t budget, seed;
    const char *sequence, *ebb, *only, *csv;
    FILE *samples; /* NULL: nobody wants them */
};

struct phase {
    uint64_t peak, last; /* resident bytes */
    uint64_t refused, fresh, p999_ns, longest_ns;
    struct legs_held held;
};

struct control {
    uint64_t gap_ns, p999_ns[LEGS_MAX];
};

static struct peer_options options_for(const struct arguments *arguments,
                                       const struct leg *legs)
{
    struct peer_options options = {.budget_bytes = arguments->budget,
                                   .core = PEER_ANY_CORE,
                                   .ebb = arguments->ebb};
    for (unsigned i = 0; i < LEGS_MAX; i++) {
        if (legs[i].big_bytes > options.value_bytes)
            options.value_bytes = legs[i].big_bytes;
    }
    return options;
}

static struct sampler *probe_start(const struct peer *peer,
                                   const struct leg *leg)
{
    struct sampler_options options = {.keys = PROBE_KEYS,
                                      .seed = 1,
                                      .sets = true,
                                      .first = probe_first,
                                      .value_bytes = leg->bytes,
                                      .pause_us = PROBE_PAUSE_US};
    struct sampler *probe = sampler_start(peer, &options);
    if (probe != NULL)
        sampler_begin(probe);
    return probe;
}

static bool run_phase(const struct arguments *arguments, struct peer *peer,
                      const struct leg *leg, unsigned number,
                      struct legs_log *log, struct course *course,
                      struct phase *phase)
{
    static struct sampler_result waits;
    host_reset_peak(peer->pid);
    uint64_t refused = log->refused;
    struct sampler *probe = probe_start(peer, leg);
    if (probe == NULL)
        return false;
    course_phase(course, number);
    bool done = legs_run(peer, leg, number, arguments->budget, log);
    course_phase(course, COURSE_REST);
    done = sampler_stop(probe, &waits) && done;
    phase->p999_ns = waits.p999_ns;
    phase->longest_ns = waits.longest_wait_ns;
    phase->peak = host_peak(peer->pid);
    phase->last = host_resident(peer->pid);
    phase->refused = log->refused - refused;
    return done && legs_estimate(peer, log, arguments->seed, &phase->held);
}

/* Entries of a new server after that leg only; 0 if it went wrong. */
static uint64_t fresh_entries(const struct arguments *arguments,
                              enum peer_id id,
                              const struct peer_options *options,
                              const struct leg *leg)
{
    struct peer peer;
    struct legs_log log = {0};
    uint64_t entries = 0;
    if (!peer_start(&peer, id, options))
        return 0;
    if (legs_run(&peer, leg, 0, arguments->budget, &log))
        entries = peer_entries(&peer);
    return peer_stop(&peer) ? entries : 0;
}

static void add_row(struct table *table, const struct arguments *arguments,
                    enum peer_id id, const struct legs *legs, unsigned i,
                    const struct phase *phase, const struct control *control)
{
    double budget = (double)arguments->budget;
    double entries = phase->held.entries;
    table_cell(table, "%s", peer_name(id));
    table_cell(table, "%s %u", legs->name, i + 1);
    table_cell(table, "%s", legs->legs[i].name);
    table_cell(table, "%.3f", (double)phase->peak / budget);
    table_cell(table, "%.3f", (double)phase->last / budget);
    table_cell(table, "%.1f",
               100 * (phase->held.bytes + entries * ENTRY_BYTES) / budget);
    table_cell(table, "%.1f", 100 * phase->held.bytes / budget);
    table_cell(table, "%.0f", entries);
    table_cell(table, "%.1f",
               phase->fresh == 0
                   ? 0
                   : 100 * phase->held.newest / (double)phase->fresh);
    table_cell(table, "%llu", (unsigned long long)phase->refused);
    table_cell(table, "%.0f", (double)phase->p999_ns / 1e3);
    table_cell(table, "%.0f", (double)control->p999_ns[i] / 1e3);
    table_cell(table, "%.1f", (double)phase->longest_ns / 1e6);
    table_cell(table, "%.1f", (double)control->gap_ns / 1e6);
}

static bool run(struct table *table, const struct arguments *arguments,
                enum peer_id id, const struct legs *legs,
                const struct control *control)
{
    struct peer peer;
    struct phase phases[LEGS_MAX] = {0};
    struct legs_log log = {0};
    struct peer_options options = options_for(arguments, legs->legs);
    const struct leg *leg = legs->legs;
    unsigned count = 0;
    if (!peer_start(&peer, id, &options))
        return false;
    struct course *course = NULL;
    if (arguments->samples != NULL)
        course = course_start(&peer, legs, arguments->budget);
    bool done = course != NULL || arguments->samples == NULL;
    for (; done && leg[count].bytes != 0; count++)
        done = run_phase(arguments, &peer, &leg[count], count, &log, course,
                         &phases[count]);
    done = course_stop(course, arguments->samples) && done;
    done = peer_stop(&peer) && done;
    for (unsigned i = 0; done && i < count; i++) {
        phases[i].fresh = fresh_entries(arguments, id, &options, &leg[i]);
        done = phases[i].fresh != 0;
        add_row(table, arguments, id, legs, i, &phases[i], control);
    }
    return done;
}

/* The same client and the same load, and a server that stores nothing. */
static bool measure_control(const struct legs *legs, struct control *control)
{
    static struct sampler_result waits;
    for (unsigned i = 0; legs->legs[i].bytes != 0; i++) {
        const struct leg *leg = &legs->legs[i];
        struct peer_options options = {.value_bytes = leg->bytes,
                                       .core = PEER_ANY_CORE};
        struct drive_result result;
        struct peer peer;
        if (!peer_start(&peer, PEER_FLOOR, &options))
            return false;
        struct drive_plan plan = work_plan(&peer, 0, 1000, leg->bytes);
        plan.operations = 0;
        plan.for_ns = CONTROL_MS * 1000000ULL;
        struct sampler *probe = probe_start(&peer, leg);
        bool done = probe != NULL && drive_run(&plan, &result) &&
                    sampler_stop(probe, &waits);
        control->p999_ns[i] = waits.p999_ns;
        if (!peer_stop(&peer) || !done)
            return false;
    }
    return true;
}

static bool run_all(struct table *table, const struct arguments *arguments,
                    const struct legs *legs, const bool *present)
{
    struct control control = {0};
    control.gap_ns = host_longest_gap_ns(CONTROL_MS * 1000000ULL);
    bool whole = measure_control(legs, &control);
    for (enum peer_id id = PEER_EBB; id < PEER_FLOOR; id++) {
        if (present[id])
            whole = run(table, arguments, id, legs, &control) && whole;
    }
    return whole;
}

/* The sequence that is wanted; SEQUENCES: all. */
static unsigned check(const struct arguments *a)
{
    const char *names[SEQUENCES + 2] = {NULL};
    for (unsigned i = 0; i < SEQUENCES; i++)
        names[i] = legs_all[i].name;
    names[SEQUENCES] = "all";
    args_within("budget", a->budget, 16 << 20, UINT64_MAX >> 4);
    peer_check_only(a->only, PEER_FLOOR);
    return args_word("sequence", a->sequence, names);
}

int main(int argc, char **argv)
{
    struct arguments a = {.budget = 256 << 20, .seed = 1, .sequence = "all"};
    const struct args_row rows[] = {
        {"budget", &a.budget, NULL, "of each server, in whole MiB"},
        {"sequence", NULL, &a.sequence,
         "shift, jump, drift, mix, zipf, uniform or all"},
        {"csv", NULL, &a.csv, "file for samples of the course; none"},
        {"seed", &a.seed, NULL, "of the random numbers"},
        {"only", NULL, &a.only, "server to run, by name, not the others"},
        {"ebb", NULL, &a.ebb, "the program, if not the one built here"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "churn: sizes of values that change", argc, argv);
    unsigned wanted = check(&a);
    if (a.csv != NULL && (a.samples = course_file(a.csv)) == NULL)
        return 1;

    static const char *const headings[] = {
        "server",           "phase",        "value B",
        "RSS/budget worst", "last",         "with 28 B an item %",
        "payload %",        "entries",      "newest/fresh %",
        "refused",          "SET p99.9 us", "control us",
        "longest ms",       "gap ms",       NULL};
    static struct table table;
    bool present[PEER_FLOOR], whole = true;
    table_init(&table, headings);
    printf("Budget %llu MiB\n\n", (unsigned long long)a.budget >> 20);
    table_follow(&table, stdout);
    for (enum peer_id id = PEER_EBB; id < PEER_FLOOR; id++)
        present[id] = peer_present(id, a.ebb, a.only);
    for (unsigned i = 0; i < SEQUENCES; i++) {
        if (wanted == i || wanted == SEQUENCES)
            whole = run_all(&table, &a, &legs_all[i], present) && whole;
    }
    if (a.samples != NULL && fclose(a.samples) != 0) {
        perror(a.csv);
        whole = false;
    }
    return whole ? 0 : 1;
}
