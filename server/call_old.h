/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CALL_OLD_H
#define CALL_OLD_H

/*
 * The value that a key has, kept to be read outside of the lock while the
 * entry may change or go: its pieces are pinned, its last bytes copied.
 */

#include "cache/cache.h"

struct call_old { /* zeroed: nothing is kept */
    bool taken, absent;
    size_t len, tail_len;
    uint32_t pieces;
    struct cache_pin pin;
    char tail[CACHE_INLINE_MAX];
};

/* With the transaction open.  NULL: there is no such key. */
void call_old_take(struct call_old *old, const struct cache_view *view);
/* With the transaction open: that is still the value. */
bool call_old_is(const struct call_old *old, const struct cache_view *view);
/* Outside of any transaction.  Nothing may be kept. */
void call_old_drop(struct call_old *old);

/* Bytes that it keeps from being evicted. */
static inline size_t call_old_pinned(const struct call_old *old)
{
    return old->len - old->tail_len;
}

/* Reads it from its beginning to its end. */
struct call_reader {
    const struct call_old *old;
    struct cache_pin at;
};

struct call_reader call_reader(const struct call_old *old);
/* A run of the bytes from `from` on, which is not before one that was read, at
 * most `most` of them. */
struct cache_span call_reader_next(struct call_reader *reader, size_t from,
                                   size_t most);
/* The same, at any place; cheap while it goes forward. */
struct cache_span call_reader_at(struct call_reader *reader, size_t from,
                                 size_t most);
/* Copies `len` bytes from `from` on, likewise. */
void call_reader_copy(struct call_reader *reader, size_t from, char *to,
                      size_t len);

#endif
