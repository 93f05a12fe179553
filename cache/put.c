/* SPDX-License-Identifier: BSD-3-Clause */
/* Storing: cache_put, cache_remove, cache_set_expiry. */

#include <assert.h>

#include "blob.h"
#include "cut.h"
#include "garbage.h"
#include "listen.h"
#include "long.h"
#include "room.h"
#include "shard.h"
#include "spares.h"
#include "stash.h"

/* What an entry is to hold. */
struct content {
    struct cache_span tail; /* the bytes of the value that go into the cell */
    uint32_t pieces;        /* the others; 0: there are none */
    size_t len;
    enum cache_type type;
    int64_t expires_at_ms;
};

static struct content content_of(const struct cache_write *write)
{
    struct cache_blob *blob = write->blob;
    return (struct content){
        .tail = blob ? blob_tail(blob)
                     : (struct cache_span){write->value, write->len},
        .pieces = blob ? blob_pieces(blob) : 0,
        .len = blob ? cache_blob_len(blob) : write->len,
        .type = write->type,
        .expires_at_ms = write->expires_at_ms,
    };
}

/* What the cell of an entry to be written will look like. */
struct layout {
    size_t key_here, value_here, size;
    bool expiry, ext;
    unsigned class;
};

static struct layout layout_of(const struct cache *cache, size_t key_len,
                               size_t value_here, bool expiry, bool pieces)
{
    struct layout l = {
        .key_here = key_len > ENTRY_KEY_HERE ? ENTRY_KEY_HERE : key_len,
        .value_here = value_here,
        .expiry = expiry,
        .ext = pieces || key_len > ENTRY_KEY_SHORT,
    };
    l.size = ENTRY_HEAD + (l.expiry ? 8 : 0) +
             (l.ext ? sizeof(struct entry_ext) : 0) + l.key_here + value_here;
    l.class = sizes_of_entry(&cache->slabs.sizes, l.size);
    return l;
}

static struct layout layout_of_content(const struct cache *cache,
                                       size_t key_len,
                                       const struct content *content)
{
    assert(content->tail.len <= CACHE_INLINE_MAX);
    return layout_of(cache, key_len, content->tail.len,
                     content->expires_at_ms != 0, content->pieces != 0);
}

unsigned put_class(const struct cache *cache, size_t key_len,
                   const struct cache_write *write)
{
    struct content content = content_of(write);
    return layout_of_content(cache, key_len, &content).class;
}

/* Writes an entry into a cell of its class. */
static void fill(struct cache_tx *tx, struct entry *entry,
                 const struct layout *l, unsigned number,
                 const struct cache_key *key, uint32_t key_pieces,
                 const struct content *content)
{
    entry->used_ms = (uint32_t)tx->now_ms;
    __atomic_store_n(&entry->packed,
                     entry_pack(l->value_here, l->key_here, number,
                                content->type, l->expiry, l->ext),
                     __ATOMIC_RELAXED);
    if (l->expiry)
        entry_set_expires_at(entry, content->expires_at_ms);
    if (l->ext)
        *entry_ext(entry) = (struct entry_ext){
            .pieces = content->pieces,
            .key_pieces = key_pieces,
            .value_len = content->len,
            .key_len = (uint32_t)key->len,
        };
    char *at = entry->rest + packed_key_offset(entry->packed);
    if (key->len > ENTRY_KEY_HERE)
        long_key_here(tx->cache, key->ptr, key->len, at);
    else
        memcpy(at, key->ptr, key->len);
    if (content->tail.len > 0)
        memcpy(at + l->key_here, content->tail.ptr, content->tail.len);
}

/* True if the entry can be overwritten where it is. */
static bool fits_in_place(struct cache *cache, uint32_t loc,
                          const struct layout *l)
{
    uint32_t packed = entry_packed(entry_at(cache, loc));
    return !l->ext && !(packed & ENTRY_EXT) &&
           l->expiry == !!(packed & ENTRY_EXPIRY) &&
           slabs_suits(&cache->slabs, l->class, cell_class(&cache->slabs, loc));
}

static void overwrite(struct cache_tx *tx, struct shard *shard, uint32_t loc,
                      const struct layout *l, unsigned number,
                      const struct content *content)
{
    struct entry *entry = entry_at(tx->cache, loc);
    size_t before = packed_value_here(entry_packed(entry));
    if (shard->marking)
        cut_resized(tx->cache, shard, loc, before, l->value_here);
    shard->tally.payload += l->value_here - before;
    __atomic_store_n(&entry->packed,
                     entry_pack(l->value_here, l->key_here, number,
                                content->type, l->expiry, false),
                     __ATOMIC_RELAXED);
    if (l->value_here > 0) {
        /* The new value may be a piece of the old one. */
        memmove(entry_value(entry), content->tail.ptr, l->value_here);
    }
    if (l->expiry) {
        entry_set_expires_at(entry, content->expires_at_ms);
        slab_note_expiry(slab_of(&tx->cache->slabs, loc),
                         content->expires_at_ms);
    }
    shard_touch(tx->cache, shard, loc, tx->now_ms);
}

