/* SPDX-License-Identifier: BSD-3-Clause */
/* Subscribing, and publishing. */

#include <stdlib.h>

#include "acl.h"
#include "acl_check.h"
#include "call.h"
#include "conn.h"
#include "publish.h"
#include "vet.h"

enum { SLICE_NAMES = 256 }; /* before others have a turn */

/* ------------------------------------------------------------- subscribing */

static const struct {
    const char *subscribe, *unsubscribe;
} words[] = {
    [TOPIC_CHANNEL] = {"subscribe", "unsubscribe"},
    [TOPIC_PATTERN] = {"psubscribe", "punsubscribe"},
    [TOPIC_SHARD] = {"ssubscribe", "sunsubscribe"},
};

static void confirm(struct call *call, const char *word, const struct arg *name,
                    enum topic_kind kind)
{
    const struct subscriber *subscriber = call->session->subscriber;
    size_t count = kind == TOPIC_SHARD
                       ? subscriber_count(subscriber, TOPIC_SHARD)
                       : subscriber_count(subscriber, TOPIC_CHANNEL) +
                             subscriber_count(subscriber, TOPIC_PATTERN);
    call->silenced = true;
    reply_push(&call->reply, 3);
    reply_bulk_text(&call->reply, word);
    if (name)
        reply_bulk(&call->reply, name->ptr, name->len);
    else
        reply_null(&call->reply);
    reply_int(&call->reply, (int64_t)count);
}

static void subscribe_one(struct call *call, size_t i, enum topic_kind kind)
{
    const struct arg *name = &call->argv[i];
    enum subscribe_result result = SUBSCRIBE_LONG;
    if (name->len <= LIMIT_CHANNEL)
        result = subscribe(call->conn, kind, name);
    switch (result) {
    case SUBSCRIBE_DONE:
        confirm(call, words[kind].subscribe, name, kind);
        break;
    case SUBSCRIBE_LONG:
        reply_errorf(&call->reply, "ERR name is too long, at most %d bytes",
                     LIMIT_CHANNEL);
        break;
    case SUBSCRIBE_MANY:
        reply_errorf(&call->reply,
                     "ERR too many subscriptions, a client has at most %d",
                     LIMIT_SUBSCRIPTIONS);
        break;
    case SUBSCRIBE_FULL:
        reply_error(&call->reply, "OOM subscriptions use all the memory that "
                                  "they may have");
        break;
    }
}

static void unsubscribe_one(struct call *call, size_t i, enum topic_kind kind)
{
    const struct arg *name = &call->argv[i];
    unsubscribe(call->conn, kind, name);
    confirm(call, words[kind].unsubscribe, name, kind);
}

/* Where a command goes on. */
struct place {
    size_t at;
    uint64_t since; /* session->channels_since when it was admitted */
};

static bool keep_place(struct call *call, size_t at)
{
    struct place *place = call->state;
    if (!place)
        place = malloc(sizeof *place);
    if (!place)
        return false;
    if (!call->state)
        place->since = call->session->channels_since;
    place->at = at;
    call->state = place;
    call->state_free = free;
    return true;
}

/* Each of the arguments from the second on, some at a time. */
static enum command_result each(struct call *call, enum topic_kind kind,
                                void (*one)(struct call *call, size_t i,
                                            enum topic_kind kind))
{
    const struct place *place = call->state;
    size_t at = place ? place->at : 1;
    for (size_t done = 0; at < call->argc; at++, done++) {
        if (done >= SLICE_NAMES && keep_place(call, at))
            return COMMAND_AGAIN;
        one(call, at, kind);
    }
    return COMMAND_DONE;
}

/* Likewise; who has other rules since it was admitted is asked again.  Those
 * that it was admitted by are the session's at the beginning, whatever they are
 * by now: they say what its subscriptions have been held against. */
static enum command_result join(struct call *call, enum topic_kind kind)
{
    struct server *server = call->server;
    struct place *place = call->state;
    size_t steps = ACL_SLICE_STEPS;
    if (place)
        acl_keep_up(server->acl, call->session, server->acl_version);
    if (!place || place->since == call->session->channels_since)
        return each(call, kind, subscribe_one);
    for (size_t done = 0; place->at < call->argc; place->at++, done++) {
        const struct arg *name = &call->argv[place->at];
        enum vetting vetting =
            done < SLICE_NAMES
                ? subscriber_may_join(call->conn, name, kind, &steps)
                : VET_MORE;
        if (vetting == VET_MORE)
            return COMMAND_AGAIN;
        if (vetting == VET_FORBIDDEN)
            return call_error(call, "NOPERM this user has no permissions to "
                                    "access one of the channels used as "
                                    "arguments");
        subscribe_one(call, place->at, kind);
    }
    return COMMAND_DONE;
}

