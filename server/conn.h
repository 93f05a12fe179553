/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONN_H
#define CONN_H

/*
 * A connection: bytes in -> requests -> commands -> bytes out.
 *
 *   readable -> the worker's read buffer -> parser_run -> command_serve
 *            -> output queue -> one write for the whole batch
 *
 * Between events an idle connection owns no buffers; how that is done is told
 * in turn.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "output.h"

struct worker;
struct conn;
struct server;

/* Takes over fd.  On the worker's thread.  NULL: refused (fd is closed). */
struct conn *conn_new(struct worker *worker, int fd, uint64_t id);
/* Closes at once; safe from inside a command of another connection, not of
 * its own (use conn_close_after_reply). */
void conn_free(struct conn *conn);
/* Sends what was replied, then closes; requests that follow are not run.  The
 * connection may be gone afterwards, unless it is the one being served. */
void conn_close_after_reply(struct conn *conn);

/* Goes on with a command that returned COMMAND_WAIT.  On its thread. */
void conn_resume(struct conn *conn);

/* The call waits until the worker ends the halt: see pause.h.  From inside the
 * connection's own command, which returns COMMAND_WAIT.  A peer that closes
 * meanwhile is noticed, and its request not run. */
void conn_halt(struct conn *conn);
/* All of the worker's that are halted go on.  On its thread. */
void worker_end_halt(struct worker *worker, void *ctx);

/*
 * Goes on with a command that waits and says call.may_unblock; it finds out by
 * call.unblocked.  False: it does not wait so.  On its thread.
 */
bool conn_unblock(struct conn *conn, bool with_error);

/* Appends a pinned value to the output, in order with what was replied.  From
 * inside the connection's own command; takes the pin over. */
void conn_send_pin(struct conn *conn, struct cache_pin pin);

/* From inside the connection's own command: charges what its session is about
 * to hold.  False: clients' buffers have no room for it. */
bool conn_hold(struct conn *conn, size_t bytes);
/* Bytes that may be replied before what there is has been sent. */
size_t conn_room(const struct conn *conn);
/* Takes back what was replied since the mark, if nothing was sent meanwhile.
 * Outside any transaction. */
struct output_mark conn_mark(const struct conn *conn);
void conn_rewind(struct conn *conn, struct output_mark mark);

/* Of the replies, those after the first `bytes` since the last pinned value
 * found no room: takes them back, so that shorter ones may follow.  False: that
 * cannot be done. */
bool conn_take_back(struct conn *conn, size_t bytes);

/* What one request, or all of a transaction, may hold before it is run. */
size_t conn_request_most(const struct server *server);

struct session *conn_session(struct conn *conn);
struct worker *conn_worker(const struct conn *conn);
/* "127.0.0.1:50000"; of a Unix socket "unix:path". */
void conn_peer(const struct conn *conn, char *text, size_t size);
struct conn *conn_next(struct conn *conn); /* in worker->conns */

/* What CLIENT LIST and INFO tell of it. */
struct conn_info {
    char addr[64], laddr[64]; /* ip:port, or path:0 */
    int fd;
    size_t input_bytes, output_bytes, memory_bytes;
    int64_t idle_s, age_s;
    bool closing, halted, readable, writable;
};
/* It comes from this machine. */
bool conn_is_local(const struct conn *conn);
void conn_describe(struct conn *conn, int64_t now_ms, struct conn_info *info);

#endif
