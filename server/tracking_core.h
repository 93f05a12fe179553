/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACKING_CORE_H
#define TRACKING_CORE_H

/* The inside of client-side caching, for the files tracking*.c only. */

#include <pthread.h>
#include <stdatomic.h>

#include "push.h"
#include "server.h"
#include "track_prefixes.h"
#include "track_table.h"
#include "tracking.h"
#include "worker.h"

/* A client that is tracked.  Its connection's thread alone looks at it. */
struct tracker {
    struct tracking *tracking;
    struct conn *conn;
    struct worker *worker;
    unsigned mode; /* enum tracking_mode */
    struct tracking_redirect redirect;
    bool owed; /* it is to be told that everything has changed */
    size_t prefix_count, prefix_bytes;
    struct track_prefix **prefixes;
    struct tracker *next, **link; /* in its outbox */
};

/* A key that changed, for clients in BCAST mode. */
struct told_key {
    struct told_key *next;
    uint64_t by; /* the client that changed it, 0: nobody, or several */
    size_t len;
    char bytes[];
};

/* What it counts for, of what waits to be told: as other memory of clients,
 * half as much again. */
static inline size_t told_cost(size_t len)
{
    size_t size = sizeof(struct told_key) + len;
    return size + size / 2;
}

enum { ROUND_KEYS = 1024 };

/* A worker's way through all its trackers, to tell each the same. */
struct round {
    enum {
        ROUND_NONE,
        ROUND_ALL,   /* that everything has changed */
        ROUND_BCAST, /* the same, those in BCAST mode */
        ROUND_OWED,  /* the same, those who are owed it */
        ROUND_TOLD,  /* which keys have, those in BCAST mode */
    } kind;
    struct tracker *next;
    size_t count; /* keys, sorted */
    struct told_key *keys[ROUND_KEYS];
    /* What was made last, for the next who wants the same. */
    const struct track_prefix *made_for;
    struct push *made;
};

/* What is to be told to the clients of one worker. */
struct outbox {
    _Alignas(64) pthread_mutex_t lock;
    struct track_group *groups, **groups_end;
    struct told_key *keys, **keys_end;
    bool all, bcast;        /* rounds to be made */
    bool posted;            /* its worker has been woken, and will look */
    _Atomic unsigned count; /* trackers */
    /* The rest is for its worker's thread. */
    bool owed;
    struct tracker *trackers;
    struct track_group *at; /* being told, linked */
    uint32_t client;        /* in the first of them: track_next_client */
    bool silent;            /* they need not be told any more */
    struct round round;
};

struct tracking {
    struct server *server;
    struct track_table *table;
    struct track_prefixes *prefixes;
    pthread_mutex_t lock; /* of `clients` becoming 0 or 1 */
    _Atomic uint64_t clients;
    _Atomic uint64_t random;
    _Atomic uint64_t waiting;       /* workers to be woken, a bit each */
    atomic_bool cut;                /* walk through the table */
    struct push *all, *all_message; /* "everything has changed" */
    struct track_walk walk;         /* main thread */
    bool walking;
    struct outbox outboxes[];
};

/* tracking_tell.c: puts groups that were taken into outboxes; but the client
 * `except` is not told. */
void tracking_tell(struct tracking *tracking, struct track_group *groups,
                   uint64_t except);
/* The same of a key, to those in BCAST mode on these workers. */
void tracking_tell_key(struct tracking *tracking, uint64_t workers,
                       const char *key, size_t len, uint64_t by);
/* Everything has changed, for all, or for those in BCAST mode. */
void tracking_tell_all(struct tracking *tracking, bool only_bcast);
/* The same for one, on its thread. */
void tracking_owe(struct tracker *tracker);

void outbox_init(struct outbox *box);
/* tracking_deliver.c: with what is in it. */
void outbox_release(struct tracking *tracking, struct outbox *box);

/* tracking_push.c: the messages; NULL: the pool has no room.  Those that begin
 * with `prefix`, but not what was changed by `except`; NULL also if there are
 * none, then *none is set. */
struct push *tracking_push_key(struct server *server, const char *key,
                               size_t len);
struct push *tracking_push_keys(struct server *server,
                                const struct round *round,
                                const struct track_prefix *prefix,
                                uint64_t except, bool *none);
bool tracking_make_all(struct tracking *tracking);
/* Sends it to the tracker's client, or where that wants it to be sent. */
void tracking_push(struct tracker *tracker, struct push *push);

#endif
