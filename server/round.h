/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUND_H
#define ROUND_H

/*
 * A round: from when a worker looks at its sockets until it looks again.  All
 * that were readable then have a turn in it, and whoever sends something
 * meanwhile waits for the end.  So the longer a round has lasted, the less each
 * turn may do:
 *
 *   ms     0 |     1 |     2 |  ... | 7 and more
 *   share  1 | 1 / 2 | 1 / 3 |  ... | 1 / 8
 *
 * What is left of a turn is done in later ones.
 */

#include "server.h"
#include "ticks.h"
#include "worker.h"

enum {
    ROUND_NS = 1000000, /* after which turns become smaller */
    ROUND_PARTS = 8,    /* at the smallest */
};

/* Before a worker looks at its sockets. */
static inline void round_end(struct worker *worker)
{
    worker->round = 0;
}

/* A turn that begins at that time may do 1 / n of what it might alone. */
static inline unsigned round_parts_at(struct worker *worker, uint64_t now)
{
    const struct ticks *ticks = &worker->server->ticks;
    if (worker->round == 0)
        worker->round = now;
    uint64_t ns = ticks_ns(ticks, ticks_between(worker->round, now));
    return ns < ROUND_NS * (ROUND_PARTS - 1) ? 1 + (unsigned)(ns / ROUND_NS)
                                             : ROUND_PARTS;
}

/* Now. */
static inline unsigned round_parts(struct worker *worker)
{
    return round_parts_at(worker, ticks_now(&worker->server->ticks));
}

#endif
