/* SPDX-License-Identifier: BSD-3-Clause */
/* The arguments of SCAN and its kind. */

#include "scan_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool scan_cursor(struct call *call, size_t arg, uint64_t *cursor)
{
    char text[80], *end = text;
    size_t len = call->argv[arg].len;
    errno = EINVAL;
    if (len < sizeof text) {
        memcpy(text, call->argv[arg].ptr, len);
        text[len] = 0;
        errno = strchr(" \t\n\v\f\r", text[0]) && text[0] ? EINVAL : 0;
        *cursor = strtoull(text, &end, 10);
    }
    if (!errno && end == text + len)
        return true;
    reply_error(&call->reply, "ERR invalid cursor");
    return false;
}

bool scan_options(struct call *call, size_t first, bool typed,
                  struct scan_options *options)
{
    *options = (struct scan_options){.count = 10};
    for (size_t i = first; i < call->argc; i += 2) {
        const struct arg *option = &call->argv[i], *value = option + 1;
        bool has_value = i + 1 < call->argc;
        if (has_value && arg_is(option, "count")) {
            if (!call_int(call, i + 1, &options->count))
                return false;
        } else if (has_value && arg_is(option, "match")) {
            options->pattern = value;
        } else if (has_value && typed && arg_is(option, "type")) {
            options->type = value;
        } else {
            options->count = 0;
        }
        if (options->count < 1) {
            reply_error(&call->reply, ERROR_SYNTAX);
            return false;
        }
    }
    return !options->pattern ||
           call_pattern_fits(call, options->pattern->len, LIMIT_PATTERN);
}
