/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXPIRE_H
#define EXPIRE_H

/* Times as commands take them: EX 10, PXAT 1893456000000. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;

enum expire_unit { EXPIRE_SECONDS, EXPIRE_MILLISECONDS };

struct expire_option {
    const char *word; /* "ex", "px", "exat" or "pxat"; NULL: none was given */
    enum expire_unit unit;
    bool absolute;
    size_t arg; /* the number's place */
};

/*
 * True if argument *i is such an option with something behind it, and none of
 * the others was given before; *i is then the number's place.
 */
bool expire_option(struct call *call, size_t *i, struct expire_option *option);

/* Its number as a time; false: an error was replied. */
bool expire_option_value(struct call *call, const struct expire_option *option,
                         int64_t *expires_at_ms);

#endif
