/* SPDX-License-Identifier: BSD-3-Clause */
/* Servers that take turns. */

#include "bench/fleet.h"

#include <stdio.h>

static void take_turn(struct fleet *fleet, enum peer_id id, uint64_t round,
                      fleet_turn *turn, void *ctx)
{
    if (!fleet->up[id] || turn(&fleet->peers[id], round, ctx))
        return;
    peer_stop(&fleet->peers[id]);
    fleet->up[id] = false;
    fleet->broken = true;
}

void fleet_start(struct fleet *fleet, enum peer_id end,
                 const struct peer_options *options, const char *only,
                 fleet_turn *fill, void *ctx)
{
    struct peer_options own = *options;
    own.core = peer_take_cores();
    *fleet = (struct fleet){.broken = false};
    for (enum peer_id id = PEER_EBB; id < end; id++) {
        if (id == PEER_OTHER && (own.other == NULL || *own.other == '\0'))
            continue;
        if (!peer_present(id, own.ebb, only))
            continue;
        fprintf(stderr, "start %s\n", peer_name(id));
        fleet->up[id] = peer_start(&fleet->peers[id], id, &own);
        if (!fleet->up[id])
            fleet->broken = true;
        take_turn(fleet, id, 0, fill, ctx);
    }
}

void fleet_rounds(struct fleet *fleet, const char *what, uint64_t rounds,
                  fleet_turn *measure, void *ctx)
{
    for (uint64_t round = 0; round < rounds; round++) {
        fprintf(stderr, "%s, round %llu of %llu\n", what,
                (unsigned long long)round + 1, (unsigned long long)rounds);
        for (enum peer_id id = PEER_EBB; id < PEER_COUNT; id++)
            take_turn(fleet, id, round, measure, ctx);
    }
}

bool fleet_stop(struct fleet *fleet)
{
    for (enum peer_id id = PEER_EBB; id < PEER_COUNT; id++)
        if (fleet->up[id] && !peer_stop(&fleet->peers[id]))
            fleet->broken = true;
    return !fleet->broken;
}
