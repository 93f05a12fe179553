/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PUSH_H
#define PUSH_H

/*
 * What clients are sent without having asked for it just now: messages of
 * channels, keys that they may no longer keep, the lines of MONITOR.
 *
 *   any thread    push_new -> fill in the bytes -> a message to workers
 *                                                     |
 *                                                  mailbox
 *   its worker                         conn_push <----'
 *                                          |
 *              output, behind the reply under way --> one write for the event
 *
 * The bytes are shared by all who get them.  They are in flight until the last
 * of these has a copy in its output; what is in flight is charged to the client
 * pool.  Who makes more while much is in flight has its client wait
 * (conn_hold_back), so that nothing need be lost: until the workers have
 * brought it on, which takes them no longer because somebody does not read.
 *
 * Nobody waits for who does not read.  One client may have conn_push_limit
 * unsent, and is closed for more.  All together may fill half of the pool;
 * then, with each push, those go who hold more than their share, who has stood
 * still longest first, and of other workers' clients those who have read
 * nothing for half a second (conn_behind.c).  A share is an eighth of the pool,
 * divided by the number of those who are behind.  So who reads stays as long as
 * there are others who do not; and who is behind by less than its share, beside
 * what the system keeps for it, stays however busy the machine is.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;
struct worker;
struct conn;

enum {
    /* In flight, or the eighth of a small pool: then publishers wait.  The same
     * for as many bytes that have yet to be copied, with some more for each
     * client that each message goes to. */
    PUSH_CROWD = 1024 * 1024,
    PUSH_WORK = 4 * 1024 * 1024,
    PUSH_EFFORT = 512,
    /* A worker sends what it has for so many clients before it goes on. */
    PUSH_CLIENTS = 32,
    PUSH_BYTES = 64 * 1024, /* or with so many bytes */
    /* What a worker may add to outputs above the pool before it sends. */
    PUSH_OVERDRAFT = 64 * 1024,
    PUSH_CLOSING = 8, /* closing one is as much as sending to so many */
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

/* Much is in flight: the workers have yet to bring it to clients. */
bool push_crowded(const struct server *server);
/* Counts what else is kept to be sent, beside pushes: charges it to the pool,
 * whatever its limit, or gives it back.  Any thread. */
void push_account(struct server *server, ptrdiff_t bytes);
/* Counts the bytes that the workers have yet to copy, or have copied. */
void push_work(struct server *server, ptrdiff_t bytes);

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
 * Sends now what was pushed on this thread, to PUSH_CLIENTS, and to the others
 * soon.  The worker does so at the end of each event; who pushes to many calls
 * it when worker_push_full says so, not from inside a command, and pushes no
 * more in this event if it still says so.  Any connection of the worker may be
 * gone then.
 */
void worker_send_pushes(struct worker *worker);
bool worker_push_full(const struct worker *worker);

/* For a connection that is being served: none of its next requests is run
 * while push_crowded. */
void conn_hold_back(struct conn *conn);
/* It made something that waits to be pushed. */
void conn_set_maker(struct conn *conn, bool maker);
bool conn_is_maker(const struct conn *conn);

#endif
