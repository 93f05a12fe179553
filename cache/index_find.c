/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding slots of the index. */

#include "cut.h"
#include "index.h"
#include "index_chain.h"
#include "long.h"

static inline bool key_is(const struct cache *cache, const struct entry *entry,
                          unsigned number, const struct cache_key *key)
{
    uint32_t packed = entry_packed(entry);
    if (packed_number(packed) != number)
        return false;
    if (!(packed & ENTRY_EXT))
        return packed_key_here(packed) == key->len &&
               memcmp(entry->rest + packed_key_offset(packed), key->ptr,
                      key->len) == 0;
    return long_key_is(cache, entry, key);
}

static const struct place nowhere = {0};

struct place index_find(const struct cache *cache, const struct shard *shard,
                        unsigned number, const struct cache_key *key)
{
    if (shard->buckets == 0)
        return nowhere;
    uint64_t hash = hash_in(key->hash, number);
    struct bucket *bucket =
        bucket_at(cache, shard, INDEX_PRIMARY, index_bucket_of(shard, hash));
    for (; bucket; bucket = index_more(cache, shard, bucket)) {
        unsigned equal = tags_equal(tags_of(bucket), tag_of(hash));
        for (; equal; equal &= equal - 1) {
            unsigned slot = (unsigned)__builtin_ctz(equal);
            uint32_t loc = bucket->locs[slot];
            if (loc && !cut_is_dead(cache, shard, loc) &&
                key_is(cache, entry_at(cache, loc), number, key))
                return (struct place){bucket, slot};
        }
    }
    return nowhere;
}

struct place index_find_loc(const struct cache *cache,
                            const struct shard *shard, uint64_t hash,
                            uint32_t loc)
{
    if (shard->buckets == 0)
        return nowhere;
    struct bucket *bucket =
        bucket_at(cache, shard, INDEX_PRIMARY, index_bucket_of(shard, hash));
    for (; bucket; bucket = index_more(cache, shard, bucket)) {
        unsigned equal = tags_equal(tags_of(bucket), tag_of(hash));
        for (; equal; equal &= equal - 1) {
            unsigned slot = (unsigned)__builtin_ctz(equal);
            if (bucket->locs[slot] == loc && !cut_is_dead(cache, shard, loc))
                return (struct place){bucket, slot};
        }
    }
    return nowhere;
}
