/* SPDX-License-Identifier: BSD-3-Clause */
/* PUBSUB: what is subscribed to. */

#include <stdlib.h>

#include "call.h"
#include "parts.h"
#include "publish.h"

enum {
    SLICE_STEPS = 4096, /* of matching, while the table is locked */
    TOPIC_STEPS = 8,    /* what looking at a topic costs beside */
    STEP_BYTES = 16,    /* of a name copied */
};

/* ---------------------------------------------------------------- CHANNELS */

struct list {
    struct server *server;
    struct topic *at; /* pinned */
    struct text_glob glob;
    struct parts names;
};

static void list_free(void *state)
{
    struct list *list = state;
    struct pubsub *pubsub = list->server->pubsub;
    if (list->at)
        topic_release(pubsub, list->at);
    parts_release(&list->names);
    free(list);
}

static struct list *list_of(struct call *call, enum topic_kind kind)
{
    struct pubsub *pubsub = call->server->pubsub;
    if (call->state)
        return call->state;
    struct list *list = calloc(1, sizeof *list);
    if (!list)
        return NULL;
    list->server = call->server;
    parts_init(&list->names, call->server->pool);
    pubsub_lock(pubsub);
    list->at = pubsub_first(pubsub, kind);
    if (list->at)
        pubsub_pin(list->at, 1);
    pubsub_unlock(pubsub);
    call->state = list;
    call->state_free = list_free;
    return list;
}

static void add_name(struct list *list, const struct topic *topic)
{
    struct reply reply = {&list->names.last, 2};
    reply_bulk(&reply, topic->name, topic->len);
    list->names.count++;
}

/* With the table locked. */
static void list_some(struct list *list, const struct arg *pattern)
{
    struct pubsub *pubsub = list->server->pubsub;
    size_t steps = SLICE_STEPS;
    struct topic *topic;
    while ((topic = list->at) != NULL && steps >= TOPIC_STEPS) {
        steps -= TOPIC_STEPS;
        const struct arg name = {topic->name, topic->len};
        enum text_match match = TEXT_YES;
        if (pattern)
            match = pubsub_match(&list->glob, pattern, &name, &steps);
        if (match == TEXT_MORE)
            return;
        list->glob = (struct text_glob){0};
        if (match == TEXT_YES && topic->subscribers > 0) {
            add_name(list, topic);
            steps -= less_of(steps, topic->len / STEP_BYTES);
        }
        list->at = topic->next;
        if (topic->next)
            pubsub_pin(topic->next, 1);
        pubsub_unpin(pubsub, topic);
    }
}

static enum command_result channels(struct call *call, enum topic_kind kind)
{
    const struct arg *pattern = call->argc > 2 ? &call->argv[2] : NULL;
    size_t most = (size_t)atomic_load(&call->server->limits.output_limit_bytes);
    if (call->argc > 3) {
        reply_errorf(&call->reply,
                     "ERR unknown subcommand or wrong number of arguments for "
                     "'%.*s'. Try PUBSUB HELP.",
                     (int)call->argv[1].len, call->argv[1].ptr);
        return COMMAND_DONE;
    }
    if (pattern && !call_pattern_fits(call, pattern->len, LIMIT_PATTERN))
        return COMMAND_DONE;
    struct list *list = list_of(call, kind);
    if (!list)
        return call_error(call, ERROR_NO_ROOM);
    if (list->names.begun)
        return parts_reply(&list->names, call);
    pubsub_lock(call->server->pubsub);
    list_some(list, pattern);
    pubsub_unlock(call->server->pubsub);
    parts_seal(&list->names);
    if (!parts_charge(&list->names, 0) || list->names.last.failed ||
        parts_len(&list->names) > most)
        return call_error(call, ERROR_NO_ROOM);
    return list->at ? COMMAND_AGAIN : parts_reply(&list->names, call);
}

enum command_result cmd_pubsub_channels(struct call *call)
{
    return channels(call, TOPIC_CHANNEL);
}

enum command_result cmd_pubsub_shardchannels(struct call *call)
{
    return channels(call, TOPIC_SHARD);
}

/* ----------------------------------------------------------------- numbers */

static void reply_number(struct call *call, size_t i, void *ctx)
{
    const struct arg *name = &call->argv[2 + i];
    const enum topic_kind *kind = ctx;
    reply_bulk(&call->reply, name->ptr, name->len);
    reply_int(&call->reply,
              (int64_t)pubsub_subscribers(call->server->pubsub, *kind, name));
}

static enum command_result numbers(struct call *call, enum topic_kind kind)
{
    if (!call->state)
        reply_array(&call->reply, (call->argc - 2) * 2);
    return call_each(call, call->argc - 2, reply_number, &kind);
}

enum command_result cmd_pubsub_numsub(struct call *call)
{
    return numbers(call, TOPIC_CHANNEL);
}

enum command_result cmd_pubsub_shardnumsub(struct call *call)
{
    return numbers(call, TOPIC_SHARD);
}

enum command_result cmd_pubsub_numpat(struct call *call)
{
    reply_int(&call->reply,
              (int64_t)pubsub_topics(call->server->pubsub, TOPIC_PATTERN));
    return COMMAND_DONE;
}

enum command_result cmd_pubsub_help(struct call *call)
{
    static const char *const lines[] = {
        "PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CHANNELS [<pattern>]",
        "    The channels with subscribers that match the pattern, or all.",
        "NUMPAT",
        "    How many patterns there are subscriptions to.",
        "NUMSUB [<channel> ...]",
        "    How many subscribers each channel has, those of patterns aside.",
        "SHARDCHANNELS [<pattern>]",
        "    As CHANNELS, for the channels of SSUBSCRIBE.",
        "SHARDNUMSUB [<shardchannel> ...]",
        "    As NUMSUB, for the channels of SSUBSCRIBE.",
        "HELP",
        "    Print this help.",
    };

    return call_help(call, lines, sizeof lines / sizeof lines[0]);
}
