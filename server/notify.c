/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyspace notifications: a queue of events, and publishing them. */

#include "notify.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "conn.h"
#include "platform.h"
#include "pool.h"
#include "publish.h"

enum {
    SEND_US = 200,       /* events are published before others have a turn */
    BEHIND_SHARE = 16,   /* so many that the main thread waits for them */
    QUEUE_SHARE = 2,     /* part of the pool that events may wait in */
    CHANNEL_KEPT = 4096, /* bytes of memory kept for the names of channels */
};

struct event {
    struct event *next;
    const char *name;
    uint32_t len;
    uint8_t db;
    char key[];
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

    atomic_bool posted; /* the main thread will send */

    pthread_mutex_t sending; /* what follows */
    struct event *now;
    bool second;        /* by_key is done */
    struct buf channel; /* its name */
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

/* As other memory of clients is counted, with half as much again. */
static size_t event_size(size_t len)
{
    size_t size = sizeof(struct event) + len;
    return size + size / 2;
}

static void event_free(struct notify *notify, struct event *event)
{
    size_t size = event_size(event->len);
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
    buf_release(&notify->channel);
    pthread_mutex_destroy(&notify->attending);
    pthread_mutex_destroy(&notify->lock);
    pthread_mutex_destroy(&notify->sending);
    free(notify);
}

bool notify_behind(const struct server *server)
{
    return server->notify->bytes > pool_limit(server->pool) / BEHIND_SHARE;
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
    size_t size = event_size(change->len);
    struct event *event = NULL;
    if (notify->bytes + size <= pool_limit(server->pool) / QUEUE_SHARE)
        event = malloc(sizeof *event + change->len);
    if (!event) {
        notify->lost++;
        return;
    }
    if (change->by && change->by->conn)
        conn_set_maker(change->by->conn, true);
    pool_charge(server->pool, size);
    notify->bytes += size;
    *event = (struct event){.name = change->event,
                            .len = (uint32_t)change->len,
                            .db = (uint8_t)change->db};
    memcpy(event->key, change->key, change->len);
    pthread_mutex_lock(&notify->lock);
    *notify->end = event;
    notify->end = &event->next;
    pthread_mutex_unlock(&notify->lock);
}

/* ---------------------------------------------------------------- sending */

/* By key: the channel is the key's and the message the event; or the other way
 * round. */
static void begin_publication(struct notify *notify)
{
    const struct event *event = notify->now;
    const struct arg key = {event->key, event->len};
    const struct arg name = {event->name, strlen(event->name)};
    const struct arg *about = notify->second ? &name : &key;
    struct buf *channel = &notify->channel;
    if (channel->cap > CHANNEL_KEPT)
        buf_release(channel);
    channel->failed = false;
    buf_truncate(channel, 0);
    buf_addf(channel, "__key%s@%u__:", notify->second ? "event" : "space",
             event->db);
    buf_add(channel, about->ptr, about->len);
    notify->publication = (struct publication){
        .server = notify->server,
        .kind = TOPIC_CHANNEL,
        .channel = {channel->data + channel->start, buf_len(channel)},
        .message = notify->second ? key : name,
        .failed = channel->failed,
    };
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
    struct publication *publication = &notify->publication;
    const struct platform *platform = notify->server->platform;
    int64_t end_us = platform->monotonic_us(platform->ctx) + SEND_US;
    if (!notify->now && !next_publication(notify))
        return true;
    do {
        if (push_crowded(notify->server) ||
            (!publication->failed && !publish_some(publication)))
            return false;
        notify->lost += publication->failed;
        if (!next_publication(notify))
            return true;
    } while (platform->monotonic_us(platform->ctx) < end_us);
    return false;
}

static void go_on(struct server *server, void *ctx)
{
    (void)ctx;
    server->notify->posted = false;
    notify_send(server, NULL);
}

/* On the main thread. */
static void send_later(struct server *server)
{
    if (!atomic_exchange(&server->notify->posted, true))
        server_post(server, go_on, NULL);
}

/* Who made nothing that waits neither waits nor is held back. */
void notify_send(struct server *server, struct conn *by)
{
    struct notify *notify = server->notify;
    if (notify->bytes == 0)
        return;
    bool maker = by && (conn_is_maker(by) || notify_behind(server));
    if (pthread_mutex_trylock(&notify->sending) != 0) {
        if (!maker) {
            send_later(server);
            return;
        }
        pthread_mutex_lock(&notify->sending);
    }
    bool all = send_some(notify);
    pthread_mutex_unlock(&notify->sending);
    bool crowded = push_crowded(server);
    if (maker && (!all || crowded))
        conn_hold_back(by);
    else if (maker)
        conn_set_maker(by, false);
    else if (!all && !crowded)
        send_later(server);
}
