/* SPDX-License-Identifier: BSD-3-Clause */
/* Chains of pieces: attaching, detaching, moving; long keys. */

#include <assert.h>

#include "garbage.h"
#include "long.h"
#include "spares.h"

struct long_plan long_plan(const struct cache *cache, size_t len)
{
    struct long_plan plan = {0};
    if (len <= CACHE_INLINE_MAX) {
        plan.here = len;
        return plan;
    }
    size_t full = piece_room(cache, PIECE_FULL);
    size_t medium = piece_room(cache, PIECE_MEDIUM);
    size_t small = piece_room(cache, PIECE_SMALL);
    plan.full = len / full;
    len %= full;
    plan.medium = (unsigned)(len / medium);
    len %= medium;
    plan.small = len > CACHE_INLINE_MAX;
    plan.here = plan.small ? len - (len < small ? len : small) : len;
    return plan;
}

void long_attach(struct cache *cache, struct shard *shard, uint32_t entry,
                 uint32_t first)
{
    struct piece *piece = piece_at(cache, first);
    bool again = piece->state == PIECE_ATTACHED;
    piece->prev = entry;
    piece->first = 1;
    for (uint32_t at = first; at != 0; at = piece->next) {
        piece = piece_at(cache, at);
        __atomic_store_n(&piece->shard, (uint8_t)shard->number,
                         __ATOMIC_RELAXED);
        if (again)
            continue;
        piece->state = PIECE_ATTACHED;
        if (piece->kind != PIECE_FULL)
            cell_set_live(&cache->slabs, at);
    }
}

void long_detach(struct cache *cache, uint32_t first)
{
    struct piece *head = piece_at(cache, first);
    for (uint32_t at = first; at != 0;) {
        struct piece *piece = piece_at(cache, at);
        if (piece->kind == PIECE_FULL)
            break; /* the rest is full, and full pieces are never live */
        cell_clear_live(&cache->slabs, at);
        at = piece->next;
    }
    if (head->pins > 0)
        head->state = PIECE_ORPHAN;
    else
        garbage_add(cache, first);
}

void long_moved(struct cache *cache, uint32_t to)
{
    const struct entry_ext *ext = entry_ext(entry_at(cache, to));
    if (!ext)
        return;
    cell_set_long(&cache->slabs, to);
    if (ext->pieces != 0)
        piece_at(cache, ext->pieces)->prev = to;
    if (ext->key_pieces != 0)
        piece_at(cache, ext->key_pieces)->prev = to;
}

void long_drop(struct cache *cache, struct entry *entry)
{
    const struct entry_ext *ext = entry_ext(entry);
    if (ext && ext->pieces != 0)
        long_detach(cache, ext->pieces);
    if (ext && ext->key_pieces != 0)
        long_detach(cache, ext->key_pieces);
}

size_t long_resident(const struct cache *cache, uint32_t first)
{
    size_t bytes = 0;
    for (; first != 0; first = piece_at(cache, first)->next)
        bytes += cell_size(&cache->slabs, first);
    return bytes;
}

/* Points whoever pointed at `from` to `to`: the piece before, or the entry if
 * the chain has one. */
static void relink(struct cache *cache, const struct piece *piece,
                   uint32_t from, uint32_t to)
{
    if (piece->next != 0)
        piece_at(cache, piece->next)->prev = to;
    if (!piece->first && piece->prev != 0)
        piece_at(cache, piece->prev)->next = to;
    if (!piece->first || piece->state != PIECE_ATTACHED)
        return;
    struct entry_ext *ext = entry_ext(entry_at(cache, piece->prev));
    if (ext->pieces == from) {
        ext->pieces = to;
    } else {
        assert(ext->key_pieces == from);
        ext->key_pieces = to;
    }
}

