/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory of the table of readers, and its buckets. */

#include "track_core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"

enum { DIRECTORY_LEAST = 4 };

/* ----------------------------------------------------------------- memory */

/* With what the allocator makes of it: measured with a million keys whose
 * lengths shift, it is almost half as much again. */
size_t track_cost(size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    return bytes + bytes / 2;
}

size_t track_key_cost(const struct track_key *key)
{
    return track_cost(sizeof *key + key->len);
}

size_t track_group_cost(const struct track_group *group)
{
    size_t bytes =
        group->cap > 0 ? track_cost(group->cap * sizeof *group->ids) : 0;
    return group == &group->key->first ? bytes
                                       : bytes + track_cost(sizeof *group);
}

size_t track_limit(const struct track_table *table)
{
    return pool_limit(table->pool) / TRACK_POOL_PART;
}

/* Memory for what is in the table, charged at `bytes`. */
void *track_alloc(struct track_table *table, size_t size, size_t bytes)
{
    size_t used = atomic_fetch_add(&table->used, bytes) + bytes;
    if (used <= track_limit(table) && pool_demand(table->pool, bytes)) {
        void *memory = malloc(size);
        if (memory)
            return memory;
        pool_give(table->pool, bytes);
    }
    atomic_fetch_sub(&table->used, bytes);
    return NULL;
}

void track_give(struct track_table *table, void *memory, size_t bytes)
{
    free(memory);
    atomic_fetch_sub(&table->used, bytes);
    pool_give(table->pool, bytes);
}

size_t track_pending(const struct track_table *table)
{
    return atomic_load_explicit(&table->pending, memory_order_relaxed);
}

bool track_pend(struct track_table *table, size_t bytes)
{
    if (!pool_demand(table->pool, bytes))
        return false;
    atomic_fetch_add(&table->pending, bytes);
    return true;
}

void track_unpend(struct track_table *table, size_t bytes)
{
    size_t pending = atomic_fetch_sub(&table->pending, bytes);
    assert(pending >= bytes);
    (void)pending;
    pool_give(table->pool, bytes);
}

/* ---------------------------------------------------------------- buckets */

size_t track_segments_cost(uint32_t cap)
{
    return track_cost(cap * sizeof(struct track_key **));
}

static bool grow_segments(struct track_table *table, struct track_part *part)
{
    uint32_t cap =
        part->segments_cap ? part->segments_cap * 2 : DIRECTORY_LEAST;
    struct track_key ***segments =
        track_alloc(table, cap * sizeof *segments, track_segments_cost(cap));
    if (!segments)
        return false;
    if (part->segments) {
        memcpy(segments, part->segments, part->segments_cap * sizeof *segments);
        track_give(table, part->segments,
                   track_segments_cost(part->segments_cap));
    }
    part->segments = segments;
    part->segments_cap = cap;
    return true;
}

static bool add_segment(struct track_table *table, struct track_part *part)
{
    size_t size = TRACK_SEGMENT * sizeof(struct track_key *);
    uint32_t number = part->buckets / TRACK_SEGMENT;
    if (number == part->segments_cap && !grow_segments(table, part))
        return false;
    struct track_key **segment = track_alloc(table, size, track_cost(size));
    if (!segment)
        return false;
    memset(segment, 0, size);
    part->segments[number] = segment;
    return true;
}

/* Before the first key. */
bool track_make_buckets(struct track_table *table, struct track_part *part)
{
    if (part->buckets > 0)
        return true;
    if (!add_segment(table, part))
        return false;
    part->buckets = TRACK_SEGMENT;
    return true;
}

/* One more bucket, with some keys of another; without memory the chains just
 * get longer. */
void track_split(struct track_table *table, struct track_part *part)
{
    uint32_t fresh = part->buckets;
    if (fresh % TRACK_SEGMENT == 0 && !add_segment(table, part))
        return;
    /* That which had its keys until now. */
    struct track_key **from =
        track_bucket_at(part, track_bucket_of(fresh, fresh));
    struct track_key **to = track_bucket_at(part, fresh);
    part->buckets++;
    while (*from) {
        struct track_key *key = *from;
        if (track_bucket_of(key->hash, part->buckets) != fresh) {
            from = &key->next;
            continue;
        }
        *from = key->next;
        key->next = *to;
        *to = key;
    }
}

/* The last bucket's keys go back to where they came from. */
void track_merge(struct track_table *table, struct track_part *part)
{
    uint32_t last = part->buckets - 1;
    struct track_key *keys = *track_bucket_at(part, last);
    struct track_key **to = track_bucket_at(part, track_bucket_of(last, last));
    while (*to)
        to = &(*to)->next;
    *to = keys;
    *track_bucket_at(part, last) = NULL;
    part->buckets = last;
    if (last % TRACK_SEGMENT == 0)
        track_give(table, part->segments[last / TRACK_SEGMENT],
                   track_cost(TRACK_SEGMENT * sizeof(struct track_key *)));
}

struct track_key **track_find(const struct track_part *part,
                              const struct cache_key *key)
{
    uint32_t hash = (uint32_t)key->hash;
    if (part->buckets == 0)
        return NULL;
    struct track_key **at =
        track_bucket_at(part, track_bucket_of(hash, part->buckets));
    for (; *at; at = &(*at)->next)
        if ((*at)->hash == hash && (*at)->len == key->len &&
            memcmp((*at)->bytes, key->ptr, key->len) == 0)
            return at;
    return NULL;
}
