/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLAIN_H
#define PLAIN_H

/* Arguments that have nothing special about them, which are nearly all there
 * ever are: for the parser, and for those who take requests without it. */

#include "count.h"
#include "parse.h"

static inline size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The argument at `at`, if it is there as a whole before `end`, plain, and no
 * longer than `most`; the result is what is behind it.  NULL: it needs a closer
 * look. */
static inline const char *plain_take(const char *at, const char *end,
                                     size_t most, struct arg *arg)
{
    if (end - at < COUNT_PLAIN)
        return NULL;
    size_t len, header = count_plain(at, (size_t)(end - at), '$', &len);
    at += header;
    if (header == 0 || len > most || (size_t)(end - at) < len + 2 ||
        !is_crlf(at + len))
        return NULL;
    *arg = (struct arg){at, len};
    return at + len + 2;
}

#endif