static void note_due(struct cache *cache, int64_t at_ms)
{
    int64_t due = atomic_load_explicit(&cache->due_ms, memory_order_relaxed);
    while (at_ms < due &&
           !atomic_compare_exchange_weak(&cache->due_ms, &due, at_ms))
        ;
}

/* Takes the cells for a new entry: its own, and one for a long key's end. */
static uint32_t take_cells(struct cache_tx *tx, struct shard *shard,
                           const struct layout *l, const struct cache_key *key,
                           uint32_t *key_pieces)
{
    struct cache *cache = tx->cache;
    *key_pieces = 0;
    if (key->len > ENTRY_KEY_HERE) {
        *key_pieces = long_key_end(cache, key, tx->spares, &tx->wanted);
        if (*key_pieces == 0)
            return 0;
    }
    uint32_t loc = stash_take(cache, shard, l->class);
    if (loc == 0)
        loc = spares_take(cache, tx->spares, l->class);
    if (loc == 0) {
        tx->wanted = l->class;
        garbage_add(cache, *key_pieces);
    } else {
        tx->class = l->class;
        tx->taken += cell_size(&cache->slabs, loc);
    }
    return loc;
}

/* What is replaced may have expired before. */
static void note_expired(struct cache_tx *tx, struct shard *shard, uint32_t loc)
{
    if (entry_expired(entry_at(tx->cache, loc), tx->now_ms))
        listen_lost(tx->cache, shard, loc, CACHE_EXPIRED);
}

/* Stores; the pieces become the entry's. */
static enum cache_result put(struct cache_tx *tx, unsigned db,
                             const struct cache_key *key,
                             const struct content *content)
{
    struct cache *cache = tx->cache;
    struct shard *shard = shard_of(cache, key->hash);
    unsigned number = number_of(cache, db);
    struct layout l = layout_of_content(cache, key->len, content);
    struct place place = index_find(cache, shard, number, key);
    bool found = place.bucket != NULL;
    assert(tx->shards >> shard->number & 1);
    assert(key->len <= CACHE_KEY_MAX);

    if (l.expiry)
        note_due(cache, content->expires_at_ms);
    if (found && fits_in_place(cache, place_loc(place), &l)) {
        note_expired(tx, shard, place_loc(place));
        overwrite(tx, shard, place_loc(place), &l, number, content);
        return CACHE_OK;
    }
    uint32_t key_pieces, loc = take_cells(tx, shard, &l, key, &key_pieces);
    if (loc == 0)
        return CACHE_NO_ROOM;
    fill(tx, entry_at(cache, loc), &l, number, key, key_pieces, content);
    if (found) {
        uint32_t old = place_loc(place);
        note_expired(tx, shard, old);
        place.bucket->locs[place.slot] = loc;
        shard_take_out(cache, shard, old);
        shard_free_entry(cache, old);
    } else if (!index_insert(cache, shard, hash_in(key->hash, number), loc,
                             tx->spares)) {
        garbage_add(cache, key_pieces);
        cell_free(&cache->slabs, loc);
        tx->wanted = sizes_of_segment(&cache->slabs.sizes);
        return CACHE_NO_ROOM;
    }
    if (key_pieces != 0)
        long_attach(cache, shard, loc, key_pieces);
    if (content->pieces != 0)
        long_attach(cache, shard, loc, content->pieces);
    shard_add(cache, shard, loc);
    return CACHE_OK;
}

enum cache_result cache_put(struct cache_tx *tx, unsigned db,
                            const struct cache_key *key,
                            const struct cache_write *write)
{
    struct content content = content_of(write);
    enum cache_result result = put(tx, db, key, &content);
    if (result == CACHE_OK && write->blob)
        blob_adopted(write->blob);
    return result;
}

/* Takes an entry out whose pieces another has by now. */
static void leave_pieces(struct cache *cache, struct shard *shard,
                         uint64_t hash, struct place place)
{
    uint32_t loc = place_loc(place);
    struct entry_ext *ext = entry_ext(entry_at(cache, loc));
    index_remove(cache, shard, hash, place);
    shard_take_out(cache, shard, loc);
    if (ext)
        ext->pieces = 0;
    shard_free_entry(cache, loc);
}

