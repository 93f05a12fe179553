/* SPDX-License-Identifier: BSD-3-Clause */
/* A value kept to be read outside of the lock. */

#include "call_old.h"

#include <assert.h>
#include <string.h>

void call_old_take(struct call_old *old, const struct cache_view *view)
{
    assert(!old->taken);
    old->taken = true;
    old->absent = view == NULL;
    old->len = old->tail_len = old->pieces = 0;
    if (!view)
        return;
    assert(view->bytes_len <= sizeof old->tail);
    old->len = view->len;
    old->tail_len = view->bytes_len;
    memcpy(old->tail, view->bytes, view->bytes_len);
    old->pieces = view->pieces;
    if (call_old_pinned(old) > 0)
        old->pin = cache_view_pin(view);
}

/* While pieces are pinned no other value can have them, nor are they written
 * to, so that the same first piece means the same bytes. */
bool call_old_is(const struct call_old *old, const struct cache_view *view)
{
    if (!view || old->absent)
        return !view && old->absent;
    return old->len == view->len && old->tail_len == view->bytes_len &&
           (call_old_pinned(old) == 0 || old->pieces == view->pieces) &&
           memcmp(old->tail, view->bytes, view->bytes_len) == 0;
}

void call_old_drop(struct call_old *old)
{
    if (old->taken && call_old_pinned(old) > 0)
        cache_unpin(&old->pin);
    old->taken = false;
}

struct call_reader call_reader(const struct call_old *old)
{
    return (struct call_reader){old, old->pin};
}

struct cache_span call_reader_next(struct call_reader *reader, size_t from,
                                   size_t most)
{
    const struct call_old *old = reader->old;
    size_t in_pieces = call_old_pinned(old);
    struct cache_span span = {old->tail + (from - in_pieces), old->len - from};
    if (from < in_pieces) {
        size_t at = in_pieces - reader->at.left;
        assert(from >= at);
        cache_pin_consume(&reader->at, from - at);
        cache_pin_spans(&reader->at, &span, 1);
    }
    if (span.len > most)
        span.len = most;
    return span;
}

struct cache_span call_reader_at(struct call_reader *reader, size_t from,
                                 size_t most)
{
    size_t in_pieces = call_old_pinned(reader->old);
    if (from < in_pieces && from < in_pieces - reader->at.left)
        *reader = call_reader(reader->old);
    return call_reader_next(reader, from, most);
}

void call_reader_copy(struct call_reader *reader, size_t from, char *to,
                      size_t len)
{
    while (len > 0) {
        struct cache_span span = call_reader_at(reader, from, len);
        memcpy(to, span.ptr, span.len);
        from += span.len;
        to += span.len;
        len -= span.len;
    }
}
