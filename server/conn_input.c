/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From bytes to requests, and running them.
 *
 *   begin -> read --> parse -> run -> parse -> run ... --> end: send, keep
 *                       |        |                          what is unfinished
 *                       |        '- AGAIN, WAIT: the call stays in the turn
 *                       '- a long value: conn_body.c
 */

#include <errno.h>
#include <string.h>

#include "batch.h"
#include "changes.h"
#include "gate.h"
#include "limits.h"
#include "log.h"
#include "platform.h"
#include "pool.h"
#include "protocol/text.h"
#include "push.h"
#include "round.h"
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

static void request_done(struct conn *conn)
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
    const struct batch *batch = conn->worker->batch;
    const struct skim_request *found = &batch->skim.requests[batch->at];
    const struct batch_request *request = &batch->requests[batch->at];
    conn_begin_call(conn, found->argv, found->argc);
    turn->call.row = request->row;
    turn->call.key = request->key;
    turn->batched = true;
    run(conn);
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
static bool has_batch(struct conn *conn, const struct parse_limits *limits)
{
    struct worker *worker = conn->worker;
    struct batch *batch = worker->batch;
    if (batch->at < batch->end)
        return true;
    batch = worker->batch = worker->own_batch;
    batch_clear(batch);
    batch->end = batch_add(batch, worker->server, conn->session.db,
                           conn->turn->at, conn->turn->len, limits);
    batch_fetch(batch, worker->server);
    return batch->end > 0;
}

/* One request, or as far as it is there.  False: this turn is over. */
static bool step(struct conn *conn, struct parse_limits *limits)
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
    if (limits->anonymous == conn->session.authenticated) {
        /* AUTH, RESET: what is taken already was by other limits. */
        conn_limits(conn, limits);
        conn->worker->batch->at = conn->worker->batch->end;
    }
    if (parser_is_fresh(&turn->parser) && has_batch(conn, limits)) {
        run_batched(conn);
        return true;
    }
    switch (parser_run(&turn->parser, turn->at, turn->len, limits)) {
    case PARSE_MORE:
        conn_drop_skipped(turn);
        return false;
    case PARSE_REQUEST:
        run_parsed(conn);
        return true;
    case PARSE_LARGE:
        conn_large(conn, limits);
        return true;
    case PARSE_ERROR:
        if (conn_refuse_unfinished(conn))
            return true;
        bad_framing(conn);
        return false;
    }
    return false;
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
    struct parse_limits limits;
    conn_limits(conn, &limits);
    timing_start(worker);
    uint64_t begun = worker->ticks;
    while (!conn->closing && conn_output_fits(conn)) {
        if (had_enough(turn) || timing_long(worker, begun)) {
            conn_later(conn);
            return;
        }
        if (!step(conn, &limits) || conn->later || conn->waiting)
            break;
        if (gate_pause(worker->server->gate, worker->id))
            timing_start(worker);
    }
    if (!conn->closing)
        conn_output_fits(conn);
}

static void process(struct conn *conn)
{
    struct worker *worker = conn->worker;
    gate_enter(worker->server->gate, worker->id);
    run_requests(conn);
    gate_leave(worker->server->gate, worker->id);
}

static void begin(struct conn *conn)
{
    struct worker *worker = conn->worker;
    conn->serving = true;
    worker->batch = worker->own_batch;
    batch_clear(worker->batch);
    if (!conn->turn)
        conn->turn = turn_take(worker);
    struct turn *turn = conn->turn;
    if (!turn)
        return;
    turn->requests = turn->bytes = 0;
    turn->parts = round_parts(worker);
    turn->stuck = output_len(&turn->out) > 0 && conn->watched & EV_WRITE;
}

/* Without memory for what has come of a request, it is refused. */
static bool keep(struct conn *conn)
{
    if (turn_put(conn))
        return true;
    struct turn *turn = conn->turn;
    if (turn && !conn->closing && conn_refuse_unfinished(conn)) {
        process(conn);
        if ((turn->stuck || conn_flush(conn)) && turn_put(conn))
            return true;
    }
    worker_count(conn->worker, closed_memory, 1);
    return false;
}

