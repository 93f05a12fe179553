/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks all workers something and goes on with the command afterwards. */

#include "ask.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "conn.h"
#include "server.h"
#include "worker.h"

enum { SLICE_CONNS = 16 }; /* asked before others have a turn */

struct ask {
    ask_visit *visit; /* or */
    ask_conn *visit_conn;
    void *ctx;
    void (*ctx_free)(void *ctx);
    struct worker *home; /* of the connection that asks */
    uint64_t client_id;
    atomic_uint pending; /* workers that have not answered */
    atomic_uint refs;    /* the command's and the workers' */
    uint64_t next[];     /* of each worker: the id of who is asked next, of
                            those before the first slice any */
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

/* The newest connections are first.  The one to go on with may be gone. */
static struct conn *next_conn(const struct ask *ask, struct worker *worker)
{
    uint64_t id = ask->next[worker->id];
    struct conn *conn = worker_conn(worker, id);

    if (conn == NULL)
        conn = worker->conns;
    while (conn != NULL && conn_session(conn)->id > id)
        conn = conn_next(conn);
    return conn;
}

/* False: there are more. */
static bool visit_some(struct ask *ask, struct worker *worker)
{
    struct conn *conn = next_conn(ask, worker), *next;

    for (int i = 0; i < SLICE_CONNS && conn != NULL; i++, conn = next) {
        next = conn_next(conn);
        if (!ask->visit_conn(conn, ask->ctx))
            break;
    }
    if (conn != NULL)
        ask->next[worker->id] = conn_session(conn)->id;
    return conn == NULL;
}

static void visit(struct worker *worker, void *ctx)
{
    struct ask *ask = ctx;

    if (ask->visit != NULL)
        ask->visit(worker, ask->ctx);
    else if (!visit_some(ask, worker)) {
        worker_post_owned(worker, visit, ask, unref);
        return;
    }
    if (atomic_fetch_sub(&ask->pending, 1) == 1)
        worker_post_owned(ask->home, finish, ask, unref);
    else
        unref(ask);
}

static enum command_result ask(struct call *call, const struct ask *what)
{
    struct server *server = call->server;
    unsigned count = server->worker_count;
    struct ask *ask = malloc(sizeof *ask + count * sizeof *ask->next);

    if (ask == NULL) {
        what->ctx_free(what->ctx);
        reply_error(&call->reply, ERROR_NO_ROOM);
        return COMMAND_DONE;
    }
    *ask = *what;
    ask->home = call->worker;
    ask->client_id = call->session->id;
    atomic_init(&ask->pending, count);
    atomic_init(&ask->refs, count + 1);
    call->state = ask;
    call->state_free = unref;
    for (unsigned i = 0; i < count; i++) {
        ask->next[i] = UINT64_MAX;
        worker_post_owned(&server->workers[i], visit, ask, unref);
    }
    return COMMAND_WAIT;
}

enum command_result ask_workers(struct call *call, ask_visit *run, void *ctx,
                                void (*ctx_free)(void *ctx))
{
    return ask(call,
               &(struct ask){.visit = run, .ctx = ctx, .ctx_free = ctx_free});
}

enum command_result ask_conns(struct call *call, ask_conn *run, void *ctx,
                              void (*ctx_free)(void *ctx))
{
    return ask(call, &(struct ask){
                         .visit_conn = run, .ctx = ctx, .ctx_free = ctx_free});
}

void *ask_ctx(const struct call *call)
{
    const struct ask *ask = call->state;

    return ask == NULL ? NULL : ask->ctx;
}
