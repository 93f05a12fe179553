/* SPDX-License-Identifier: BSD-3-Clause */
/* Outboxes are filled: by any thread, for the worker whose clients are to be
 * told. */

#include <stdlib.h>
#include <string.h>

#include "pool.h"
#include "tracking_core.h"

void outbox_init(struct outbox *box)
{
    pthread_mutex_init(&box->lock, NULL);
    box->groups_end = &box->groups;
    box->keys_end = &box->keys;
}

static void wake(struct tracking *tracking, unsigned worker)
{
    uint64_t bit = UINT64_C(1) << worker;
    if (!(atomic_load_explicit(&tracking->waiting, memory_order_relaxed) & bit))
        atomic_fetch_or(&tracking->waiting, bit);
}

/* So much waits that it is better to tell that everything has changed. */
static bool is_full(const struct tracking *tracking)
{
    return track_pending(tracking->table) >
           pool_limit(tracking->server->pool) / TRACKING_OUTBOX_PART;
}

static void add_group(struct tracking *tracking, struct track_group *group)
{
    unsigned worker = group->worker;
    struct outbox *box = &tracking->outboxes[worker];
    pthread_mutex_lock(&box->lock);
    if (is_full(tracking))
        box->all = true;
    bool covered = box->all;
    if (!covered) {
        group->next = NULL;
        *box->groups_end = group;
        box->groups_end = &group->next;
    }
    pthread_mutex_unlock(&box->lock);
    if (covered)
        track_release(tracking->table, group);
    wake(tracking, worker);
}

void tracking_tell(struct tracking *tracking, struct track_group *groups,
                   uint64_t except)
{
    while (groups) {
        struct track_group *next = groups->next;
        if (except && !track_forget(groups, except))
            track_release(tracking->table, groups);
        else
            add_group(tracking, groups);
        groups = next;
    }
}

static struct told_key *told_new(struct tracking *tracking, const char *key,
                                 size_t len, uint64_t by)
{
    size_t cost = told_cost(len);
    if (is_full(tracking) || !track_pend(tracking->table, cost))
        return NULL;
    struct told_key *told = malloc(sizeof *told + len);
    if (!told) {
        track_unpend(tracking->table, cost);
        return NULL;
    }
    *told = (struct told_key){.by = by, .len = len};
    memcpy(told->bytes, key, len);
    return told;
}

static void add_key(struct tracking *tracking, unsigned worker, const char *key,
                    size_t len, uint64_t by)
{
    struct outbox *box = &tracking->outboxes[worker];
    pthread_mutex_lock(&box->lock);
    bool covered = box->all || box->bcast;
    struct told_key *told = covered ? NULL : told_new(tracking, key, len, by);
    if (told) {
        *box->keys_end = told;
        box->keys_end = &told->next;
    } else if (!covered) {
        box->bcast = true;
    }
    pthread_mutex_unlock(&box->lock);
    wake(tracking, worker);
}

void tracking_tell_key(struct tracking *tracking, uint64_t workers,
                       const char *key, size_t len, uint64_t by)
{
    for (unsigned i = 0; workers >> i; i++)
        if (workers >> i & 1)
            add_key(tracking, i, key, len, by);
}

void tracking_tell_all(struct tracking *tracking, bool only_bcast)
{
    for (unsigned i = 0; i < tracking->server->worker_count; i++) {
        struct outbox *box = &tracking->outboxes[i];
        if (atomic_load(&box->count) == 0)
            continue;
        pthread_mutex_lock(&box->lock);
        if (only_bcast)
            box->bcast = true;
        else
            box->all = true;
        pthread_mutex_unlock(&box->lock);
        wake(tracking, i);
    }
}

void tracking_owe(struct tracker *tracker)
{
    unsigned worker = tracker->worker->id;
    tracker->owed = true;
    tracker->tracking->outboxes[worker].owed = true;
    wake(tracker->tracking, worker);
}
