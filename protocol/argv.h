/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ARGV_H
#define ARGV_H

/*
 * The arguments of the request that a parser has under way.
 *
 * The input may move while bytes arrive, so an argument is kept as an offset
 * into it, 0 for a diverted one, until all are there: then they are settled.
 */

#include "parse.h"

/* Adds one; argv may have `most` bytes.  False: it may not, or there is no
 * memory. */
bool argv_push(struct parser *parser, const char *ptr, size_t len, size_t most);

/* Makes pointers of all.  The first `settled` ones are so already, relative to
 * `base`, and need care only if the input did move; in a request that is there
 * at once those are all. */
void argv_settle(struct parser *parser, char *in);

/* There are none any more; memory is kept, unless it has grown large. */
void argv_clear(struct parser *parser);
void argv_release(struct parser *parser);

#endif
