/* SPDX-License-Identifier: BSD-3-Clause */
/* Values on their way in: pieces are taken as bytes arrive. */

#include <assert.h>
#include <stdlib.h>

#include "blob.h"
#include "garbage.h"
#include "long.h"
#include "room.h"

struct cache_blob {
    struct cache *cache;
    struct long_plan plan; /* what is still to be taken */
    size_t len, received;
    size_t in_pieces; /* bytes before the tail */
    uint32_t first, last;
    size_t filled; /* of the last piece, or of the tail */
    char tail[];
};

bool cache_fits(const struct cache *cache, size_t key_len, size_t len)
{
    struct long_plan plan = long_plan(cache, len);
    size_t segments = 2; /* a shard's index at least */
    /* Pieces are not moved before they are an entry's: each that is not full
     * may keep a slab. */
    size_t slabs = plan.full + plan.medium + plan.small + 1 +
                   (key_len > ENTRY_KEY_HERE) + segments;
    return slabs <=
           atomic_load_explicit(&cache->slabs.limit, memory_order_relaxed);
}

struct cache_blob *cache_blob_new(struct cache *cache, size_t len)
{
    struct long_plan plan = long_plan(cache, len);
    if (!cache_fits(cache, 0, len))
        return NULL;
    struct cache_blob *blob = malloc(sizeof *blob + plan.here);
    if (!blob)
        return NULL;
    *blob = (struct cache_blob){
        .cache = cache,
        .plan = plan,
        .len = len,
        .in_pieces = len - plan.here,
    };
    return blob;
}

/* Tells the piece that is PIECE_LATER before a new one. */
static void note_later(const struct cache_blob *blob, uint32_t loc)
{
    uint32_t at = blob->last;
    for (unsigned i = 1; i < PIECE_LATER && at != 0; i++)
        at = piece_at(blob->cache, at)->prev;
    if (at != 0)
        piece_at(blob->cache, at)->later = loc;
}

/* Adds a piece of the kind that is next; false: no room. */
static bool add_piece(struct cache_blob *blob, int64_t now_ms)
{
    struct cache *cache = blob->cache;
    enum size_piece kind = blob->plan.small > 0    ? PIECE_SMALL
                           : blob->plan.medium > 0 ? PIECE_MEDIUM
                                                   : PIECE_FULL;
    uint32_t loc =
        room_take(cache, sizes_of_piece(&cache->slabs.sizes, kind), now_ms);
    if (loc == 0)
        return false;
    room_pay(cache, cell_size(&cache->slabs, loc), now_ms);
    size_t room = piece_room(cache, kind);
    size_t left = blob->in_pieces - blob->received;
    *piece_at(cache, loc) = (struct piece){
        .prev = blob->last,
        .len = (uint32_t)(left < room ? left : room),
        .kind = (uint8_t)kind,
    };
    note_later(blob, loc);
    if (blob->last != 0)
        piece_at(cache, blob->last)->next = loc;
    else
        blob->first = loc;
    blob->last = loc;
    blob->filled = 0;
    if (kind == PIECE_SMALL)
        blob->plan.small--;
    else if (kind == PIECE_MEDIUM)
        blob->plan.medium--;
    else
        blob->plan.full--;
    return true;
}

char *cache_blob_room(struct cache_blob *blob, int64_t now_ms, size_t *len)
{
    if (blob->received >= blob->in_pieces) {
        *len = blob->len - blob->received;
        return blob->tail + (blob->received - blob->in_pieces);
    }
    if ((blob->last == 0 ||
         blob->filled == piece_at(blob->cache, blob->last)->len) &&
        !add_piece(blob, now_ms))
        return NULL;
    struct piece *piece = piece_at(blob->cache, blob->last);
    *len = piece->len - blob->filled;
    return piece->bytes + blob->filled;
}

void cache_blob_advance(struct cache_blob *blob, size_t len)
{
    if (blob->received < blob->in_pieces) {
        blob->filled += len;
        assert(blob->filled <= piece_at(blob->cache, blob->last)->len);
    }
    blob->received += len;
    assert(blob->received <= blob->len);
}

size_t cache_blob_len(const struct cache_blob *blob)
{
    return blob->len;
}

void cache_blob_copy(const struct cache_blob *blob, size_t offset, char *to,
                     size_t len)
{
    assert(offset + len <= blob->received);
    uint32_t at = blob->first;
    for (; at != 0 && len > 0; at = piece_at(blob->cache, at)->next) {
        const struct piece *piece = piece_at(blob->cache, at);
        if (offset >= piece->len) {
            offset -= piece->len;
            continue;
        }
        size_t n = piece->len - offset < len ? piece->len - offset : len;
        memcpy(to, piece->bytes + offset, n);
        to += n;
        len -= n;
        offset = 0;
    }
    if (len > 0)
        memcpy(to, blob->tail + offset, len);
}

struct cache_span cache_blob_span(const struct cache_blob *blob, size_t offset)
{
    size_t left = blob->received - offset, at = 0;
    assert(offset < blob->received);
    for (uint32_t loc = blob->first; loc != 0;) {
        const struct piece *piece = piece_at(blob->cache, loc);
        if (offset < at + piece->len) {
            size_t here = at + piece->len - offset;
            return (struct cache_span){piece->bytes + (offset - at),
                                       here < left ? here : left};
        }
        at += piece->len;
        loc = piece->next;
    }
    return (struct cache_span){blob->tail + (offset - at), left};
}

void cache_blob_settle(struct cache_blob *blob)
{
    struct cache *cache = blob->cache;
    for (uint32_t at = blob->first; at != 0;) {
        if (piece_at(cache, at)->kind == PIECE_FULL)
            break;
        uint32_t to = long_settle(cache, at);
        if (blob->first == at)
            blob->first = to;
        if (blob->last == at)
            blob->last = to;
        at = piece_at(cache, to)->next;
    }
}

void cache_blob_free(struct cache_blob *blob)
{
    if (!blob)
        return;
    garbage_add(blob->cache, blob->first);
    free(blob);
}

uint32_t blob_pieces(const struct cache_blob *blob)
{
    assert(blob->received == blob->len);
    return blob->first;
}

struct cache_span blob_tail(const struct cache_blob *blob)
{
    return (struct cache_span){blob->tail, blob->len - blob->in_pieces};
}

void blob_adopted(struct cache_blob *blob)
{
    free(blob);
}
