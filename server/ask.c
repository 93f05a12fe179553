/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks all workers something and goes on with the command afterwards. */

#include "ask.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "conn.h"
#include "server.h"
#include "worker.h"

struct ask {
    ask_visit *visit;
    void *ctx;
    void (*ctx_free)(void *ctx);
    struct worker *home; /* of the connection that asks */
    uint64_t client_id;
    atomic_uint pending; /* workers that have not answered */
    atomic_uint refs;    /* the command's and the workers' */
};

static void unref(void *state)
{
    struct ask *ask = state;

    if (atomic_fetch_sub(&ask->refs, 1) != 1)
        return;
    ask->ctx_free(ask->ctx);
    free(ask);
}

static void finish(struct worker *worker, void *ctx)
{
    struct ask *ask = ctx;
    struct conn *conn = worker_conn(worker, ask->client_id);

    if (conn != NULL)
        conn_resume(conn);
    unref(ask);
}

static void visit(struct worker *worker, void *ctx)
{
    struct ask *ask = ctx;

    ask->visit(worker, ask->ctx);
    if (atomic_fetch_sub(&ask->pending, 1) == 1)
        worker_post_owned(ask->home, finish, ask, unref);
    else
        unref(ask);
}

enum command_result ask_workers(struct call *call, ask_visit *run, void *ctx,
                                void (*ctx_free)(void *ctx))
{
    struct server *server = call->server;
    struct ask *ask = malloc(sizeof *ask);

    if (ask == NULL) {
        ctx_free(ctx);
        reply_error(&call->reply, ERROR_NO_ROOM);
        return COMMAND_DONE;
    }
    *ask = (struct ask){.visit = run,
                        .ctx = ctx,
                        .ctx_free = ctx_free,
                        .home = call->worker,
                        .client_id = call->session->id};
    atomic_init(&ask->pending, server->worker_count);
    atomic_init(&ask->refs, server->worker_count + 1);
    call->state = ask;
    call->state_free = unref;
    for (unsigned i = 0; i < server->worker_count; i++)
        worker_post_owned(&server->workers[i], visit, ask, unref);
    return COMMAND_WAIT;
}

void *ask_ctx(const struct call *call)
{
    const struct ask *ask = call->state;

    return ask == NULL ? NULL : ask->ctx;
}
