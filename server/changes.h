/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CHANGES_H
#define CHANGES_H

/*
 * What happens to keys, for those who want to know it: clients that WATCH or
 * cache keys, and those who subscribed to keyspace notifications.
 *
 *   command ---- call_changed --.
 *   cache evicts or expires ----+--> changes_tell --> who listens
 *   FLUSHALL -------------------'
 *
 * It is told while the key's shard is locked, so that who saw the old value
 * under that lock is told, and in order.  A listener takes a few instructions,
 * makes no system call and takes no lock of the cache.  While nobody listens
 * it costs one load.
 */

#include "command.h"
#include "server.h"

/* In parentheses: the letter of `notify-keyspace-events`. */
enum change_kind {
    CHANGE_GENERIC = 1 << 0, /* of any type: DEL, EXPIRE, RENAME (g) */
    CHANGE_STRING = 1 << 1,  /* ($) */
    CHANGE_HASH = 1 << 2,    /* (h) */
    CHANGE_EXPIRED = 1 << 3, /* (x) */
    CHANGE_EVICTED = 1 << 4, /* (e) */
    CHANGE_NEW = 1 << 5,     /* a key was added (n) */
    CHANGE_MISSED = 1 << 6,  /* was asked for and not there: no change (m) */
    /* Those that say that a key is not what it was. */
    CHANGES_REAL = CHANGE_GENERIC | CHANGE_STRING | CHANGE_HASH |
                   CHANGE_EXPIRED | CHANGE_EVICTED,
};

struct change {
    unsigned db;
    const char *key;
    size_t len;
    enum change_kind kind;
    const char *event;     /* as Redis calls it: "set", "del" */
    const struct call *by; /* NULL: no command did it */
};

/* Before there are other threads: makes the cache tell what goes by itself. */
void changes_begin(struct server *server);

/* Who listens. */
enum listener {
    LISTENER_WATCH,
    LISTENER_TRACKING,
    LISTENER_NOTIFY,
    LISTENERS,                    /* to what happens to keys */
    LISTENER_MONITOR = LISTENERS, /* to commands, of any kind: 1 or 0 */
};

/* Says which kinds (enum change_kind) that listener is told of from now on; of
 * what was not told then, or is being told just now, it may still hear or not.
 * Any thread; outside any transaction if CHANGE_EXPIRED or CHANGE_EVICTED was
 * or is among them. */
void changes_listen(struct server *server, enum listener listener,
                    unsigned kinds);
/* The kinds that it is told of. */
unsigned changes_listened(const struct server *server, enum listener listener);

/* Tells all who listen to that kind. */
void changes_tell(struct server *server, const struct change *change);

/* All keys of a database, or of all, are others than before: after FLUSHDB,
 * FLUSHALL, and SWAPDB for both.  Outside any transaction. */
enum { CHANGES_ALL_DBS = -1 };
void changes_flushed(struct server *server, int db);

/*
 * What listeners kept while keys were locked is sent.  Called where no lock is
 * held: after each command, at the end of each turn of a connection, and after
 * the main thread has worked on the cache (by: NULL).  While nobody listens it
 * costs one load.
 */
void changes_send(struct server *server, struct conn *by);

static inline void changes_settle(struct server *server, struct conn *by)
{
    if (atomic_load_explicit(&server->listened, memory_order_relaxed) != 0)
        changes_send(server, by);
}

/*
 * To be called by a command after it has changed a key, before its transaction
 * ends, for each event that Redis has for it, in Redis's order.  event: a
 * literal.
 */
static inline void call_changed_in(struct call *call, unsigned db,
                                   const struct cache_key *key,
                                   enum change_kind kind, const char *event)
{
    if (atomic_load_explicit(&call->server->listened, memory_order_relaxed) ==
        0)
        return;
    const struct change change = {db, key->ptr, key->len, kind, event, call};
    changes_tell(call->server, &change);
}

static inline void call_changed(struct call *call, const struct cache_key *key,
                                enum change_kind kind, const char *event)
{
    call_changed_in(call, call->session->db, key, kind, event);
}

#endif
