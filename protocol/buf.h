/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BUF_H
#define BUF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A growable run of bytes, filled at the end and drained at the front.
 *
 *   data      start            end             cap
 *    |  drained | bytes to read |  free room    |
 *
 * It never holds more than `max` bytes of memory (0: no limit).  What would
 * not fit is dropped and `failed` is set and stays set: writers need no error
 * path, the owner looks once when it is done.  A zeroed struct is an empty
 * buffer that owns no memory.
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
/* At least len writable bytes at the end, or NULL. */
char *buf_room(struct buf *buf, size_t len);
void buf_commit(struct buf *buf, size_t len); /* len bytes were filled in */
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_add_text(struct buf *buf, const char *text);
void buf_addf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buf_drain(struct buf *buf, size_t len);
void buf_truncate(struct buf *buf, size_t len); /* keeps the first len bytes */

#endif
