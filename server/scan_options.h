/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCAN_OPTIONS_H
#define SCAN_OPTIONS_H

/* What SCAN and its kind are asked. */

#include "call.h"

struct scan_options {
    int64_t count;
    const struct arg *pattern, *type; /* NULL: all */
};

/* The cursor in an argument, as strtoul takes it: any number that fits, signs
 * and zeros too.  False: an error was replied. */
bool scan_cursor(struct call *call, size_t arg, uint64_t *cursor);

/* The options from argument `first` on; TYPE only if `typed`.  False: an error
 * was replied. */
bool scan_options(struct call *call, size_t first, bool typed,
                  struct scan_options *options);

#endif
