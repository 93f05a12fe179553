/* SPDX-License-Identifier: BSD-3-Clause */
/* Tells what happens to keys. */

#include "changes.h"

#include "watch.h"

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
    if (changes_listened(server, LISTENER_WATCH) & change->kind)
        watch_changed(server->watches, change);
}

void changes_send(struct server *server, struct conn *by)
{
    (void)server;
    (void)by;
}
