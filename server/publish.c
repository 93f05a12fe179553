/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds who is to get a message, and brings it there. */

#include "publish.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "round.h"
#include "server.h"
#include "vet.h"
#include "worker.h"

enum {
    SLICE_STEPS = 16384, /* of matching patterns, before others have a turn */
    LOCKED_STEPS = 2048, /* of these, with the table locked */
    TOPIC_STEPS = 8,     /* what looking at a pattern costs beside */
    DELIVER_MOST = 512 * 1024, /* bytes in one slice */
    DELIVER_EACH = 512,        /* what a push costs beside its own */
    RUN_MOST = 256,            /* messages that go to each client together */
    RUN_BYTES = 8 * 1024,
    DELIVERY_BYTES = 128,
};

/* ----------------------------------------------------------- the worker's */

struct delivery {
    struct delivery *next;
    struct topic *topic; /* pinned */
    struct push *push;
    size_t work; /* see push_work */
};

struct delivering {
    struct worker *worker;
    struct delivery *first, **end;
    /* The first ones, if they are for the same clients, make a run: each client
     * gets all of it at once, with one write. */
    struct delivery *last;   /* of it; NULL: none is begun */
    struct subscription *at; /* who gets it next */
    struct event *go_on;
    struct subscriber *gone;
};

static void delivery_free(void *ctx)
{
    struct delivery *delivery = ctx;
    struct server *server = delivery->push->server;
    topic_release(server->pubsub, delivery->topic);
    push_unref(delivery->push);
    push_account(server, -DELIVERY_BYTES);
    push_work(server, -(ptrdiff_t)delivery->work);
    free(delivery);
}

static void begin_run(struct delivering *delivering)
{
    struct topic *topic = delivering->first->topic;
    struct delivery *delivery = delivering->first;
    size_t count = 0, bytes = 0;
    do {
        delivering->last = delivery;
        count++;
        bytes += delivery->push->len;
        delivery = delivery->next;
    } while (delivery && delivery->topic == topic && count < RUN_MOST &&
             bytes + delivery->push->len <= RUN_BYTES);
    delivering->at = topic->subscriptions[delivering->worker->id];
}

static void end_run(struct delivering *delivering)
{
    bool last = false;
    while (!last) {
        struct delivery *done = delivering->first;
        last = done == delivering->last;
        delivering->first = done->next;
        delivery_free(done);
    }
    if (!delivering->first)
        delivering->end = &delivering->first;
    delivering->last = NULL;
}

/* To some subscribers; how many bytes. */
static size_t deliver_run(struct delivering *delivering, size_t most)
{
    struct worker *worker = delivering->worker;
    size_t bytes = 0;
    while (delivering->at && bytes < most && !worker_push_full(worker)) {
        struct conn *conn = delivering->at->subscriber->conn;
        bool hears = conn && subscriber_hears(conn, delivering->first->topic);
        delivering->at = delivering->at->next;
        for (const struct delivery *one = delivering->first;; one = one->next) {
            if (hears)
                conn_push(conn, one->push);
            bytes += DELIVER_EACH + one->push->len;
            if (one == delivering->last)
                break;
        }
    }
    return bytes;
}

/* By a timer, so that the loop looks at sockets in between. */
static void wake(struct delivering *delivering)
{
    const struct timeval at_once = {0, 0};
    if (!event_pending(delivering->go_on, EV_TIMEOUT, NULL))
        event_add(delivering->go_on, &at_once);
}

static void deliver_some(struct delivering *delivering)
{
    size_t left = DELIVER_MOST;
    while (delivering->first && left > 0) {
        if (!delivering->last)
            begin_run(delivering);
        left -= less_of(left, deliver_run(delivering, left));
        if (!delivering->at)
            end_run(delivering);
        if (worker_push_full(delivering->worker)) {
            worker_send_pushes(delivering->worker);
            break;
        }
    }
    if (delivering->first)
        wake(delivering);
}

