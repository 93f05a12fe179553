/* SPDX-License-Identifier: BSD-3-Clause */
/* Client-side caching: who wants it, what they read, and what changes. */

#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "conn.h"
#include "tracking_core.h"

enum { MAKE_ROOM = 2 }; /* keys that go for one that is remembered */

struct tracking *tracking_new(struct server *server)
{
    unsigned workers = server->worker_count;
    size_t size = sizeof(struct tracking) + workers * sizeof(struct outbox);
    struct tracking *tracking = aligned_alloc(_Alignof(struct tracking), size);
    if (!tracking)
        return NULL;
    memset(tracking, 0, size);
    tracking->server = server;
    tracking->table = track_table_new(server->pool);
    tracking->prefixes = track_prefixes_new(workers);
    pthread_mutex_init(&tracking->lock, NULL);
    for (unsigned i = 0; i < workers; i++)
        outbox_init(&tracking->outboxes[i]);
    if (tracking->table && tracking->prefixes && tracking_make_all(tracking))
        return tracking;
    tracking_free(tracking);
    return NULL;
}

void tracking_free(struct tracking *tracking)
{
    if (!tracking)
        return;
    if (tracking->table)
        for (unsigned i = 0; i < tracking->server->worker_count; i++)
            outbox_release(tracking, &tracking->outboxes[i]);
    track_table_free(tracking->table);
    track_prefixes_free(tracking->prefixes);
    free(tracking->all); /* its own: see tracking_make_all */
    free(tracking->all_message);
    pthread_mutex_destroy(&tracking->lock);
    free(tracking);
}

void tracking_set_max(struct tracking *tracking, uint64_t keys)
{
    track_set_max(tracking->table, keys);
}

/* ------------------------------------------------------ what clients want */

static void count_in(struct tracking *tracking)
{
    pthread_mutex_lock(&tracking->lock);
    if (tracking->clients++ == 0)
        changes_listen(tracking->server, LISTENER_TRACKING, CHANGES_REAL);
    pthread_mutex_unlock(&tracking->lock);
}

/* Without a client there is nobody to be told: what was remembered goes. */
static void count_out(struct tracking *tracking)
{
    pthread_mutex_lock(&tracking->lock);
    if (--tracking->clients == 0) {
        changes_listen(tracking->server, LISTENER_TRACKING, 0);
        track_clear(tracking->table);
    }
    pthread_mutex_unlock(&tracking->lock);
}

static struct outbox *outbox_of(const struct tracker *tracker)
{
    return &tracker->tracking->outboxes[tracker->worker->id];
}

static struct tracker *begin(struct call *call)
{
    struct tracker *tracker = calloc(1, sizeof *tracker);
    if (!tracker)
        return NULL;
    tracker->tracking = call->server->tracking;
    tracker->conn = call->conn;
    tracker->worker = call->worker;
    struct outbox *box = outbox_of(tracker);
    tracker->next = box->trackers;
    tracker->link = &box->trackers;
    if (tracker->next)
        tracker->next->link = &tracker->next;
    box->trackers = tracker;
    atomic_fetch_add(&box->count, 1);
    count_in(tracker->tracking);
    return tracker;
}

static void drop_prefixes(struct tracker *tracker)
{
    for (size_t i = 0; i < tracker->prefix_count; i++)
        track_prefix_drop(tracker->tracking->prefixes, tracker->prefixes[i],
                          tracker->worker->id);
    free(tracker->prefixes);
    tracker->prefixes = NULL;
    tracker->prefix_count = tracker->prefix_bytes = 0;
}

void tracking_off(struct tracker **at)
{
    struct tracker *tracker = *at;
    if (!tracker)
        return;
    struct outbox *box = outbox_of(tracker);
    *at = NULL;
    if (box->round.next == tracker)
        box->round.next = tracker->next;
    box->round.made_for = NULL; /* it may be freed */
    *tracker->link = tracker->next;
    if (tracker->next)
        tracker->next->link = tracker->link;
    atomic_fetch_sub(&box->count, 1);
    drop_prefixes(tracker);
    count_out(tracker->tracking);
    free(tracker);
}

