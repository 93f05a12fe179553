/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Long values: their bytes go straight to where they will stay.
 *
 *   |*3 $3 SET $1 k $100000 | body ............ | CRLF, more requests|
 *   '- head, stays in the   '- into the blob    '- parsed behind the head
 *      input
 *
 * Once part of the body is taken out of the input, the head is moved up to the
 * bytes that follow, so that the parser sees a request without a body.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "limits.h"
#include "platform.h"
#include "server.h"
#include "timing.h"
#include "turn.h"

void conn_refuse_body(struct turn *turn)
{
    cache_blob_free(turn->blob);
    turn->blob = NULL;
    turn->refused = true;
}

/* How long an argument may be that stays in the input. */
static size_t room_left(const struct parser *parser,
                        const struct parse_limits *limits)
{
    size_t held = parser->pos + 2;
    return held < limits->request ? limits->request - held : 0;
}

void conn_large(struct conn *conn, const struct parse_limits *limits)
{
    struct turn *turn = conn->turn;
    struct parser *parser = &turn->parser;
    struct server *server = conn->worker->server;
    enum command_large what = LARGE_REFUSE; /* as another argument was */
    if (!turn->refused)
        what = command_large(server, &conn->session, parser->argv, parser->argc,
                             parser->large_len, room_left(parser, limits));
    if (what == LARGE_KEEP) {
        parser_keep(parser);
        return;
    }
    turn->body_left = parser->large_len;
    if (what == LARGE_DIVERT) {
        assert(!turn->blob);
        turn->blob = cache_blob_new(server->cache, parser->large_len);
    }
    if (what == LARGE_REFUSE || !turn->blob)
        conn_refuse_body(turn);
    parser_divert(parser);
}

/* A long value may take longer than other requests: each MiB of it gets the
 * time of one. */
static void took_body(struct conn *conn, size_t len)
{
    struct turn *turn = conn->turn;
    size_t left = turn->body_left - len;
    if (turn->body_left >> 20 != left >> 20)
        conn->since_ms = conn->worker->clock_ms;
    turn->body_left = left;
    turn->bytes += len;
}

/* Copies bytes into the blob, or forgets them. */
static void put(struct conn *conn, const char *from, size_t len)
{
    struct turn *turn = conn->turn;
    took_body(conn, len);
    while (turn->blob && len > 0) {
        size_t room = 0;
        char *to = cache_blob_room(turn->blob, conn->worker->now_ms, &room);
        if (!to) {
            conn_refuse_body(turn);
            return;
        }
        size_t part = room < len ? room : len;
        memcpy(to, from, part);
        cache_blob_advance(turn->blob, part);
        from += part;
        len -= part;
    }
}

bool conn_body(struct conn *conn)
{
    struct turn *turn = conn->turn;
    size_t head = turn->parser.pos;
    size_t here = turn->len - head;
    if (here > turn->body_left)
        here = turn->body_left;
    if (here > 0) {
        put(conn, turn->at + head, here);
        memmove(turn->at + here, turn->at, head);
        turn->at += here;
        turn->len -= here;
    }
    return turn->body_left == 0;
}

/* Reads into the blob and, if the body's end is in reach, behind a copy of the
 * head in the worker's buffer. */
static ssize_t read_body(struct conn *conn, char *room, size_t len, bool reach)
{
    struct worker *worker = conn->worker;
    const struct buf *in = &conn->turn->in;
    const struct platform *platform = worker->server->platform;
    size_t head = buf_len(in);
    struct iovec iov[2] = {{room, len}};
    if (reach) {
        memcpy(worker->buffer, in->data + in->start, head);
        iov[1] =
            (struct iovec){worker->buffer + head, LIMIT_READ_BUFFER - head};
    }
    ssize_t n;
    do
        n = platform->readv(platform->ctx, conn->fd, iov, reach ? 2 : 1);
    while (n < 0 && errno == EINTR);
    worker_count(worker, reads, 1);
    if (n > 0)
        worker_count(worker, read_bytes, (size_t)n);
    return n;
}

enum fill conn_body_read(struct conn *conn)
{
    struct turn *turn = conn->turn;
    struct worker *worker = conn->worker;
    size_t head = buf_len(&turn->in);
    turn->lent = false;
    turn->at = turn->in.data + turn->in.start;
    turn->len = head;
    timing_start(worker);
    while (turn->body_left > 0 && !timing_enough(worker, worker->ticks) &&
           turn->bytes < LIMIT_BYTES_PER_TURN / turn->parts) {
        size_t room = 0;
        char *to = cache_blob_room(turn->blob, worker->now_ms, &room);
        if (!to) {
            conn_refuse_body(turn);
            return FILL_NONE;
        }
        bool reach = room >= turn->body_left && head <= LIMIT_READ_BUFFER / 4;
        if (room > turn->body_left)
            room = turn->body_left;
        ssize_t n = read_body(conn, to, room, reach);
        if (n == 0)
            return FILL_END;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? FILL_NONE
                                                           : FILL_DEAD;
        size_t body = (size_t)n < room ? (size_t)n : room;
        cache_blob_advance(turn->blob, body);
        took_body(conn, body);
        turn->bytes += (size_t)n - body;
        conn->active_ms = worker->clock_ms;
        if ((size_t)n > body) {
            buf_drain(&turn->in, head);
            turn->lent = true;
            turn->at = worker->buffer;
            turn->len = head + (size_t)n - body;
        }
        if (body < room)
            break;
    }
    return FILL_SOME;
}
