/* SPDX-License-Identifier: BSD-3-Clause */
/* Storing a value that is made from the old one. */

#include "call_edit.h"

#include <stdatomic.h>
#include <string.h>

#include "timing.h"

/* How one transaction ended. */
enum outcome {
    FINISHED, /* stored, or there was nothing to store */
    NO_ROOM,
    NEEDS_BLOB, /* the argument is the value, and long */
    MAKING,     /* the new value is to be made */
    STALE,      /* it was, and the old value has changed since */
};

/* ----------------------------------------------------------- transactions */

static enum outcome put(struct call *call, const struct call_editor *editor,
                        const struct call_edit *edit,
                        const struct cache_write *write)
{
    if (call_put(call, write) != COMMAND_DONE)
        return NO_ROOM;
    editor->stored(call, edit);
    return FINISHED;
}

/* Puts a short value together. */
static enum outcome put_short(struct call *call,
                              const struct call_editor *editor,
                              const struct call_edit *edit,
                              const struct cache_view *old)
{
    char value[CACHE_INLINE_MAX];
    size_t len = 0;
    for (size_t i = 0; i < edit->count; i++) {
        const struct call_part *part = &edit->parts[i];
        char *to = value + len;
        if (part->from == CALL_OLD)
            cache_view_copy(old, part->at, to, part->len);
        else if (part->from == CALL_ARGUMENT)
            call_argument_copy(call, part->arg, part->at, to, part->len);
        else if (part->from == CALL_TEXT)
            memcpy(to, part->text + part->at, part->len);
        else
            memset(to, 0, part->len);
        call_change_bits(to, part->len, part->clear, part->set);
        len += part->len;
    }
    struct cache_write write = {.type = CACHE_STRING,
                                .value = value,
                                .len = len,
                                .expires_at_ms = edit->expires_at_ms};
    return put(call, editor, edit, &write);
}

/* The new value is the argument as it is. */
static bool is_argument(const struct call_edit *edit)
{
    return edit->count == 1 && edit->parts[0].from == CALL_ARGUMENT;
}

static enum outcome put_argument(struct call *call,
                                 const struct call_editor *editor,
                                 const struct call_edit *edit)
{
    struct cache_write write = {.type = CACHE_STRING,
                                .expires_at_ms = edit->expires_at_ms};
    return call_value(call, &write) ? put(call, editor, edit, &write)
                                    : NEEDS_BLOB;
}

static enum outcome put_made(struct call *call,
                             const struct call_editor *editor,
                             const struct call_edit *edit,
                             const struct cache_view *old)
{
    if (!call_make_current(call, old))
        return STALE;
    struct cache_write write = {.type = CACHE_STRING,
                                .blob = call_make_value(call),
                                .expires_at_ms = edit->expires_at_ms};
    enum outcome outcome = put(call, editor, edit, &write);
    if (outcome == FINISHED)
        call_make_stored(call);
    return outcome;
}

/* With the transaction open. */
static enum outcome attempt(struct call *call, const struct call_editor *editor,
                            struct call_edit *edit)
{
    struct cache_view view;
    bool found;
    if (!call_find_typed(call, &call->key, CACHE_STRING, CACHE_TOUCH, &view,
                         &found))
        return FINISHED;
    const struct cache_view *old = found ? &view : NULL;
    edit->count = edit->len = 0;
    edit->expires_at_ms = found ? view.expires_at_ms : 0;
    if (!editor->plan(call, old, edit))
        return FINISHED;
    if (edit->len > (size_t)atomic_load(&call->server->limits.bulk_bytes)) {
        reply_error(&call->reply, "ERR string exceeds maximum allowed size "
                                  "(proto-max-bulk-len)");
        return FINISHED;
    }
    if (edit->len <= CACHE_INLINE_MAX)
        return put_short(call, editor, edit, old);
    if (is_argument(edit))
        return put_argument(call, editor, edit);
    if (call_make_begun(call))
        return put_made(call, editor, edit, old);
    call_make_begin(call, old, edit->parts, edit->count);
    return MAKING;
}

/* What must be done before it is tried again, outside the transaction.
 * False: there is no room for it. */
static bool prepare(struct call *call, enum outcome outcome)
{
    if (outcome == NO_ROOM)
        return timing_make_room(call);
    if (outcome == MAKING)
        return call_make_slice(call);
    const struct arg *arg = &call->argv[call->command->blob_arg];
    call->blob = call_blob_of(call, arg->ptr, arg->len);
    return call->blob != NULL;
}

static enum outcome transact(struct call *call,
                             const struct call_editor *editor, const void *ctx)
{
    struct call_edit edit = {.ctx = ctx};
    enum outcome outcome;
    cache_begin(&call->tx, call->server->cache, call->now_ms, &call->key, 1);
    for (;;) {
        outcome = attempt(call, editor, &edit);
        cache_end(&call->tx);
        if (outcome == FINISHED || outcome == STALE)
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

enum command_result call_edit(struct call *call,
                              const struct call_editor *editor, const void *ctx)
{
    call->key = call_key_of(call, 1);
    enum command_result result = call_make_go_on(call);
    if (result != COMMAND_DONE)
        return result;
    switch (transact(call, editor, ctx)) {
    case FINISHED:
        return COMMAND_DONE;
    case STALE:
        call_make_forget(call);
        return COMMAND_AGAIN;
    case MAKING:
        return COMMAND_AGAIN;
    default:
        return COMMAND_NO_ROOM;
    }
}