enum cache_result cache_rename(struct cache_tx *tx, unsigned from_db,
                               const struct cache_key *from, unsigned to_db,
                               const struct cache_key *to)
{
    struct cache *cache = tx->cache;
    struct shard *shard = shard_of(cache, from->hash);
    unsigned number = number_of(cache, from_db);
    struct place place = index_find(cache, shard, number, from);
    assert(place.bucket && tx->shards >> shard->number & 1);
    struct entry *entry = entry_at(cache, place_loc(place));
    uint32_t packed = entry_packed(entry);
    const struct entry_ext *ext = entry_ext(entry);
    struct content content = {
        .tail = {entry_value(entry), packed_value_here(packed)},
        .pieces = ext ? ext->pieces : 0,
        .len = ext ? ext->value_len : packed_value_here(packed),
        .type = (enum cache_type)packed_type(packed),
        .expires_at_ms = entry_expires_at(entry),
    };
    if (put(tx, to_db, to, &content) == CACHE_NO_ROOM)
        return CACHE_NO_ROOM;
    /* It may have another place by now. */
    place = index_find(cache, shard, number, from);
    assert(place.bucket);
    leave_pieces(cache, shard, hash_in(from->hash, number), place);
    return CACHE_OK;
}

bool cache_remove(struct cache_tx *tx, unsigned db, const struct cache_key *key)
{
    struct cache *cache = tx->cache;
    struct shard *shard = shard_of(cache, key->hash);
    unsigned number = number_of(cache, db);
    assert(tx->shards >> shard->number & 1);
    struct place place = index_find(cache, shard, number, key);
    if (!place.bucket)
        return false;
    bool expired = entry_expired(entry_at(cache, place_loc(place)), tx->now_ms);
    if (expired)
        listen_lost(cache, shard, place_loc(place), CACHE_EXPIRED);
    shard_drop(cache, shard, hash_in(key->hash, number), place);
    return !expired;
}

/* Copies an entry into a cell with or without room for an expiry. */
static void copy_with_expiry(struct entry *to, const struct entry *from,
                             int64_t expires_at_ms)
{
    uint32_t packed = entry_packed(from);
    size_t key_len;
    const char *key = entry_key(from, &key_len);
    const char *rest =
        packed & ENTRY_EXT ? key - sizeof(struct entry_ext) : key;
    size_t len = (size_t)(key + key_len - rest) + packed_value_here(packed);
    packed &= ~(uint32_t)ENTRY_EXPIRY;
    if (expires_at_ms != 0)
        packed |= ENTRY_EXPIRY;
    __atomic_store_n(&to->packed, packed, __ATOMIC_RELAXED);
    if (expires_at_ms != 0)
        entry_set_expires_at(to, expires_at_ms);
    memcpy(to->rest + (expires_at_ms != 0 ? 8 : 0), rest, len);
}

enum cache_result cache_set_expiry(struct cache_tx *tx, unsigned db,
                                   const struct cache_key *key,
                                   int64_t expires_at_ms)
{
    struct cache *cache = tx->cache;
    struct shard *shard = shard_of(cache, key->hash);
    struct place place = index_find(cache, shard, number_of(cache, db), key);
    assert(place.bucket);
    uint32_t loc = place_loc(place);
    struct entry *entry = entry_at(cache, loc);
    uint32_t packed = entry_packed(entry);
    if (expires_at_ms != 0)
        note_due(cache, expires_at_ms);
    if (!!(packed & ENTRY_EXPIRY) == (expires_at_ms != 0)) {
        if (expires_at_ms == 0)
            return CACHE_OK;
        entry_set_expires_at(entry, expires_at_ms);
        slab_note_expiry(slab_of(&cache->slabs, loc), expires_at_ms);
        return CACHE_OK;
    }
    size_t key_here;
    entry_key(entry, &key_here);
    size_t size = ENTRY_HEAD + (expires_at_ms != 0 ? 8 : 0) +
                  (packed & ENTRY_EXT ? sizeof(struct entry_ext) : 0) +
                  key_here + packed_value_here(packed);
    tx->wanted = sizes_of_entry(&cache->slabs.sizes, size);
    uint32_t to = spares_take(cache, tx->spares, tx->wanted);
    if (to == 0)
        return CACHE_NO_ROOM;
    copy_with_expiry(entry_at(cache, to), entry, expires_at_ms);
    entry_at(cache, to)->used_ms = (uint32_t)tx->now_ms;
    place.bucket->locs[place.slot] = to;
    shard_take_out(cache, shard, loc);
    cell_free(&cache->slabs, loc); /* its pieces live on with the copy */
    long_moved(cache, to);
    shard_add(cache, shard, to);
    return CACHE_OK;
}
