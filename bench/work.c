/* SPDX-License-Identifier: BSD-3-Clause */
/* Pieces of work that several benches give to a peer. */

#include "bench/work.h"

#include <stdio.h>

#include "bench/drive.h"

enum { BATCH_BYTES = 1 << 20, DEPTH = 50 };

static struct drive_plan plan_for(const struct peer *peer, uint64_t first,
                                  uint64_t count)
{
    return (struct drive_plan){.port = peer->port,
                               .wire = peer->wire,
                               .connections = 4,
                               .depth = DEPTH,
                               .first_key = first,
                               .keys = count,
                               .operations = count};
}

static bool run(const struct peer *peer, const struct drive_plan *plan,
                struct drive_result *result)
{
    bool done = drive_run(plan, result);
    if (result->errors > 0)
        fprintf(stderr, "%s: %llu errors, the first: %s\n", peer->name,
                (unsigned long long)result->errors, result->error);
    return done;
}

struct drive_plan work_plan(const struct peer *peer, uint64_t first,
                            uint64_t count, uint64_t value_bytes)
{
    struct drive_plan plan = plan_for(peer, first, count);
    plan.order = KEYS_SEQUENTIAL;
    plan.sets_percent = 100;
    plan.value_bytes = value_bytes;
    if (value_bytes * plan.depth > BATCH_BYTES)
        plan.depth = (unsigned)(BATCH_BYTES / value_bytes);
    return plan;
}

bool work_fill(const struct peer *peer, uint64_t first, uint64_t count,
               uint64_t value_bytes, unsigned ttl_s)
{
    struct drive_result result;
    struct drive_plan plan = work_plan(peer, first, count, value_bytes);
    plan.ttl_s = ttl_s;
    return run(peer, &plan, &result);
}

bool work_shuffle(const struct peer *peer, uint64_t first, uint64_t count,
                  uint64_t seed)
{
    struct drive_result result;
    struct drive_plan plan = plan_for(peer, first, count);
    plan.order = KEYS_SHUFFLED;
    plan.seed = seed;
    return run(peer, &plan, &result);
}

bool work_delete(const struct peer *peer, uint64_t first, uint64_t count,
                 uint64_t deletes, uint64_t seed)
{
    struct drive_result result;
    struct drive_plan plan = plan_for(peer, first, count);
    plan.order = KEYS_SHUFFLED;
    plan.deletes = true;
    plan.operations = deletes;
    plan.seed = seed;
    return run(peer, &plan, &result);
}

bool work_sample(const struct peer *peer, uint64_t first, uint64_t count,
                 uint64_t samples, uint64_t seed, double *share)
{
    struct drive_result result;
    struct drive_plan plan = plan_for(peer, first, count);
    plan.order = KEYS_SHUFFLED;
    plan.operations = samples;
    plan.seed = seed;
    bool done = run(peer, &plan, &result);
    uint64_t seen = result.hits + result.misses;
    *share = seen == 0 ? 0 : (double)result.hits / (double)seen;
    return done;
}

uint64_t work_keys_for(uint64_t bytes, uint64_t value_bytes)
{
    return bytes / (WIRE_KEY + value_bytes);
}

uint64_t work_fresh_entries(enum peer_id id, const struct peer_options *options,
                            uint64_t value_bytes)
{
    struct peer peer;
    uint64_t entries = 0;
    uint64_t count = work_keys_for(options->budget_bytes, value_bytes);
    if (!peer_start(&peer, id, options))
        return 0;
    if (work_fill(&peer, 0, count, value_bytes, 0))
        entries = peer_entries(&peer);
    return peer_stop(&peer) ? entries : 0;
}
