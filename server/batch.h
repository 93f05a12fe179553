/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BATCH_H
#define BATCH_H

/*
 * Requests that are served one behind another.  They are taken off the input
 * together, their rows are found and their keys hashed.  While they run, those
 * behind them take the steps of cache_ahead, so that what each needs of the
 * cache has come when it is its turn, and the processor has work while it
 * comes:
 *
 *          at
 *     run | step 4 | step 3 | step 2 | step 1 ...
 *         | burst  | burst  | burst  |
 *
 * A batch has no requests but those that are in the input still: it may be
 * forgotten at any time.
 */

#include "cache/cache.h"
#include "protocol/skim.h"

struct server;
struct command;

enum {
    BATCH_RECENT_BITS = 6,
    BATCH_ARGS = 8,  /* of a request, for which a batch that is not full has
                        room: few have more */
    BATCH_BURST = 4, /* requests that take a step together */
};

struct batch_request {
    const struct command *row; /* as command_find; NULL: there is none */
    struct cache_key key;      /* of a row with one; ptr NULL: it has none, or
                                  one that is too long */
    uint8_t db;                /* of the client */
};

/* A name that was asked for lately. */
struct batch_recent {
    uint64_t letters;
    const struct command *row; /* NULL: there is no such command */
};

struct batch {
    struct skim skim;
    size_t at, end; /* requests that are to be run next */
    size_t looked;  /* ahead from those before it */
    struct batch_request requests[SKIM_REQUESTS];
    struct cache_ahead ahead[SKIM_REQUESTS];
    struct batch_recent recent[1 << BATCH_RECENT_BITS];
};

/* NULL: no memory. */
struct batch *batch_new(void);
void batch_free(struct batch *batch);

static inline void batch_clear(struct batch *batch)
{
    batch->at = batch->end = batch->looked = 0;
    batch->skim.count = batch->skim.args_used = 0;
}

static inline bool batch_is_full(const struct batch *batch)
{
    return batch->skim.count == SKIM_REQUESTS ||
           SKIM_ARGS - batch->skim.args_used < BATCH_ARGS;
}

/* Adds requests from the input of a client in that database, as many as there
 * is room for; the result: how many. */
size_t batch_add(struct batch *batch, unsigned db, const char *in, size_t len,
                 const struct parse_limits *limits);
/* When all are there: hashes their keys. */
void batch_hash(struct batch *batch, const struct server *server);
/* Before the one at `at` is run: asks for what those behind it need, a few
 * requests ahead. */
void batch_look_ahead(struct batch *batch, const struct server *server);

#endif
