/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients that take too long: one coarse timer a worker, no timer a client. */

#include "acl.h"
#include "limits.h"
#include "server.h"
#include "turn.h"

enum { PARTS = 10 }; /* each tick looks at one of so many */

static bool passed(const struct worker *worker, uint32_t since_ms,
                   int64_t limit_ms)
{
    return (int64_t)(uint32_t)(worker->clock_ms - since_ms) > limit_ms;
}

/* A request has begun to arrive and its end has not. */
static bool unfinished(const struct conn *conn)
{
    const struct turn *turn = conn->turn;
    return turn && !turn->running && !conn->later && !conn->blocked &&
           (buf_len(&turn->in) > 0 || turn->parser.skipping);
}

static bool unsent(const struct conn *conn)
{
    return conn->turn && output_len(&conn->turn->out) > 0;
}

static void check(struct conn *conn)
{
    struct worker *worker = conn->worker;
    const struct limits *limits = &worker->server->limits;
    if (conn->lingering) {
        if (!passed(worker, conn->since_ms, LIMIT_LINGER_MS))
            return;
    } else if (unsent(conn)) {
        if (!passed(worker, conn->sent_ms, limits->stall_ms))
            return;
        worker_count(worker, closed_stalled, 1);
    } else if (unfinished(conn)) {
        if (!passed(worker, conn->since_ms, limits->request_ms))
            return;
        worker_count(worker, closed_request, 1);
    } else if (!conn->session.authenticated &&
               passed(worker, conn->born_ms, limits->auth_ms)) {
        worker_count(worker, closed_idle, 1);
    } else {
        int64_t idle_ms = limits->idle_ms;
        if (conn->turn || conn->session.subscriber || idle_ms == 0 ||
            !passed(worker, conn->active_ms, idle_ms))
            return;
        worker_count(worker, closed_idle, 1);
    }
    conn_free(conn);
}

void worker_mind_time(struct worker *worker)
{
    struct server *server = worker->server;
    size_t count = worker->open / PARTS + 1;
    for (size_t i = 0; i < count && worker->open > 0; i++) {
        if (!worker->walk)
            worker->walk = worker->conns;
        struct conn *conn = worker->walk;
        worker->walk = conn->next;
        acl_keep_up(server->acl, &conn->session, server->acl_version);
        check(conn);
    }
}
