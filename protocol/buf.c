/* SPDX-License-Identifier: BSD-3-Clause */
/* Growable bytes: doubling, moving down what was drained, stopping at max. */

#include "buf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAP_FIRST = 128 };

void buf_release(struct buf *buf)
{
    if (buf->data) /* mostly not, and an allocator takes longer to see it */
        free(buf->data);
    buf->data = NULL;
    buf->start = buf->end = buf->cap = 0;
}

/* The capacity to grow to so that `need` bytes fit; 0 when they cannot. */
static size_t cap_for(const struct buf *buf, size_t need)
{
    size_t most = SIZE_MAX / 2;
    if (buf->max > 0 && buf->max < most)
        most = buf->max;
    if (need > most)
        return 0;
    size_t cap = buf->cap ? buf->cap : CAP_FIRST;
    while (cap < need)
        cap *= 2;
    return cap < most ? cap : most;
}

/* Moves what is held to the front of a run of cap bytes. */
static bool move_to(struct buf *buf, size_t cap)
{
    size_t held = buf_len(buf);
    char *data;
    if (buf->start == 0) {
        data = realloc(buf->data, cap);
        if (!data)
            return false;
    } else {
        data = malloc(cap);
        if (!data)
            return false;
        assert(buf->data); /* something was drained from it */
        memcpy(data, buf->data + buf->start, held);
        free(buf->data);
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

char *buf_grow(struct buf *buf, size_t len)
{
    size_t held = buf_len(buf);
    if (buf->failed || len > SIZE_MAX - held)
        goto fail;
    size_t cap = cap_for(buf, held + len);
    if (cap == 0)
        goto fail;

    /* Moving down is worth it when it moves less than was drained, so that
     * each byte is moved once on average; and when growing is no option. */
    bool fits = held + len <= buf->cap && buf->data;
    size_t wider = cap_for(buf, buf->end + len);
    if (fits && (held <= buf->start || wider == 0))
        memmove(buf->data, buf->data + buf->start, held);
    else if (!move_to(buf, fits ? wider : cap))
        goto fail;
    buf->start = 0;
    buf->end = held;
    return buf->data + buf->end;
fail:
    buf->failed = true;
    return NULL;
}

void buf_commit(struct buf *buf, size_t len)
{
    assert(len <= buf->cap - buf->end);
    buf->end += len;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
    char *room = buf_room(buf, len);
    if (!room || len == 0)
        return;
    memcpy(room, data, len);
    buf->end += len;
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_addv(buf, format, args);
    va_end(args);
}

void buf_addv(struct buf *buf, const char *format, va_list args)
{
    char small[256];
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, format, args);
    assert(len >= 0);
    if ((size_t)len < sizeof small) {
        buf_add(buf, small, (size_t)len);
    } else {
        /* Not straight into the room: vsnprintf adds a \0, which is no part
         * of the text and for which there may be no room. */
        char *text = malloc((size_t)len + 1);
        if (text) {
            vsnprintf(text, (size_t)len + 1, format, again);
            buf_add(buf, text, (size_t)len);
            free(text);
        } else {
            buf->failed = true;
        }
    }
    va_end(again);
}

void buf_drain(struct buf *buf, size_t len)
{
    assert(len <= buf_len(buf));
    buf->start += len;
    if (buf->start == buf->end)
        buf->start = buf->end = 0;
}

void buf_truncate(struct buf *buf, size_t len)
{
    assert(len <= buf_len(buf));
    buf->end = buf->start + len;
}
