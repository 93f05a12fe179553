/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMPARISON_H
#define COMPARISON_H

/*
 * What a value may be compared with before it is replaced or removed: another
 * one (IFEQ, IFNE), or the digest of another one (IFDEQ, IFDNE).
 */

#include "command.h"

enum comparison_kind {
    COMPARE_NOTHING,
    COMPARE_EQUAL,
    COMPARE_DIFFERENT,
    COMPARE_DIGEST,
    COMPARE_OTHER_DIGEST,
};

struct comparison {
    enum comparison_kind kind;
    size_t arg; /* the place of what it is compared with */
};

/* "IFEQ" and its kind; COMPARE_NOTHING: it is none of them. */
enum comparison_kind comparison_word(const struct arg *arg);

/* True if argument *i is such a word with something behind it, and no other of
 * them was given before; *i is then the place of that. */
bool comparison_option(struct call *call, size_t *i,
                       struct comparison *comparison);

/* It holds where there is no such key. */
static inline bool comparison_of_nothing(const struct comparison *comparison)
{
    return comparison->kind == COMPARE_DIFFERENT ||
           comparison->kind == COMPARE_OTHER_DIGEST;
}

enum comparison_result {
    COMPARED_HOLDS,
    COMPARED_FAILS,
    COMPARED_REFUSED, /* an error was replied */
    COMPARED_LOOK,    /* return COMMAND_LOOK */
};

/* With the transaction open: of a string that is there. */
enum comparison_result comparison_of(struct call *call,
                                     const struct comparison *comparison,
                                     const struct cache_view *view);

#endif
