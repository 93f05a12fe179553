/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of channels and patterns, and the subscriptions of clients. */

#include "pubsub.h"

#include <assert.h>
#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "conn.h"
#include "limits.h"
#include "notify.h"
#include "pool.h"
#include "publish.h"
#include "server.h"
#include "worker.h"

enum {
    POOL_SHARE = 4,   /* part of the pool */
    NODE_BYTES = 48,  /* of a tree, with what the allocator adds */
    CLEAR_SLICE = 256 /* subscriptions taken apart at one time */
};

struct pubsub {
    struct server *server;
    pthread_mutex_t lock;
    void *tree; /* of struct topic */
    struct topic *first[TOPIC_KINDS], **end[TOPIC_KINDS];
    _Atomic size_t topics[TOPIC_KINDS];
    _Atomic size_t clients;
    _Atomic size_t bytes; /* of the pool */
};

struct pubsub *pubsub_new(struct server *server)
{
    struct pubsub *pubsub = calloc(1, sizeof *pubsub);
    if (!pubsub)
        return NULL;
    pubsub->server = server;
    pthread_mutex_init(&pubsub->lock, NULL);
    for (int kind = 0; kind < TOPIC_KINDS; kind++)
        pubsub->end[kind] = &pubsub->first[kind];
    return pubsub;
}

void pubsub_free(struct pubsub *pubsub)
{
    if (!pubsub)
        return;
    assert(pubsub->bytes == 0);
    pthread_mutex_destroy(&pubsub->lock);
    free(pubsub);
}

void pubsub_lock(struct pubsub *pubsub)
{
    pthread_mutex_lock(&pubsub->lock);
}

void pubsub_unlock(struct pubsub *pubsub)
{
    pthread_mutex_unlock(&pubsub->lock);
}

/* ----------------------------------------------------------------- memory */

static bool pay(struct pubsub *pubsub, size_t bytes)
{
    struct pool *pool = pubsub->server->pool;
    size_t got = 0;
    if (atomic_fetch_add(&pubsub->bytes, bytes) + bytes <=
        pool_limit(pool) / POOL_SHARE)
        got = pool_take(pool, bytes);
    if (got == bytes)
        return true;
    atomic_fetch_sub(&pubsub->bytes, bytes);
    pool_give(pool, got);
    return false;
}

static void repay(struct pubsub *pubsub, size_t bytes)
{
    pool_give(pubsub->server->pool, bytes);
    atomic_fetch_sub(&pubsub->bytes, bytes);
}

/* Half as much again for the allocator, as for other memory of clients. */
static size_t topic_bytes(const struct pubsub *pubsub, size_t len)
{
    const struct topic *topic;
    size_t bytes = sizeof *topic + len + NODE_BYTES +
                   pubsub->server->worker_count * sizeof *topic->subscriptions;
    return bytes + bytes / 2;
}

enum {
    SUBSCRIPTION_BYTES = (sizeof(struct subscription) + NODE_BYTES) * 3 / 2,
    SUBSCRIBER_BYTES = sizeof(struct subscriber) * 3 / 2,
};

/* ----------------------------------------------------------------- topics */

static int compare_topics(const void *a, const void *b)
{
    const struct topic *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return x->len > 0 ? memcmp(x->name, y->name, x->len) : 0;
}

static struct topic key_of(enum topic_kind kind, const struct arg *name)
{
    return (struct topic){.kind = kind, .len = name->len, .name = name->ptr};
}

struct topic *pubsub_find(struct pubsub *pubsub, enum topic_kind kind,
                          const struct arg *name)
{
    struct topic key = key_of(kind, name);
    struct topic *const *found = tfind(&key, &pubsub->tree, compare_topics);
    return found ? *found : NULL;
}

struct topic *pubsub_first(struct pubsub *pubsub, enum topic_kind kind)
{
    return pubsub->first[kind];
}

