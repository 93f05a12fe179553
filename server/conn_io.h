/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONN_IO_H
#define CONN_IO_H

/*
 * One read or write of a connection's socket, and its books.
 *
 * Inlined, because on its way out of the kernel a processor has forgotten where
 * it returns to: each function that ends then is waited for.
 */

#include <errno.h>

#include "platform.h"
#include "server.h"
#include "turn.h"

/* Reads up to `room` bytes; FILL_SOME: *len of them came. */
static inline enum fill conn_read(struct conn *conn, char *to, size_t room,
                                  size_t *len)
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

static inline void conn_note_sent(struct conn *conn, size_t bytes, size_t calls)
{
    struct worker *worker = conn->worker;
    worker_count(worker, written_bytes, bytes);
    worker_count(worker, writes, calls);
    if (bytes == 0)
        return;
    conn->sent_ms = conn->active_ms = worker->clock_ms;
    if (conn->behind)
        conn_moved(conn);
}

/* A reply that conn_serve left. */
static inline void conn_send(struct conn *conn, const char *reply, size_t len)
{
    const struct platform *platform = conn->worker->server->platform;
    conn->owed = false;
    /* Nothing has come between: no push, nobody who closes it. */
    if (!conn->turn && !conn->closing) {
        ssize_t n = platform->write(platform->ctx, conn->fd, reply, len);
        size_t sent = n > 0 ? (size_t)n : 0;
        conn_note_sent(conn, sent, 1);
        if (sent == len)
            return;
        reply += sent;
        len -= sent;
    }
    conn_send_rest(conn, reply, len);
}

#endif
