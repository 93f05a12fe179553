/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has to go when clients' memory runs out: the client pool is nearly full,
 * values being sent take too much of the cache, or subscriptions of the pool.
 */

#include "pool.h"
#include "pubsub.h"
#include "server.h"
#include "turn.h"

enum {
    TIGHT_MS = 500,       /* then a client without progress is closed */
    TIGHT_LONG_MS = 2000, /* then any client */
    TIGHT_LAST_MS = 3000, /* then one that asked not to be, if it is alone */
};

static void unpause_all(struct worker *worker)
{
    for (struct conn *conn = worker->holders; conn; conn = conn->holder_next) {
        if (!conn->paused)
            continue;
        conn->paused = false;
        conn_watch(conn);
    }
}

static struct conn *offender(const struct worker *worker, uint32_t tight_ms)
{
    struct conn *conn = NULL;
    if (tight_ms >= TIGHT_MS)
        conn = worker_first_to_go(worker, TIGHT_MS);
    if (tight_ms >= TIGHT_LONG_MS && (!conn || conn->session.no_evict))
        conn = worker_first_to_go(worker, 0);
    if (conn && conn->session.no_evict && tight_ms < TIGHT_LAST_MS)
        return NULL;
    return conn;
}

/* Closes the worker's first to go, unless it is another worker's turn. */
static void relieve(struct worker *worker)
{
    const struct server *server = worker->server;
    struct conn *conn = offender(worker, worker->clock_ms - worker->tight_ms);
    size_t ours = conn ? conn_rank(conn, conn->charged) : 0;
    atomic_store_explicit(&worker->first_rank, ours, memory_order_relaxed);
    for (unsigned i = 0; i < server->worker_count; i++)
        if (atomic_load_explicit(&server->workers[i].first_rank,
                                 memory_order_relaxed) > ours)
            return;
    if (conn && !conn_end_unfinished(conn))
        conn_evict(conn);
}

/* Too much of the cache is pinned: whoever pins most without progress goes,
 * unless nobody else pins anything.  A command that goes on makes progress. */
static void relieve_pins(struct worker *worker)
{
    const struct pool *pool = worker->server->pool;
    struct conn *found = NULL;
    for (struct conn *conn = worker->holders; conn; conn = conn->holder_next) {
        if (conn->later || worker->clock_ms - conn->sent_ms < TIGHT_MS)
            continue;
        if (conn->pinned > 0 && (!found || conn_rank(conn, conn->pinned) >
                                               conn_rank(found, found->pinned)))
            found = conn;
    }
    if (found && found->pinned < pool_pinned(pool))
        conn_let_go(found);
}

/* Subscriptions are not what a client holds in buffers. */
static void relieve_subscriptions(struct worker *worker)
{
    struct conn *found = NULL;
    size_t most = pubsub_too_many(worker->server->pubsub);
    if (most == SIZE_MAX)
        return;
    for (struct conn *conn = worker->conns; conn; conn = conn->next) {
        size_t count = subscriber_count_all(conn->session.subscriber);
        if (count > most && !conn->serving) {
            found = conn;
            most = count;
        }
    }
    if (found)
        conn_evict(found);
}

void worker_mind_memory(struct worker *worker)
{
    relieve_subscriptions(worker);
    if (pool_pins_tight(worker->server->pool))
        relieve_pins(worker);
    worker_mind_excess(worker);
    worker_mind_behind(worker);
    worker_renew_lease(worker);
    bool tight = pool_tight(worker->server->pool);
    if (!tight) {
        if (worker->tight)
            atomic_store_explicit(&worker->first_rank, 0, memory_order_relaxed);
        unpause_all(worker);
    } else if (!worker->tight) {
        worker->tight_ms = worker->clock_ms;
    } else {
        relieve(worker);
    }
    worker->tight = tight;
}
