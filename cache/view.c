/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking at entries: cache_find, values in pieces, pins. */

#include <assert.h>

#include "garbage.h"
#include "long.h"
#include "shard.h"
#include "view.h"

void view_fill(struct cache *cache, uint32_t loc, int64_t now_ms,
               struct cache_view *view)
{
    struct entry *entry = entry_at(cache, loc);
    assert(entry);
    uint32_t packed = entry_packed(entry);
    const struct entry_ext *ext = NULL;
    const char *key = entry->rest + packed_key_offset(packed);
    size_t key_here = packed_key_here(packed);
    if (packed & ENTRY_EXT) {
        ext = entry_ext(entry);
        key = entry_key(entry, &key_here);
    }
    *view = (struct cache_view){
        .bytes = key + key_here,
        .bytes_len = packed_value_here(packed),
        .len = ext ? ext->value_len : packed_value_here(packed),
        .key_len = ext ? ext->key_len : key_here,
        .expires_at_ms = packed & ENTRY_EXPIRY ? entry_expires_at(entry) : 0,
        .idle_ms = entry_age_ms(entry->used_ms, now_ms),
        .type = (enum cache_type)packed_type(packed),
        .loc = loc,
        .pieces = ext ? ext->pieces : 0,
        .cache = cache,
    };
}

size_t cache_view_resident(const struct cache_view *view)
{
    struct cache *cache = view->cache;
    const struct entry_ext *ext = entry_ext(entry_at(cache, view->loc));
    size_t bytes = cell_size(&cache->slabs, view->loc);
    if (ext)
        bytes += long_resident(cache, ext->pieces) +
                 long_resident(cache, ext->key_pieces);
    return bytes;
}

bool cache_find(struct cache_tx *tx, unsigned db, const struct cache_key *key,
                unsigned how, struct cache_view *view)
{
    struct cache *cache = tx->cache;
    struct shard *shard = shard_of(cache, key->hash);
    unsigned number = number_of(cache, db);
    assert(tx->shards >> shard->number & 1);
    struct place place = index_find(cache, shard, number, key);
    bool found = place.bucket != NULL;
    if (found && entry_expired(entry_at(cache, place_loc(place)), tx->now_ms)) {
        shard_lose(cache, shard, hash_in(key->hash, number), place,
                   CACHE_EXPIRED);
        found = false;
    }
    if (how & CACHE_COUNT) {
        shard->hits += found;
        shard->misses += !found;
    }
    if (!found)
        return false;
    view_fill(cache, place_loc(place), tx->now_ms, view);
    if (how & CACHE_TOUCH)
        shard_touch(cache, shard, place_loc(place), tx->now_ms);
    return true;
}

static void copy_pieces(const struct cache *cache, uint32_t at, size_t *offset,
                        char **to, size_t *len)
{
    for (; at != 0 && *len > 0; at = piece_at(cache, at)->next) {
        const struct piece *piece = piece_at(cache, at);
        if (*offset >= piece->len) {
            *offset -= piece->len;
            continue;
        }
        size_t n = piece->len - *offset;
        if (n > *len)
            n = *len;
        memcpy(*to, piece->bytes + *offset, n);
        *to += n;
        *len -= n;
        *offset = 0;
    }
}

void cache_view_copy(const struct cache_view *view, size_t offset, char *to,
                     size_t len)
{
    assert(offset + len <= view->len);
    copy_pieces(view->cache, view->pieces, &offset, &to, &len);
    if (len > 0)
        memcpy(to, view->bytes + offset, len);
}

bool cache_patch(const struct cache_view *view, size_t offset,
                 const char *bytes, size_t len)
{
    struct cache *cache = view->cache;
    assert(offset + len <= view->len);
    if (view->pieces != 0 && piece_at(cache, view->pieces)->pins > 0)
        return false;
    for (uint32_t at = view->pieces; at != 0 && len > 0;) {
        struct piece *piece = piece_at(cache, at);
        if (offset < piece->len) {
            size_t n = piece->len - offset < len ? piece->len - offset : len;
            memcpy(piece->bytes + offset, bytes, n);
            bytes += n;
            len -= n;
            offset = 0;
        } else {
            offset -= piece->len;
        }
        at = piece->next;
    }
    if (len > 0)
        memcpy(entry_value(entry_at(cache, view->loc)) + offset, bytes, len);
    return true;
}

