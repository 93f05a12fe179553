/* SPDX-License-Identifier: BSD-3-Clause */
/* Long replies that are found before they are sent. */

#include "parts.h"

#include <stdlib.h>

#include "pool.h"

/* A part is full before it grows once more. */
enum { PART_BYTES = 192 * 1024 };

struct part {
    struct part *next;
    struct buf bytes;
};

void parts_init(struct parts *parts, struct pool *pool)
{
    *parts = (struct parts){.pool = pool};
    parts->end = &parts->first;
}

static void drop_first(struct parts *parts)
{
    struct part *part = parts->first;
    parts->first = part->next;
    if (!parts->first)
        parts->end = &parts->first;
    buf_release(&part->bytes);
    free(part);
}

void parts_release(struct parts *parts)
{
    while (parts->first)
        drop_first(parts);
    buf_release(&parts->last);
    pool_give(parts->pool, parts->charged);
    parts_init(parts, parts->pool);
}

void parts_seal(struct parts *parts)
{
    if (buf_len(&parts->last) < PART_BYTES)
        return;
    struct part *part = malloc(sizeof *part);
    if (!part) {
        parts->last.failed = true;
        return;
    }
    *part = (struct part){NULL, parts->last};
    parts->last = (struct buf){0};
    *parts->end = part;
    parts->end = &part->next;
    parts->full_bytes += buf_len(&part->bytes);
    parts->held += part->bytes.cap;
}

/* What turns have borrowed for a moment does not count. */
bool parts_charge(struct parts *parts, size_t beside)
{
    size_t held = parts->held + parts->last.cap + beside;
    if (held <= parts->charged)
        return true;
    size_t more = held - parts->charged;
    if (pool_used(parts->pool) + more > pool_limit(parts->pool))
        return false;
    pool_charge(parts->pool, more);
    parts->charged += more;
    return true;
}

enum command_result parts_reply(struct parts *parts, struct call *call)
{
    bool is_last = !parts->first;
    const struct buf *from = is_last ? &parts->last : &parts->first->bytes;
    if (!parts->begun)
        reply_array(&call->reply, parts->count);
    parts->begun = true;
    if (buf_len(from) > 0)
        buf_add(call->reply.out, from->data + from->start, buf_len(from));
    if (is_last)
        return COMMAND_DONE;
    drop_first(parts);
    return COMMAND_AGAIN;
}
