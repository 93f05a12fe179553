/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INLINE_H
#define INLINE_H

/*
 * The arguments of an inline command, with the quoting rules of redis-cli:
 * "..." knows \xHH \n \r \t \b \a and takes any other escaped byte as it is;
 * '...' knows \' only.  A quote may open within a word and must close before
 * white space or the end.
 */

#include <stdbool.h>
#include <stddef.h>

/* Moves *at over white space; false at the end of the line. */
bool inline_skip(char **at, const char *end);

/* Takes the argument at *at, unescapes it in place and moves *at behind it.
 * False when its quotes are not balanced. */
bool inline_take(char **at, const char *end, const char **arg, size_t *len);

#endif
