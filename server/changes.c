/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is told what happens to keys: a row each. */

#include "changes.h"

#include "notify.h"
#include "tracking.h"
#include "watch.h"

static void watch_told(struct server *server, const struct change *change)
{
    watch_changed(server->watches, change);
}

static const struct {
    /* With the key's shard locked. */
    void (*changed)(struct server *server, const struct change *change);
    /* These without a lock; db may be CHANGES_ALL_DBS. */
    void (*flushed)(struct server *server, int db);
    /* Keys have gone that nobody was told of: which, the cache knows. */
    void (*cut)(struct server *server);
    void (*send)(struct server *server, struct conn *by);
} listeners[LISTENERS] = {
    [LISTENER_WATCH] = {watch_told, NULL, NULL, NULL},
    [LISTENER_TRACKING] = {tracking_changed, tracking_flushed, tracking_cut,
                           tracking_send},
    [LISTENER_NOTIFY] = {notify_changed, NULL, NULL, notify_send},
};

enum { LANE_BITS = 16 }; /* of `listened`, for each listener */

static unsigned lane(uint64_t listened, enum listener listener)
{
    return (uint16_t)(listened >> (LANE_BITS * listener));
}

/* What the cache must tell.  A cut names nobody; who looks for himself what has
 * gone is content with that, who is to hear of each eviction is not. */
static enum cache_listening wanted(uint64_t listened)
{
    unsigned by_itself = CHANGE_EXPIRED | CHANGE_EVICTED, kinds = 0;
    for (unsigned i = 0; i < LISTENERS; i++)
        kinds |= lane(listened, (enum listener)i);
    if (lane(listened, LISTENER_NOTIFY) & CHANGE_EVICTED)
        return CACHE_TELL_EACH;
    return kinds & by_itself ? CACHE_TELL_CUTS : CACHE_TELL_NOTHING;
}

/* Two may be at it: who tells the cache last has seen what both want. */
static void tell_cache(struct server *server)
{
    enum cache_listening how;
    do {
        how = wanted(atomic_load(&server->listened));
        cache_listen(server->cache, how);
    } while (how != wanted(atomic_load(&server->listened)));
}

void changes_listen(struct server *server, enum listener listener,
                    unsigned kinds)
{
    unsigned shift = LANE_BITS * listener;
    uint64_t old = atomic_load(&server->listened), now;
    do
        now = (old & ~((uint64_t)UINT16_MAX << shift)) | (uint64_t)kinds
                                                             << shift;
    while (!atomic_compare_exchange_weak(&server->listened, &old, now));
    if (wanted(old) != wanted(now))
        tell_cache(server);
}

unsigned changes_listened(const struct server *server, enum listener listener)
{
    return lane(atomic_load_explicit(&server->listened, memory_order_relaxed),
                listener);
}

void changes_tell(struct server *server, const struct change *change)
{
    for (unsigned i = 0; i < LISTENERS; i++)
        if (listeners[i].changed &&
            changes_listened(server, (enum listener)i) & change->kind)
            listeners[i].changed(server, change);
}

/* ------------------------------------------------------- what goes by itself
 */

/* Keys up to that length lie in one piece. */
enum { SHORT_KEY = 1024 };

static void tell_lost(struct server *server, enum cache_why why, unsigned db,
                      const struct cache_view *view, char *scratch)
{
    bool expired = why == CACHE_EXPIRED;
    const struct change change = {
        .db = db,
        .key = cache_view_key(view, scratch),
        .len = view->key_len,
        .kind = expired ? CHANGE_EXPIRED : CHANGE_EVICTED,
        .event = expired ? "expired" : "evicted",
    };
    changes_tell(server, &change);
}

/* Apart, for the sake of the stack. */
__attribute__((noinline)) static void
tell_lost_long(struct server *server, enum cache_why why, unsigned db,
               const struct cache_view *view)
{
    char scratch[CACHE_KEY_MAX];
    tell_lost(server, why, db, view, scratch);
}

static void on_lost(void *ctx, enum cache_why why, unsigned db,
                    const struct cache_view *view)
{
    struct server *server = ctx;
    if (why == CACHE_CUT) {
        for (unsigned i = 0; i < LISTENERS; i++)
            if (listeners[i].cut &&
                changes_listened(server, (enum listener)i) != 0)
                listeners[i].cut(server);
    } else if (view->key_len <= SHORT_KEY) {
        tell_lost(server, why, db, view, NULL);
    } else {
        tell_lost_long(server, why, db, view);
    }
}

void changes_begin(struct server *server)
{
    cache_set_listener(server->cache, on_lost, server);
}

/* ----------------------------------------------------------------- telling */

void changes_flushed(struct server *server, int db)
{
    for (unsigned i = 0; i < LISTENERS; i++)
        if (listeners[i].flushed &&
            changes_listened(server, (enum listener)i) != 0)
            listeners[i].flushed(server, db);
}

void changes_send(struct server *server, struct conn *by)
{
    for (unsigned i = 0; i < LISTENERS; i++)
        if (listeners[i].send)
            listeners[i].send(server, by);
}
