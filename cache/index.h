/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INDEX_H
#define INDEX_H

/*
 * A shard's index: linear hashing (Litwin, 1980) over buckets of one cache
 * line.
 *
 *   bucket | 12 tags of 1 byte | 12 locations of 4 bytes | more 4 |
 *
 * A tag is eight bits of the hash, so that a look-up almost never touches an
 * entry it does not want.  `more` is the number of an overflow bucket plus
 * one.  The slots of a bucket and its overflow buckets are filled without a
 * gap.  The index grows and contracts by one bucket at a time: at more than
 * INDEX_FULL entries a bucket the next bucket is split, at fewer than
 * INDEX_SPARSE the last one is merged, so no operation ever copies a table.
 *
 * Buckets lie in segments of 64, which are cells; overflow buckets likewise,
 * kept dense by moving the last one into a gap.
 *
 * All functions want the shard locked, the first two excepted.
 */

#include "core.h"

enum {
    INDEX_SLOTS = 12,
    INDEX_FULL = 10,
    INDEX_SPARSE = 6,
    INDEX_SEGMENT = 64, /* buckets */
    INDEX_PRIMARY = 0,  /* kinds of segments */
    INDEX_OVERFLOW = 1,
};

struct bucket {
    uint8_t tags[INDEX_SLOTS];
    uint32_t locs[INDEX_SLOTS]; /* 0: empty */
    uint32_t more;
};

_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

/* A slot that was found; bucket NULL: none was. */
struct place {
    struct bucket *bucket;
    unsigned slot;
};

static inline uint32_t place_loc(struct place place)
{
    return place.bucket->locs[place.slot];
}

/* What cache_ahead.at is, and so the next step. */
enum ahead_step {
    AHEAD_NONE,
    AHEAD_BUCKET, /* one of the chain */
    AHEAD_ENTRY,
    AHEAD_PIECE, /* the first one */
};

/* Asks for the bucket of a hash; the result: where that is, or 0.  See
 * index_ahead.c. */
uint32_t index_prefetch(const struct cache *cache, uint64_t hash);
/* Asks for what is next in the chain of the bucket there. */
void index_prefetch_more(const struct cache *cache, const struct shard *shard,
                         uint32_t at);

/* By key, in an internal database. */
struct place index_find(const struct cache *cache, const struct shard *shard,
                        unsigned number, const struct cache_key *key);
/* By location, for those who move entries. */
struct place index_find_loc(const struct cache *cache,
                            const struct shard *shard, uint64_t hash,
                            uint32_t loc);

/* False: a segment is missing and none could be had, neither from `spares`
 * (or NULL) nor from the stock; nothing changed.  Grows the index if due. */
bool index_insert(struct cache *cache, struct shard *shard, uint64_t hash,
                  uint32_t loc, struct cache_spares *spares);
/* Makes sure that so many insertions find segments; false: as index_insert. */
bool index_reserve(struct cache *cache, struct shard *shard, uint32_t more,
                   struct cache_spares *spares);
/* Ends that: gives the segments back that are not needed now. */
void index_release(struct cache *cache, struct shard *shard);
/* Contracts the index if due (not while the shard is cut: then dead slots
 * would come to buckets that were swept). */
void index_remove(struct cache *cache, struct shard *shard, uint64_t hash,
                  struct place place);

/* Fetches what index_sweep of a bucket will look at; there may be none. */
void index_sweep_ahead(const struct cache *cache, const struct shard *shard,
                       uint32_t number);
/* Drops the dead slots of one bucket; what has pieces loses them. */
void index_sweep(struct cache *cache, struct shard *shard, uint32_t number);
/* Gives back what is kept for the next overflow bucket, if there is none. */
void index_trim(struct cache *cache, struct shard *shard);
/* Gives an empty index's memory back. */
void index_close(struct cache *cache, struct shard *shard);
/* Contracts by one bucket if there are fewer than `sparse` entries a bucket;
 * false: there are not, or it is not possible now. */
bool index_contract(struct cache *cache, struct shard *shard, unsigned sparse);

#endif
