/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is told what happens to keys: a row each. */

#include "changes.h"

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
};

enum { LANE_BITS = 16 }; /* of `listened`, for each listener */

static unsigned lane(uint64_t listened, enum listener listener)
{
    return (uint16_t)(listened >> (LANE_BITS * listener));
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
