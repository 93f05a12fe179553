/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GRAMMAR_H
#define GRAMMAR_H

/*
 * Random requests from a grammar: few keys, so that they meet; sensible
 * arguments more often than not, and edges and nonsense among them.
 *
 * Times to live are either so long that no run sees their end, and so far
 * apart that the time a run takes does not decide which is later, or they
 * have passed already.
 */

#include "tests/request.h"
#include "tests/rng.h"

struct grammar {
    struct rng rng;
    struct request follow[3]; /* to be sent next, the last one first */
    unsigned follow_count;
    unsigned conn;      /* set by the caller: where it will be sent */
    unsigned multi;     /* bit i: connection i is likely between MULTI and
                           EXEC */
    unsigned listening; /* bit i: it may be subscribed to something */
};

void grammar_next(struct grammar *grammar, struct request *request);

#endif
