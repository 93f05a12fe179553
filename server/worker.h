/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORKER_H
#define WORKER_H

/*
 * A worker: a thread with an event base of its own that serves the connections
 * handed to it.  It owns them; nobody else touches them.  Others ask by
 * posting to its mailbox.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;
struct batch;
struct conn;
struct event;
struct event_base;
struct mailbox;
struct intake;
struct turn;

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
    X(closed_request,     "Clients closed for a request left unfinished")   \
    X(closed_idle,        "Clients closed for being idle")                  \
    X(closed_memory,      "Clients closed to keep buffers in their pool")   \
    X(auth_failures,      "Passwords refused")                              \
    X(denied_commands,    "Commands that users had no right to")            \
    X(denied_keys,        "Requests for keys that users had no right to")   \
    X(denied_channels,    "Requests for channels that users had no right to")
// clang-format on

/* Columns of a command's histogram: of what took less than 1.024 us (the
 * first), 2.048 us, 4.096 us ..., and any longer (the last). */
enum { STATS_COLUMNS = 21 };

/* One command's numbers, in the order of the command table.  All columns of
 * `took` together are its calls. */
struct command_stats {
    _Atomic uint64_t ticks, rejected, failed;
    _Atomic uint64_t took[STATS_COLUMNS];
};

struct worker {
    _Alignas(64) struct server *server;
    unsigned id;
    struct event_base *base;
    struct mailbox *mailbox;
    struct conn *conns;               /* list of its connections */
    _Atomic size_t conn_count;        /* those on their way to it included */
    struct command_stats *by_command; /* one per row of the command table */
#define X(name, help) _Atomic uint64_t name;
    WORKER_COUNTERS(X)
#undef X

    /* The rest is private to worker.c and conn*.c. */
    pthread_t thread;
    char *buffer; /* LIMIT_READ_BUFFER bytes: what was read */
    struct intake *intake;
    struct batch *batch, *own_batch; /* batch: the one that is being run */
    struct turn *spare;              /* one that nobody uses, or NULL */
    char *warm; /* memory for replies, while nobody uses it, or NULL */
    size_t warm_cap;
    size_t lease;         /* bytes borrowed from the pool, not yet in use */
    struct conn *holders; /* connections that hold memory between events */
    struct conn *later_first, **later_end;   /* go on after other events */
    struct conn *halted_first, **halted_end; /* go on after CLIENT PAUSE */
    struct conn **by_id; /* buckets, chained by conn->id_next */
    size_t by_id_count;  /* a power of two */
    struct conn *walk;   /* next to be looked at for timeouts */
    struct event *tick, *later, *pushes;
    struct delivering *delivering; /* messages of channels */
    struct conn *pushed; /* connections that something was pushed to */
    size_t pushed_count, pushed_bytes;
    struct conn *behind, **behind_end; /* with something pushed that is unsent,
                                          who has stood still longest first */
    size_t behind_count;
    unsigned push_short;         /* the server's, at the last tick */
    size_t overdraft;            /* bytes of the pool, see push.h */
    size_t open;                 /* connections in `conns` */
    int64_t ticked_us;           /* monotonic, at the last tick */
    int64_t now_ms;              /* wall clock, of the turn under way */
    uint32_t clock_ms;           /* counts the time this worker was running */
    uint32_t stop_ms;            /* on that clock: when it was asked to stop */
    uint32_t tight_ms;           /* since when the pool is tight */
    size_t held;                 /* cache_held at the last tick */
    uint32_t held_ms;            /* when that was 0, or less than before */
    uint32_t served_ms;          /* the last event of a client */
    uint64_t ticks;              /* see timing.h */
    uint64_t round;              /* when it began, see round.h; 0: it did not */
    uint32_t hits_unnoted;       /* lookups that pass by before one is noted: */
    uint32_t hits_random;        /* see hits.h */
    _Atomic size_t first_rank;   /* of its first to go, when tight */
    _Atomic size_t halted_count; /* connections in `halted` */
    bool inside;                 /* it runs commands: see gate.h */
    bool started, stopping, tight, flushed;
    bool ungreeted; /* the main thread's: sockets were handed over silently */
};

/* Adds to a counter of the calling thread's own worker: no bus lock. */
#define worker_count(worker, name, n)                                          \
    atomic_store_explicit(                                                     \
        &(worker)->name,                                                       \
        atomic_load_explicit(&(worker)->name, memory_order_relaxed) + (n),     \
        memory_order_relaxed)

/*
 * Runs run(worker, ctx) on the worker's thread, soon.  From any thread; never
 * blocks, never fails.  After the worker has stopped it is not run.
 */
void worker_post(struct worker *worker,
                 void (*run)(struct worker *worker, void *ctx), void *ctx);

/* The same with a ctx that is run's to free, and freed with drop when run is
 * not called. */
void worker_post_owned(struct worker *worker,
                       void (*run)(struct worker *worker, void *ctx), void *ctx,
                       void (*drop)(void *ctx));

/* Makes server->worker_count workers in server->workers, which is zeroed;
 * false without memory or descriptors. */
bool workers_new(struct server *server);
/* Starts their threads; false (errno) if the system refuses one. */
bool workers_start(struct server *server);
/* Asks all to finish writes and end; each then posts to the main thread. */
void workers_stop(struct server *server);
/* After they have ended, or were never started. */
void workers_free(struct server *server);

/* Hands over an accepted socket, on the main thread; the worker may not look
 * after it before workers_greet. */
void worker_adopt(struct worker *worker, int fd);
/* Wakes those that sockets were handed to. */
void workers_greet(struct server *server);

/* A connection of this worker by its id, or NULL.  On its thread only. */
struct conn *worker_conn(struct worker *worker, uint64_t id);

#endif
