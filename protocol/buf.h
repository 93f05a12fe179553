/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BUF_H
#define BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A growable run of bytes, filled at the end and drained at the front.
 *
 *   data      start            end             cap
 *    |  drained | bytes to read |  free room    |
 *
 * It never holds more than `max` bytes of memory (0: no limit).  What would
 * not fit, or finds no memory, is dropped whole and `failed` is set; from then
 * on everything is dropped, so that nothing with a hole in it is ever sent.
 * Writers need no error path, the owner looks once when it is done (and may
 * clear `failed` after it has truncated or released the buffer).  A zeroed
 * struct is an empty buffer that owns no memory.
 */
struct buf {
    char *data;
    size_t start, end, cap, max;
    bool failed;
};

static inline size_t buf_len(const struct buf *buf)
{
    return buf->end - buf->start;
}

/* Frees the memory; max and failed stay. */
void buf_release(struct buf *buf);
/* At least len writable bytes at the end, or NULL and `failed`.  What lay in
 * the buffer may have moved. */
static inline char *buf_room(struct buf *buf, size_t len);
void buf_commit(struct buf *buf, size_t len); /* len bytes were filled in */
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_add_text(struct buf *buf, const char *text);
void buf_addf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
void buf_drain(struct buf *buf, size_t len);
void buf_truncate(struct buf *buf, size_t len); /* keeps the first len bytes */

/* The room that is not there yet: for buf_room. */
char *buf_grow(struct buf *buf, size_t len);

static inline bool buf_has_room(const struct buf *buf, size_t len)
{
    return len < buf->cap - buf->end && !buf->failed;
}

static inline char *buf_room(struct buf *buf, size_t len)
{
    if (buf_has_room(buf, len))
        return buf->data + buf->end;
    return buf_grow(buf, len);
}

#endif
