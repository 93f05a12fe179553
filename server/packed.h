/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PACKED_H
#define PACKED_H

/*
 * A hash as one value: its fields with their values, in the order they came.
 *
 *   | fields | name length | value length | name | value | name length ...
 *
 * Numbers take seven bits a byte, the lowest first; the top bit says that more
 * of them follow.  A field costs two bytes beyond its name and value while both
 * are shorter than 128.
 *
 * It may lie in one run of bytes or in several, of which `look` shows one at a
 * time.  Offsets count from its beginning.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PACKED_NUMBER_MAX = 5 }; /* bytes of the longest number */

struct packed_run {
    const char *ptr;
    size_t len;
};

struct packed {
    size_t len;
    const char *bytes; /* all of them; or NULL, and */
    struct packed_run (*look)(void *ctx, size_t at); /* at least one byte */
    void *ctx;
    /* private: the run that was last looked at */
    struct packed_run run;
    size_t run_at;
};

static inline struct packed packed_of(const char *bytes, size_t len)
{
    return (struct packed){.len = len, .bytes = bytes, .run = {bytes, len}};
}

struct packed_field {
    size_t begin, end; /* all that belongs to it */
    size_t name, name_len, value, value_len;
};

/* True if it is one: nothing is missing, nothing left over, each number in its
 * shortest form.  Everything below takes that for granted, and asserts it
 * before it would read elsewhere. */
bool packed_valid(struct packed *packed);

/* How many fields there are, by the number at the front.  *at: where the first
 * begins; may be NULL. */
size_t packed_count(struct packed *packed, size_t *at);

/* Goes through the fields. */
struct packed_walk {
    struct packed *packed;
    size_t at, left;
};
struct packed_walk packed_begin(struct packed *packed);
/* False: there are no more. */
bool packed_next(struct packed_walk *walk, struct packed_field *field);

/* The field of that name; false: there is none. */
bool packed_find(struct packed *packed, const char *name, size_t len,
                 struct packed_field *field);

/* `len` bytes from `at` on: where they lie, or copied to scratch if not in one
 * run; NULL for that if there is no scratch. */
const char *packed_bytes(struct packed *packed, size_t at, size_t len,
                         char *scratch);

/* ---------------------------------------------------------------- writing */

/* Bytes of a number, and writing it: returns how many. */
size_t packed_number_len(size_t number);
size_t packed_put_number(char *to, size_t number);
/* The two lengths before a name and a value. */
size_t packed_put_lengths(char *to, size_t name_len, size_t value_len);

#endif
