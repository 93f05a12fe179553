/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole and plain requests, taken off the input many at a time. */

#include "skim.h"
#include "plain.h"

#include <endian.h>

/* What nearly all begin with, "*2\r\n$3\r\n" as one word: up to nine
 * arguments, the first of up to nine bytes. */
enum { HEAD = 8 };

static inline bool head_read(const char *at, size_t *argc, size_t *name_len)
{
    const uint64_t digits = UINT64_C(0x0000ff000000ff00);
    uint64_t form, word;
    memcpy(&form, "*\0\r\n$\0\r\n", HEAD);
    memcpy(&word, at, HEAD);
    word = le64toh(word);
    *argc = (size_t)(word >> 8 & 0xff) - '0';
    *name_len = (size_t)(word >> 40 & 0xff) - '0';
    return (word & ~digits) == le64toh(form) && *argc <= 9 && *name_len <= 9;
}

/* The head of a request and its first argument; what is behind them, or
 * NULL. */
static inline const char *take_name(const char *at, const char *end,
                                    size_t bulk_most, struct arg *name,
                                    size_t *argc)
{
    size_t len, there = (size_t)(end - at);
    if (there >= HEAD && head_read(at, argc, &len)) {
        at += HEAD;
        there -= HEAD;
        if (len > bulk_most || there < len + 2 || !is_crlf(at + len))
            return NULL;
        *name = (struct arg){at, len};
        return at + len + 2;
    }
    size_t header = 0;
    if (there >= COUNT_PLAIN)
        header = count_plain(at, there, '*', argc);
    return header > 0 ? plain_take(at + header, end, bulk_most, name) : NULL;
}

/* One request; its length, or 0: it is not whole, or not plain. */
static inline size_t take(const char *in, size_t len, size_t bulk_most,
                          struct arg *args, size_t args_most, uint32_t *argc)
{
    const char *end = in + len;
    size_t count;
    if (args_most == 0)
        return 0;
    const char *at = take_name(in, end, bulk_most, args, &count);
    if (!at || count == 0 || count > args_most)
        return 0;
    for (size_t i = 1; i < count; i++) {
        at = plain_take(at, end, bulk_most, &args[i]);
        if (!at)
            return 0;
    }
    *argc = (uint32_t)count;
    return (size_t)(at - in);
}

size_t skim_run(struct skim *skim, const char *in, size_t len,
                const struct parse_limits *limits)
{
    size_t bulk_most = least(limits->bulk, limits->divert), taken = 0;
    for (; skim->count < SKIM_REQUESTS; skim->count++) {
        struct skim_request *request = &skim->requests[skim->count];
        request->argv = skim->args + skim->args_used;
        size_t args_most = least(limits->args, SKIM_ARGS - skim->args_used);
        size_t used =
            take(in + taken, least(len - taken, limits->request), bulk_most,
                 skim->args + skim->args_used, args_most, &request->argc);
        if (used == 0)
            break;
        request->used = (uint32_t)used;
        skim->args_used += request->argc;
        taken += used;
    }
    return taken;
}
