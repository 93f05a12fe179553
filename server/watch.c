/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of watched keys. */

#include "watch.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "limits.h"
#include "server.h"

/* With LIMIT_WATCHED_ALL keys a bucket has eight on average. */
enum {
    BUCKETS = 8192,
    KINDS = CHANGE_GENERIC | CHANGE_STRING | CHANGE_HASH, /* by commands */
};

struct watch {
    struct watch *next, *prev; /* in its bucket */
    struct watch *mine;        /* the next of its watcher */
    struct watcher *watcher;
    uint64_t hash;
    uint32_t len;
    uint8_t db;
    bool there;  /* the key was, when it was watched */
    bool looked; /* watch_swapped has looked for the key */
    char key[];
};

struct watcher {
    struct watches *table;
    struct watch *first;
    size_t count, bytes;
    atomic_bool dirty;
};

struct watches {
    struct server *server;
    pthread_mutex_t lock;
    _Atomic uint64_t clients, keys;
    /* Changed with the lock; without it one may see that one is empty. */
    struct watch *_Atomic buckets[BUCKETS];
};

struct watches *watches_new(struct server *server)
{
    struct watches *watches = calloc(1, sizeof *watches);
    if (!watches)
        return NULL;
    watches->server = server;
    pthread_mutex_init(&watches->lock, NULL);
    return watches;
}

void watches_free(struct watches *watches)
{
    if (!watches)
        return;
    assert(watches->keys == 0);
    pthread_mutex_destroy(&watches->lock);
    free(watches);
}

/* ------------------------------------------------------------------ telling */

static struct watch *_Atomic *bucket_of(struct watches *watches, uint64_t hash,
                                        unsigned db)
{
    return &watches->buckets[(hash + db) % BUCKETS];
}

static bool is(const struct watch *watch, unsigned db,
               const struct cache_key *key)
{
    return watch->hash == key->hash && watch->db == db &&
           watch->len == key->len &&
           memcmp(watch->key, key->ptr, key->len) == 0;
}

/* All who watch that key. */
static void soil(struct watches *watches, unsigned db,
                 const struct cache_key *key)
{
    pthread_mutex_lock(&watches->lock);
    for (struct watch *at = *bucket_of(watches, key->hash, db); at;
         at = at->next)
        if (is(at, db, key))
            atomic_store(&at->watcher->dirty, true);
    pthread_mutex_unlock(&watches->lock);
}

void watch_changed(struct watches *watches, const struct change *change)
{
    struct cache_key key =
        cache_key_of(watches->server->cache, change->key, change->len);
    if (atomic_load_explicit(bucket_of(watches, key.hash, change->db),
                             memory_order_relaxed))
        soil(watches, change->db, &key);
}

static bool is_there(const struct watches *watches, unsigned db,
                     const struct cache_key *key, int64_t now_ms)
{
    struct cache_tx tx;
    struct cache_view view;
    cache_begin(&tx, watches->server->cache, now_ms, key, 1);
    bool there = cache_find(&tx, db, key, 0, &view);
    cache_end(&tx);
    return there;
}

/* Two databases that change places. */
struct swap {
    struct watches *watches;
    unsigned db[2];
    bool filled[2];
    char bytes[CACHE_KEY_MAX]; /* of the key that is looked at */
};

/* The key has been looked for: those from `at` on who watch it need not. */
static void set_looked(struct watch *at, unsigned db,
                       const struct cache_key *key)
{
    for (; at; at = at->next)
        at->looked = at->looked || is(at, db, key);
}

/*
 * What was there is there, or its watcher is dirty: only the others have to be
 * looked up, in the other database, once for all who watch the same.  Copies
 * the next such key of a bucket, and which database is its own; false: there is
 * none.  A copy, since its client may go at any time, and no key is looked up
 * with the table locked.
 */
static bool look_at_next(struct swap *swap, size_t bucket,
                         struct cache_key *key, unsigned *own)
{
    pthread_mutex_lock(&swap->watches->lock);
    struct watch *at = swap->watches->buckets[bucket];
    for (; at; at = at->next) {
        unsigned mine = at->db == swap->db[1];
        if (at->db != swap->db[mine] || watch_is_dirty(at->watcher))
            continue;
        if (at->there)
            atomic_store(&at->watcher->dirty, true);
        else if (swap->filled[!mine] && !at->looked) {
            *own = mine;
            memcpy(swap->bytes, at->key, at->len);
            *key = (struct cache_key){swap->bytes, at->len, at->hash};
            set_looked(at, at->db, key);
            break;
        }
    }
    pthread_mutex_unlock(&swap->watches->lock);
    return at != NULL;
}

static void end_looking(struct watches *watches, size_t bucket)
{
    pthread_mutex_lock(&watches->lock);
    for (struct watch *at = watches->buckets[bucket]; at; at = at->next)
        at->looked = false;
    pthread_mutex_unlock(&watches->lock);
}

void watch_swapped(struct watches *watches, unsigned a, unsigned b,
                   int64_t now_ms)
{
    struct cache *cache = watches->server->cache;
    struct swap swap = {.watches = watches, .db = {a, b}};
    struct cache_key key;
    unsigned own;
    if (watches->keys == 0)
        return;
    for (int i = 0; i < 2; i++)
        swap.filled[i] = cache_count(cache, swap.db[i]) > 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        if (!watches->buckets[i])
            continue;
        while (look_at_next(&swap, i, &key, &own))
            if (is_there(watches, swap.db[!own], &key, now_ms))
                soil(watches, swap.db[own], &key);
        end_looking(watches, i);
    }
}

