/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyspace notifications: a queue of events, and publishing them. */

#include "notify.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "conn.h"
#include "pool.h"
#include "publish.h"

enum {
    SEND_MOST = 64,   /* events published before others have a turn */
    QUEUE_SHARE = 4,  /* part of the pool that events may wait in */
    CHANNEL_MAX = 96, /* bytes of a channel's name beside the key */
};

struct event {
    struct event *next;
    const char *name;
    size_t len, prefix;
    char text[]; /* "__keyspace@0__:" and the key */
};

struct notify {
    struct server *server;
    pthread_mutex_t attending; /* what follows, and changes_listen */
    unsigned kinds;            /* that are wanted */
    _Atomic bool by_key, by_event;

    pthread_mutex_t lock; /* of the queue; taken under locks of the cache */
    struct event *first, **end;
    _Atomic size_t bytes; /* of all events, the one being sent included */
    _Atomic uint64_t lost;

    pthread_mutex_t sending; /* what follows */
    struct event *now;
    bool second; /* by_key is done */
    char channel[CHANNEL_MAX];
    struct publication publication;
};

struct notify *notify_new(struct server *server)
{
    struct notify *notify = calloc(1, sizeof *notify);
    if (!notify)
        return NULL;
    notify->server = server;
    notify->end = &notify->first;
    pthread_mutex_init(&notify->attending, NULL);
    pthread_mutex_init(&notify->lock, NULL);
    pthread_mutex_init(&notify->sending, NULL);
    return notify;
}

static void event_free(struct notify *notify, struct event *event)
{
    size_t size = sizeof *event + event->prefix + event->len;
    pool_give(notify->server->pool, size);
    notify->bytes -= size;
    free(event);
}

void notify_free(struct notify *notify)
{
    if (!notify)
        return;
    if (notify->now) {
        publish_drop(&notify->publication);
        event_free(notify, notify->now);
    }
    while (notify->first) {
        struct event *event = notify->first;
        notify->first = event->next;
        event_free(notify, event);
    }
    pthread_mutex_destroy(&notify->attending);
    pthread_mutex_destroy(&notify->lock);
    pthread_mutex_destroy(&notify->sending);
    free(notify);
}

uint64_t notify_lost(const struct server *server)
{
    return server->notify->lost;
}

/* --------------------------------------------------------- what is wanted */

void notify_attend(struct server *server)
{
    struct notify *notify = server->notify;
    const struct pubsub *pubsub = server->pubsub;
    pthread_mutex_lock(&notify->attending);
    bool heard = (notify->by_key || notify->by_event) &&
                 pubsub_topics(pubsub, TOPIC_CHANNEL) +
                         pubsub_topics(pubsub, TOPIC_PATTERN) >
                     0;
    unsigned kinds = heard ? notify->kinds : 0;
    if (kinds != changes_listened(server, LISTENER_NOTIFY))
        changes_listen(server, LISTENER_NOTIFY, kinds);
    pthread_mutex_unlock(&notify->attending);
}

void notify_want(struct server *server, unsigned classes)
{
    static const struct {
        char letter;
        enum change_kind kind;
    } kinds[] = {
        {'g', CHANGE_GENERIC}, {'$', CHANGE_STRING},  {'h', CHANGE_HASH},
        {'x', CHANGE_EXPIRED}, {'e', CHANGE_EVICTED}, {'n', CHANGE_NEW},
        {'m', CHANGE_MISSED},
    };
    struct notify *notify = server->notify;
    unsigned wanted = 0;
    bool by_key = false, by_event = false;
    for (size_t i = 0; CONF_EVENTS[i]; i++) {
        if (!(classes >> i & 1))
            continue;
        by_key = by_key || CONF_EVENTS[i] == 'K';
        by_event = by_event || CONF_EVENTS[i] == 'E';
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            if (kinds[k].letter == CONF_EVENTS[i])
                wanted |= kinds[k].kind;
    }
    pthread_mutex_lock(&notify->attending);
    notify->kinds = wanted;
    notify->by_key = by_key;
    notify->by_event = by_event;
    pthread_mutex_unlock(&notify->attending);
    notify_attend(server);
}

/* -------------------------------------------------------------- the queue */

void notify_changed(struct server *server, const struct change *change)
{
    struct notify *notify = server->notify;
    char prefix[CHANNEL_MAX];
    size_t len =
        (size_t)snprintf(prefix, sizeof prefix, "__keyspace@%u__:", change->db);
    size_t size = sizeof(struct event) + len + change->len;
    struct event *event = NULL;
    if (notify->bytes + size <= pool_limit(server->pool) / QUEUE_SHARE)
        event = malloc(size);
    if (!event) {
        notify->lost++;
        return;
    }
    pool_charge(server->pool, size);
    notify->bytes += size;
    *event = (struct event){
        .name = change->event, .len = change->len, .prefix = len};
    memcpy(event->text, prefix, len);
    memcpy(event->text + len, change->key, change->len);
    pthread_mutex_lock(&notify->lock);
    *notify->end = event;
    notify->end = &event->next;
    pthread_mutex_unlock(&notify->lock);
}

/* ---------------------------------------------------------------- sending */

static struct arg text_arg(const char *text)
{
    return (struct arg){text, strlen(text)};
}

static void begin_publication(struct notify *notify)
{
    const struct event *event = notify->now;
    const struct arg key = {event->text + event->prefix, event->len};
    struct publication publication = {.server = notify->server,
                                      .kind = TOPIC_CHANNEL};
    if (notify->second) {
        int database = (int)(event->prefix - strlen("__keyspace"));
        snprintf(notify->channel, sizeof notify->channel, "__keyevent%.*s%s",
                 database, event->text + strlen("__keyspace"), event->name);
        publication.channel = text_arg(notify->channel);
        publication.message = key;
    } else {
        publication.channel =
            (struct arg){event->text, event->prefix + event->len};
        publication.message = text_arg(event->name);
    }
    notify->publication = publication;
}

/* The next message to be published; false: there is none. */
static bool next_publication(struct notify *notify)
{
    if (notify->now && !notify->second && notify->by_event) {
        notify->second = true;
        begin_publication(notify);
        return true;
    }
    if (notify->now)
        event_free(notify, notify->now);
    pthread_mutex_lock(&notify->lock);
    notify->now = notify->first;
    if (notify->now)
        notify->first = notify->now->next;
    if (!notify->first)
        notify->end = &notify->first;
    pthread_mutex_unlock(&notify->lock);
    if (!notify->now)
        return false;
    notify->second = !notify->by_key;
    begin_publication(notify);
    return true;
}

/* True: all were sent. */
static bool send_some(struct notify *notify)
{
    if (!notify->now && !next_publication(notify))
        return true;
    for (int i = 0; i < SEND_MOST && publish_some(&notify->publication); i++) {
        if (notify->publication.failed)
            notify->lost++;
        if (!next_publication(notify))
            return true;
    }
    return false;
}

void notify_send(struct server *server, struct conn *by)
{
    struct notify *notify = server->notify;
    if (notify->bytes == 0)
        return;
    pthread_mutex_lock(&notify->sending);
    bool all = send_some(notify);
    pthread_mutex_unlock(&notify->sending);
    if (by && (!all || push_crowded(server)))
        conn_hold_back(by);
}
