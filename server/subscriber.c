/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients are subscribed to. */

#include <assert.h>
#include <search.h>
#include <stdlib.h>

#include "conn.h"
#include "limits.h"
#include "notify.h"
#include "publish.h"
#include "pubsub.h"
#include "server.h"
#include "vet.h"
#include "worker.h"

enum {
    CLEAR_SLICE = 256, /* subscriptions taken apart at one time */
    /* Half as much again for the allocator, as for other memory of clients. */
    SUBSCRIPTION_BYTES =
        (sizeof(struct subscription) + TOPIC_NODE_BYTES) * 3 / 2,
    SUBSCRIBER_BYTES = sizeof(struct subscriber) * 3 / 2,
};

static int compare_subscriptions(const void *a, const void *b)
{
    const struct subscription *x = a, *y = b;
    return topic_compare(x->topic, y->topic);
}

static struct subscription *find(const struct subscriber *subscriber,
                                 struct topic *key)
{
    struct subscription probe = {.topic = key};
    if (!subscriber)
        return NULL;
    struct subscription *const *found =
        tfind(&probe, &subscriber->tree, compare_subscriptions);
    return found ? *found : NULL;
}

size_t subscriber_count(const struct subscriber *subscriber,
                        enum topic_kind kind)
{
    return subscriber ? subscriber->counts[kind] : 0;
}

bool subscriber_listens(const struct subscriber *subscriber)
{
    return subscriber && subscriber->counts[TOPIC_CHANNEL] +
                                 subscriber->counts[TOPIC_PATTERN] +
                                 subscriber->counts[TOPIC_SHARD] >
                             0;
}

size_t subscriber_count_all(const struct subscriber *subscriber)
{
    size_t all = 0;
    for (int kind = 0; subscriber && kind < TOPIC_KINDS; kind++)
        all += subscriber->counts[kind];
    return all;
}

struct topic *subscriber_any(const struct subscriber *subscriber,
                             enum topic_kind kind)
{
    return subscriber_count(subscriber, kind) > 0
               ? subscriber->first[kind]->topic
               : NULL;
}

static struct subscriber *subscriber_of(struct conn *conn,
                                        struct pubsub *pubsub)
{
    struct session *session = conn_session(conn);
    if (session->subscriber)
        return session->subscriber;
    if (!pubsub_pay(pubsub, SUBSCRIBER_BYTES))
        return NULL;
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (!subscriber) {
        pubsub_repay(pubsub, SUBSCRIBER_BYTES);
        return NULL;
    }
    subscriber->conn = conn;
    subscriber->worker = conn_worker(conn);
    subscriber->vetted = session->channels_since;
    for (int kind = 0; kind < TOPIC_KINDS; kind++)
        subscriber->end[kind] = &subscriber->first[kind];
    session->subscriber = subscriber;
    return subscriber;
}

static void drop_subscriber(struct pubsub *pubsub,
                            struct subscriber *subscriber)
{
    assert(subscriber_count_all(subscriber) == 0);
    if (subscriber->conn)
        conn_session(subscriber->conn)->subscriber = NULL;
    free(subscriber->vet);
    free(subscriber);
    pubsub_repay(pubsub, SUBSCRIBER_BYTES);
}

/* First of its topic's, last of its subscriber's. */
static void enlist(struct subscription *one, struct subscription **first,
                   struct subscription ***end)
{
    one->next = *first;
    one->link = first;
    if (one->next)
        one->next->link = &one->next;
    *first = one;
    one->mine = *end;
    **end = one;
    *end = &one->other;
}

/* Paid for.  NULL: no room. */
static struct subscription *make(struct pubsub *pubsub,
                                 struct subscriber *subscriber,
                                 const struct topic *key)
{
    unsigned worker = subscriber->worker->id;
    struct subscription *one = calloc(1, sizeof *one);
    struct topic *topic = one ? pubsub_join(pubsub, key, worker) : NULL;
    if (topic) {
        one->topic = topic;
        one->subscriber = subscriber;
        if (tsearch(one, &subscriber->tree, compare_subscriptions)) {
            enlist(one, &topic->subscriptions[worker],
                   &subscriber->end[key->kind]);
            return one;
        }
        pubsub_leave(pubsub, topic, worker);
    }
    free(one);
    return NULL;
}

