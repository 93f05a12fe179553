/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys and their hashes. */

#include "core.h"

struct cache_key cache_key_of(const struct cache *cache, const char *ptr,
                              size_t len)
{
    struct cache_key key = {.ptr = ptr, .len = len};
    if (len > ENTRY_KEY_HERE && len <= CACHE_KEY_MAX) {
        /* Hashed as a cell will hold it, so that cells can be rehashed. */
        uint64_t end = hash_bytes(&cache->hash_key, ptr + ENTRY_KEY_FIRST,
                                  len - ENTRY_KEY_FIRST);
        char here[ENTRY_KEY_HERE];
        memcpy(here, ptr, ENTRY_KEY_FIRST);
        memcpy(here + ENTRY_KEY_FIRST, &end, sizeof end);
        key.hash = hash_bytes(&cache->hash_key, here, sizeof here);
    } else {
        key.hash = hash_bytes(&cache->hash_key, ptr, len);
    }
    return key;
}

static bool are_alike(struct cache_key *const keys[])
{
    for (size_t i = 0; i < HASH_LANES; i++)
        if (keys[i]->len / 8 != keys[0]->len / 8 ||
            keys[i]->len > ENTRY_KEY_HERE)
            return false;
    return true;
}

static void hash_some(const struct cache *cache, struct cache_key *const keys[])
{
    const void *bytes[HASH_LANES];
    size_t lens[HASH_LANES];
    uint64_t hashes[HASH_LANES];
    for (size_t i = 0; i < HASH_LANES; i++) {
        bytes[i] = keys[i]->ptr;
        lens[i] = keys[i]->len;
    }
    hash_lanes(&cache->hash_key, bytes, lens, hashes);
    for (size_t i = 0; i < HASH_LANES; i++)
        keys[i]->hash = hashes[i];
}

void cache_hash_keys(const struct cache *cache, struct cache_key *const keys[],
                     size_t count)
{
    bool lanes = hash_has_lanes();
    for (size_t i = 0; i < count;) {
        if (lanes && count - i >= HASH_LANES && are_alike(keys + i)) {
            hash_some(cache, keys + i);
            i += HASH_LANES;
        } else {
            keys[i]->hash =
                cache_key_of(cache, keys[i]->ptr, keys[i]->len).hash;
            i++;
        }
    }
}
