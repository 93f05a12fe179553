/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequences of sizes that change. */

#include "bench/legs.h"

#include <stdio.h>
#include <string.h>

#include "bench/drive.h"
#include "bench/host.h"
#include "bench/work.h"

enum {
    SAMPLES = 20000,
    DRIFT_PARTS = 30,
    BIG = 1 << 20,
    SAMPLED_MOST = 1 << 29
};

// clang-format off
const struct legs legs_all[] = {
    {"shift",   {{"64", 64, 0, 0, KEYS_SEQUENTIAL},
                 {"400", 400, 0, 0, KEYS_SEQUENTIAL},
                 {"100", 100, 0, 0, KEYS_SEQUENTIAL},
                 {"1000", 1000, 0, 0, KEYS_SEQUENTIAL},
                 {"64", 64, 0, 0, KEYS_SEQUENTIAL}}},
    {"jump",    {{"100", 100, 0, 0, KEYS_SEQUENTIAL},
                 {"16384", 16384, 0, 0, KEYS_SEQUENTIAL},
                 {"100", 100, 0, 0, KEYS_SEQUENTIAL}}},
    {"drift",   {{"100 - 2000", 100, 2000, 0, KEYS_SEQUENTIAL},
                 {"2000 - 50", 2000, 50, 0, KEYS_SEQUENTIAL}}},
    {"mix",     {{"400", 400, 0, 0, KEYS_SEQUENTIAL},
                 {"400, 1 MiB", 400, 0, BIG, KEYS_SEQUENTIAL},
                 {"400", 400, 0, 0, KEYS_SEQUENTIAL}}},
    {"zipf",    {{"64", 64, 0, 0, KEYS_ZIPF},
                 {"400", 400, 0, 0, KEYS_ZIPF},
                 {"100", 100, 0, 0, KEYS_ZIPF},
                 {"1000", 1000, 0, 0, KEYS_ZIPF},
                 {"64", 64, 0, 0, KEYS_ZIPF}}},
    {"uniform", {{"64", 64, 0, 0, KEYS_UNIFORM},
                 {"1000", 1000, 0, 0, KEYS_UNIFORM},
                 {"64", 64, 0, 0, KEYS_UNIFORM}}},
    {NULL, {{NULL, 0, 0, 0, KEYS_SEQUENTIAL}}},
};
// clang-format on

static void note(struct legs_log *log, unsigned leg, uint64_t count,
                 uint64_t bytes)
{
    log->ranges[log->count++] =
        (struct legs_range){leg, log->next_key, count, bytes};
    log->next_key += count;
}

bool legs_part(const struct leg *leg, unsigned i, uint64_t budget_bytes,
               struct legs_part *part)
{
    /* Keys that are not asked for in turn come again, so more are needed. */
    uint64_t all = leg->order == KEYS_SEQUENTIAL
                       ? budget_bytes + budget_bytes / 2
                       : 2 * budget_bytes;
    unsigned parts = leg->to_bytes == 0 ? 1 : DRIFT_PARTS;
    double way = ((double)leg->to_bytes - (double)leg->bytes) * i;
    memset(part, 0, sizeof *part);
    part->bytes = leg->bytes;
    if (parts > 1)
        part->bytes = (uint64_t)((double)leg->bytes + way / (parts - 1));
    all /= parts;
    if (leg->big_bytes != 0) {
        all /= 2;
        part->bigs = work_keys_for(all, leg->big_bytes);
    }
    part->count = work_keys_for(all, part->bytes);
    if (part->bigs > 0)
        part->big_every = part->count / part->bigs + 1;
    return i < parts;
}

static void note_part(struct legs_log *log, const struct leg *leg,
                      unsigned number, const struct legs_part *part)
{
    if (part->count == 0)
        return;
    note(log, number, part->count, part->bytes);
    if (part->bigs > 0)
        note(log, number, part->bigs, leg->big_bytes);
}

void legs_plan(const struct legs *legs, uint64_t budget_bytes,
               struct legs_log *log)
{
    const struct leg *leg = legs->legs;
    *log = (struct legs_log){0};
    for (unsigned number = 0; leg[number].bytes != 0; number++) {
        struct legs_part part;
        for (unsigned i = 0; legs_part(&leg[number], i, budget_bytes, &part);
             i++)
            note_part(log, &leg[number], number, &part);
    }
}

static bool write_part(const struct peer *peer, const struct leg *leg,
                       unsigned number, const struct legs_part *part,
                       struct legs_log *log)
{
    struct drive_result result;
    if (part->count == 0)
        return true;
    struct drive_plan plan =
        work_plan(peer, log->next_key, part->count, part->bytes);
    plan.order = leg->order;
    plan.theta_percent = 99;
    plan.seed = number + 1;
    note_part(log, leg, number, part);
    if (part->bigs > 0) {
        plan.big_every = part->big_every;
        plan.big_bytes = leg->big_bytes;
        plan.big_first = plan.first_key + part->count;
        plan.operations = part->big_every * part->bigs;
    }
    if (log->until_ns != 0) {
        uint64_t now_ns = host_now_ns();
        if (now_ns >= log->until_ns)
            return true;
        plan.for_ns = log->until_ns - now_ns;
    }
    bool done = drive_run(&plan, &result);
    if (result.errors > 0 && log->refused == 0)
        fprintf(stderr, "%s: refuses some SETs: %s\n", peer->name,
                result.error);
    log->refused += result.errors;
    return done;
}

bool legs_run(const struct peer *peer, const struct leg *leg, unsigned number,
              uint64_t budget_bytes, struct legs_log *log)
{
    struct legs_part part;
    for (unsigned i = 0; legs_part(leg, i, budget_bytes, &part); i++) {
        if (!write_part(peer, leg, number, &part, log))
            return false;
    }
    return true;
}

bool legs_estimate(struct peer *peer, const struct legs_log *log, uint64_t seed,
                   struct legs_held *held)
{
    double found = 0;
    unsigned last = log->ranges[log->count - 1].leg;
    /* Asking makes a key a recent one, so others are asked for each time. */
    seed += (uint64_t)log->count << 32;
    *held = (struct legs_held){.entries = (double)peer_entries(peer)};
    for (unsigned i = 0; i < log->count; i++) {
        const struct legs_range *range = &log->ranges[i];
        uint64_t samples = SAMPLES;
        double share;
        if (samples * range->bytes > SAMPLED_MOST)
            samples = SAMPLED_MOST / range->bytes;
        if (samples > range->count)
            samples = range->count;
        if (!work_sample(peer, range->first, range->count, samples, seed + i,
                         &share))
            return false;
        double entries = share * (double)range->count;
        found += entries;
        held->bytes += entries * (double)(range->bytes + WIRE_KEY);
        if (range->leg == last)
            held->newest += entries;
    }
    double scale = found == 0 ? 0 : held->entries / found;
    held->bytes *= scale;
    held->newest *= scale;
    return true;
}
