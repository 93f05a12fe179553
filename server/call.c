/* SPDX-License-Identifier: BSD-3-Clause */

/* What the commands on keys and values share. */

#include "call.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "client.h"
#include "conn.h"
#include "gate.h"
#include "hits.h"
#include "tracking.h"
#include "worker.h"

enum command_result call_error(struct call *call, const char *text)
{
    reply_error(&call->reply, text);
    return COMMAND_DONE;
}

enum command_result call_error_expire(struct call *call)
{
    reply_errorf(&call->reply, "ERR invalid expire time in '%s' command",
                 call->command->name);
    return COMMAND_DONE;
}

enum command_result call_error_arguments(struct call *call)
{
    char upper[COMMAND_UPPER];
    command_upper(call->command, upper);
    reply_errorf(&call->reply,
                 "ERR unknown subcommand or wrong number of arguments for "
                 "'%.*s'. Try %s HELP.",
                 arg_shown(&call->argv[1]), call->argv[1].ptr, upper);
    return COMMAND_DONE;
}

enum command_result call_help(struct call *call, const char *const *lines,
                              size_t count)
{
    reply_array(&call->reply, count);
    for (size_t i = 0; i < count; i++)
        reply_status(&call->reply, lines[i]);
    return COMMAND_DONE;
}

enum command_result
call_each(struct call *call, size_t count,
          void (*serve)(struct call *call, size_t i, void *ctx), void *ctx)
{
    size_t *next = call->state;
    size_t i = next ? *next : 0, begun = i, replied = call_replied(call);
    while (i < count && i - begun < CALL_SLICE_ITEMS &&
           call_replied(call) - replied < CALL_EACH_BYTES &&
           (i == begun || conn_room(call->conn) > 0))
        serve(call, i++, ctx);
    if (i == count)
        return COMMAND_DONE;
    if (!next) {
        next = call->state = malloc(sizeof *next);
        call->state_free = free;
        if (!next)
            abort();
    }
    *next = i;
    return COMMAND_AGAIN;
}

static void reply_piece(struct call *call, size_t i, void *ctx)
{
    const struct arg *arg = ctx;
    size_t at = i * CALL_COPY_MAX;
    buf_add(call->reply.out, arg->ptr + at,
            less_of(arg->len - at, CALL_COPY_MAX));
    if (arg->len - at <= CALL_COPY_MAX)
        buf_add_text(call->reply.out, "\r\n");
}

enum command_result call_reply_argument(struct call *call, size_t arg)
{
    struct arg text = call->argv[arg];
    if (text.len <= CALL_COPY_MAX) {
        reply_bulk(&call->reply, text.ptr, text.len);
        return COMMAND_DONE;
    }
    if (!call->state)
        reply_bulk_begin(&call->reply, text.len);
    return call_each(call, (text.len + CALL_COPY_MAX - 1) / CALL_COPY_MAX,
                     reply_piece, &text);
}

bool call_names_fit(struct call *call)
{
    if (call->argc - 2 <= CALL_NAMES)
        return true;
    reply_errorf(&call->reply, "ERR more than %d names", CALL_NAMES);
    return false;
}

bool call_pattern_fits(struct call *call, size_t len, size_t max)
{
    if (len <= max)
        return true;
    reply_errorf(&call->reply, "ERR pattern is too long, at most %zu bytes",
                 max);
    return false;
}

bool call_int(struct call *call, size_t arg, int64_t *value)
{
    if (text_to_int(call->argv[arg].ptr, call->argv[arg].len, value))
        return true;
    reply_error(&call->reply, ERROR_NOT_INT);
    return false;
}

bool call_timeout(struct call *call, size_t arg, int64_t *ms)
{
    if (!text_to_int(call->argv[arg].ptr, call->argv[arg].len, ms))
        reply_error(&call->reply,
                    "ERR timeout is not an integer or out of range");
    else if (*ms < 0)
        reply_error(&call->reply, "ERR timeout is negative");
    else
        return true;
    return false;
}

bool call_database(struct call *call, size_t arg, unsigned *db)
{
    int64_t number;
    if (!call_int(call, arg, &number))
        return false;
    if (number < INT_MIN || number > INT_MAX) {
        reply_errorf(&call->reply,
                     "ERR value is out of range, value must between %d and %d",
                     INT_MIN, INT_MAX);
        return false;
    }
    if (number < 0 || number >= call->server->conf.databases) {
        reply_error(&call->reply, "ERR DB index is out of range");
        return false;
    }
    *db = (unsigned)number;
    return true;
}

struct cache_key call_key_of(const struct call *call, size_t arg)
{
    return cache_key_of(call->server->cache, call->argv[arg].ptr,
                        call->argv[arg].len);
}

