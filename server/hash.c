/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking at hashes. */

#include "hash.h"

#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "pool.h"

static struct packed_run look(void *ctx, size_t at)
{
    struct cache_span span = call_reader_at(ctx, at, SIZE_MAX);
    return (struct packed_run){span.ptr, span.len};
}

struct packed hash_packed(struct call_reader *reader)
{
    const struct call_old *old = reader->old;
    if (call_old_pinned(old) == 0)
        return packed_of(old->tail, old->len);
    return (struct packed){.len = old->len, .look = look, .ctx = reader};
}

void hash_bind(struct hash *hash)
{
    hash->reader = call_reader(&hash->old);
    hash->packed = hash_packed(&hash->reader);
}

bool hash_open(struct call *call, struct hash *hash)
{
    struct cache_view view;
    bool found;
    call->key = call_key_of(call, 1);
    hash->old.taken = false;
    cache_begin(&call->tx, call->server->cache, call->now_ms, &call->key, 1);
    bool well = call_find_typed(call, &call->key, CACHE_HASH,
                                CACHE_TOUCH | CACHE_COUNT, &view, &found);
    if (well)
        call_old_take(&hash->old, found ? &view : NULL);
    cache_end(&call->tx);
    if (well)
        hash_bind(hash);
    return well;
}

void hash_close(struct hash *hash)
{
    call_old_drop(&hash->old);
}

size_t hash_room(const struct call *call)
{
    size_t room = call->conn ? conn_room(call->conn) : HASH_SLICE_BYTES;
    return room < HASH_SLICE_BYTES ? room : HASH_SLICE_BYTES;
}

void hash_reply(struct call *call, struct hash *hash, size_t at, size_t len)
{
    const char *bytes = packed_bytes(&hash->packed, at, len, NULL);
    if (bytes && len <= CALL_COPY_MAX)
        reply_bulk(&call->reply, bytes, len);
    else
        call_reply_kept(call, &hash->reader, at, len);
}

size_t hash_count(const struct cache_view *view)
{
    char front[PACKED_NUMBER_MAX];
    size_t len = view->len < sizeof front ? view->len : sizeof front;
    cache_view_copy(view, 0, front, len);
    struct packed packed = packed_of(front, len);
    return packed_count(&packed, NULL);
}

void *hash_keep(struct call *call, const void *state, size_t size,
                void (*state_free)(void *state))
{
    call->state = malloc(size);
    if (!call->state)
        abort();
    memcpy(call->state, state, size);
    call->state_free = state_free;
    pool_charge(call->server->pool, size);
    return call->state;
}

void hash_unkeep(struct call *call, void *state, size_t size)
{
    pool_give(call->server->pool, size);
    call->owned_bytes = 0;
    free(state);
}