const char *cache_view_key(const struct cache_view *view, char *scratch)
{
    struct entry *entry = entry_at(view->cache, view->loc);
    size_t here;
    const char *key = entry_key(entry, &here);
    if (view->key_len <= ENTRY_KEY_HERE)
        return key;
    memcpy(scratch, key, ENTRY_KEY_FIRST);
    char *to = scratch + ENTRY_KEY_FIRST;
    size_t offset = 0, len = view->key_len - ENTRY_KEY_FIRST;
    copy_pieces(view->cache, entry_ext(entry)->key_pieces, &offset, &to, &len);
    return scratch;
}

struct cache_pin cache_view_pin(const struct cache_view *view)
{
    assert(cache_view_is_long(view));
    piece_at(view->cache, view->pieces)->pins++;
    return (struct cache_pin){
        .cache = view->cache,
        .head = view->pieces,
        .next = view->pieces,
        .left = view->len - view->bytes_len,
    };
}

unsigned cache_pin_spans(const struct cache_pin *pin, struct cache_span *spans,
                         unsigned max)
{
    unsigned count = 0;
    size_t skip = pin->skip, left = pin->left;
    for (uint32_t at = pin->next; left > 0 && count < max; count++) {
        const struct piece *piece = piece_at(pin->cache, at);
        __builtin_prefetch(piece_at(pin->cache, piece->later));
        size_t len = piece->len - skip;
        len = len < left ? len : left;
        spans[count] = (struct cache_span){piece->bytes + skip, len};
        left -= len;
        skip = 0;
        at = piece->next;
    }
    return count;
}

void cache_pin_narrow(struct cache_pin *pin, size_t offset, size_t len)
{
    cache_pin_consume(pin, offset);
    assert(len <= pin->left);
    pin->left = len;
}

void cache_pin_consume(struct cache_pin *pin, size_t len)
{
    assert(len <= pin->left);
    pin->left -= len;
    pin->skip += len;
    while (pin->next != 0 &&
           pin->skip >= piece_at(pin->cache, pin->next)->len) {
        pin->skip -= piece_at(pin->cache, pin->next)->len;
        pin->next = piece_at(pin->cache, pin->next)->next;
    }
}

/* Locks the shard of a chain, which its entry may take to another one. */
static struct shard *lock_chain(struct cache *cache, const struct piece *first)
{
    for (;;) {
        struct shard *shard = &cache->shards[piece_shard(first)];
        lock_take(&shard->lock);
        if (piece_shard(first) == shard->number)
            return shard;
        lock_drop(&shard->lock);
    }
}

struct cache_pin cache_pin_again(const struct cache_pin *pin)
{
    struct piece *first = piece_at(pin->cache, pin->head);
    struct shard *shard = lock_chain(pin->cache, first);
    first->pins++;
    lock_drop(&shard->lock);
    return *pin;
}

void cache_pin_settle(struct cache_pin *pin)
{
    struct cache *cache = pin->cache;
    const struct piece *first = piece_at(cache, pin->head);
    struct shard *shard = lock_chain(cache, first);
    bool alone = first->pins == 1;
    for (uint32_t at = pin->head; alone && at != 0;) {
        if (piece_at(cache, at)->kind == PIECE_FULL)
            break;
        uint32_t to = long_settle(cache, at);
        if (pin->head == at)
            pin->head = to;
        if (pin->next == at)
            pin->next = to;
        at = piece_at(cache, to)->next;
    }
    lock_drop(&shard->lock);
}

void cache_unpin(struct cache_pin *pin)
{
    struct cache *cache = pin->cache;
    struct piece *first = piece_at(cache, pin->head);
    struct shard *shard = lock_chain(cache, first);
    assert(first->pins > 0);
    bool last = --first->pins == 0 && first->state == PIECE_ORPHAN;
    lock_drop(&shard->lock);
    if (last)
        garbage_add(cache, pin->head);
    *pin = (struct cache_pin){0};
}
