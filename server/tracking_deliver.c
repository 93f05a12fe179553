/* SPDX-License-Identifier: BSD-3-Clause */
/* Outboxes are emptied: each by the worker whose clients are to be told. */

#include <stdlib.h>

#include "conn.h"
#include "tracking_core.h"

static void told_free(struct tracking *tracking, struct told_key *key)
{
    track_unpend(tracking->table, told_cost(key->len));
    free(key);
}

static void release_groups(struct tracking *tracking,
                           struct track_group *groups)
{
    while (groups) {
        struct track_group *next = groups->next;
        track_release(tracking->table, groups);
        groups = next;
    }
}

static void end_round(struct tracking *tracking, struct round *round)
{
    for (size_t i = 0; i < round->count; i++)
        told_free(tracking, round->keys[i]);
    push_unref(round->made);
    round->made = NULL;
    round->made_for = NULL;
    round->count = 0;
    round->kind = ROUND_NONE;
}

void outbox_release(struct tracking *tracking, struct outbox *box)
{
    release_groups(tracking, box->groups);
    release_groups(tracking, box->at);
    while (box->keys) {
        struct told_key *next = box->keys->next;
        told_free(tracking, box->keys);
        box->keys = next;
    }
    end_round(tracking, &box->round);
    pthread_mutex_destroy(&box->lock);
}

/* ----------------------------------------------------------------- taking */

static int by_bytes(const void *a, const void *b)
{
    const struct told_key *x = *(struct told_key *const *)a;
    const struct told_key *y = *(struct told_key *const *)b;
    return track_compare(x->bytes, x->len, y->bytes, y->len);
}

/* Sorted, each once. */
static void sort_keys(struct tracking *tracking, struct round *round)
{
    size_t kept = 0;
    qsort(round->keys, round->count, sizeof *round->keys, by_bytes);
    for (size_t i = 0; i < round->count; i++) {
        struct told_key *key = round->keys[i];
        struct told_key *last = kept > 0 ? round->keys[kept - 1] : NULL;
        if (!last || by_bytes(&last, &key) != 0) {
            round->keys[kept++] = key;
            continue;
        }
        if (last->by != key->by)
            last->by = 0;
        told_free(tracking, key);
    }
    round->count = kept;
}

static void begin_round(struct outbox *box, int kind)
{
    box->round.kind = kind;
    box->round.next = box->trackers;
}

/* With the outbox locked. */
static void take_keys(struct outbox *box)
{
    struct round *round = &box->round;
    while (box->keys && round->count < ROUND_KEYS) {
        round->keys[round->count++] = box->keys;
        box->keys = box->keys->next;
    }
    if (!box->keys)
        box->keys_end = &box->keys;
}

/* What came since the last time: false, there is nothing. */
static bool take(struct tracking *tracking, struct outbox *box)
{
    pthread_mutex_lock(&box->lock);
    bool all = box->all, bcast = box->bcast;
    /* What is told to all covers what waited until then. */
    box->silent = all;
    box->at = box->groups;
    box->client = 0;
    box->groups = NULL;
    box->groups_end = &box->groups;
    if (all) {
        box->all = false;
        begin_round(box, ROUND_ALL);
    } else if (bcast) {
        box->bcast = false;
        begin_round(box, ROUND_BCAST);
    } else if (box->owed) {
        box->owed = false;
        begin_round(box, ROUND_OWED);
    } else if (box->keys) {
        take_keys(box);
        begin_round(box, ROUND_TOLD);
    }
    bool found = box->at || box->round.kind != ROUND_NONE;
    if (!found)
        box->posted = false;
    pthread_mutex_unlock(&box->lock);
    if (box->round.kind == ROUND_TOLD)
        sort_keys(tracking, &box->round);
    return found;
}

/* ---------------------------------------------------------------- telling */

static void tell_all(struct tracker *tracker)
{
    tracker->owed = false;
    tracking_push(tracker, tracker->tracking->all);
}