static enum command_result unsubscribe_all(struct call *call,
                                           enum topic_kind kind)
{
    struct topic *topic;
    size_t done = 0;
    while ((topic = subscriber_any(call->session->subscriber, kind)) != NULL) {
        if (done++ >= SLICE_NAMES && keep_place(call, 0))
            return COMMAND_AGAIN;
        /* The name goes with the last subscription to it. */
        topic_hold(call->server->pubsub, topic);
        const struct arg name = {topic->name, topic->len};
        unsubscribe(call->conn, kind, &name);
        confirm(call, words[kind].unsubscribe, &name, kind);
        topic_release(call->server->pubsub, topic);
    }
    if (done == 0 && !call->state)
        confirm(call, words[kind].unsubscribe, NULL, kind);
    return COMMAND_DONE;
}

static enum command_result leave(struct call *call, enum topic_kind kind)
{
    return call->argc == 1 ? unsubscribe_all(call, kind)
                           : each(call, kind, unsubscribe_one);
}

enum command_result cmd_subscribe(struct call *call)
{
    return join(call, TOPIC_CHANNEL);
}

enum command_result cmd_psubscribe(struct call *call)
{
    return join(call, TOPIC_PATTERN);
}

enum command_result cmd_ssubscribe(struct call *call)
{
    if (call->in_exec)
        return call_error(
            call, "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
    return join(call, TOPIC_SHARD);
}

enum command_result cmd_unsubscribe(struct call *call)
{
    return leave(call, TOPIC_CHANNEL);
}

enum command_result cmd_punsubscribe(struct call *call)
{
    return leave(call, TOPIC_PATTERN);
}

enum command_result cmd_sunsubscribe(struct call *call)
{
    return leave(call, TOPIC_SHARD);
}

/* With RESP2 a subscriber could not tell replies from messages; a monitor's
 * lines are not to be mixed with values. */
bool subscriber_may(struct call *call, const struct command *row)
{
    static enum command_result (*const allowed[])(struct call * call) = {
        cmd_subscribe,    cmd_unsubscribe, cmd_psubscribe,
        cmd_punsubscribe, cmd_ssubscribe,  cmd_sunsubscribe,
        cmd_ping,         cmd_quit,        cmd_reset,
    };
    const struct subscriber *subscriber = call->session->subscriber;
    if (subscriber_listens(subscriber) && call->session->resp == 2) {
        size_t i = 0, count = sizeof allowed / sizeof *allowed;
        while (i < count && allowed[i] != row->run)
            i++;
        if (i == count) {
            reply_errorf(&call->reply,
                         "ERR Can't execute '%s': only (P|S)SUBSCRIBE / "
                         "(P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed "
                         "in this context",
                         row->name);
            return false;
        }
    }
    if (subscriber_count(subscriber, TOPIC_MONITOR) > 0 &&
        row->flags & (COMMAND_WRITE | COMMAND_READONLY)) {
        reply_error(&call->reply,
                    "ERR Replica can't interact with the keyspace");
        return false;
    }
    return true;
}

/* -------------------------------------------------------------- publishing */

static void drop(void *state)
{
    publish_drop(state);
    free(state);
}

static enum command_result publish(struct call *call, enum topic_kind kind)
{
    struct publication fresh = {.server = call->server, .kind = kind};
    struct publication *publication = call->state ? call->state : &fresh;
    publication->channel = call->argv[1];
    publication->message = call->argv[2];
    if (!publish_some(publication)) {
        if (!call->state) {
            call->state = malloc(sizeof fresh);
            call->state_free = drop;
            if (!call->state) {
                publish_drop(&fresh);
                return call_error(call, ERROR_NO_ROOM);
            }
            *(struct publication *)call->state = fresh;
        }
        return COMMAND_AGAIN;
    }
    if (push_crowded(call->server))
        conn_hold_back(call->conn);
    if (publication->failed)
        return call_error(call, "OOM no memory to bring the message to all "
                                "subscribers");
    reply_int(&call->reply, (int64_t)publication->receivers);
    return COMMAND_DONE;
}

enum command_result cmd_publish(struct call *call)
{
    return publish(call, TOPIC_CHANNEL);
}

enum command_result cmd_spublish(struct call *call)
{
    return publish(call, TOPIC_SHARD);
}
