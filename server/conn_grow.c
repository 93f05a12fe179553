/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * More room for the input of a request that is not all there.  Much of it is
 * moved some at a time, and nothing is read meanwhile:
 *
 *   in     |##################|
 *   wider  |#######...........          |
 */

#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "pool.h"
#include "server.h"
#include "turn.h"

enum {
    GROW_TWICE = 2 * LIMIT_READ_BUFFER, /* above, input grows slower */
    ROOM_LEAST = LIMIT_READ_BUFFER / 4, /* to read to */
    MOVE_BYTES = 256 * 1024,            /* in one turn */
};

/* As conn_memory.c counts what is held. */
static size_t charge_of(size_t cap)
{
    return cap + cap / 2;
}

void conn_stop_growing(struct conn *conn)
{
    struct buf *wider = &conn->turn->wider;
    size_t charge = charge_of(wider->cap);
    if (!wider->data)
        return;
    buf_release(wider);
    pool_give(conn->worker->server->pool, charge);
    conn->charged -= charge;
}

/* Both are held while it is moved: only if memory does not become tight. */
static bool begin_to_move(struct conn *conn, size_t cap)
{
    struct turn *turn = conn->turn;
    const struct pool *pool = conn->worker->server->pool;
    size_t limit = pool_limit(pool), charge = charge_of(cap);
    if (pool_used(pool) + charge > limit - limit / 4 ||
        !conn_reserve(conn, charge))
        return false;
    turn->wider = (struct buf){.data = malloc(cap), .cap = cap};
    if (turn->wider.data)
        return true;
    conn_stop_growing(conn);
    return false;
}

static enum fill move_some(struct turn *turn)
{
    struct buf *in = &turn->in, *wider = &turn->wider;
    size_t left = buf_len(in) - wider->end;
    size_t part = left < MOVE_BYTES ? left : MOVE_BYTES;
    memcpy(wider->data + wider->end, in->data + in->start + wider->end, part);
    wider->end += part;
    if (part < left)
        return FILL_NONE;
    buf_release(in);
    *in = *wider;
    in->max = in->cap;
    *wider = (struct buf){0};
    return FILL_SOME;
}

/* All of it now. */
static enum fill grow_to(struct conn *conn, size_t cap, size_t least)
{
    struct buf *in = &conn->turn->in;
    size_t kept = buf_len(in);
    if (cap > in->cap && !conn_reserve(conn, cap - in->cap)) {
        /* Little memory is left: no more than is needed, then. */
        cap = least;
        if (cap > in->cap && !conn_reserve(conn, cap - in->cap))
            return FILL_FULL;
    }
    in->max = cap > in->cap ? cap : in->cap;
    if (buf_room(in, in->max - kept))
        return FILL_SOME;
    in->failed = false;
    return FILL_FULL;
}

enum fill conn_grow(struct conn *conn)
{
    struct turn *turn = conn->turn;
    struct buf *in = &turn->in;
    size_t kept = buf_len(in), least = kept + LIMIT_READ_BUFFER;
    size_t cap = kept + (kept < GROW_TWICE ? kept : kept / 4);
    if (cap < least)
        cap = least;
    if (!turn->wider.data && in->cap - in->end >= ROOM_LEAST)
        return FILL_SOME;
    if (turn->wider.data || (kept > MOVE_BYTES && begin_to_move(conn, cap)))
        return move_some(turn);
    return grow_to(conn, cap, least);
}
