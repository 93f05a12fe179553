/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BATCH_H
#define BATCH_H

/*
 * Requests of one connection that are served one behind another.  They are
 * taken off the input together, their rows are found and their keys hashed, and
 * what will be needed of the cache is on its way while the first ones run.
 *
 *   input --skim--> requests --> rows, keys --> fetched ahead
 *                      |
 *                      '--> run, run, run ...
 *
 * A worker has one, which lives no longer than a turn: what of it was not run
 * is still in the input.
 */

#include "cache/cache.h"
#include "protocol/skim.h"

struct server;
struct session;
struct command;

enum { BATCH_RECENT = 32 }; /* a power of two */

struct batch_request {
    const struct command *row; /* as command_find; NULL: there is none */
    struct cache_key key;      /* of a row with one; ptr NULL: it has none, or
                                  one that is too long */
};

struct batch {
    struct skim skim;
    size_t at; /* the next to be run */
    struct batch_request requests[SKIM_REQUESTS];
    /* Rows that were asked for lately, by length and first letter. */
    const struct command *recent[BATCH_RECENT];
};

/* NULL: no memory. */
struct batch *batch_new(void);
void batch_free(struct batch *batch);

/* Forgets what has not been run. */
static inline void batch_reset(struct batch *batch)
{
    batch->at = batch->skim.count = 0;
}

static inline bool batch_is_over(const struct batch *batch)
{
    return batch->at == batch->skim.count;
}

/* The next requests from the input; false: the parser has to look at it. */
bool batch_fill(struct batch *batch, const struct server *server,
                const struct session *session, const char *in, size_t len,
                const struct parse_limits *limits);

#endif