/* The keys of a round, for one of its prefixes. */
static void tell_prefix(struct tracker *tracker, struct round *round,
                        const struct track_prefix *prefix)
{
    struct server *server = tracker->tracking->server;
    bool noloop = tracker->mode & TRACKING_NOLOOP, none = false;
    uint64_t self = conn_session(tracker->conn)->id;
    struct push *push;
    if (!noloop && round->made_for == prefix) {
        push = round->made;
    } else {
        push =
            tracking_push_keys(server, round, prefix, noloop ? self : 0, &none);
        if (!push && !none)
            tell_all(tracker);
    }
    if (push)
        tracking_push(tracker, push);
    if (noloop) {
        push_unref(push);
    } else if (push != round->made) {
        push_unref(round->made);
        round->made = push;
        round->made_for = prefix;
    }
}

static void tell_round(struct tracker *tracker, struct round *round)
{
    bool bcast = tracker->mode & TRACKING_BCAST;
    switch (round->kind) {
    case ROUND_ALL:
        tell_all(tracker);
        break;
    case ROUND_BCAST:
        if (bcast)
            tell_all(tracker);
        break;
    case ROUND_OWED:
        if (tracker->owed)
            tell_all(tracker);
        break;
    case ROUND_TOLD:
        for (size_t i = 0; bcast && i < tracker->prefix_count; i++)
            tell_prefix(tracker, round, tracker->prefixes[i]);
        break;
    case ROUND_NONE:
        break;
    }
}

static void tell_reader(struct worker *worker, const struct track_key *key,
                        uint64_t client)
{
    struct conn *conn = worker_conn(worker, client);
    struct tracker *tracker = conn ? conn_session(conn)->tracker : NULL;
    if (!tracker || tracker->mode & TRACKING_BCAST)
        return;
    struct push *push = tracking_push_key(worker->server, key->bytes, key->len);
    if (push)
        tracking_push(tracker, push);
    else
        tell_all(tracker);
    push_unref(push);
}

/* One reader of the group that is being told, or its end. */
static void go_on_group(struct worker *worker, struct outbox *box)
{
    struct track_group *group = box->at;
    uint64_t client = box->silent ? 0 : track_next_client(group, &box->client);
    if (client != 0) {
        tell_reader(worker, group->key, client);
        return;
    }
    box->at = group->next;
    box->client = 0;
    track_release(worker->server->tracking->table, group);
}

static void go_on_round(struct tracking *tracking, struct outbox *box)
{
    struct round *round = &box->round;
    struct tracker *tracker = round->next;
    if (!tracker) {
        end_round(tracking, round);
        return;
    }
    round->next = tracker->next;
    tell_round(tracker, round);
}

/* ------------------------------------------------------------- delivering */

/* Some of what there is to be told; false: that was all. */
static bool deliver_some(struct worker *worker)
{
    struct tracking *tracking = worker->server->tracking;
    struct outbox *box = &tracking->outboxes[worker->id];
    for (int i = 0; i < TRACKING_CLIENTS && !worker_push_full(worker); i++) {
        if (box->round.kind != ROUND_NONE)
            go_on_round(tracking, box);
        else if (box->at)
            go_on_group(worker, box);
        else if (!take(tracking, box))
            return false;
    }
    return true;
}

/* A piece at a time, with others' turns in between. */
static void deliver(struct worker *worker, void *ctx)
{
    (void)ctx;
    if (deliver_some(worker))
        worker_post(worker, deliver, NULL);
    if (worker_push_full(worker))
        worker_send_pushes(worker);
}

/* True if the worker is to be woken. */
static bool begin_delivery(struct outbox *box)
{
    pthread_mutex_lock(&box->lock);
    bool wake_it = !box->posted;
    box->posted = true;
    pthread_mutex_unlock(&box->lock);
    return wake_it;
}

/* Its own clients a worker tells at once, before the reply to whoever made the
 * change.  What is redirected to clients of other workers is on its way for a
 * while: who makes much of it waits. */
void tracking_send(struct server *server, struct conn *by)
{
    struct tracking *tracking = server->tracking;
    struct worker *own = by ? conn_worker(by) : NULL;
    if (atomic_load_explicit(&tracking->waiting, memory_order_relaxed) == 0)
        return;
    uint64_t waiting = atomic_exchange(&tracking->waiting, 0);
    for (unsigned i = 0; waiting >> i; i++) {
        struct worker *worker = &server->workers[i];
        if ((waiting >> i & 1) && begin_delivery(&tracking->outboxes[i]) &&
            (worker != own || deliver_some(worker)))
            worker_post(worker, deliver, NULL);
    }
    if (by && push_crowded(server))
        conn_hold_back(by);
}
