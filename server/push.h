/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PUSH_H
#define PUSH_H

/*
 * What clients are sent without having asked for it just now: messages of
 * channels, keys that they may no longer keep, the lines of MONITOR.
 *
 *   any thread    push_new -> fill in the bytes -> push_post ... -> push_unref
 *                                                     |
 *                                                  mailbox
 *   its worker                         conn_push <----'
 *                                          |
 *              output, behind the reply under way --> one write for the event
 *
 * The bytes are shared by all who get them.  They are in flight until the last
 * of these has a copy in its output; what is in flight is charged to the client
 * pool.  Who makes more while much is in flight has its client wait
 * (conn_hold_back), so that nothing need be lost.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;
struct worker;
struct conn;

enum {
    /* In flight, or the eighth of a small pool: then publishers wait. */
    PUSH_CROWD = 1024 * 1024,
    /* A worker sends what it has for so many clients before it goes on. */
    PUSH_CLIENTS = 64,
    PUSH_BYTES = 64 * 1024, /* or with so many bytes */
    PUSH_PATIENCE_MS = 20,
    /* What a worker may add to outputs above the pool before it sends. */
    PUSH_OVERDRAFT = 64 * 1024,
};

struct push {
    struct server *server;
    atomic_uint refs;
    size_t len;
    char bytes[]; /* whole RESP values; a '>' at the very beginning becomes
                     '*' for a client that speaks RESP2 */
};

/* Room for len bytes, with one reference; NULL: the pool has no room.  Any
 * thread. */
struct push *push_new(struct server *server, size_t len);
void push_ref(struct push *push);
void push_unref(struct push *push); /* NULL is fine */

/* For who writes the bytes: "*3\r\n" and the like, and a bulk string; what they
 * take, and where the next ones go. */
size_t push_header_size(size_t number);
char *push_put_header(char *to, char type, size_t number);
size_t push_bulk_size(size_t len);
char *push_put_bulk(char *to, const char *bytes, size_t len);

/*
 * Sends it to a client of that worker; nothing happens if there is none of
 * that id.  What was posted from one thread arrives in that order.  The
 * caller's reference stays its own.  Any thread; it may make a system call, so
 * not under a lock of the cache: see changes_settle.
 */
void push_post(struct worker *worker, uint64_t client_id, struct push *push);

/* Much is in flight: perhaps because some do not read what they get, and are
 * closed after a while. */
bool push_crowded(const struct server *server);
/* The same, but not for longer than PUSH_PATIENCE_MS: who only is looked at
 * does not wait until those who do not read are closed. */
bool push_waits(struct server *server);
/* Counts what else is kept to be sent, beside pushes: charges it to the pool,
 * whatever its limit, or gives it back.  Any thread. */
void push_account(struct server *server, ptrdiff_t bytes);

/*
 * On the client's thread: adds the bytes to its output, whether it is being
 * served, waits or is idle, but never in the middle of a reply.  Frees no
 * connection: one that cannot take more (see conn_push_limit) is closed when
 * the event is over.
 */
void conn_push(struct conn *conn, const struct push *push);
/* Unsent bytes that one client may have when something is pushed to it; one
 * that has none gets any length. */
size_t conn_push_limit(const struct conn *conn);

/*
 * Sends now what was pushed on this thread.  The worker does so at the end of
 * each event; who pushes to many calls it when worker_push_full says so, not
 * from inside a command.  Any connection of the worker may be gone then.
 */
void worker_send_pushes(struct worker *worker);
bool worker_push_full(const struct worker *worker);

/*
 * Closes the client of this worker that holds most of those who have read none
 * of their output for half a second.  PUSH_WAIT: there is none, but some have
 * yet to read something.  To be called where worker_send_pushes may be.
 */
enum push_room { PUSH_CLOSED, PUSH_WAIT, PUSH_ALL_READ };
enum push_room worker_close_deaf(struct worker *worker);

/* For a connection that is being served: none of its next requests is run
 * while push_crowded, if it is patient, or push_waits. */
void conn_hold_back(struct conn *conn, bool patient);

#endif
