/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Turns: their beginning, reading, their end.
 *
 *   begin -> read -> run what is there (conn_run.c) -> end: send, keep what is
 *                                                      unfinished
 */

#include <string.h>

#include "batch.h"
#include "changes.h"
#include "conn_io.h"
#include "limits.h"
#include "pool.h"
#include "push.h"
#include "round.h"
#include "server.h"
#include "timing.h"
#include "turn.h"

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
    turn->parts = worker->inside ? round_parts_at(worker, worker->ticks)
                                 : round_parts(worker);
    turn->stuck = output_len(&turn->out) > 0 && conn->watched & EV_WRITE;
}

/* Without memory for what has come of a request, it is refused. */
static bool keep(struct conn *conn)
{
    if (turn_put(conn))
        return true;
    struct turn *turn = conn->turn;
    if (turn && !conn->closing && conn_refuse_unfinished(conn)) {
        conn_run(conn);
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
        conn_run(conn);
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
    conn_run(conn);
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
    bool owed = false;
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
            conn->owed = owed = true;
        }
    }
    struct worker *worker = conn->worker;
    end(conn); /* frees a connection that is over, unless it is owed */
    if (owed)
        return room;
    timing_start(worker); /* it may have sent */
    return 0;
}

void conn_send_rest(struct conn *conn, const char *reply, size_t len)
{
    begin(conn);
    if (conn->turn) {
        struct buf *tail = &conn->turn->out.tail;
        turn_allow(conn);
        buf_add(tail, reply, len);
        if (tail->failed) {
            worker_count(conn->worker, closed_memory, 1);
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
