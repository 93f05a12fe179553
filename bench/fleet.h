/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_FLEET_H
#define BENCH_FLEET_H

/*
 * Servers that are all up at once.  Rounds take turns over them, so that
 * whatever else the machine does meets all alike.  One that breaks down is
 * stopped and left out from then on.
 */

#include "bench/peer.h"

struct fleet {
    bool broken; /* one of them broke down */
    bool up[PEER_COUNT];
    struct peer peers[PEER_COUNT];
};

/* Something that one of them is to do; false: it broke down. */
typedef bool fleet_turn(struct peer *peer, uint64_t round, void *ctx);

/* Takes the cores apart (see peer_take_cores), starts those before `end` that
 * are wanted and there, PEER_OTHER if options->other has a command, and fills
 * each, in round 0.  options->core does not matter. */
void fleet_start(struct fleet *fleet, enum peer_id end,
                 const struct peer_options *options, const char *only,
                 fleet_turn *fill, void *ctx);
/* Rounds 0, 1, ...; a sentence on stderr, which begins with `what`, says which
 * one begins. */
void fleet_rounds(struct fleet *fleet, const char *what, uint64_t rounds,
                  fleet_turn *measure, void *ctx);
/* Stops those that are up; false if one broke down until then. */
bool fleet_stop(struct fleet *fleet);

#endif
