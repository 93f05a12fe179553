/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Values that are being sent or received cannot be evicted.  Usually that
 * matters little; but when the budget is lowered far, one of them may be
 * larger than all that may be resident now.  If the cache does not come under
 * its limit, who holds most of it must let go:
 *
 *   being received   the value is refused, as if it had been announced now
 *   being sent       the connection is closed: half a reply cannot be taken
 *                    back
 */

#include "pool.h"
#include "server.h"
#include "turn.h"

enum {
    EXCESS_MS = 1000
}; /* a shrink is over by then, if nobody is in its way */

static size_t held_by(const struct conn *conn)
{
    const struct turn *turn = conn->turn;
    size_t receiving = 0;
    if (turn && turn->blob)
        receiving = cache_blob_len(turn->blob) - turn->body_left;
    return conn->pinned + receiving;
}

static bool lasts(struct worker *worker)
{
    bool excess = cache_exceeds(worker->server->cache);
    if (excess && !worker->excess)
        worker->excess_ms = worker->clock_ms;
    worker->excess = excess;
    return excess && worker->clock_ms - worker->excess_ms >= EXCESS_MS;
}

void worker_mind_excess(struct worker *worker)
{
    if (!lasts(worker))
        return;
    /* Less than this is not what keeps it there. */
    size_t most = pool_limit(worker->server->pool);
    struct conn *holder = NULL;
    for (struct conn *conn = worker->conns; conn; conn = conn->next)
        if (held_by(conn) > most) {
            most = held_by(conn);
            holder = conn;
        }
    if (holder && holder->turn->blob && !holder->serving)
        conn_refuse_body(holder->turn);
    else if (holder && !holder->serving)
        conn_evict(holder);
}
