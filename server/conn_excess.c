/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Values that are being sent or received are neither evicted nor moved.
 * Usually that matters little, but when the budget is lowered they may be what
 * keeps the cache above it: small ones because each of them keeps a slab, or
 * they are more than all that may be resident now.  So
 *
 *   first            they are brought together
 *   a little later   who holds most has to let go, until that is enough:
 *       being received   the value is refused, as if it had been announced now
 *       of a transaction that was not run yet: it will not be
 *       being sent       the connection is closed: half a reply cannot be taken
 *                        back
 */

#include "multi.h"
#include "pool.h"
#include "server.h"
#include "turn.h"

enum {
    HELD_MS = 1000,   /* without progress: they have been brought together */
    LET_GO_MOST = 64, /* clients at a time: each is looked for */
};

static void settle(struct worker *worker)
{
    for (struct conn *conn = worker->holders; conn; conn = conn->holder_next) {
        struct turn *turn = conn->turn;
        if (conn->serving)
            continue;
        if (conn->session.multi)
            multi_settle(conn->session.multi);
        if (!turn)
            continue;
        if (turn->blob)
            cache_blob_settle(turn->blob);
        output_settle(&turn->out);
    }
}

static size_t held_by(const struct conn *conn)
{
    const struct turn *turn = conn->turn;
    size_t receiving = 0;
    if (turn && turn->blob)
        receiving = cache_blob_len(turn->blob) - turn->body_left;
    return conn->serving ? 0 : conn->pinned + receiving;
}

static struct conn *largest(const struct worker *worker)
{
    struct conn *found = NULL;
    for (struct conn *conn = worker->holders; conn; conn = conn->holder_next)
        if (held_by(conn) > (found ? held_by(found) : 0))
            found = conn;
    return found;
}

/* This worker's part of what has to go: each looks at its own clients only. */
static void let_go(struct worker *worker, size_t held)
{
    size_t part = held / worker->server->worker_count + 1, gone = 0;
    for (int n = 0; n < LET_GO_MOST && gone < part; n++) {
        struct conn *conn = largest(worker);
        if (!conn)
            return;
        gone += held_by(conn);
        if (conn->turn && conn->turn->blob)
            conn_refuse_body(conn->turn);
        else
            conn_let_go(conn);
    }
}

void worker_mind_excess(struct worker *worker)
{
    const struct cache *cache = worker->server->cache;
    size_t held = cache_held(cache);
    if (cache_is_strewn(cache))
        settle(worker);
    if (held == 0 || held < worker->held)
        worker->held_ms = worker->clock_ms;
    else if (worker->clock_ms - worker->held_ms >= HELD_MS)
        let_go(worker, held);
    worker->held = held;
}
