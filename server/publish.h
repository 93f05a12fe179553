/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PUBLISH_H
#define PUBLISH_H

/*
 * From a publisher to the subscribers.
 *
 *   publish_some: the channel's topic, then each pattern that matches
 *        |  one message for each worker with subscribers
 *     mailbox
 *        |
 *   a worker's deliveries, in order: to some subscribers at a time, so that
 *   many of them do not hold up other clients
 */

#include "protocol/text.h"
#include "pubsub.h"
#include "push.h"

struct delivering;
struct worker;

/* What a worker has to deliver. */
struct delivering *delivering_new(struct worker *worker); /* NULL: no memory */
/* After all connections have gone.  NULL is fine. */
void delivering_free(struct delivering *delivering);

/* A message; the caller zeroes it and fills in the first part. */
struct publication {
    struct server *server;
    enum topic_kind kind; /* TOPIC_CHANNEL or TOPIC_SHARD */
    struct arg channel, message;

    size_t receivers; /* clients that get it: each channel and pattern counts */
    bool failed;      /* the pool had no room: not all of them do */

    struct topic *at; /* the next pattern, pinned */
    struct text_glob glob;
    bool begun;
};

/* Goes on with it for some 0.1 ms; true when it is done, or has failed.  Any
 * thread. */
bool publish_some(struct publication *publication);
/* One that is not gone on with. */
void publish_drop(struct publication *publication);
/* Bytes as they are to who is subscribed to that; takes over the reference. */
void publish_bytes(struct server *server, enum topic_kind kind,
                   struct push *push);

/* For pubsub.c: a subscription ends; a subscriber has gone. */
void publish_forget(struct worker *worker, struct subscription *subscription);
void publish_bury(struct worker *worker, struct subscriber *subscriber);

#endif