static void on_go_on(evutil_socket_t fd, short what, void *ctx)
{
    struct delivering *delivering = ctx;
    (void)fd, (void)what;
    if (subscriber_clear(&delivering->gone))
        wake(delivering);
    deliver_some(delivering);
}

static void arrive(struct worker *worker, void *ctx)
{
    struct delivering *delivering = worker->delivering;
    struct delivery *delivery = ctx;
    bool waits = delivering->first != NULL;
    *delivering->end = delivery;
    delivering->end = &delivery->next;
    if (waits)
        return;
    if (round_parts(worker) == 1)
        deliver_some(delivering);
    else
        wake(delivering); /* there are many of them at once */
}

struct delivering *delivering_new(struct worker *worker)
{
    struct delivering *delivering = calloc(1, sizeof *delivering);
    if (!delivering)
        return NULL;
    delivering->worker = worker;
    delivering->end = &delivering->first;
    delivering->go_on = event_new(worker->base, -1, 0, on_go_on, delivering);
    if (delivering->go_on)
        return delivering;
    free(delivering);
    return NULL;
}

void delivering_free(struct delivering *delivering)
{
    if (!delivering)
        return;
    while (delivering->first) {
        delivering->last = delivering->first;
        end_run(delivering);
    }
    while (subscriber_clear(&delivering->gone))
        ;
    event_free(delivering->go_on);
    free(delivering);
}

void publish_forget(struct worker *worker, struct subscription *subscription)
{
    struct delivering *delivering = worker->delivering;
    if (delivering->at == subscription)
        delivering->at = subscription->next;
}

void publish_bury(struct worker *worker, struct subscriber *subscriber)
{
    struct delivering *delivering = worker->delivering;
    bool waits = delivering->gone != NULL;
    subscriber->next = delivering->gone;
    delivering->gone = subscriber;
    if (!waits && subscriber_clear(&delivering->gone))
        wake(delivering);
}

/* ---------------------------------------------------------- the publisher's */

/* To be called with the table locked: the topic stays for those to come. */
static uint64_t address(struct topic *topic)
{
    for (uint64_t left = topic->workers; left; left &= left - 1)
        pubsub_pin(topic, 1);
    return topic->workers;
}

/* To the workers, for so many receivers; `topic` has a pin for each worker. */
static void post(struct server *server, struct topic *topic, uint64_t workers,
                 size_t receivers, struct push *push)
{
    size_t work = (push->len + PUSH_EFFORT) * receivers;
    if (workers != 0)
        work /= (size_t)__builtin_popcountll(workers);
    for (unsigned w = 0; w < server->worker_count; w++) {
        if (!(workers >> w & 1))
            continue;
        struct delivery *delivery = malloc(sizeof *delivery);
        if (!delivery)
            abort(); /* as mailbox_post does */
        *delivery = (struct delivery){NULL, topic, push, work};
        push_ref(push);
        push_work(server, (ptrdiff_t)work);
        push_account(server, DELIVERY_BYTES);
        worker_post_owned(&server->workers[w], arrive, delivery, delivery_free);
    }
}

static struct push *encode(struct server *server, const struct topic *topic,
                           const struct publication *publication)
{
    static const struct arg words[] = {
        [TOPIC_CHANNEL] = {"message", 7},
        [TOPIC_PATTERN] = {"pmessage", 8},
        [TOPIC_SHARD] = {"smessage", 8},
    };
    struct arg parts[4];
    size_t count = 0, size = 0;
    parts[count++] = words[topic->kind];
    if (topic->kind == TOPIC_PATTERN)
        parts[count++] = (struct arg){topic->name, topic->len};
    parts[count++] = publication->channel;
    parts[count++] = publication->message;
    for (size_t i = 0; i < count; i++)
        size += push_bulk_size(parts[i].len);
    struct push *push = push_new(server, push_header_size(count) + size);
    if (!push)
        return NULL;
    char *to = push_put_header(push->bytes, '>', count);
    for (size_t i = 0; i < count; i++)
        to = push_put_bulk(to, parts[i].ptr, parts[i].len);
    return push;
}

