/* SPDX-License-Identifier: BSD-3-Clause */
/* Skims requests in the input: counts and lengths, nothing more. */

#include "skim.h"

enum { DIGITS = 9 }; /* more are left to the parser */

/* A line of a type byte and a number; what is behind it, or NULL. */
static const char *take_line(const char *at, const char *end, char type,
                             size_t *number)
{
    if (at == end || *at++ != type)
        return NULL;
    const char *first = at;
    size_t value = 0;
    while (at < end && at - first < DIGITS && *at >= '0' && *at <= '9')
        value = value * 10 + (size_t)(*at++ - '0');
    if (at == first || end - at < 2 || at[0] != '\r' || at[1] != '\n')
        return NULL;
    *number = value;
    return at + 2;
}

size_t skim_request(const char *in, size_t len, struct arg *args, size_t max,
                    size_t *count)
{
    const char *end = in + len;
    size_t args_left, bulk;
    *count = 0;
    const char *at = take_line(in, end, '*', &args_left);
    while (at && args_left > 0) {
        at = take_line(at, end, '$', &bulk);
        if (!at || (size_t)(end - at) < bulk + 2)
            return 0;
        if (*count < max)
            args[(*count)++] = (struct arg){at, bulk};
        at += bulk + 2;
        args_left--;
    }
    return at ? (size_t)(at - in) : 0;
}
