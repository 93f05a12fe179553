/* SPDX-License-Identifier: BSD-3-Clause */

/* Replying with values: copied when short, pinned when long. */

#include "call.h"

#include <assert.h>
#include <string.h>

#include "call_old.h"
#include "conn.h"

/* Nobody will read it: a long value need not be pinned for it. */
static bool unheard(const struct call *call)
{
    return call->reply.out->failed || session_is_silent(call->session);
}

static void reply_pinned(struct call *call, struct cache_pin pin, size_t len,
                         const char *tail, size_t tail_len)
{
    call->pinned += len - tail_len;
    reply_bulk_begin(&call->reply, len);
    conn_send_pin(call->conn, pin);
    buf_add(call->reply.out, tail, tail_len);
    buf_add_text(call->reply.out, "\r\n");
}

/* Of a long value.  Kept out of the way of short ones. */
__attribute__((noinline)) static void
reply_long_part(struct call *call, const struct cache_view *view, size_t at,
                size_t len)
{
    if (len <= CALL_COPY_MAX) {
        char *to = reply_bulk_room(&call->reply, len);
        if (to)
            cache_view_copy(view, at, to, len);
    } else if (unheard(call)) {
        reply_null(&call->reply);
    } else {
        size_t in_pieces = view->len - view->bytes_len;
        size_t pinned = at + len > in_pieces ? in_pieces - at : len;
        struct cache_pin pin = cache_view_pin(view);
        cache_pin_narrow(&pin, at, pinned);
        reply_pinned(call, pin, len, view->bytes, len - pinned);
    }
}

void call_reply_part(struct call *call, const struct cache_view *view,
                     size_t at, size_t len)
{
    if (cache_view_is_long(view))
        reply_long_part(call, view, at, len);
    else
        reply_bulk(&call->reply, view->bytes + at, len);
}

void call_reply_value(struct call *call, const struct cache_view *view)
{
    call_reply_part(call, view, 0, view->len);
}

void call_reply_framed(struct call *call, const struct cache_view *view,
                       size_t len, struct arg before, struct arg behind)
{
    struct buf *out = call->reply.out;
    size_t in_pieces = len > 0 ? len - view->bytes_len : 0;
    if (len > CALL_COPY_MAX && unheard(call)) {
        reply_null(&call->reply);
        return;
    }
    reply_bulk_begin(&call->reply, before.len + len + behind.len);
    buf_add(out, before.ptr, before.len);
    if (len > CALL_COPY_MAX) {
        call->pinned += in_pieces;
        conn_send_pin(call->conn, cache_view_pin(view));
        buf_add(out, view->bytes, view->bytes_len);
    } else if (len > 0) {
        char *to = buf_room(out, len);
        if (!to)
            return;
        cache_view_copy(view, 0, to, len);
        buf_commit(out, len);
    }
    buf_add(out, behind.ptr, behind.len);
    buf_add_text(out, "\r\n");
}

void call_keep_value(struct call *call, const struct cache_view *view,
                     struct call_kept *kept)
{
    if (view->len <= CALL_COPY_MAX || unheard(call)) {
        call_reply_value(call, view);
        return;
    }
    assert(view->bytes_len <= sizeof kept->tail);
    kept->len = view->len;
    kept->tail_len = view->bytes_len;
    memcpy(kept->tail, view->bytes, view->bytes_len);
    call->held = cache_view_pin(view);
    call->holds = true;
}

void call_send_kept(struct call *call, const struct call_kept *kept)
{
    if (!call->holds)
        return;
    call->holds = false;
    reply_pinned(call, call->held, kept->len, kept->tail, kept->tail_len);
}

static struct cache_pin pin_part(const struct call_old *old, size_t at,
                                 size_t len)
{
    struct cache_pin pin = cache_pin_again(&old->pin);
    cache_pin_narrow(&pin, at, len);
    return pin;
}

void call_reply_kept(struct call *call, struct call_reader *reader, size_t at,
                     size_t len)
{
    struct reply *reply = &call->reply;
    const struct call_old *old = reader->old;
    size_t pinned = call_old_pinned(old);
    if (len > CALL_COPY_MAX && at < pinned) {
        size_t here = len < pinned - at ? len : pinned - at;
        if (unheard(call))
            reply_null(reply);
        else
            reply_pinned(call, pin_part(old, at, here), len, old->tail,
                         len - here);
        return;
    }
    char *to = reply_bulk_room(reply, len);
    if (to)
        call_reader_copy(reader, at, to, len);
}

size_t call_replied(const struct call *call)
{
    return buf_len(call->reply.out) + call->pinned;
}