/* ---------------------------------------------------------------- watching */

struct watcher *watcher_new(struct watches *watches)
{
    struct watcher *watcher = calloc(1, sizeof *watcher);
    if (watcher)
        watcher->table = watches;
    return watcher;
}

/* Both with the table locked. */
static void enlist(struct watch *watch)
{
    struct watcher *watcher = watch->watcher;
    struct watches *watches = watcher->table;
    struct watch *_Atomic *bucket = bucket_of(watches, watch->hash, watch->db);
    watch->next = *bucket;
    if (watch->next)
        watch->next->prev = watch;
    watch->mine = watcher->first;
    *bucket = watcher->first = watch;
    watcher->bytes += sizeof *watch + watch->len;
    if (watcher->count++ == 0)
        watches->clients++;
    if (watches->keys++ == 0)
        changes_listen(watches->server, LISTENER_WATCH, KINDS);
}

static void delist(struct watch *watch)
{
    struct watches *watches = watch->watcher->table;
    struct watch *_Atomic *bucket = bucket_of(watches, watch->hash, watch->db);
    if (watch->prev)
        watch->prev->next = watch->next;
    else
        *bucket = watch->next;
    if (watch->next)
        watch->next->prev = watch->prev;
    if (--watches->keys == 0)
        changes_listen(watches->server, LISTENER_WATCH, 0);
}

void watcher_free(struct watcher *watcher)
{
    pthread_mutex_lock(&watcher->table->lock);
    if (watcher->count > 0)
        watcher->table->clients--;
    for (struct watch *at = watcher->first; at; at = at->mine)
        delist(at);
    pthread_mutex_unlock(&watcher->table->lock);
    while (watcher->first) {
        struct watch *next = watcher->first->mine;
        free(watcher->first);
        watcher->first = next;
    }
    free(watcher);
}

/* With the table locked. */
static enum watch_result admit(const struct watcher *watcher)
{
    if (watcher->count >= LIMIT_WATCHED)
        return WATCH_MANY;
    return watcher->table->keys >= LIMIT_WATCHED_ALL ? WATCH_FULL : WATCH_OK;
}

/* It would be in both lists.  That of who watches the key may be very long, so
 * the end of either tells: its own has LIMIT_WATCHED at most. */
static bool watches_already(const struct watcher *watcher, unsigned db,
                            const struct cache_key *key)
{
    const struct watch *mine = watcher->first;
    const struct watch *at = *bucket_of(watcher->table, key->hash, db);
    for (; mine && at; mine = mine->mine, at = at->next)
        if (is(mine, db, key) || (at->watcher == watcher && is(at, db, key)))
            return true;
    return false;
}

/* Under the lock of its shard, so that nothing comes between the look and the
 * listening. */
enum watch_result watch_key(struct watcher *watcher, unsigned db,
                            const struct cache_key *key, int64_t now_ms)
{
    struct watches *watches = watcher->table;
    struct watch *watch = malloc(watch_size(key));
    struct cache_tx tx;
    struct cache_view view;
    if (!watch)
        return WATCH_NO_MEMORY;
    *watch = (struct watch){.watcher = watcher,
                            .hash = key->hash,
                            .len = (uint32_t)key->len,
                            .db = (uint8_t)db};
    memcpy(watch->key, key->ptr, key->len);
    cache_begin(&tx, watches->server->cache, now_ms, key, 1);
    watch->there = cache_find(&tx, db, key, 0, &view);
    pthread_mutex_lock(&watches->lock);
    bool already = watches_already(watcher, db, key);
    enum watch_result result = already ? WATCH_OK : admit(watcher);
    bool added = !already && result == WATCH_OK;
    if (added)
        enlist(watch);
    pthread_mutex_unlock(&watches->lock);
    cache_end(&tx);
    if (!added)
        free(watch);
    return result;
}

/* What no command told. */
static bool stands(const struct watch *watch, int64_t now_ms)
{
    struct cache_key key = {watch->key, watch->len, watch->hash};
    return !watch->there ||
           is_there(watch->watcher->table, watch->db, &key, now_ms);
}

bool watch_stands(const struct watcher *watcher, int64_t now_ms)
{
    if (watch_is_dirty(watcher))
        return false;
    for (const struct watch *at = watcher->first; at; at = at->mine)
        if (!stands(at, now_ms))
            return false;
    return !watch_is_dirty(watcher);
}

bool watch_is_dirty(const struct watcher *watcher)
{
    return atomic_load(&watcher->dirty);
}

size_t watch_size(const struct cache_key *key)
{
    return sizeof(struct watch) + key->len;
}

size_t watcher_bytes(const struct watcher *watcher)
{
    return sizeof *watcher + watcher->bytes;
}

size_t watcher_count(const struct watcher *watcher)
{
    return watcher->count;
}

struct watch_totals watch_totals(const struct watches *watches)
{
    return (struct watch_totals){watches->clients, watches->keys};
}