/* To all who are subscribed to the topic; with the table locked, which it is
 * not meanwhile.  The topic is pinned. */
static void publish_to(struct server *server, struct topic *topic,
                       struct publication *publication)
{
    struct pubsub *pubsub = server->pubsub;
    size_t receivers = topic->subscribers;
    uint64_t workers = address(topic);
    pubsub_unlock(pubsub);
    struct push *push = encode(server, topic, publication);
    if (push) {
        publication->receivers += receivers;
        post(server, topic, workers, receivers, push);
        push_unref(push);
    }
    pubsub_lock(pubsub);
    if (!push) {
        publication->failed = true;
        for (; workers; workers &= workers - 1)
            pubsub_unpin(pubsub, topic);
    }
}

static void begin(struct server *server, struct publication *publication)
{
    struct pubsub *pubsub = server->pubsub;
    struct topic *topic =
        pubsub_find(pubsub, publication->kind, &publication->channel);
    publication->begun = true;
    if (topic && topic->subscribers > 0) {
        pubsub_pin(topic, 1);
        publish_to(server, topic, publication);
        pubsub_unpin(pubsub, topic);
    }
    if (publication->kind == TOPIC_CHANNEL)
        publication->at = pubsub_first(pubsub, TOPIC_PATTERN);
    if (publication->at)
        pubsub_pin(publication->at, 1);
}

/* Matches for a while; false: the steps ran out. */
static bool match_some(struct server *server, struct publication *publication,
                       size_t steps)
{
    struct pubsub *pubsub = server->pubsub;
    const struct arg *channel = &publication->channel;
    struct topic *topic;
    while ((topic = publication->at) != NULL && !publication->failed) {
        if (steps < TOPIC_STEPS || push_crowded(server))
            return false;
        steps -= TOPIC_STEPS;
        const struct arg pattern = {topic->name, topic->len};
        enum text_match match =
            pubsub_match(&publication->glob, &pattern, channel, &steps);
        if (match == TEXT_MORE)
            return false;
        publication->glob = (struct text_glob){0};
        if (match == TEXT_YES && topic->subscribers > 0)
            publish_to(server, topic, publication);
        publication->at = topic->next;
        if (topic->next)
            pubsub_pin(topic->next, 1);
        pubsub_unpin(pubsub, topic);
    }
    return true;
}

bool publish_some(struct publication *publication)
{
    struct server *server = publication->server;
    struct pubsub *pubsub = server->pubsub;
    bool done = false;
    if (!publication->begun && pubsub_topics(pubsub, publication->kind) == 0 &&
        (publication->kind != TOPIC_CHANNEL ||
         pubsub_topics(pubsub, TOPIC_PATTERN) == 0))
        return true;
    for (int i = 0; i < SLICE_STEPS / LOCKED_STEPS && !done; i++) {
        pubsub_lock(pubsub);
        if (!publication->begun)
            begin(server, publication);
        done = match_some(server, publication, LOCKED_STEPS);
        pubsub_unlock(pubsub);
    }
    if (publication->failed)
        publish_drop(publication);
    return done;
}

void publish_drop(struct publication *publication)
{
    struct pubsub *pubsub = publication->server->pubsub;
    if (!publication->at)
        return;
    topic_release(pubsub, publication->at);
    publication->at = NULL;
}

void publish_bytes(struct server *server, enum topic_kind kind,
                   struct push *push)
{
    struct pubsub *pubsub = server->pubsub;
    uint64_t workers = 0;
    size_t receivers = 0;
    pubsub_lock(pubsub);
    struct topic *topic = pubsub_first(pubsub, kind);
    if (topic) {
        workers = address(topic);
        receivers = topic->subscribers;
    }
    pubsub_unlock(pubsub);
    post(server, topic, workers, receivers, push);
    push_unref(push);
}
