/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_H
#define SERVER_H

/*
 * The server: what main() makes, and what every part of server/ is handed.
 * After server_start only the fields marked so are changed, by the main
 * thread; options reach other threads through apply functions (options.c).
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cache/cache.h"
#include "conf/conf.h"
#include "limits.h"
#include "ticks.h"

struct event;
struct event_base;
struct worker;
struct governor;
struct hits;
struct pool;
struct log;
struct http;
struct stats;
struct acl;
struct acl_log;
struct listeners;
struct mailbox;
struct platform;
struct gate;
struct watches;
struct latency;
struct pause;
struct slowlog;
struct tracking;
struct notify;
struct pubsub;

struct server {
    const struct platform *platform;
    struct conf conf; /* guarded by conf_lock: see options.h */
    struct options *options;
    struct limits limits; /* atomics: what connections read of conf */
    struct acl *acl;      /* the users */
    struct acl_log *acl_log;
    struct cache *cache;
    struct log *log;
    struct pool *pool;         /* bytes of clients' buffers */
    struct governor *governor; /* budget, resident memory, rebuild steps */
    struct event_base *base;   /* the main thread's */
    struct mailbox *mailbox;   /* to the main thread */
    struct event *signals[3], *tick, *slice;
    struct worker *workers;
    unsigned worker_count;
    struct hits *hits; /* keys of some of them; made with the workers */
    struct listeners *listeners;
    struct tracking *tracking; /* clients that cache: see tracking.h */
    struct pubsub *pubsub;
    struct notify *notify;
    struct stats *stats; /* see stats.h; made before http */
    struct ticks ticks;  /* what commands are timed with */
    struct slowlog *slowlog;
    struct latency *latency;
    struct http *http;  /* NULL: metrics-port is 0 */
    int64_t started_ms; /* wall clock */
    char run_id[41];
    struct gate *gate;           /* between the workers; see gate.h */
    struct watches *watches;     /* keys that clients watch */
    _Atomic uint64_t listened;   /* enum change_kind, by listener: changes.h */
    _Atomic size_t push_bytes;   /* in flight, see push.h */
    _Atomic size_t push_work;    /* the same, as often as it is to be copied */
    _Atomic unsigned push_short; /* times that it found half of the pool used */
    struct pause *pause;
    _Atomic unsigned pausing;     /* enum pause_mode */
    _Atomic uint64_t acl_version; /* of the users' rules: see acl.h */
    _Atomic uint64_t next_client_id;
    _Atomic uint64_t client_count;
    _Atomic uint64_t rejected_connections;
    atomic_bool hurried; /* see loop_hurry */
    /* For log_rarely. */
    _Atomic int64_t logged_foreign, logged_denied, logged_full,
        logged_no_memory, logged_accept;
    bool stopping;   /* main thread only, as are the rest */
    int64_t tell_ms; /* monotonic: when the log is told of the state next */
    unsigned workers_done;
    unsigned slices_waited;
    int status;             /* to exit with */
    int port, metrics_port; /* the actual ones */
};

/*
 * Makes everything and listens; NULL with a sentence in `why` (512 bytes) if
 * it cannot.  server_run returns when SHUTDOWN, TERM or INT came and writes
 * are finished: the exit status.
 */
struct server *server_start(const struct conf *conf, char *why);
int server_run(struct server *server);
void server_free(struct server *server);

/* Begins the end; from any thread. */
void server_stop(struct server *server);

/* Runs run(ctx) on the main thread, soon; from any thread. */
void server_post(struct server *server, void (*run)(struct server *, void *),
                 void *ctx);

/* A worker's thread has ended; from that thread. */
void server_worker_done(struct server *server);

#endif
