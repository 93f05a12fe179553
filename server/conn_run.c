/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From bytes to requests, and running them.
 *
 *   input --> whole and plain --> batch --.
 *     |                                   +--> run --> DONE: the next
 *     '-----> anything else --> parser ---'     |
 *                                 |             '-- AGAIN, WAIT: the call stays
 *                                 |                 in the turn
 *                                 '- a long value: conn_body.c
 */

#include <string.h>

#include "batch.h"
#include "gate.h"
#include "limits.h"
#include "log.h"
#include "loop.h"
#include "pool.h"
#include "protocol/text.h"
#include "server.h"
#include "timing.h"
#include "turn.h"

/* A request that the pool cannot hold is better refused than waited for: half
 * of the pool is what one client may hope for. */
size_t conn_request_most(const struct server *server)
{
    size_t most = (size_t)server->limits.request_bytes;
    size_t share = pool_limit(server->pool) / 2;
    return most < share ? most : share;
}

void conn_limits(const struct conn *conn, struct parse_limits *limits)
{
    const struct server *server = conn->worker->server;
    if (!conn->session.authenticated) {
        *limits = (struct parse_limits){
            .args = LIMIT_ANONYMOUS_ARGS,
            .bulk = LIMIT_ANONYMOUS_BULK,
            .request = LIMIT_ANONYMOUS_INPUT,
            .line = LIMIT_ANONYMOUS_BULK,
            .divert = SIZE_MAX,
            .anonymous = true,
        };
        return;
    }
    *limits = (struct parse_limits){
        .args = (size_t)server->limits.request_args,
        .bulk = (size_t)server->limits.bulk_bytes,
        .request = conn_request_most(server),
        .held = conn_request_most(server),
        .line = (size_t)server->limits.inline_bytes,
        .divert = CACHE_INLINE_MAX,
    };
}

/* --------------------------------------------------------------- requests */

static void foreign(struct conn *conn, const char *what)
{
    struct server *server = conn->worker->server;
    conn->closing = true;
    log_rarely(server->log, &server->logged_foreign, LOG_WARNING,
               "A client that speaks %s was disconnected", what);
}

/* An HTTP request, perhaps made by a browser for somebody else: its body could
 * hold commands. */
static bool is_http(const struct parser *parser)
{
    static const char *const methods[] = {
        "get", "put", "head", "options", "delete", "connect", "patch", "trace"};
    const struct arg *argv = parser->argv;
    if (text_is(argv[0].ptr, argv[0].len, "post") ||
        text_is(argv[0].ptr, argv[0].len, "host:"))
        return true;
    if (parser->argc != 3 || argv[2].len < 7 ||
        memcmp(argv[2].ptr, "HTTP/1.", 7) != 0)
        return false;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (text_is(argv[0].ptr, argv[0].len, methods[i]))
            return true;
    return false;
}

static inline void request_done(struct conn *conn)
{
    struct turn *turn = conn->turn;
    size_t used = turn->parser.used;
    if (turn->batched) {
        struct batch *batch = conn->worker->batch;
        used = batch->skim.requests[batch->at++].used;
    } else {
        parser_next(&turn->parser);
    }
    turn->running = turn->batched = false;
    turn->at += used;
    turn->len -= used;
    turn->bytes += used;
    turn->requests++;
}

/* A call that goes on in another turn keeps its arguments, which the batch does
 * not; the parser does.  By now there may be other limits, but it is begun. */
static void leave_batch(struct conn *conn)
{
    static const struct parse_limits none = {.args = SIZE_MAX,
                                             .bulk = SIZE_MAX,
                                             .request = SIZE_MAX,
                                             .divert = SIZE_MAX};
    struct turn *turn = conn->turn;
    if (parser_run(&turn->parser, turn->at, turn->len, &none) != PARSE_REQUEST)
        conn->closing = true; /* no memory */
    turn->call.argv = turn->parser.argv;
    turn->call.key.ptr = NULL;
    turn->batched = false;
    conn->worker->batch->at = conn->worker->batch->end;
}

/* A reply that was begun and not ended, or is about what has been looked at
 * already: nothing that happened since may be told before it. */
static void note_midway(struct turn *turn, struct output_mark mark,
                        enum command_result result)
{
    struct output_mark now = output_mark(&turn->out);
    if (result != COMMAND_AGAIN && result != COMMAND_WAIT)
        turn->midway = false;
    else if (result == COMMAND_AGAIN || now.last != mark.last ||
             now.tail != mark.tail)
        turn->midway = true;
}

/* Begins the call, or goes on with it. */
static void run(struct conn *conn)
{
    struct turn *turn = conn->turn;
    struct session *session = &conn->session;
    struct output_mark mark = output_mark(&turn->out);
    enum command_result result = COMMAND_DONE;
    turn->call.now_ms = conn->worker->now_ms;
    if (turn->refused) {
        turn->refused = false;
        command_refuse(&turn->call);
    } else {
        turn->running = true;
        result = command_serve(&turn->call);
    }
    note_midway(turn, mark, result);
    if (session_is_silent(session) && !turn->call.silenced)
        output_rewind(&turn->out, mark);
    if (turn->batched && (result == COMMAND_AGAIN || result == COMMAND_WAIT))
        leave_batch(conn);
    if (result == COMMAND_AGAIN) {
        conn_later(conn);
    } else if (result == COMMAND_WAIT) {
        conn->waiting = true;
    } else {
        if (session->reply == REPLY_SKIP)
            session->reply = REPLY_ON;
        request_done(conn);
    }
}

