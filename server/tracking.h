/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACKING_H
#define TRACKING_H

/*
 * Client-side caching: clients keep copies of what they read, and are told
 * when it is no longer so.
 *
 *   a client reads      tracking_remember -> track_table
 *   a key changes       tracking_changed --> out of the table, into the outbox
 *                                            of each worker that has readers
 *   the turn ends       tracking_send -----> these workers are woken
 *   each worker         looks up its clients and pushes: conn_push
 *
 * A key is looked up and remembered under the same lock of its shard.  So a
 * change comes either before the look, or is told after the reply: pushes do
 * not overtake replies.  What is told too often, or late, only costs a copy.
 *
 * In BCAST mode nothing is remembered.  Keys that begin with somebody's prefix
 * go to the outboxes, and a worker tells its clients all that it finds there
 * in one message for each prefix.
 *
 * Memory.  The table has at most a quarter of the client pool (track_table.h)
 * and `tracking-table-max-keys` keys; for one too many, some other key is told
 * to have changed.  What waits in outboxes has at most TRACKING_OUTBOX_PART of
 * the pool.  When that is used up, or the pool has nothing, clients are told
 * that everything has changed, which takes no memory.
 *
 * What a cut dropped (cache_lost) is found by walking through the table in
 * steps, on the main thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command.h"

struct change;
struct conn;
struct server;
struct tracker;
struct tracking;
struct worker;

enum {
    TRACKING_OUTBOX_PART = 16,
    TRACKING_CLIENTS = 64, /* told by a worker before others have a turn */
    TRACKING_STEP_KEYS = 64,
};

/* As CLIENT TRACKING sets them. */
enum tracking_mode {
    TRACKING_BCAST = 1 << 0,
    TRACKING_OPTIN = 1 << 1,
    TRACKING_OPTOUT = 1 << 2,
    TRACKING_NOLOOP = 1 << 3,
    TRACKING_CACHING = 1 << 4, /* CLIENT CACHING was the last command */
    TRACKING_BROKEN = 1 << 5,  /* the client redirected to is gone */
    TRACKING_SET =
        TRACKING_BCAST | TRACKING_OPTIN | TRACKING_OPTOUT | TRACKING_NOLOOP,
};

struct tracking *tracking_new(struct server *server); /* NULL: no memory */
/* After the workers are gone. */
void tracking_free(struct tracking *tracking);
void tracking_set_max(struct tracking *tracking, uint64_t keys);

/* ------------------------------------------------------ what clients want */

/* Where to send what is to be told instead: client 0 is nowhere else. */
struct tracking_redirect {
    uint64_t client;
    unsigned worker;
};

/*
 * The client of that call is tracked from now on, or otherwise than before.
 * In BCAST mode it has these prefixes beside those that it has; they must not
 * overlap.  False: no memory, or too many prefixes, and nothing has changed.
 */
bool tracking_on(struct call *call, unsigned mode,
                 struct tracking_redirect redirect, const struct arg *prefixes,
                 size_t count);
/* On the thread of the client.  tracker: session->tracker, NULL is fine. */
void tracking_off(struct tracker **tracker);

unsigned tracking_mode(const struct tracker *tracker);
void tracking_set_caching(struct tracker *tracker, bool caching);
uint64_t tracking_redirect(const struct tracker *tracker);
/* The letters of CLIENT LIST; how many. */
size_t tracking_flags(const struct tracker *tracker, char *to);
/* In their order. */
size_t tracking_prefix_count(const struct tracker *tracker);
struct arg tracking_prefix(const struct tracker *tracker, size_t i);
/* Bytes that it holds. */
size_t tracker_bytes(const struct tracker *tracker);

/* The call has looked up a key, whose shard is still locked. */
void tracking_remember(struct call *call, const struct cache_key *key);

/* After each command of a client that is tracked: CLIENT CACHING is about the
 * next one, or the next transaction. */
void tracking_served(struct call *call);

/* ------------------------------------------------------------- as listener */

void tracking_changed(struct server *server, const struct change *change);
void tracking_flushed(struct server *server, int db);
void tracking_cut(struct server *server);
void tracking_send(struct server *server, struct conn *by);

/* On the main thread, often: a piece of what is to be walked through, trimmed
 * or freed.  True while there is more. */
bool tracking_step(struct tracking *tracking, int64_t now_ms);

struct tracking_state {
    uint64_t clients, keys, items, prefixes;
    uint64_t bytes; /* of the client pool: the table, and what waits */
};
void tracking_state(struct tracking *tracking, struct tracking_state *state);

#endif