/* ---------------------------------------------------------------- prefixes */

static bool has_prefix(const struct tracker *tracker, const struct arg *prefix)
{
    for (size_t i = 0; i < tracker->prefix_count; i++)
        if (tracker->prefixes[i]->len == prefix->len &&
            memcmp(tracker->prefixes[i]->bytes, prefix->ptr, prefix->len) == 0)
            return true;
    return false;
}

/* In the array, at its place. */
static void place_prefix(struct tracker *tracker, struct track_prefix *prefix)
{
    size_t i = tracker->prefix_count++;
    for (; i > 0; i--) {
        struct track_prefix *before = tracker->prefixes[i - 1];
        if (track_compare(before->bytes, before->len, prefix->bytes,
                          prefix->len) < 0)
            break;
        tracker->prefixes[i] = before;
    }
    tracker->prefixes[i] = prefix;
    tracker->prefix_bytes +=
        track_prefix_size(tracker->tracking->prefixes, prefix->len);
}

static void remove_prefix(struct tracker *tracker, const struct arg *prefix)
{
    for (size_t i = 0; i < tracker->prefix_count; i++) {
        struct track_prefix *at = tracker->prefixes[i];
        if (track_compare(at->bytes, at->len, prefix->ptr, prefix->len) != 0)
            continue;
        tracker->prefix_bytes -=
            track_prefix_size(tracker->tracking->prefixes, at->len);
        track_prefix_drop(tracker->tracking->prefixes, at, tracker->worker->id);
        memmove(tracker->prefixes + i, tracker->prefixes + i + 1,
                (--tracker->prefix_count - i) * sizeof *tracker->prefixes);
        return;
    }
}

/* All of them, or none. */
static bool add_prefixes(struct tracker *tracker, const struct arg *prefixes,
                         size_t count)
{
    struct tracking *tracking = tracker->tracking;
    size_t total = tracker->prefix_count + count;
    if (total > TRACK_PREFIXES_CLIENT)
        return false;
    struct track_prefix **array =
        realloc(tracker->prefixes, total * sizeof *array);
    if (!array)
        return false;
    tracker->prefixes = array;
    for (size_t i = 0; i < count; i++) {
        struct track_prefix *prefix =
            track_prefix_add(tracking->prefixes, prefixes[i].ptr,
                             prefixes[i].len, tracker->worker->id);
        if (prefix) {
            place_prefix(tracker, prefix);
            continue;
        }
        while (i-- > 0)
            remove_prefix(tracker, &prefixes[i]);
        return false;
    }
    return true;
}

bool tracking_on(struct call *call, unsigned mode,
                 struct tracking_redirect redirect, const struct arg *prefixes,
                 size_t count)
{
    static const struct arg every = {"", 0};
    struct session *session = call->session;
    bool is_new = session->tracker == NULL;
    if (is_new)
        session->tracker = begin(call);
    struct tracker *tracker = session->tracker;
    if (!tracker)
        return false;
    if (mode & TRACKING_BCAST) {
        if (count == 0 && !has_prefix(tracker, &every)) {
            prefixes = &every;
            count = 1;
        }
        if (count > 0 && !add_prefixes(tracker, prefixes, count)) {
            if (is_new)
                tracking_off(&session->tracker);
            return false;
        }
    }
    tracker->mode = (tracker->mode & TRACKING_CACHING) | mode;
    tracker->redirect = redirect;
    return true;
}

unsigned tracking_mode(const struct tracker *tracker)
{
    return tracker->mode;
}

void tracking_set_caching(struct tracker *tracker, bool caching)
{
    if (caching)
        tracker->mode |= TRACKING_CACHING;
    else
        tracker->mode &= ~(unsigned)TRACKING_CACHING;
}

uint64_t tracking_redirect(const struct tracker *tracker)
{
    return tracker->redirect.client;
}

