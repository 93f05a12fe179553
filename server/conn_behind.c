/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is behind: clients that have something unsent of what was pushed to them,
 * in the order of their last progress.  When they fill half of the pool, those
 * go who hold more than their share, who has stood still longest first.
 */

#include "pool.h"
#include "push.h"
#include "server.h"
#include "turn.h"

enum {
    SHARE = 8,       /* part of the pool, for all who are behind */
    LOOKED_AT = 64,  /* of these, for one that has to go */
    DOOMED_MOST = 4, /* go for one push */
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
    if (!conn->behind)
        return;
    conn_unlist_behind(conn);
    if (conn_unsent(conn) > 0)
        conn_list_behind(conn);
}

/* Of those who hold more than their share, who has stood still longest. */
static struct conn *most_behind(const struct worker *worker)
{
    const struct server *server = worker->server;
    struct conn *conn = worker->behind;
    if (!conn)
        return NULL;
    size_t behind = worker->behind_count * server->worker_count;
    size_t share = pool_limit(server->pool) / SHARE / behind;
    for (int i = 0; conn && i < LOOKED_AT; i++) {
        if (!conn->serving && !conn->session.no_evict &&
            conn_unsent(conn) > share)
            return conn;
        conn = conn->behind_next;
    }
    return NULL;
}

void worker_make_room(struct worker *worker)
{
    const struct pool *pool = worker->server->pool;
    for (int i = 0; i < DOOMED_MOST && !pool_roomy(pool); i++) {
        struct conn *found = most_behind(worker);
        if (!found)
            return;
        conn_evict_soon(found);
    }
}
