/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole and plain requests, taken off the input many at a time. */

#include "skim.h"
#include "plain.h"

/* One request; its length, or 0: it is not whole, or not plain. */
static inline size_t take(const char *in, size_t len, size_t bulk_most,
                          struct arg *args, size_t args_most, uint32_t *argc)
{
    const char *at = in, *end = in + len;
    size_t count, header = 0;
    if (len >= COUNT_PLAIN)
        header = count_plain(at, len, '*', &count);
    if (header == 0 || count == 0 || count > args_most)
        return 0;
    at += header;
    for (size_t i = 0; i < count; i++) {
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
