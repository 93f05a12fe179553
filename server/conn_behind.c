/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is behind: clients that have something unsent of what was pushed to them,
 * in the order of their last progress.  When they fill half of the pool, those
 * go who hold more than their share, who has stood still longest first: of the
 * worker that pushes, at once, and of the others who have read nothing for a
 * while.
 */

#include "pool.h"
#include "push.h"
#include "server.h"
#include "turn.h"

enum {
    SHARE = 8,       /* part of the pool, for all who are behind */
    LOOKED_AT = 64,  /* of these, for one that has to go */
    DOOMED_MOST = 4, /* go for one push */
    STILL_MS = 500,  /* then they go for pushes on any worker */
};

size_t conn_unsent(const struct conn *conn)
{
    const struct turn *turn = conn->turn;
    if (!turn)
        return 0;
    return output_len(&turn->out) - turn->out.pinned + buf_len(&turn->pushes);
}

void conn_list_behind(struct conn *conn)
{
    struct worker *worker = conn->worker;
    if (conn->behind)
        return;
    conn->behind = true;
    conn->behind_next = NULL;
    conn->behind_link = worker->behind_end;
    *worker->behind_end = conn;
    worker->behind_end = &conn->behind_next;
    worker->behind_count++;
}

void conn_unlist_behind(struct conn *conn)
{
    struct worker *worker = conn->worker;
    if (!conn->behind)
        return;
    conn->behind = false;
    *conn->behind_link = conn->behind_next;
    if (conn->behind_next)
        conn->behind_next->behind_link = conn->behind_link;
    else
        worker->behind_end = conn->behind_link;
    worker->behind_count--;
}

void conn_moved(struct conn *conn)
{
    conn_unlist_behind(conn);
    if (conn_unsent(conn) > 0)
        conn_list_behind(conn);
}

/* Of those who hold more than their share, who has stood still longest; one
 * with CLIENT NO-EVICT if there is no other. */
static struct conn *most_behind(const struct worker *worker)
{
    const struct server *server = worker->server;
    struct conn *conn = worker->behind, *last = NULL;
    if (!conn)
        return NULL;
    size_t behind = worker->behind_count * server->worker_count;
    size_t share = pool_limit(server->pool) / SHARE / behind;
    for (int i = 0; conn && i < LOOKED_AT; i++) {
        if (!conn->serving && conn_unsent(conn) > share) {
            if (!conn->session.no_evict)
                return conn;
            if (!last)
                last = conn;
        }
        conn = conn->behind_next;
    }
    return last;
}

void worker_make_room(struct worker *worker)
{
    struct server *server = worker->server;
    for (int i = 0; i < DOOMED_MOST && !pool_roomy(server->pool); i++) {
        struct conn *found = most_behind(worker);
        atomic_fetch_add_explicit(&server->push_short, 1, memory_order_relaxed);
        if (!found)
            return;
        conn_evict_soon(found);
    }
}

void worker_mind_behind(struct worker *worker)
{
    struct server *server = worker->server;
    unsigned now =
        atomic_load_explicit(&server->push_short, memory_order_relaxed);
    if (now == worker->push_short)
        return;
    worker->push_short = now;
    for (int i = 0; i < LOOKED_AT; i++) {
        struct conn *found = most_behind(worker);
        if (!found || worker->clock_ms - found->sent_ms < STILL_MS)
            return;
        conn_evict_soon(found);
    }
}
