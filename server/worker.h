/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORKER_H
#define WORKER_H

/*
 * A worker: a thread with an event base of its own that serves the connections
 * handed to it.  It owns them; nobody else touches them.  Others ask by
 * posting to its mailbox.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/buf.h"

struct server;
struct conn;
struct event_base;
struct mailbox;

/* Counters of one worker, written by it alone and summed when read. */
// clang-format off
#define WORKER_COUNTERS(X)                                                  \
    X(commands,           "Commands run")                                   \
    X(connections,        "Connections accepted")                           \
    X(read_bytes,         "Bytes read from clients")                        \
    X(written_bytes,      "Bytes written to clients")                       \
    X(reads,              "Reads from clients' sockets")                    \
    X(writes,             "Writes to clients' sockets")                     \
    X(error_replies,      "Error replies sent")                             \
    X(closed_protocol,    "Clients closed for bad framing")                 \
    X(closed_output,      "Clients closed for too much unread output")      \
    X(closed_stalled,     "Clients closed for reading nothing")             \
    X(closed_idle,        "Clients closed for being idle")                  \
    X(closed_memory,      "Clients closed to keep buffers in their pool")   \
    X(auth_failures,      "Passwords refused")
// clang-format on

/* One command's numbers, in the order of the command table. */
struct command_stats {
    _Atomic uint64_t calls, usec, rejected, failed;
};

struct worker {
    struct server *server;
    unsigned id;
    struct event_base *base;
    struct mailbox *mailbox;
    struct conn *conns; /* list of its connections */
    size_t conn_count;
    struct command_stats *by_command; /* one per row of the command table */
#define X(name, help) _Atomic uint64_t name;
    WORKER_COUNTERS(X)
#undef X
};

/* Adds to a counter of the calling thread's own worker: no bus lock. */
#define worker_count(worker, name, n)                                          \
    __atomic_store_n(&(worker)->name,                                          \
                     __atomic_load_n(&(worker)->name, __ATOMIC_RELAXED) + (n), \
                     __ATOMIC_RELAXED)

/*
 * Runs run(worker, ctx) on the worker's thread, soon.  From any thread; never
 * blocks, never fails.  After the worker has stopped it is not run.
 */
void worker_post(struct worker *worker,
                 void (*run)(struct worker *worker, void *ctx), void *ctx);

/* A connection of this worker by its id, or NULL.  On its thread only. */
struct conn *worker_conn(struct worker *worker, uint64_t id);

#endif