/* Sends, keeps what is unfinished, and waits for what is needed next. */
static void end(struct conn *conn)
{
    struct turn *turn = conn->turn;
    bool alive = true;
    changes_settle(conn->worker->server, conn);
    if (turn) {
        if (buf_len(&turn->pushes) > 0 && !turn->midway)
            conn_take_pushes(conn);
        if (turn->requests > 0)
            conn->since_ms = conn->worker->clock_ms;
        if (!output_empty(&turn->out) && !turn->stuck)
            alive = conn_flush(conn);
        bool unsent = output_len(&turn->out) > 0;
        if (unsent && !(conn->watched & EV_WRITE))
            conn->sent_ms = conn->worker->clock_ms;
        bool over =
            conn->closing || (conn->ended && !conn->later && !conn->blocked &&
                              !conn->waiting && !turn->running);
        if (over) {
            conn->closing = true;
            turn->len = 0;
        }
        alive = alive && !conn->doomed && (unsent || !over) && keep(conn);
    }
    conn->serving = false;
    if (alive && turn)
        conn_watch(conn);
    else
        conn_finish(conn);
}

/* ---------------------------------------------------------------- reading */

/* Where the next bytes are read to: behind the few that are there, in the
 * worker's buffer; or straight behind the many.  NULL: *got tells why. */
static char *read_room(struct conn *conn, size_t *room, enum fill *got)
{
    struct turn *turn = conn->turn;
    struct buf *in = &turn->in;
    char *buffer = conn->worker->buffer;
    size_t kept = buf_len(in);
    turn->len = kept;
    turn->lent = kept <= LIMIT_READ_BUFFER / 4;
    if (turn->lent) {
        if (kept > 0)
            memcpy(buffer, in->data + in->start, kept);
        buf_drain(in, kept);
        turn->at = buffer;
        *room = LIMIT_READ_BUFFER - kept;
        return buffer + kept;
    }
    *got = conn_grow(conn);
    turn->at = in->data + in->start;
    if (*got != FILL_SOME)
        return NULL;
    *room = in->cap - in->end;
    return in->data + in->end;
}

enum fill conn_read(struct conn *conn, char *to, size_t room, size_t *len)
{
    struct worker *worker = conn->worker;
    const struct platform *platform = worker->server->platform;
    ssize_t n;
    do
        n = platform->read(platform->ctx, conn->fd, to, room);
    while (n < 0 && errno == EINTR);
    worker_count(worker, reads, 1);
    *len = 0;
    if (n == 0)
        return FILL_END;
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? FILL_NONE : FILL_DEAD;
    worker_count(worker, read_bytes, (size_t)n);
    conn->active_ms = worker->clock_ms;
    *len = (size_t)n;
    return FILL_SOME;
}

static enum fill fill(struct conn *conn)
{
    struct turn *turn = conn->turn;
    size_t room = 0, len;
    enum fill got = FILL_SOME;
    char *to = read_room(conn, &room, &got);
    if (!to)
        return got;
    if (room > LIMIT_BYTES_PER_TURN / turn->parts)
        room = LIMIT_BYTES_PER_TURN / turn->parts;
    got = conn_read(conn, to, room, &len);
    if (!turn->lent)
        buf_commit(&turn->in, len);
    turn->len += len;
    return got;
}

static void serve(struct conn *conn, enum fill got)
{
    struct turn *turn = conn->turn;
    switch (got) {
    case FILL_SOME:
    case FILL_NONE:
        turn_allow(conn);
        process(conn);
        break;
    case FILL_END:
        conn->ended = true;
        break;
    case FILL_FULL:
        conn_pause(conn);
        break;
    case FILL_DEAD:
        output_release(&turn->out);
        conn->closing = true;
        break;
    }
}

