/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SKIM_H
#define SKIM_H

/*
 * Takes requests off the input that are there as a whole and have nothing
 * special about them, many at a time.  That is nearly all there ever is, and
 * knowing what comes next lets memory be fetched ahead.
 *
 *   | *2 $3 GET $1 a | *3 $3 SET $1 b $2 xy | *2 $3 GET $5 ab
 *     requests[0]      requests[1]            not whole: for the parser
 *
 * Whatever is left where it stops is for the parser (parse.h), which knows
 * what is wrong with it, if anything is.  What is taken the parser would have
 * taken too, with the same arguments.  In front of the first of them are eight
 * bytes or more, of its count and of how many there are.
 */

#include <stddef.h>
#include <stdint.h>

#include "parse.h"

enum { SKIM_REQUESTS = 32, SKIM_ARGS = 128 };

struct skim_request {
    const struct arg *argv; /* in `args`; they point into the input */
    uint32_t argc;          /* at least 1 */
    uint32_t used;          /* bytes of the request */
};

/* Zeroed, or count and args_used set to 0: empty. */
struct skim {
    size_t count, args_used;
    struct skim_request requests[SKIM_REQUESTS];
    struct arg args[SKIM_ARGS];
};

/* Adds the requests at the beginning of `in`, perhaps none, as long as there is
 * room; the result: their bytes. */
size_t skim_run(struct skim *skim, const char *in, size_t len,
                const struct parse_limits *limits);

#endif
