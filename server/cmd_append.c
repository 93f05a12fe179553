/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * APPEND.  A short result is put together under the lock.  A long one is made
 * outside any lock, beside the old value, a slice a turn, and stored only if
 * the old value is still there:
 *
 *   look -> remember the old -> unlock -> make ... -> lock -> the same? ->
 * store ^                                            | no
 *                  +--------------------------------------------+
 */

#include "call.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLICE_BYTES = 256 * 1024, /* copied before other clients have a turn */
    STALE_MAX = 4             /* likewise */
};

/* A long value under way; kept with the call between turns. */
struct making {
    struct call *call;
    /* The old value as it was when this was begun. */
    size_t len, tail_len;
    bool pinned;
    uint32_t pieces;
    struct cache_pin pin;
    char tail[CACHE_INLINE_MAX];
    /* The new one, and what of the old and of the argument is in it. */
    struct cache_blob *made; /* NULL: not begun, or stored */
    struct cache_pin at;
    bool tail_done;
    size_t added, added_done;
};

struct append {
    struct call *call;
    size_t added; /* bytes */
    size_t len;   /* of the new value */
    struct making *making;
};

/* How one transaction ended. */
enum outcome {
    STORED,
    NO_ROOM,
    TOO_LONG,
    NEEDS_BLOB, /* the argument is the value, and long */
    MAKING,     /* the new value is to be made, or has not all been made */
    STALE,      /* it was, and the old value has changed since */
};

/* ---------------------------------------------------------------- making */

/* Ends what was begun; another may be remembered. */
static void forget(struct making *making)
{
    if (making->pinned)
        cache_unpin(&making->pin);
    making->pinned = false;
    cache_blob_free(making->made);
    making->made = NULL;
}

static void making_free(void *state)
{
    forget(state);
    free(state);
}

static struct making *making_of(struct call *call)
{
    struct making *making = malloc(sizeof *making);
    if (!making)
        abort();
    making->call = call;
    making->pinned = false;
    making->made = NULL;
    call->state = making;
    call->state_free = making_free;
    return making;
}

static void remember(struct append *append, const struct cache_view *view)
{
    if (!append->making)
        append->making = making_of(append->call);
    struct making *making = append->making;
    assert(view->bytes_len <= sizeof making->tail);
    making->len = view->len;
    making->tail_len = view->bytes_len;
    memcpy(making->tail, view->bytes, view->bytes_len);
    making->pieces = view->pieces;
    making->pinned = cache_view_is_long(view);
    if (making->pinned)
        making->pin = making->at = cache_view_pin(view);
    making->tail_done = false;
    making->added = append->added;
    making->added_done = 0;
}

/* While pieces are pinned no other value can have them, so that the same first
 * piece means the same bytes. */
static bool is_same(const struct making *making, const struct cache_view *view)
{
    return making->len == view->len && making->tail_len == view->bytes_len &&
           (!making->pinned || making->pieces == view->pieces) &&
           memcmp(making->tail, view->bytes, view->bytes_len) == 0;
}

static bool is_made(const struct making *making)
{
    return making->tail_done && making->added_done == making->added;
}

static size_t less_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Copies from the old value's pieces, at most `max` bytes; *copied is how
 * many. */
static bool copy_old(struct making *making, size_t max, size_t *copied)
{
    for (*copied = 0; making->pinned && making->at.left > 0 && *copied < max;) {
        struct cache_span span;
        cache_pin_spans(&making->at, &span, 1);
        span.len = less_of(span.len, max - *copied);
        if (!call_blob_add(making->call, making->made, span.ptr, span.len))
            return false;
        cache_pin_consume(&making->at, span.len);
        *copied += span.len;
    }
    return true;
}

/* Copies from the argument, at most `max` bytes. */
static bool copy_new(struct making *making, size_t max)
{
    struct call *call = making->call;
    max = less_of(max, making->added - making->added_done);
    if (!call->blob) {
        const char *from = call->argv[2].ptr + making->added_done;
        making->added_done += max;
        return call_blob_add(call, making->made, from, max);
    }
    for (size_t room; max > 0; max -= room) {
        char *to = cache_blob_room(making->made, call->now_ms, &room);
        if (!to)
            return false;
        room = less_of(room, max);
        cache_blob_copy(call->blob, making->added_done, to, room);
        cache_blob_advance(making->made, room);
        making->added_done += room;
    }
    return true;
}

/* Goes on making; false: there is no room. */
static bool make_slice(struct making *making)
{
    size_t copied;
    if (!making->made)
        making->made = cache_blob_new(making->call->server->cache,
                                      making->len + making->added);
    if (!making->made || !copy_old(making, SLICE_BYTES, &copied))
        return false;
    if (copied == SLICE_BYTES)
        return true;
    if (!making->tail_done && !call_blob_add(making->call, making->made,
                                             making->tail, making->tail_len))
        return false;
    making->tail_done = true;
    return copy_new(making, SLICE_BYTES - copied);
}

/* ----------------------------------------------------------- transactions */

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
    struct making *making = append->making;
    if (!is_same(making, view))
        return STALE;
    struct cache_write write = {.type = CACHE_STRING,
                                .blob = making->made,
                                .expires_at_ms = view->expires_at_ms};
    enum outcome outcome = put(append, &write);
    if (outcome == STORED)
        making->made = NULL;
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
    if (append->making && append->making->made)
        return put_made(append, &view);
    remember(append, &view);
    return MAKING;
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
    case MAKING:
        return make_slice(append->making);
    default:
        forget(append->making);
        return true;
    }
}

static enum command_result answer(struct append *append, enum outcome outcome)
{
    if (outcome == TOO_LONG)
        return call_error(append->call, "ERR string exceeds maximum allowed "
                                        "size (proto-max-bulk-len)");
    if (outcome == STALE || outcome == MAKING)
        return COMMAND_AGAIN;
    if (outcome != STORED)
        return COMMAND_NO_ROOM;
    reply_int(&append->call->reply, (int64_t)append->len);
    return COMMAND_DONE;
}

static enum outcome transact(struct append *append)
{
    struct call *call = append->call;
    enum outcome outcome;
    unsigned stale = 0;
    cache_begin(&call->tx, call->server->cache, call->now_ms, &call->key, 1);
    for (;;) {
        outcome = attempt(append);
        cache_end(&call->tx);
        if (outcome == STORED || outcome == TOO_LONG)
            break;
        if (outcome == STALE && ++stale == STALE_MAX)
            break;
        if (!prepare(append, outcome)) {
            outcome = NO_ROOM;
            break;
        }
        if (outcome == MAKING && !is_made(append->making))
            break;
        cache_begin_again(&call->tx, &call->key, 1);
    }
    cache_tx_close(&call->tx);
    return outcome;
}

enum command_result cmd_append(struct call *call)
{
    struct append append = {
        .call = call, .added = call->argv[2].len, .making = call->state};
    enum outcome outcome = MAKING;
    call->key = call_key_of(call, 1);
    if (append.making && append.making->made && !is_made(append.making) &&
        !make_slice(append.making))
        return COMMAND_NO_ROOM;
    if (!append.making || !append.making->made || is_made(append.making))
        outcome = transact(&append);
    return answer(&append, outcome);
}
