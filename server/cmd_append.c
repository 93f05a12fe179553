/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * APPEND.  A short result is put together under the lock.  A long one is made
 * outside any lock, beside the old value, and stored only if the old value is
 * still there:
 *
 *   look -> remember the old -> unlock -> make -> lock -> the same? -> store
 *                  ^                                        | no
 *                  +----------------------------------------+
 */

#include "call.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

enum { STALE_MAX = 4 }; /* before other clients have a turn */

/* The old value as it was when the new one was made of it. */
struct before {
    size_t len, tail_len;
    bool pinned;
    uint32_t pieces;
    struct cache_pin pin;
    char tail[CACHE_INLINE_MAX];
};

struct append {
    struct call *call;
    size_t added; /* bytes */
    size_t len;   /* of the new value */
    struct cache_blob *made;
    struct before before; /* what `made` was made of */
};

/* How one transaction ended. */
enum outcome {
    STORED,
    NO_ROOM,
    TOO_LONG,
    NEEDS_BLOB, /* the argument is the value, and long */
    REMEMBERED, /* the new value is to be made of what is in `before` */
    STALE,      /* it was, and the old value has changed since */
};

static void remember(struct before *before, const struct cache_view *view)
{
    assert(view->bytes_len <= sizeof before->tail);
    before->len = view->len;
    before->tail_len = view->bytes_len;
    memcpy(before->tail, view->bytes, view->bytes_len);
    before->pinned = cache_view_is_long(view);
    before->pieces = view->pieces;
    if (before->pinned)
        before->pin = cache_view_pin(view);
}

/* While pieces are pinned no other value can have them, so that the same first
 * piece means the same bytes. */
static bool is_same(const struct before *before, const struct cache_view *view)
{
    return before->len == view->len && before->tail_len == view->bytes_len &&
           (!before->pinned || before->pieces == view->pieces) &&
           memcmp(before->tail, view->bytes, view->bytes_len) == 0;
}

static void forget(struct append *append)
{
    if (append->before.pinned)
        cache_unpin(&append->before.pin);
    append->before.pinned = false;
    cache_blob_free(append->made);
    append->made = NULL;
}

static bool add_old(struct append *append)
{
    struct cache_span span;
    struct cache_pin pin = append->before.pin;
    while (append->before.pinned && pin.left > 0) {
        cache_pin_spans(&pin, &span, 1);
        if (!call_blob_add(append->call, append->made, span.ptr, span.len))
            return false;
        cache_pin_consume(&pin, span.len);
    }
    return call_blob_add(append->call, append->made, append->before.tail,
                         append->before.tail_len);
}

static bool add_new(struct append *append)
{
    struct call *call = append->call;
    if (!call->blob)
        return call_blob_add(call, append->made, call->argv[2].ptr,
                             append->added);
    for (size_t done = 0, room; done < append->added; done += room) {
        char *to = cache_blob_room(append->made, call->now_ms, &room);
        if (!to)
            return false;
        if (room > append->added - done)
            room = append->added - done;
        cache_blob_copy(call->blob, done, to, room);
        cache_blob_advance(append->made, room);
    }
    return true;
}

static bool make(struct append *append)
{
    append->made = cache_blob_new(append->call->server->cache,
                                  append->before.len + append->added);
    return append->made && add_old(append) && add_new(append);
}

static enum outcome put(struct append *append, const struct cache_write *write)
{
    return call_put(append->call, write) == COMMAND_DONE ? STORED : NO_ROOM;
}

/* Stores old and new, both short, as one. */
static enum outcome put_short(struct append *append,
                              const struct cache_view *view)
{
    char value[CACHE_INLINE_MAX];
    memcpy(value, view->bytes, view->len);
    memcpy(value + view->len, append->call->argv[2].ptr, append->added);
    struct cache_write write = {.type = CACHE_STRING,
                                .value = value,
                                .len = append->len,
                                .expires_at_ms = view->expires_at_ms};
    return put(append, &write);
}

static enum outcome put_made(struct append *append,
                             const struct cache_view *view)
{
    if (!is_same(&append->before, view))
        return STALE;
    struct cache_write write = {.type = CACHE_STRING,
                                .blob = append->made,
                                .expires_at_ms = view->expires_at_ms};
    enum outcome outcome = put(append, &write);
    if (outcome == STORED)
        append->made = NULL;
    return outcome;
}

/* With the transaction open. */
static enum outcome attempt(struct append *append)
{
    struct call *call = append->call;
    struct cache_view view;
    if (!call_find(call, CACHE_TOUCH, &view)) {
        struct cache_write write = {.type = CACHE_STRING};
        append->len = append->added;
        return call_value(call, &write) ? put(append, &write) : NEEDS_BLOB;
    }
    append->len = view.len + append->added;
    if (append->added == 0)
        return STORED;
    if (append->len > (size_t)atomic_load(&call->server->limits.bulk_bytes))
        return TOO_LONG;
    if (append->len <= CACHE_INLINE_MAX)
        return put_short(append, &view);
    if (append->made)
        return put_made(append, &view);
    remember(&append->before, &view);
    return REMEMBERED;
}

/* What must be done before it is tried again, outside the transaction.
 * False: there is no room for it. */
static bool prepare(struct append *append, enum outcome outcome)
{
    struct call *call = append->call;
    const struct arg *arg = &call->argv[2];
    switch (outcome) {
    case NO_ROOM:
        return cache_make_room(&call->tx);
    case NEEDS_BLOB:
        call->blob = call_blob_of(call, arg->ptr, arg->len);
        return call->blob != NULL;
    case REMEMBERED:
        return make(append);
    default:
        forget(append);
        return true;
    }
}

static enum command_result answer(struct append *append, enum outcome outcome)
{
    if (outcome == TOO_LONG)
        return call_error(append->call, "ERR string exceeds maximum allowed "
                                        "size (proto-max-bulk-len)");
    if (outcome == STALE)
        return COMMAND_AGAIN;
    if (outcome != STORED)
        return COMMAND_NO_ROOM;
    reply_int(&append->call->reply, (int64_t)append->len);
    return COMMAND_DONE;
}

enum command_result cmd_append(struct call *call)
{
    struct append append = {.call = call, .added = call->argv[2].len};
    enum outcome outcome;
    unsigned stale = 0;
    call->key = call_key_of(call, 1);
    cache_begin(&call->tx, call->server->cache, call->now_ms, &call->key, 1);
    for (;;) {
        outcome = attempt(&append);
        cache_end(&call->tx);
        if (outcome == STORED || outcome == TOO_LONG)
            break;
        if (outcome == STALE && ++stale == STALE_MAX)
            break;
        if (!prepare(&append, outcome))
            break;
        cache_begin_again(&call->tx, &call->key, 1);
    }
    cache_tx_close(&call->tx);
    forget(&append);
    return answer(&append, outcome);
}
