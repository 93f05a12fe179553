/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACK_CORE_H
#define TRACK_CORE_H

/*
 * The inside of track_table.h, for its files only.
 *
 * Linear hashing in each part: buckets are added, and taken away, one at a
 * time, so that no operation waits for a table to be copied.  Everything about
 * a part wants its lock.
 */

#include <pthread.h>

#include "track_table.h"

enum {
    TRACK_PARTS = 64,
    TRACK_SEGMENT = 64, /* buckets */
};

struct track_part {
    _Alignas(64) pthread_mutex_t lock;
    struct track_key ***segments;
    uint32_t segments_cap, buckets, keys;
    uint64_t readers;
};

/* The buckets of a part that was emptied. */
struct track_garbage {
    struct track_garbage *next;
    struct track_key ***segments;
    uint32_t buckets, at;
};

struct track_table {
    struct pool *pool;
    _Atomic uint64_t keys_max, keys;
    _Atomic size_t used, pending;
    _Atomic bool walking; /* no bucket may go */
    _Atomic(struct track_garbage *) garbage;
    struct track_garbage *freeing;
    struct track_part parts[TRACK_PARTS];
};

/* track_buckets.c.  Memory for what is in the table, charged at `bytes`: that
 * of `size` bytes costs track_cost(size).  NULL: there is no room. */
size_t track_cost(size_t size);
size_t track_key_cost(const struct track_key *key);
size_t track_group_cost(const struct track_group *group);
size_t track_limit(const struct track_table *table);
void *track_alloc(struct track_table *table, size_t size, size_t bytes);
void track_give(struct track_table *table, void *memory, size_t bytes);

/* Before the first key of a part.  False: no room. */
bool track_make_buckets(struct track_table *table, struct track_part *part);
size_t track_segments_cost(uint32_t cap);
/* One bucket more, or less. */
void track_split(struct track_table *table, struct track_part *part);
void track_merge(struct track_table *table, struct track_part *part);
/* What points to the key; NULL: it is not there. */
struct track_key **track_find(const struct track_part *part,
                              const struct cache_key *key);

static inline struct track_part *track_part_of(struct track_table *table,
                                               uint64_t hash)
{
    return &table->parts[hash >> 58];
}

static inline struct track_key **track_bucket_at(const struct track_part *part,
                                                 uint32_t bucket)
{
    return &part->segments[bucket / TRACK_SEGMENT][bucket % TRACK_SEGMENT];
}

/* Where a hash belongs when there are so many buckets. */
static inline uint32_t track_bucket_of(uint32_t hash, uint32_t buckets)
{
    uint32_t mask = buckets - 1;
    for (unsigned shift = 1; shift < 32; shift *= 2)
        mask |= mask >> shift;
    uint32_t bucket = hash & mask;
    return bucket < buckets ? bucket : bucket & mask >> 1;
}

#endif