void conn_begin_call(struct conn *conn, const struct arg *argv, size_t argc)
{
    struct turn *turn = conn->turn;
    struct session *session = &conn->session;
    if (session->reply == REPLY_SKIP_NEXT)
        session->reply = REPLY_SKIP;
    struct call *call = &turn->call;
    call->server = conn->worker->server;
    call->worker = conn->worker;
    call->conn = conn;
    call->session = session;
    call->argv = argv;
    call->argc = argc;
    call->blob = turn->blob;
    call->reply = (struct reply){&turn->out.tail, session->resp};
    call->row = NULL;
    call->key.ptr = NULL;
    command_init(call);
    turn->blob = NULL;
}

/* What the parser has found. */
static void run_parsed(struct conn *conn)
{
    struct turn *turn = conn->turn;
    struct parser *parser = &turn->parser;
    if (parser->argc == 0) {
        request_done(conn);
        return;
    }
    if (turn->at[0] != '*' && is_http(parser)) {
        foreign(conn, "HTTP");
        return;
    }
    conn_begin_call(conn, parser->argv, parser->argc);
    conn_book_request(conn);
    run(conn);
}

/* The next of the batch. */
static void run_batched(struct conn *conn)
{
    struct turn *turn = conn->turn;
    struct batch *batch = conn->worker->batch;
    const struct skim_request *found = &batch->skim.requests[batch->at];
    const struct batch_request *request = &batch->requests[batch->at];
    batch_look_ahead(batch, conn->worker->server);
    conn_begin_call(conn, found->argv, found->argc);
    turn->call.row = request->row;
    turn->call.key = request->key;
    turn->batched = true;
    const struct session *session = &conn->session;
    bool authenticated = session->authenticated;
    run(conn);
    /* AUTH, RESET: what follows was taken by other limits. */
    if (session->authenticated != authenticated)
        conn->worker->batch->at = conn->worker->batch->end;
}

static void bad_framing(struct conn *conn)
{
    struct turn *turn = conn->turn;
    if (turn->at[0] == 0x16 && (turn->len == 1 || turn->at[1] == 3)) {
        foreign(conn, "TLS");
        return;
    }
    struct reply reply = {&turn->out.tail, conn->session.resp};
    reply_errorf(&reply, "ERR %s", turn->parser.error);
    worker_count(conn->worker, error_replies, 1);
    worker_count(conn->worker, closed_protocol, 1);
    conn->closing = conn->refused = true;
}

/* ------------------------------------------------------------ the main loop */

/* Requests that need no parser. */
static bool has_batch(struct conn *conn)
{
    struct worker *worker = conn->worker;
    struct batch *batch = worker->batch;
    struct parse_limits limits;
    if (batch->at < batch->end)
        return true;
    conn_limits(conn, &limits);
    batch = worker->batch = worker->own_batch;
    batch_clear(batch);
    batch->end = batch_add(batch, conn->session.db, conn->turn->at,
                           conn->turn->len, &limits);
    batch_hash(batch, worker->server);
    return batch->end > 0;
}

/* What the parser makes of it.  False: this turn is over. */
static bool parse(struct conn *conn)
{
    struct turn *turn = conn->turn;
    struct parse_limits limits;
    conn_limits(conn, &limits);
    switch (parser_run(&turn->parser, turn->at, turn->len, &limits)) {
    case PARSE_MORE:
        conn_drop_skipped(turn);
        return false;
    case PARSE_REQUEST:
        run_parsed(conn);
        return true;
    case PARSE_LARGE:
        conn_large(conn, &limits);
        return true;
    case PARSE_ERROR:
        if (conn_refuse_unfinished(conn))
            return true;
        bad_framing(conn);
        return false;
    }
    return false;
}

/* One request, or as far as it is there.  False: this turn is over. */
static bool step(struct conn *conn)
{
    struct turn *turn = conn->turn;
    if (turn->running) {
        run(conn);
        return true;
    }
    if (turn->body_left > 0 && !conn_body(conn))
        return false;
    if (turn->len == 0)
        return false;
    if (!parser_is_fresh(&turn->parser) || !has_batch(conn))
        return parse(conn);
    run_batched(conn);
    return true;
}

/* When little may be done, what is replied counts before it is sent, too. */
static inline bool had_enough(const struct turn *turn)
{
    if (turn->parts == 1)
        return turn->requests >= LIMIT_COMMANDS_PER_TURN ||
               turn->bytes >= LIMIT_BYTES_PER_TURN;
    size_t bytes = turn->bytes;
    if (turn->requests > 0)
        bytes += output_len(&turn->out);
    return turn->requests >= LIMIT_COMMANDS_PER_TURN / turn->parts ||
           bytes >= LIMIT_BYTES_PER_TURN / turn->parts;
}

static void run_requests(struct conn *conn)
{
    struct turn *turn = conn->turn;
    struct worker *worker = conn->worker;
    uint64_t begun = worker->ticks;
    while (!conn->closing && conn_output_fits(conn)) {
        if (had_enough(turn) || timing_long(worker, begun)) {
            conn_later(conn);
            return;
        }
        if (!step(conn) || conn->later || conn->waiting)
            break;
        if (gate_pause(worker->server->gate, worker->id))
            timing_start(worker);
    }
    if (!conn->closing)
        conn_output_fits(conn);
}

void worker_enter(struct worker *worker)
{
    gate_enter(worker->server->gate, worker->id);
    worker->inside = true;
    timing_start(worker);
}

void worker_leave(struct worker *worker)
{
    struct server *server = worker->server;
    worker->inside = false;
    gate_leave(server->gate, worker->id);
    if (cache_grows(server->cache))
        loop_hurry(server);
}

void conn_run(struct conn *conn)
{
    struct worker *worker = conn->worker;
    bool inside = worker->inside;
    if (!inside)
        worker_enter(worker);
    run_requests(conn);
    if (!inside)
        worker_leave(worker);
}
