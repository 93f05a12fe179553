/* SPDX-License-Identifier: BSD-3-Clause */
/* Fields and values in one run of bytes. */

#include "packed.h"

#include <assert.h>
#include <string.h>

static struct packed_run look(struct packed *packed, size_t at)
{
    size_t skip = at - packed->run_at; /* huge if it lies before */
    if (skip >= packed->run.len) {
        assert(!packed->bytes && at < packed->len);
        packed->run = packed->look(packed->ctx, at);
        packed->run_at = at;
        skip = 0;
        assert(packed->run.len > 0);
        if (packed->run.len > packed->len - at)
            packed->run.len = packed->len - at;
    }
    return (struct packed_run){packed->run.ptr + skip, packed->run.len - skip};
}

/* False: there is none, or it is not in its shortest form. */
static bool take_number(struct packed *packed, size_t *at, size_t *number)
{
    struct packed_run run = {0};
    size_t value = 0;
    for (unsigned i = 0; i < PACKED_NUMBER_MAX && *at < packed->len; i++) {
        if (run.len == 0)
            run = look(packed, *at);
        unsigned char byte = (unsigned char)*run.ptr++;
        run.len--;
        ++*at;
        value |= (size_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80) {
            *number = value;
            return byte > 0 || i == 0;
        }
    }
    return false;
}

/* The field at walk->at; false: it is none. */
static bool take_field(struct packed_walk *walk, struct packed_field *field)
{
    struct packed *packed = walk->packed;
    field->begin = walk->at;
    if (!take_number(packed, &walk->at, &field->name_len) ||
        !take_number(packed, &walk->at, &field->value_len))
        return false;
    size_t left = packed->len - walk->at;
    if (field->name_len > left || field->value_len > left - field->name_len)
        return false;
    field->name = walk->at;
    field->value = field->name + field->name_len;
    field->end = walk->at = field->value + field->value_len;
    walk->left--;
    return true;
}

bool packed_valid(struct packed *packed)
{
    struct packed_walk walk = {.packed = packed};
    struct packed_field field;
    if (!take_number(packed, &walk.at, &walk.left))
        return false;
    while (walk.left > 0)
        if (!take_field(&walk, &field))
            return false;
    return walk.at == packed->len;
}

size_t packed_count(struct packed *packed, size_t *at)
{
    size_t begin = 0, count;
    bool there = take_number(packed, &begin, &count);
    assert(there);
    (void)there;
    if (at)
        *at = begin;
    return count;
}

struct packed_walk packed_begin(struct packed *packed)
{
    struct packed_walk walk = {.packed = packed};
    walk.left = packed_count(packed, &walk.at);
    return walk;
}

bool packed_next(struct packed_walk *walk, struct packed_field *field)
{
    if (walk->left == 0) {
        assert(walk->at == walk->packed->len);
        return false;
    }
    bool there = take_field(walk, field);
    assert(there);
    return there;
}

/* `len` bytes from `at` on are these. */
static bool equal(struct packed *packed, size_t at, const char *bytes,
                  size_t len)
{
    while (len > 0) {
        struct packed_run run = look(packed, at);
        size_t n = run.len < len ? run.len : len;
        if (memcmp(run.ptr, bytes, n) != 0)
            return false;
        at += n;
        bytes += n;
        len -= n;
    }
    return true;
}

bool packed_find(struct packed *packed, const char *name, size_t len,
                 struct packed_field *field)
{
    struct packed_walk walk = packed_begin(packed);
    while (packed_next(&walk, field))
        if (field->name_len == len && equal(packed, field->name, name, len))
            return true;
    return false;
}

const char *packed_bytes(struct packed *packed, size_t at, size_t len,
                         char *scratch)
{
    if (len == 0)
        return "";
    struct packed_run run = look(packed, at);
    if (run.len >= len)
        return run.ptr;
    if (!scratch)
        return NULL;
    for (size_t done = 0; done < len; done += run.len) {
        run = look(packed, at + done);
        if (run.len > len - done)
            run.len = len - done;
        memcpy(scratch + done, run.ptr, run.len);
    }
    return scratch;
}

/* ---------------------------------------------------------------- writing */

size_t packed_number_len(size_t number)
{
    size_t len = 1;
    while (number >>= 7)
        len++;
    return len;
}

size_t packed_put_number(char *to, size_t number)
{
    size_t len = 0;
    assert(packed_number_len(number) <= PACKED_NUMBER_MAX);
    for (; number >= 0x80; number >>= 7)
        to[len++] = (char)(number | 0x80);
    to[len++] = (char)number;
    return len;
}

size_t packed_put_lengths(char *to, size_t name_len, size_t value_len)
{
    size_t len = packed_put_number(to, name_len);
    return len + packed_put_number(to + len, value_len);
}
