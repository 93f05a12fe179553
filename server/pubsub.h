/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PUBSUB_H
#define PUBSUB_H

/*
 * Channels and patterns, and who is subscribed to them.
 *
 *   topic           a channel or pattern that has subscribers; all of them are
 *     |             in one table under one lock
 *     +- a list for each worker, touched by that worker alone
 *   subscription -> subscription ...
 *     |
 *   subscriber      what one connection has; its worker's
 *
 * A topic lives as long as somebody is subscribed to it or has it pinned: a
 * publisher who walks over the table, a message on its way to a worker.
 *
 * Topics and subscriptions are clients' memory; all of them together take at
 * most a quarter of the pool.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/parse.h"
#include "protocol/text.h"

struct call;
struct command;
struct conn;
struct server;
struct session;
struct worker;
struct pubsub;
struct subscriber;

enum topic_kind {
    TOPIC_CHANNEL,
    TOPIC_PATTERN,
    TOPIC_SHARD,   /* a channel of SSUBSCRIBE: names of their own */
    TOPIC_MONITOR, /* one without a name: what commands are run */
    TOPIC_KINDS,
};

struct subscription {
    struct topic *topic;
    struct subscriber *subscriber;
    struct subscription *next, **link;  /* in topic->subscriptions[] */
    struct subscription *other, **mine; /* in subscriber->first[] */
};

struct topic {
    enum topic_kind kind;
    size_t len;
    const char *name;
    /* Guarded by the table's lock: */
    size_t subscribers, pins;
    uint64_t workers;                     /* bit w: worker w has some */
    struct topic *next, **link;           /* those of a kind, oldest first */
    struct subscription *subscriptions[]; /* by worker */
};

/* No version of rules. */
#define SUBSCRIBER_NEVER UINT64_MAX

struct subscriber {
    struct worker *worker;
    struct conn *conn; /* NULL: it has gone, and this is being taken apart */
    void *tree;        /* of struct subscription, by the name of the topic */
    struct subscription *first[TOPIC_KINDS], **end[TOPIC_KINDS]; /* oldest
                                                                    first */
    size_t counts[TOPIC_KINDS];
    uint64_t vetted; /* session->channels_since: by these rules it may listen to
                        all of them, or SUBSCRIBER_NEVER; see vet.h */
    struct vet *vet; /* under way, or NULL */
    struct subscriber *next; /* of those that have gone */
};

struct pubsub *pubsub_new(struct server *server); /* NULL: no memory */
void pubsub_free(struct pubsub *pubsub);          /* NULL is fine */

/* ------------------------------------------------------------ a client's */

enum subscribe_result {
    SUBSCRIBE_DONE, /* also if it was already */
    SUBSCRIBE_LONG, /* LIMIT_CHANNEL */
    SUBSCRIBE_MANY, /* LIMIT_SUBSCRIPTIONS */
    SUBSCRIBE_FULL, /* the share of the pool is used up */
};

/* On the client's thread, as all of these. */
enum subscribe_result subscribe(struct conn *conn, enum topic_kind kind,
                                const struct arg *name);
/* False: it was not subscribed to that. */
bool unsubscribe(struct conn *conn, enum topic_kind kind,
                 const struct arg *name);
/* One of those it is subscribed to of that kind, or NULL. */
struct topic *subscriber_any(const struct subscriber *subscriber,
                             enum topic_kind kind);
/* How many; subscriber: NULL is fine. */
size_t subscriber_count(const struct subscriber *subscriber,
                        enum topic_kind kind);
size_t subscriber_count_all(const struct subscriber *subscriber);
/* It is subscribed to a channel or pattern. */
bool subscriber_listens(const struct subscriber *subscriber);
/* cmd_pubsub.c: that is no reason not to run a command; false: it is, and was
 * replied. */
bool subscriber_may(struct call *call, const struct command *row);
/* Ends all subscriptions, of a client that goes or says RESET. */
void subscriber_leave(struct conn *conn);
/* Takes apart what was left, about 256 subscriptions at a time; true: there is
 * more. */
bool subscriber_clear(struct subscriber **gone);

/* -------------------------------------------------------------- the table */

/* Topics of a kind; clients that listen to any.  Any thread, these too. */
size_t pubsub_topics(const struct pubsub *pubsub, enum topic_kind kind);
size_t pubsub_clients(const struct pubsub *pubsub);
/* The pool was made smaller, and subscriptions take much more than their share:
 * as many of one client that it should go, or SIZE_MAX. */
size_t pubsub_too_many(const struct pubsub *pubsub);
/* Clients subscribed to this one. */
size_t pubsub_subscribers(struct pubsub *pubsub, enum topic_kind kind,
                          const struct arg *name);

/* A part of a match, as text_glob_some; as in Redis not even * matches a
 * channel without a name. */
enum text_match pubsub_match(struct text_glob *glob, const struct arg *pattern,
                             const struct arg *channel, size_t *steps);

void pubsub_lock(struct pubsub *pubsub);
void pubsub_unlock(struct pubsub *pubsub);
/* While it is locked. */
struct topic *pubsub_find(struct pubsub *pubsub, enum topic_kind kind,
                          const struct arg *name);
struct topic *pubsub_first(struct pubsub *pubsub, enum topic_kind kind);
void pubsub_pin(struct topic *topic, size_t count);
void pubsub_unpin(struct pubsub *pubsub, struct topic *topic);
/* While it is not. */
void topic_hold(struct pubsub *pubsub, struct topic *topic);
void topic_release(struct pubsub *pubsub, struct topic *topic);

/* ------------------------------------------------------- for subscriber.c */

enum { TOPIC_NODE_BYTES = 48 }; /* of a tree, with what the allocator adds */

/* Memory, of the pool and of the share of it; false: none is left. */
bool pubsub_pay(struct pubsub *pubsub, size_t bytes);
void pubsub_repay(struct pubsub *pubsub, size_t bytes);
/* One that only has what topic_compare looks at. */
void topic_key(struct topic *key, enum topic_kind kind, const struct arg *name);
int topic_compare(const void *a, const void *b);
/* One more subscriber, and one less, on a worker; after it has left the
 * worker's list.  NULL: no room. */
struct topic *pubsub_join(struct pubsub *pubsub, const struct topic *key,
                          unsigned worker);
void pubsub_leave(struct pubsub *pubsub, struct topic *topic, unsigned worker);
void pubsub_count_client(struct pubsub *pubsub, int more);

#endif
