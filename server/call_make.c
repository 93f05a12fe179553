/* SPDX-License-Identifier: BSD-3-Clause */
/* Making a long value from an old one, a slice a turn. */

#include "call_make.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

struct make {
    struct call *call;
    bool begun;
    /* The old value: its pieces are pinned, its last bytes copied. */
    size_t len, tail_len;
    uint32_t pieces;
    struct cache_pin pin;
    char tail[CACHE_INLINE_MAX];
    /* The new one. */
    struct cache_blob *made; /* NULL: nothing was copied yet, or stored */
    struct cache_pin at;     /* what of the pieces was not yet copied */
    size_t done;             /* bytes of it */
};

static bool has_pieces(const struct make *make)
{
    return make->len > make->tail_len;
}

static void forget(struct make *make)
{
    if (make->begun && has_pieces(make))
        cache_unpin(&make->pin);
    make->begun = false;
    cache_blob_free(make->made);
    make->made = NULL;
    make->call->owned_bytes = 0;
}

static void make_free(void *state)
{
    forget(state);
    free(state);
}

static struct make *make_of(struct call *call)
{
    struct make *make = call->state;
    if (make)
        return make;
    make = calloc(1, sizeof *make);
    if (!make)
        abort();
    make->call = call;
    call->state = make;
    call->state_free = make_free;
    return make;
}

void call_make_begin(struct call *call, const struct cache_view *old)
{
    struct make *make = make_of(call);
    assert(!make->begun && old->bytes_len <= sizeof make->tail);
    make->begun = true;
    make->len = old->len;
    make->tail_len = old->bytes_len;
    memcpy(make->tail, old->bytes, old->bytes_len);
    make->pieces = old->pieces;
    if (has_pieces(make))
        make->pin = make->at = cache_view_pin(old);
    make->done = 0;
    call->owned_bytes = make->len - make->tail_len;
}

bool call_make_begun(const struct call *call)
{
    const struct make *make = call->state;
    return make && make->begun;
}

size_t call_make_old_len(const struct call *call)
{
    const struct make *make = call->state;
    return make->len;
}

/* ---------------------------------------------------------------- copying */

static size_t less_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The pin only goes forward: so must the parts. */
static void copy_old(struct make *make, size_t at, char *to, size_t len)
{
    size_t in_pieces = make->len - make->tail_len;
    while (len > 0 && at < in_pieces) {
        struct cache_span span;
        assert(at >= in_pieces - make->at.left);
        cache_pin_consume(&make->at, at - (in_pieces - make->at.left));
        cache_pin_spans(&make->at, &span, 1);
        size_t n = less_of(len, span.len);
        memcpy(to, span.ptr, n);
        cache_pin_consume(&make->at, n);
        at += n;
        to += n;
        len -= n;
    }
    if (len > 0)
        memcpy(to, make->tail + (at - in_pieces), len);
}

static void copy_argument(const struct call *call, size_t at, char *to,
                          size_t len)
{
    if (call->blob)
        cache_blob_copy(call->blob, at, to, len);
    else
        memcpy(to, call->argv[call->command->blob_arg].ptr + at, len);
}

/* Copies `len` bytes of a part, from `at` in it; false: there is no room. */
static bool copy_part(struct make *make, const struct call_part *part,
                      size_t at, size_t len)
{
    while (len > 0) {
        size_t room;
        char *to = cache_blob_room(make->made, make->call->now_ms, &room);
        if (!to)
            return false;
        room = less_of(room, len);
        if (part->from == CALL_OLD)
            copy_old(make, part->at + at, to, room);
        else
            copy_argument(make->call, part->at + at, to, room);
        cache_blob_advance(make->made, room);
        make->done += room;
        at += room;
        len -= room;
    }
    return true;
}

bool call_make_slice(struct call *call, const struct call_part *parts,
                     size_t count)
{
    struct make *make = call->state;
    size_t len = 0, start = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    if (!make->made)
        make->made = cache_blob_new(call->server->cache, len);
    if (!make->made)
        return false;
    size_t end = less_of(len, make->done + CALL_SLICE_BYTES);
    for (size_t i = 0; i < count && start < end; i++) {
        size_t stop = less_of(end, start + parts[i].len);
        if (make->done < stop &&
            !copy_part(make, &parts[i], make->done - start, stop - make->done))
            return false;
        start += parts[i].len;
    }
    call->owned_bytes = make->len - make->tail_len + make->done;
    return true;
}

bool call_make_done(const struct call *call)
{
    const struct make *make = call->state;
    return make->made && make->done == cache_blob_len(make->made);
}

/* ---------------------------------------------------------------- storing */

/* While pieces are pinned no other value can have them, so that the same first
 * piece means the same bytes. */
bool call_make_current(const struct call *call, const struct cache_view *old)
{
    const struct make *make = call->state;
    return make->len == old->len && make->tail_len == old->bytes_len &&
           (!has_pieces(make) || make->pieces == old->pieces) &&
           memcmp(make->tail, old->bytes, old->bytes_len) == 0;
}

struct cache_blob *call_make_value(const struct call *call)
{
    const struct make *make = call->state;
    assert(call_make_done(call));
    return make->made;
}

void call_make_stored(struct call *call)
{
    struct make *make = call->state;
    make->made = NULL;
}

void call_make_forget(struct call *call)
{
    forget(call->state);
}