/* A new one, without subscribers; NULL: no room. */
static struct topic *add_topic(struct pubsub *pubsub, const struct topic *key)
{
    size_t lists = pubsub->server->worker_count * sizeof *key->subscriptions;
    size_t bytes = topic_bytes(pubsub, key->len);
    struct topic *topic;
    if (!pay(pubsub, bytes))
        return NULL;
    topic = calloc(1, sizeof *topic + lists + key->len);
    if (!topic)
        goto no_memory;
    char *name = (char *)topic + sizeof *topic + lists;
    if (key->len > 0)
        memcpy(name, key->name, key->len);
    topic->kind = key->kind;
    topic->len = key->len;
    topic->name = name;
    if (!tsearch(topic, &pubsub->tree, compare_topics))
        goto no_memory;
    topic->link = pubsub->end[topic->kind];
    *topic->link = topic;
    pubsub->end[topic->kind] = &topic->next;
    pubsub->topics[topic->kind]++;
    if (topic->kind == TOPIC_MONITOR)
        changes_listen(pubsub->server, LISTENER_MONITOR, 1);
    return topic;
no_memory:
    free(topic);
    repay(pubsub, bytes);
    return NULL;
}

/* If nobody needs it any more. */
static void drop_topic(struct pubsub *pubsub, struct topic *topic)
{
    if (topic->subscribers > 0 || topic->pins > 0)
        return;
    tdelete(topic, &pubsub->tree, compare_topics);
    *topic->link = topic->next;
    if (topic->next)
        topic->next->link = topic->link;
    else
        pubsub->end[topic->kind] = topic->link;
    pubsub->topics[topic->kind]--;
    if (topic->kind == TOPIC_MONITOR)
        changes_listen(pubsub->server, LISTENER_MONITOR, 0);
    repay(pubsub, topic_bytes(pubsub, topic->len));
    free(topic);
}

void pubsub_pin(struct topic *topic, size_t count)
{
    topic->pins += count;
}

void pubsub_unpin(struct pubsub *pubsub, struct topic *topic)
{
    assert(topic->pins > 0);
    topic->pins--;
    drop_topic(pubsub, topic);
}

void topic_hold(struct pubsub *pubsub, struct topic *topic)
{
    pubsub_lock(pubsub);
    pubsub_pin(topic, 1);
    pubsub_unlock(pubsub);
}

void topic_release(struct pubsub *pubsub, struct topic *topic)
{
    pubsub_lock(pubsub);
    pubsub_unpin(pubsub, topic);
    pubsub_unlock(pubsub);
}

static struct topic *join(struct pubsub *pubsub, const struct topic *key,
                          unsigned worker)
{
    const struct arg name = {key->name, key->len};
    pubsub_lock(pubsub);
    struct topic *topic = pubsub_find(pubsub, key->kind, &name);
    if (!topic)
        topic = add_topic(pubsub, key);
    if (topic) {
        topic->subscribers++;
        topic->workers |= UINT64_C(1) << worker;
    }
    pubsub_unlock(pubsub);
    return topic;
}

static void leave(struct pubsub *pubsub, struct topic *topic, unsigned worker)
{
    bool last = !topic->subscriptions[worker];
    pubsub_lock(pubsub);
    topic->subscribers--;
    if (last)
        topic->workers &= ~(UINT64_C(1) << worker);
    drop_topic(pubsub, topic);
    pubsub_unlock(pubsub);
}

size_t pubsub_topics(const struct pubsub *pubsub, enum topic_kind kind)
{
    return atomic_load_explicit(&pubsub->topics[kind], memory_order_relaxed);
}

size_t pubsub_clients(const struct pubsub *pubsub)
{
    return atomic_load_explicit(&pubsub->clients, memory_order_relaxed);
}

size_t pubsub_subscribers(struct pubsub *pubsub, enum topic_kind kind,
                          const struct arg *name)
{
    pubsub_lock(pubsub);
    const struct topic *topic = pubsub_find(pubsub, kind, name);
    size_t count = topic ? topic->subscribers : 0;
    pubsub_unlock(pubsub);
    return count;
}

/* ---------------------------------------------------------- subscriptions */

