/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WATCH_H
#define WATCH_H

/*
 * Keys that clients WATCH.
 *
 *   client: watcher --> watch --> watch ...     what one client watches
 *                         |         |
 *   table:  bucket  --> watch --> watch ...     who watches one key
 *
 * A command that changes a key tells (changes.h), under the lock of the key's
 * shard, and all who watch it are dirty from then on.  A key that was there
 * when it was watched and has gone by itself (it has expired, was evicted, or
 * its database was emptied) need not be told: EXEC looks whether it is still
 * there, and whoever makes it anew tells.
 *
 * A table has a lock of its own, a leaf: nothing else is locked under it.  A
 * watcher is its connection's; others reach it through the table alone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/cache.h"

struct change;
struct server;
struct watcher;
struct watches;

struct watches *watches_new(struct server *server); /* NULL: no memory */
void watches_free(struct watches *watches);         /* NULL is fine */

/* A command changed a key.  Under the lock of its shard. */
void watch_changed(struct watches *watches, const struct change *change);
/* The keys of two databases change places: who watches one that is in either
 * is dirty.  While the gate is closed, outside any transaction. */
void watch_swapped(struct watches *watches, unsigned a, unsigned b,
                   int64_t now_ms);

/* NULL: no memory. */
struct watcher *watcher_new(struct watches *watches);
/* It watches nothing any more. */
void watcher_free(struct watcher *watcher);

enum watch_result {
    WATCH_OK,
    WATCH_MANY, /* LIMIT_WATCHED of one client */
    WATCH_FULL, /* LIMIT_WATCHED_ALL of all */
    WATCH_NO_MEMORY,
};

/* Watches one more key, as it is now; again is fine. */
enum watch_result watch_key(struct watcher *watcher, unsigned db,
                            const struct cache_key *key, int64_t now_ms);
/* False: one of them is not as it was.  While the gate is closed. */
bool watch_stands(const struct watcher *watcher, int64_t now_ms);
/* Whether that is known without a look at the keys. */
bool watch_is_dirty(const struct watcher *watcher);

/* Memory that watching a key takes; that of all its keys; their number. */
size_t watch_size(const struct cache_key *key);
size_t watcher_bytes(const struct watcher *watcher);
size_t watcher_count(const struct watcher *watcher);

struct watch_totals {
    uint64_t clients, keys;
};
struct watch_totals watch_totals(const struct watches *watches);

#endif
