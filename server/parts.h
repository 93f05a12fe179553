/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PARTS_H
#define PARTS_H

/*
 * What is found for a reply that begins with its count.  It is kept in parts,
 * so that it neither grows nor is put out all at one time.
 *
 *   found -> last -> parts_seal -> part, part, ...
 *   that was all -> parts_reply: the count, and a part at a time
 *
 * It is charged to the client pool.
 */

#include "command.h"

struct part;
struct pool;

struct parts {
    struct pool *pool;
    struct part *first, **end; /* full ones, which are not touched any more */
    struct buf last;           /* what is found is added here, as a reply */
    size_t count;              /* of what was found; its owner counts */
    size_t full_bytes;         /* in the full ones */
    size_t held, charged;      /* memory of the full ones; of all */
    bool begun;                /* the reply was */
};

void parts_init(struct parts *parts, struct pool *pool);
/* Of an initialized one, which becomes empty. */
void parts_release(struct parts *parts);

/* Begins a new part if the last one is full.  Without memory last.failed. */
void parts_seal(struct parts *parts);
/* Charges for all that is held by now, and for `beside` bytes that the owner
 * holds beside it.  False: the pool has no room, and nothing was charged. */
bool parts_charge(struct parts *parts, size_t beside);

static inline size_t parts_len(const struct parts *parts)
{
    return parts->full_bytes + buf_len(&parts->last);
}

/* The result is that of the command whose reply it is. */
enum command_result parts_reply(struct parts *parts, struct call *call);

#endif