static int compare_subscriptions(const void *a, const void *b)
{
    const struct subscription *x = a, *y = b;
    return compare_topics(x->topic, y->topic);
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

static size_t count_all(const struct subscriber *subscriber)
{
    size_t all = 0;
    for (int kind = 0; kind < TOPIC_KINDS; kind++)
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
    if (!pay(pubsub, SUBSCRIBER_BYTES))
        return NULL;
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (!subscriber) {
        repay(pubsub, SUBSCRIBER_BYTES);
        return NULL;
    }
    subscriber->conn = conn;
    subscriber->worker = conn_worker(conn);
    session->subscriber = subscriber;
    return subscriber;
}

static void drop_subscriber(struct pubsub *pubsub,
                            struct subscriber *subscriber)
{
    assert(count_all(subscriber) == 0);
    if (subscriber->conn)
        conn_session(subscriber->conn)->subscriber = NULL;
    free(subscriber);
    repay(pubsub, SUBSCRIBER_BYTES);
}

static void enlist(struct subscription *one, struct subscription **first,
                   struct subscription **mine)
{
    one->next = *first;
    one->link = first;
    if (one->next)
        one->next->link = &one->next;
    *first = one;
    one->other = *mine;
    one->mine = mine;
    if (one->other)
        one->other->mine = &one->other;
    *mine = one;
}

/* Paid for.  NULL: no room. */
static struct subscription *make(struct pubsub *pubsub,
                                 struct subscriber *subscriber,
                                 const struct topic *key)
{
    unsigned worker = subscriber->worker->id;
    struct subscription *one = calloc(1, sizeof *one);
    struct topic *topic = one ? join(pubsub, key, worker) : NULL;
    if (topic) {
        one->topic = topic;
        one->subscriber = subscriber;
        if (tsearch(one, &subscriber->tree, compare_subscriptions)) {
            enlist(one, &topic->subscriptions[worker],
                   &subscriber->first[key->kind]);
            return one;
        }
        leave(pubsub, topic, worker);
    }
    free(one);
    return NULL;
}

enum subscribe_result subscribe(struct conn *conn, enum topic_kind kind,
                                const struct arg *name)
{
    struct pubsub *pubsub = conn_worker(conn)->server->pubsub;
    struct topic key = key_of(kind, name);
    struct subscriber *subscriber = subscriber_of(conn, pubsub);
    if (find(subscriber, &key))
        return SUBSCRIBE_DONE;
    if (!subscriber)
        return SUBSCRIBE_FULL;
    size_t had = count_all(subscriber);
    if (had >= LIMIT_SUBSCRIPTIONS)
        return SUBSCRIBE_MANY;
    bool listened = subscriber_listens(subscriber);
    if (pay(pubsub, SUBSCRIPTION_BYTES)) {
        if (make(pubsub, subscriber, &key)) {
            subscriber->counts[kind]++;
            if (!listened && subscriber_listens(subscriber))
                pubsub->clients++;
            notify_attend(pubsub->server);
            return SUBSCRIBE_DONE;
        }
        repay(pubsub, SUBSCRIPTION_BYTES);
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
    tdelete(one, &subscriber->tree, compare_subscriptions);
    *one->link = one->next;
    if (one->next)
        one->next->link = one->link;
    *one->mine = one->other;
    if (one->other)
        one->other->mine = one->mine;
    bool listened = subscriber_listens(subscriber);
    subscriber->counts[topic->kind]--;
    if (listened && !subscriber_listens(subscriber))
        pubsub->clients--;
    leave(pubsub, topic, subscriber->worker->id);
    free(one);
    repay(pubsub, SUBSCRIPTION_BYTES);
}

bool unsubscribe(struct conn *conn, enum topic_kind kind,
                 const struct arg *name)
{
    struct pubsub *pubsub = conn_worker(conn)->server->pubsub;
    struct subscriber *subscriber = conn_session(conn)->subscriber;
    struct topic key = key_of(kind, name);
    struct subscription *one = find(subscriber, &key);
    if (!one)
        return false;
    end(pubsub, one);
    if (count_all(subscriber) == 0)
        drop_subscriber(pubsub, subscriber);
    notify_attend(pubsub->server);
    return true;
}

bool subscriber_clear(struct subscriber **gone)
{
    size_t left = CLEAR_SLICE;
    while (*gone) {
        struct subscriber *subscriber = *gone;
        struct pubsub *pubsub = subscriber->worker->server->pubsub;
        for (int kind = 0; kind < TOPIC_KINDS; kind++)
            for (; subscriber->first[kind]; left--) {
                if (left == 0)
                    return true;
                end(pubsub, subscriber->first[kind]);
            }
        *gone = subscriber->next;
        struct server *server = pubsub->server;
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
