/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending, and what happens to clients that do not read. */

#include "conn_io.h"
#include "limits.h"
#include "log.h"
#include "platform.h"
#include "pool.h"
#include "round.h"
#include "server.h"
#include "timing.h"
#include "turn.h"

enum {
    SHARE_PART = 4, /* of the pool is shared out as unsent output */
    MARK_LEAST = 4 * 1024,
};

bool conn_flush(struct conn *conn)
{
    struct worker *worker = conn->worker;
    struct turn *turn = conn->turn;
    size_t sent = 0, calls = 0;
    enum output_result result =
        output_write(&turn->out, worker->server->platform, conn->fd,
                     LIMIT_BYTES_PER_TURN / turn->parts, &sent, &calls);
    conn_note_sent(conn, sent, calls);
    turn->bytes += sent;
    turn->stuck = result != OUTPUT_SENT;
    return result != OUTPUT_DEAD;
}

/* Unsent bytes against the limit.  One value, however long, is always sent: it
 * lies in the cache already. */
static size_t unsent(const struct output *output)
{
    size_t len = output_len(output);
    return output->first ? len - output->first->pin.left : len;
}

/* Pinned values cost no memory, but keep as much from being evicted. */
static size_t most_unsent(const struct conn *conn)
{
    const struct server *server = conn->worker->server;
    size_t limit = (size_t)server->limits.output_limit_bytes;
    size_t share = pool_limit(server->pool);
    return (share < limit ? share : limit) / 2;
}

/* A buffer that has grown by doubling may be half empty, and what stays unsent
 * is charged with half as much again. */
size_t conn_room(const struct conn *conn)
{
    const struct output *output = &conn->turn->out;
    size_t used = output->memory + buf_len(&output->tail);
    size_t max = output->tail.max;
    size_t lent = max > LIMIT_SPARE_OUTPUT ? max - LIMIT_SPARE_OUTPUT : 0;
    size_t most = LIMIT_SPARE_OUTPUT / 2 + lent / 4;
    if (output_len(output) >= most_unsent(conn))
        return 0;
    return used < most ? most - used : 0;
}

struct output_mark conn_mark(const struct conn *conn)
{
    return output_mark(&conn->turn->out);
}

void conn_rewind(struct conn *conn, struct output_mark mark)
{
    output_rewind(&conn->turn->out, mark);
}

bool conn_take_back(struct conn *conn, size_t bytes)
{
    struct output *output = &conn->turn->out;
    if (!output->spare || buf_len(&output->tail) < bytes)
        return false;
    buf_truncate(&output->tail, bytes);
    output->tail.failed = false;
    return true;
}

static bool give_up(struct conn *conn)
{
    output_release(&conn->turn->out);
    conn->closing = true;
    return false;
}

/*
 * Unsent output above this holds a client's commands back.  With a small pool
 * or many clients it is what the pool has for each, with room for buffers that
 * grow by doubling: who reads is slowed down, and not closed for lack of it.
 */
static size_t mark_of(const struct conn *conn)
{
    const struct server *server = conn->worker->server;
    size_t mark = (size_t)server->limits.output_mark_bytes;
    size_t clients = conn->worker->open * server->worker_count + 1;
    size_t share = pool_limit(server->pool) / SHARE_PART / clients;
    if (share < MARK_LEAST)
        share = MARK_LEAST;
    return share < mark ? share : mark;
}

size_t conn_output_easy(const struct conn *conn)
{
    size_t most = most_unsent(conn), mark = mark_of(conn);
    if (most > LIMIT_FLUSH_OUTPUT)
        most = LIMIT_FLUSH_OUTPUT;
    return mark < most ? mark + 1 : most;
}

bool conn_output_fits_hard(struct conn *conn)
{
    struct worker *worker = conn->worker;
    struct turn *turn = conn->turn;
    const struct limits *limits = &worker->server->limits;
    size_t mark = mark_of(conn);
    size_t limit = (size_t)limits->output_limit_bytes;
    if (turn->out.tail.failed) {
        if (turn->out.tail.max >= limit)
            worker_count(worker, closed_output, 1);
        else
            worker_count(worker, closed_memory, 1);
        return give_up(conn);
    }
    if (!conn->session.authenticated)
        mark = limit = LIMIT_ANONYMOUS_OUTPUT;

    size_t len = output_len(&turn->out);
    bool full = len > 0 && conn_room(conn) == 0;
    bool send = len >= LIMIT_FLUSH_OUTPUT || len > mark || full;
    if (send && !turn->stuck) {
        if (!conn_flush(conn))
            return give_up(conn);
        timing_start(worker);
    }
    if (unsent(&turn->out) > limit) {
        worker_count(worker, closed_output, 1);
        return give_up(conn);
    }
    len = output_len(&turn->out);
    /* Only if the kernel did not take it all: when it does, he goes on. */
    conn->blocked =
        turn->stuck && (len > mark || (len > 0 && conn_room(conn) == 0));
    return !conn->blocked;
}

bool conn_writable(struct conn *conn)
{
    if (!conn->turn)
        return true;
    conn->turn->parts = round_parts(conn->worker);
    if (!conn_flush(conn)) {
        conn_free(conn);
        return false;
    }
    size_t len = output_len(&conn->turn->out);
    if (conn->closing && len == 0) {
        conn_finish(conn);
        return false;
    }
    bool was_blocked = conn->blocked;
    size_t mark = mark_of(conn);
    conn->blocked = was_blocked && len > mark / 2;
    if (len > 0 && was_blocked == conn->blocked)
        return true;
    conn_go_on(conn);
    return false;
}
