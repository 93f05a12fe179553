/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of channels and patterns. */

#include "pubsub.h"

#include <assert.h>
#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "pool.h"
#include "server.h"

enum {
    POOL_SHARE = 4, /* part of the pool */
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

bool pubsub_pay(struct pubsub *pubsub, size_t bytes)
{
    struct pool *pool = pubsub->server->pool;
    size_t all = atomic_fetch_add(&pubsub->bytes, bytes) + bytes;
    if (all <= pool_limit(pool) / POOL_SHARE && pool_demand(pool, bytes))
        return true;
    atomic_fetch_sub(&pubsub->bytes, bytes);
    return false;
}

void pubsub_repay(struct pubsub *pubsub, size_t bytes)
{
    pool_give(pubsub->server->pool, bytes);
    atomic_fetch_sub(&pubsub->bytes, bytes);
}

/* Half as much again for the allocator, as for other memory of clients. */
static size_t topic_bytes(const struct pubsub *pubsub, size_t len)
{
    const struct topic *topic;
    size_t bytes = sizeof *topic + len + TOPIC_NODE_BYTES +
                   pubsub->server->worker_count * sizeof *topic->subscriptions;
    return bytes + bytes / 2;
}

/* ----------------------------------------------------------------- topics */

int topic_compare(const void *a, const void *b)
{
    const struct topic *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return x->len > 0 ? memcmp(x->name, y->name, x->len) : 0;
}

void topic_key(struct topic *key, enum topic_kind kind, const struct arg *name)
{
    *key = (struct topic){.kind = kind, .len = name->len, .name = name->ptr};
}

struct topic *pubsub_find(struct pubsub *pubsub, enum topic_kind kind,
                          const struct arg *name)
{
    struct topic key;
    topic_key(&key, kind, name);
    struct topic *const *found = tfind(&key, &pubsub->tree, topic_compare);
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
    if (!pubsub_pay(pubsub, bytes))
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
    if (!tsearch(topic, &pubsub->tree, topic_compare))
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
    pubsub_repay(pubsub, bytes);
    return NULL;
}

/* If nobody needs it any more. */
static void drop_topic(struct pubsub *pubsub, struct topic *topic)
{
    if (topic->subscribers > 0 || topic->pins > 0)
        return;
    tdelete(topic, &pubsub->tree, topic_compare);
    *topic->link = topic->next;
    if (topic->next)
        topic->next->link = topic->link;
    else
        pubsub->end[topic->kind] = topic->link;
    pubsub->topics[topic->kind]--;
    if (topic->kind == TOPIC_MONITOR)
        changes_listen(pubsub->server, LISTENER_MONITOR, 0);
    pubsub_repay(pubsub, topic_bytes(pubsub, topic->len));
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

struct topic *pubsub_join(struct pubsub *pubsub, const struct topic *key,
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

void pubsub_leave(struct pubsub *pubsub, struct topic *topic, unsigned worker)
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

void pubsub_count_client(struct pubsub *pubsub, int more)
{
    atomic_fetch_add(&pubsub->clients, (size_t)(ptrdiff_t)more);
}

/* Who has about the average or more: a subscription takes a quarter at least of
 * what it and its topic take. */
size_t pubsub_too_many(const struct pubsub *pubsub)
{
    size_t share = pool_limit(pubsub->server->pool) / POOL_SHARE;
    size_t bytes = atomic_load_explicit(&pubsub->bytes, memory_order_relaxed);
    size_t clients = pubsub_clients(pubsub) + 1;
    if (bytes <= share + share / 2)
        return SIZE_MAX;
    return bytes / 4 / sizeof(struct subscription) / clients;
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

enum text_match pubsub_match(struct text_glob *glob, const struct arg *pattern,
                             const struct arg *channel, size_t *steps)
{
    if (channel->len == 0 && pattern->len > 0)
        return TEXT_NO;
    return text_glob_some(glob, pattern->ptr, pattern->len, channel->ptr,
                          channel->len, false, steps);
}
