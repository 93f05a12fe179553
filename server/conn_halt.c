/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clients that wait until CLIENT PAUSE is over: a list of each worker's, in
 * the order of their requests.  Who is on it is on no other list of those that
 * go on later.
 */

#include "turn.h"

enum { AT_ONCE = 64 }; /* go on before other events have a turn */

void conn_halt(struct conn *conn)
{
    struct worker *worker = conn->worker;
    conn->halted = true;
    conn->later_next = NULL;
    conn->later_link = worker->halted_end;
    *worker->halted_end = conn;
    worker->halted_end = &conn->later_next;
    worker_count(worker, halted_count, 1);
}

void conn_leave_halt(struct conn *conn)
{
    if (!conn->halted)
        return;
    worker_count(conn->worker, halted_count, -1);
    conn->halted = false;
    *conn->later_link = conn->later_next;
    if (conn->later_next)
        conn->later_next->later_link = conn->later_link;
    else
        conn->worker->halted_end = conn->later_link;
}

/* A new pause may have begun: then they halt again, behind the others. */
void worker_end_halt(struct worker *worker, void *ctx)
{
    for (int n = 0; n < AT_ONCE && worker->halted_first; n++) {
        struct conn *conn = worker->halted_first;
        conn_leave_halt(conn);
        conn_resume(conn);
    }
    if (worker->halted_first)
        worker_post(worker, worker_end_halt, ctx);
}
