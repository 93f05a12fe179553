/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * APPEND.  A short result is put together under the lock, a long one is made
 * outside of it, as call_make.h tells.
 */

#include "call.h"

#include <stdatomic.h>
#include <string.h>

#include "call_make.h"
#include "changes.h"
#include "timing.h"

struct append {
    struct call *call;
    size_t added, len; /* bytes: of the argument, of the new value */
};

/* How one transaction ended. */
enum outcome {
    STORED,
    NO_ROOM,
    TOO_LONG,
    NEEDS_BLOB, /* the argument is the value, and long */
    MAKING,     /* the new value is to be made */
    STALE,      /* it was, and the old value has changed since */
};

static bool make_slice(struct call *call)
{
    struct call_part parts[] = {
        {CALL_OLD, 0, call_make_old_len(call)},
        {CALL_ARGUMENT, 0, call->argv[2].len},
    };
    return call_make_slice(call, parts, 2);
}

/* ----------------------------------------------------------- transactions */

static enum outcome put(struct append *append, const struct cache_write *write)
{
    struct call *call = append->call;
    if (call_put(call, write) != COMMAND_DONE)
        return NO_ROOM;
    call_changed(call, &call->key, CHANGE_STRING, "append");
    return STORED;
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
    struct call *call = append->call;
    if (!call_make_current(call, view))
        return STALE;
    struct cache_write write = {.type = CACHE_STRING,
                                .blob = call_make_value(call),
                                .expires_at_ms = view->expires_at_ms};
    enum outcome outcome = put(append, &write);
    if (outcome == STORED)
        call_make_stored(call);
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
    if (append->added == 0) { /* Redis tells of it all the same */
        call_changed(call, &call->key, CHANGE_STRING, "append");
        return STORED;
    }
    if (append->len > (size_t)atomic_load(&call->server->limits.bulk_bytes))
        return TOO_LONG;
    if (append->len <= CACHE_INLINE_MAX)
        return put_short(append, &view);
    if (call_make_begun(call))
        return put_made(append, &view);
    call_make_begin(call, &view);
    return MAKING;
}

/* What must be done before it is tried again, outside the transaction.
 * False: there is no room for it. */
static bool prepare(struct call *call, enum outcome outcome)
{
    const struct arg *arg = &call->argv[2];
    if (outcome == NO_ROOM)
        return timing_make_room(call);
    if (outcome == MAKING)
        return make_slice(call);
    call->blob = call_blob_of(call, arg->ptr, arg->len);
    return call->blob != NULL;
}

static enum outcome transact(struct append *append)
{
    struct call *call = append->call;
    enum outcome outcome;
    cache_begin(&call->tx, call->server->cache, call->now_ms, &call->key, 1);
    for (;;) {
        outcome = attempt(append);
        cache_end(&call->tx);
        if (outcome == STORED || outcome == TOO_LONG || outcome == STALE)
            break;
        if (!prepare(call, outcome)) {
            outcome = NO_ROOM;
            break;
        }
        if (outcome == MAKING && !call_make_done(call))
            break;
        cache_begin_again(&call->tx, &call->key, 1);
    }
    cache_tx_close(&call->tx);
    return outcome;
}

static enum command_result answer(const struct append *append,
                                  enum outcome outcome)
{
    switch (outcome) {
    case STORED:
        reply_int(&append->call->reply, (int64_t)append->len);
        return COMMAND_DONE;
    case TOO_LONG:
        return call_error(append->call, "ERR string exceeds maximum allowed "
                                        "size (proto-max-bulk-len)");
    case STALE:
        call_make_forget(append->call);
        return COMMAND_AGAIN;
    case MAKING:
        return COMMAND_AGAIN;
    default:
        return COMMAND_NO_ROOM;
    }
}

enum command_result cmd_append(struct call *call)
{
    struct append append = {.call = call, .added = call->argv[2].len};
    call->key = call_key_of(call, 1);
    if (call_make_begun(call) && !call_make_done(call)) {
        if (!make_slice(call))
            return COMMAND_NO_ROOM;
        if (!call_make_done(call))
            return COMMAND_AGAIN;
    }
    return answer(&append, transact(&append));
}