/* Makes `to` of a piece; the other cell is free then. */
static void move_to(struct cache *cache, uint32_t loc, uint32_t to)
{
    struct slabs *slabs = &cache->slabs;
    struct slab *slab = slab_of(slabs, loc);
    struct piece *piece = piece_at(cache, loc);
    memcpy(piece_at(cache, to), piece, sizeof *piece + piece->len);
    relink(cache, piece, loc, to);
    /* Of a chain without an entry no piece is, though only the first says so.
     */
    if (cell_is_live(slabs, slab, slab_cell_number(slabs, slab, loc))) {
        cell_set_live(slabs, to);
        cell_clear_live(slabs, loc);
    }
    cell_free(slabs, loc);
}

bool long_move(struct cache *cache, struct shard *shard, uint32_t loc)
{
    struct piece *piece = piece_at(cache, loc), *first = piece;
    if (piece_shard(piece) != shard->number || piece->state != PIECE_ATTACHED ||
        piece->kind == PIECE_FULL)
        return false;
    while (!first->first)
        first = piece_at(cache, first->prev);
    if (first->pins > 0)
        return false;
    uint32_t to = cell_take(&cache->slabs, slab_of(&cache->slabs, loc)->class);
    if (to != 0)
        move_to(cache, loc, to);
    return to != 0;
}

uint32_t long_settle(struct cache *cache, uint32_t loc)
{
    struct slabs *slabs = &cache->slabs;
    if (!slab_is_stuck(slabs, loc))
        return loc;
    struct slab *slab = slab_of(slabs, loc);
    uint32_t to = cell_take(slabs, slab->class);
    if (to == 0)
        return loc;
    if (slab_of(slabs, to) == slab) {
        cell_free(slabs, to);
        return loc;
    }
    move_to(cache, loc, to);
    return to;
}

/* -------------------------------------------------------------- long keys */

void long_key_here(const struct cache *cache, const char *key, size_t len,
                   char *here)
{
    uint64_t end = hash_bytes(&cache->hash_key, key + ENTRY_KEY_FIRST,
                              len - ENTRY_KEY_FIRST);
    memcpy(here, key, ENTRY_KEY_FIRST);
    memcpy(here + ENTRY_KEY_FIRST, &end, sizeof end);
}

bool long_key_is(const struct cache *cache, const struct entry *entry,
                 const struct cache_key *key)
{
    size_t here;
    const char *bytes = entry_key(entry, &here);
    const struct entry_ext *ext =
        (const struct entry_ext *)(const void *)(bytes - sizeof *ext);
    if (ext->key_len != key->len)
        return false;
    if (key->len <= ENTRY_KEY_HERE)
        return memcmp(bytes, key->ptr, key->len) == 0;
    if (memcmp(bytes, key->ptr, ENTRY_KEY_FIRST) != 0)
        return false;
    size_t at = ENTRY_KEY_FIRST;
    for (uint32_t loc = ext->key_pieces; loc != 0;) {
        const struct piece *piece = piece_at(cache, loc);
        if (memcmp(piece->bytes, key->ptr + at, piece->len) != 0)
            return false;
        at += piece->len;
        loc = piece->next;
    }
    return true;
}

static enum size_piece key_piece(const struct cache *cache, size_t key_len)
{
    enum size_piece kind = PIECE_SMALL;
    while (piece_room(cache, kind) < key_len - ENTRY_KEY_FIRST)
        kind++;
    return kind;
}

unsigned long_key_class(const struct cache *cache, size_t key_len)
{
    return sizes_of_piece(&cache->slabs.sizes, key_piece(cache, key_len));
}

uint32_t long_key_end(struct cache *cache, const struct cache_key *key,
                      struct cache_spares *spares, uint32_t *wanted)
{
    size_t len = key->len - ENTRY_KEY_FIRST;
    enum size_piece kind = key_piece(cache, key->len);
    *wanted = sizes_of_piece(&cache->slabs.sizes, kind);
    uint32_t loc = spares_take(cache, spares, *wanted);
    if (loc == 0)
        return 0;
    struct piece *piece = piece_at(cache, loc);
    *piece = (struct piece){.len = (uint32_t)len, .kind = (uint8_t)kind};
    memcpy(piece->bytes, key->ptr + ENTRY_KEY_FIRST, len);
    return loc;
}