enum subscribe_result subscribe(struct conn *conn, enum topic_kind kind,
                                const struct arg *name)
{
    struct pubsub *pubsub = conn_worker(conn)->server->pubsub;
    struct topic key;
    topic_key(&key, kind, name);
    struct subscriber *subscriber = subscriber_of(conn, pubsub);
    if (find(subscriber, &key))
        return SUBSCRIBE_DONE;
    if (!subscriber)
        return SUBSCRIBE_FULL;
    size_t had = subscriber_count_all(subscriber);
    if (had >= LIMIT_SUBSCRIPTIONS)
        return SUBSCRIBE_MANY;
    bool listened = subscriber_listens(subscriber);
    if (pubsub_pay(pubsub, SUBSCRIPTION_BYTES)) {
        if (make(pubsub, subscriber, &key)) {
            subscriber->counts[kind]++;
            if (!listened && subscriber_listens(subscriber))
                pubsub_count_client(pubsub, 1);
            notify_attend(conn_worker(conn)->server);
            return SUBSCRIBE_DONE;
        }
        pubsub_repay(pubsub, SUBSCRIPTION_BYTES);
    }
    if (had == 0)
        drop_subscriber(pubsub, subscriber);
    return SUBSCRIBE_FULL;
}

static void end(struct pubsub *pubsub, struct subscription *one)
{
    struct subscriber *subscriber = one->subscriber;
    struct topic *topic = one->topic;
    publish_forget(subscriber->worker, one);
    vet_forget(subscriber, one);
    tdelete(one, &subscriber->tree, compare_subscriptions);
    *one->link = one->next;
    if (one->next)
        one->next->link = one->link;
    *one->mine = one->other;
    if (one->other)
        one->other->mine = one->mine;
    else
        subscriber->end[topic->kind] = one->mine;
    bool listened = subscriber_listens(subscriber);
    subscriber->counts[topic->kind]--;
    if (listened && !subscriber_listens(subscriber))
        pubsub_count_client(pubsub, -1);
    pubsub_leave(pubsub, topic, subscriber->worker->id);
    free(one);
    pubsub_repay(pubsub, SUBSCRIPTION_BYTES);
}

bool unsubscribe(struct conn *conn, enum topic_kind kind,
                 const struct arg *name)
{
    struct pubsub *pubsub = conn_worker(conn)->server->pubsub;
    struct subscriber *subscriber = conn_session(conn)->subscriber;
    struct topic key;
    topic_key(&key, kind, name);
    struct subscription *one = find(subscriber, &key);
    if (!one)
        return false;
    end(pubsub, one);
    if (subscriber_count_all(subscriber) == 0)
        drop_subscriber(pubsub, subscriber);
    notify_attend(conn_worker(conn)->server);
    return true;
}

bool subscriber_clear(struct subscriber **gone)
{
    size_t left = CLEAR_SLICE;
    while (*gone) {
        struct subscriber *subscriber = *gone;
        struct server *server = subscriber->worker->server;
        struct pubsub *pubsub = server->pubsub;
        for (int kind = 0; kind < TOPIC_KINDS; kind++)
            for (; subscriber->first[kind]; left--) {
                if (left == 0)
                    return true;
                end(pubsub, subscriber->first[kind]);
            }
        *gone = subscriber->next;
        drop_subscriber(pubsub, subscriber);
        notify_attend(server);
    }
    return false;
}

void subscriber_leave(struct conn *conn)
{
    struct session *session = conn_session(conn);
    struct subscriber *subscriber = session->subscriber;
    if (!subscriber)
        return;
    session->subscriber = NULL;
    subscriber->conn = NULL;
    publish_bury(subscriber->worker, subscriber);
}