void call_prefetch(const struct call *call, const struct cache_key *keys,
                   size_t count)
{
    const struct cache *cache = call->server->cache;
    unsigned db = call->session->db;
    struct cache_ahead ahead[CALL_AHEAD];
    assert(count <= CALL_AHEAD);
    if (count < 2)
        return;
    for (size_t i = 0; i < count; i++)
        ahead[i] = cache_ahead(cache, db, &keys[i]);
    for (size_t step = 0; step < CACHE_AHEAD_STEPS; step++)
        cache_ahead_steps(cache, ahead, count);
}

bool call_find(struct call *call, unsigned how, struct cache_view *view)
{
    return call_find_key(call, &call->key, how, view);
}

/* As cache_find; if that is a hit, it is noted.  Kept out of the way of those
 * that are not. */
__attribute__((noinline)) static bool find_and_note(struct call *call,
                                                    const struct cache_key *key,
                                                    unsigned how,
                                                    struct cache_view *view)
{
    struct worker *worker = call->worker;
    worker->hits_unnoted = hits_until_next(&worker->hits_random);
    if (!cache_find(&call->tx, call->session->db, key, how, view))
        return false;
    hits_note(call->server->hits, call->session->db, key->ptr, key->len,
              call->now_ms);
    return true;
}

bool call_find_key(struct call *call, const struct cache_key *key, unsigned how,
                   struct cache_view *view)
{
    if (call->rerun)
        how &= ~(unsigned)CACHE_COUNT;
    if (call->session->no_touch)
        how &= ~(unsigned)CACHE_TOUCH;
    bool found = (how & CACHE_COUNT) && call->worker->hits_unnoted-- == 0
                     ? find_and_note(call, key, how, view)
                     : cache_find(&call->tx, call->session->db, key, how, view);
    if (call->session->tracker)
        tracking_remember(call, key);
    if (!found && (how & CACHE_COUNT))
        call_changed(call, key, CHANGE_MISSED, "keymiss");
    return found;
}

bool call_find_typed(struct call *call, const struct cache_key *key,
                     enum cache_type type, unsigned how,
                     struct cache_view *view, bool *found)
{
    *found = call_find_key(call, key, how, view);
    if (!*found || view->type == type)
        return true;
    reply_error(&call->reply, ERROR_WRONG_TYPE);
    return false;
}

bool call_find_string(struct call *call, unsigned how, struct cache_view *view,
                      bool *found)
{
    return call_find_typed(call, &call->key, CACHE_STRING, how, view, found);
}

bool call_need_string(struct call *call, unsigned how, struct cache_view *view)
{
    bool found;
    if (!call_find_typed(call, &call->key, CACHE_STRING, how, view, &found))
        return false;
    if (!found)
        reply_null(&call->reply);
    return found;
}

bool call_value(struct call *call, struct cache_write *write)
{
    const struct arg *arg = &call->argv[call->command->blob_arg];
    write->blob = call->blob;
    if (call->blob)
        return true;
    write->value = arg->ptr;
    write->len = arg->len;
    return arg->len <= CACHE_INLINE_MAX;
}

bool call_is_new(struct call *call, const struct cache_key *key)
{
    struct cache_view view;
    return changes_listened(call->server, LISTENER_NOTIFY) & CHANGE_NEW &&
           !cache_find(&call->tx, call->session->db, key, 0, &view);
}

enum command_result call_put(struct call *call, const struct cache_write *write)
{
    bool is_new = call_is_new(call, &call->key);
    enum cache_result result =
        cache_put(&call->tx, call->session->db, &call->key, write);
    if (result == CACHE_NO_ROOM)
        return COMMAND_NO_ROOM;
    if (write->blob == call->blob)
        call->blob = NULL;
    if (is_new)
        call_changed(call, &call->key, CHANGE_NEW, "new");
    return COMMAND_DONE;
}

bool call_blob_add(struct call *call, struct cache_blob *blob,
                   const char *bytes, size_t len)
{
    while (len > 0) {
        size_t room;
        char *to = cache_blob_room(blob, call->now_ms, &room);
        if (!to)
            return false;
        size_t part = room < len ? room : len;
        memcpy(to, bytes, part);
        cache_blob_advance(blob, part);
        bytes += part;
        len -= part;
    }
    return true;
}

struct cache_blob *call_blob_of(struct call *call, const char *bytes,
                                size_t len)
{
    struct cache_blob *blob = cache_blob_new(call->server->cache, len);
    if (blob && !call_blob_add(call, blob, bytes, len)) {
        cache_blob_free(blob);
        return NULL;
    }
    return blob;
}

/* -------------------------------------------------------------------- gate */

void call_close_gate(struct call *call)
{
    if (!call->alone)
        gate_close(call->server->gate, call->worker->id);
}

void call_open_gate(struct call *call)
{
    if (!call->alone)
        gate_open(call->server->gate, call->worker->id);
}
