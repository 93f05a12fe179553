/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COUNT_H
#define COUNT_H

/*
 * The counts of RESP: digits and a CRLF behind '*' or '$'.  For the parser
 * only; inline, because it reads three of them for every GET.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "text.h"

enum { COUNT_LINE = 32 }; /* bytes of a count with its CR */

enum count {
    COUNT_OK,
    COUNT_MORE, /* it may become one */
    COUNT_BAD,  /* it never will */
    COUNT_LONG, /* no CR within COUNT_LINE bytes */
};

static inline bool is_crlf(const char *at)
{
    return memcmp(at, "\r\n", 2) == 0;
}

/* The count from *at to its CRLF; moves *at behind that. */
static inline enum count count_read(const char **at, const char *end,
                                    int64_t *value)
{
    const char *text = *at;
    size_t len = 0, there = (size_t)(end - text);
    if (there >= 3 && *text >= '0' && *text <= '9' && is_crlf(text + 1)) {
        *value = *text - '0';
        *at = text + 3;
        return COUNT_OK;
    }
    while (len < there && len < COUNT_LINE && text[len] != '\r') {
        bool digit = text[len] >= '0' && text[len] <= '9';
        if (!digit && !(len == 0 && text[0] == '-'))
            return COUNT_BAD;
        len++;
    }
    if (len == COUNT_LINE)
        return COUNT_LONG;
    if (there - len < 2)
        return COUNT_MORE;
    if (text[len + 1] != '\n' || !text_to_int(text, len, value))
        return COUNT_BAD;
    *at = text + len + 2;
    return COUNT_OK;
}

enum { COUNT_PLAIN = 6 }; /* bytes of the shortest argument */

/*
 * The bytes of a count with its type and CRLF, if it has up to four digits;
 * 0: it is something else, or wrong.  There are `there` bytes, which is no less
 * than COUNT_PLAIN.
 */
static inline size_t count_plain(const char *at, size_t there, char type,
                                 size_t *value)
{
    unsigned first = (unsigned char)at[1] - (unsigned)'0';
    unsigned second = (unsigned char)at[2] - (unsigned)'0';
    unsigned third = (unsigned char)at[3] - (unsigned)'0';
    unsigned fourth = (unsigned char)at[4] - (unsigned)'0';
    if (at[0] != type || first > 9)
        return 0;
    *value = first;
    if (is_crlf(at + 2))
        return 4;
    if (first == 0 || second > 9)
        return 0;
    *value = first * 10 + second;
    if (is_crlf(at + 3))
        return 5;
    if (third > 9)
        return 0;
    *value = *value * 10 + third;
    if (is_crlf(at + 4))
        return 6;
    *value = *value * 10 + fourth;
    return fourth <= 9 && there > 6 && is_crlf(at + 5) ? 7 : 0;
}

#endif