bool conn_end_unfinished(struct conn *conn)
{
    struct turn *turn = conn->turn;
    if (!turn || turn->running || !parser_unfinished(&turn->parser))
        return false;
    begin(conn);
    turn_resume(turn);
    turn_allow(conn);
    conn->paused = false;
    conn_refuse_unfinished(conn);
    process(conn);
    end(conn);
    return true;
}

void conn_readable(struct conn *conn)
{
    struct turn *turn = conn->turn;
    if (conn->later)
        return;
    if (turn && !turn->parser.skipping &&
        pool_tight(conn->worker->server->pool)) {
        conn_stop_growing(conn);
        conn_pause(conn);
        conn_watch(conn);
        return;
    }
    worker_read_clock(conn->worker);
    begin(conn);
    if (conn->turn)
        serve(conn, conn->turn->body_left > 0 && conn->turn->blob
                        ? conn_body_read(conn)
                        : fill(conn));
    end(conn);
}

/* All that is left to do is to send a short reply. */
static bool owes_reply(const struct conn *conn, size_t room)
{
    const struct turn *turn = conn->turn;
    size_t len = output_len(&turn->out);
    bool held = conn->later || conn->waiting || conn->blocked || conn->doomed ||
                conn->closing || conn->ended;
    return len > 0 && len <= room && !turn->out.first && !held &&
           turn->len == 0 && !turn->running && buf_len(&turn->pushes) == 0;
}

size_t conn_serve(struct conn *conn, const struct turn_input *input,
                  char *reply, size_t room)
{
    begin(conn);
    struct turn *turn = conn->turn;
    if (turn) {
        turn->lent = true;
        turn->at = input->at;
        turn->len = input->len;
        if (input->count > 0) {
            conn->worker->batch = input->batch;
            input->batch->at = input->first;
            input->batch->end = input->first + input->count;
        }
        serve(conn, input->got);
        if (owes_reply(conn, room)) {
            struct buf *tail = &turn->out.tail;
            room = buf_len(tail);
            memcpy(reply, tail->data + tail->start, room);
            buf_drain(tail, room);
            conn->owed = true;
        }
    }
    end(conn);
    return conn->owed ? room : 0;
}

/* Without a turn, if the peer takes all of it and nothing has come between. */
void conn_send(struct conn *conn, const char *reply, size_t len)
{
    struct worker *worker = conn->worker;
    const struct platform *platform = worker->server->platform;
    size_t sent = 0;
    conn->owed = false;
    if (!conn->turn && !conn->closing) {
        ssize_t n = platform->write(platform->ctx, conn->fd, reply, len);
        sent = n > 0 ? (size_t)n : 0;
        worker_count(worker, writes, 1);
        worker_count(worker, written_bytes, sent);
        conn->sent_ms = conn->active_ms = worker->clock_ms;
        if (sent == len)
            return;
    }
    begin(conn);
    if (conn->turn) {
        struct buf *tail = &conn->turn->out.tail;
        turn_allow(conn);
        buf_add(tail, reply + sent, len - sent);
        if (tail->failed) {
            worker_count(worker, closed_memory, 1);
            conn->doomed = true;
        }
    }
    end(conn);
}

static bool still_crowded(struct conn *conn)
{
    struct server *server = conn->worker->server;
    conn->crowded = false;
    changes_settle(server, conn);
    if (push_crowded(server))
        conn_hold_back(conn);
    return conn->crowded;
}

void conn_go_on(struct conn *conn)
{
    if (conn->later || conn->waiting || conn->paused) {
        conn_watch(conn);
        return;
    }
    if (conn->crowded && still_crowded(conn))
        return;
    worker_read_clock(conn->worker);
    begin(conn);
    struct turn *turn = conn->turn;
    if (turn) {
        turn_resume(turn);
        serve(conn, FILL_NONE);
    }
    end(conn);
}

void conn_later(struct conn *conn)
{
    struct worker *worker = conn->worker;
    if (conn->later)
        return;
    conn->later = true;
    conn->later_next = NULL;
    conn->later_link = worker->later_end;
    *worker->later_end = conn;
    worker->later_end = &conn->later_next;
    worker_wake_later(worker);
}