size_t tracking_flags(const struct tracker *tracker, char *to)
{
    size_t count = 0;
    to[count++] = 't';
    if (tracker->mode & TRACKING_BROKEN)
        to[count++] = 'R';
    if (tracker->mode & TRACKING_BCAST)
        to[count++] = 'B';
    return count;
}

size_t tracking_prefix_count(const struct tracker *tracker)
{
    return tracker->prefix_count;
}

struct arg tracking_prefix(const struct tracker *tracker, size_t i)
{
    const struct track_prefix *prefix = tracker->prefixes[i];
    return (struct arg){(char *)prefix->bytes, prefix->len};
}

size_t tracker_bytes(const struct tracker *tracker)
{
    return sizeof *tracker + tracker->prefix_bytes +
           tracker->prefix_count * sizeof *tracker->prefixes;
}

/* ---------------------------------------------------------------- reading */

/* By mode, and CLIENT CACHING before. */
static bool wants(const struct tracker *tracker)
{
    bool caching = tracker->mode & TRACKING_CACHING;
    if (tracker->mode & TRACKING_OPTIN)
        return caching;
    if (tracker->mode & TRACKING_OPTOUT)
        return !caching;
    return !(tracker->mode & TRACKING_BCAST);
}

static uint64_t next_random(struct tracking *tracking)
{
    uint64_t random = atomic_fetch_add_explicit(
        &tracking->random, UINT64_C(0x9E3779B97F4A7C15), memory_order_relaxed);
    random = (random ^ random >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    return random ^ random >> 27;
}

void tracking_remember(struct call *call, const struct cache_key *key)
{
    struct tracker *tracker = call->session->tracker;
    struct tracking *tracking = tracker->tracking;
    if (!(call->command->flags & COMMAND_READONLY) || !wants(tracker))
        return;
    for (int tries = 0; tries <= MAKE_ROOM; tries++) {
        struct track_group *groups = NULL;
        switch (track_add(tracking->table, key, call->session->db,
                          tracker->worker->id, call->session->id)) {
        case TRACK_ADDED:
            return;
        case TRACK_FULL:
            groups = track_take_any(tracking->table, next_random(tracking));
            break;
        case TRACK_CROWD:
            groups = track_take(tracking->table, key);
            break;
        }
        tracking_tell(tracking, groups, 0);
    }
    tracking_owe(tracker);
}

void tracking_served(struct call *call)
{
    struct tracker *tracker = call->session->tracker;
    if (tracker->mode & TRACKING_CACHING && !call->in_exec &&
        !call->session->multi &&
        !(call->command && strncmp(call->command->name, "client|", 7) == 0))
        tracking_set_caching(tracker, false);
}

/* ------------------------------------------------------------- as listener */

void tracking_changed(struct server *server, const struct change *change)
{
    struct tracking *tracking = server->tracking;
    const struct session *session = change->by ? change->by->session : NULL;
    uint64_t by = session ? session->id : 0, except = 0;
    struct cache_key key =
        cache_key_of(server->cache, change->key, change->len);
    if (session && session->tracker && session->tracker->mode & TRACKING_NOLOOP)
        except = by;
    tracking_tell(tracking, track_take(tracking->table, &key), except);
    uint64_t workers =
        track_prefixes_match(tracking->prefixes, change->key, change->len);
    if (workers)
        tracking_tell_key(tracking, workers, change->key, change->len, by);
}

/* What is remembered until now is covered by what is told then; not the other
 * way round. */
void tracking_flushed(struct server *server, int db)
{
    (void)db; /* keys are names, in whatever database */
    track_clear(server->tracking->table);
    tracking_tell_all(server->tracking, false);
}

void tracking_cut(struct server *server)
{
    atomic_store(&server->tracking->cut, true);
    tracking_tell_all(server->tracking, true);
}

void tracking_state(struct tracking *tracking, struct tracking_state *state)
{
    struct track_counts counts;
    track_count(tracking->table, &counts);
    *state = (struct tracking_state){
        .clients = atomic_load(&tracking->clients),
        .keys = counts.keys,
        .items = counts.readers,
        .prefixes = track_prefixes_count(tracking->prefixes),
        .bytes = counts.bytes,
    };
}
