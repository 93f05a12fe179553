/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of readers as a whole: made, emptied, walked through, counted. */

#include "track_core.h"

#include <stdlib.h>
#include <string.h>

#include "pool.h"

enum { STEP_KEYS = 256 }; /* freed at a time */

struct track_table *track_table_new(struct pool *pool)
{
    struct track_table *table = aligned_alloc(64, sizeof *table);
    if (!table)
        return NULL;
    memset(table, 0, sizeof *table);
    table->pool = pool;
    for (unsigned i = 0; i < TRACK_PARTS; i++)
        pthread_mutex_init(&table->parts[i].lock, NULL);
    return table;
}

void track_table_free(struct track_table *table)
{
    if (!table)
        return;
    track_clear(table);
    while (track_step(table))
        ;
    for (unsigned i = 0; i < TRACK_PARTS; i++)
        pthread_mutex_destroy(&table->parts[i].lock);
    free(table);
}

void track_set_max(struct track_table *table, uint64_t keys)
{
    atomic_store(&table->keys_max, keys);
}

bool track_is_over(const struct track_table *table)
{
    return atomic_load(&table->keys) > atomic_load(&table->keys_max) ||
           atomic_load(&table->used) > track_limit(table);
}

/* What was in a part is still charged as used, until it is freed. */
static void discard(struct track_table *table, struct track_part *part)
{
    if (part->buckets == 0)
        return;
    struct track_garbage *garbage = malloc(sizeof *garbage);
    if (!garbage)
        abort();
    *garbage = (struct track_garbage){.segments = part->segments,
                                      .buckets = part->buckets};
    atomic_fetch_sub(&table->keys, part->keys);
    size_t directory = track_segments_cost(part->segments_cap);
    atomic_fetch_sub(&table->used, directory);
    pool_give(table->pool, directory);
    part->segments = NULL;
    part->segments_cap = part->buckets = part->keys = 0;
    part->readers = 0;
    struct track_garbage *head = atomic_load(&table->garbage);
    do
        garbage->next = head;
    while (!atomic_compare_exchange_weak(&table->garbage, &head, garbage));
}

void track_clear(struct track_table *table)
{
    for (unsigned i = 0; i < TRACK_PARTS; i++) {
        struct track_part *part = &table->parts[i];
        pthread_mutex_lock(&part->lock);
        discard(table, part);
        pthread_mutex_unlock(&part->lock);
    }
}

static void free_key(struct track_table *table, struct track_key *key)
{
    size_t bytes = track_key_cost(key);
    struct track_group *group = &key->first;
    while (group) {
        struct track_group *next = group->next;
        bytes += track_group_cost(group);
        group = next;
    }
    atomic_fetch_add(&table->pending, bytes);
    atomic_fetch_sub(&table->used, bytes);
    for (group = &key->first; group;) {
        struct track_group *next = group->next;
        track_release(table, group);
        group = next;
    }
}

/* Frees a segment, and a few keys; true if that was the last. */
static bool free_some(struct track_table *table, struct track_garbage *garbage)
{
    unsigned freed = 0;
    while (garbage->at < garbage->buckets && freed < STEP_KEYS) {
        uint32_t bucket = garbage->at++;
        struct track_key **segment = garbage->segments[bucket / TRACK_SEGMENT];
        for (struct track_key *key = segment[bucket % TRACK_SEGMENT]; key;) {
            struct track_key *next = key->next;
            free_key(table, key);
            freed++;
            key = next;
        }
        if (garbage->at % TRACK_SEGMENT == 0 || garbage->at == garbage->buckets)
            track_give(table, segment,
                       track_cost(TRACK_SEGMENT * sizeof *segment));
    }
    return garbage->at == garbage->buckets;
}

bool track_step(struct track_table *table)
{
    if (!table->freeing)
        table->freeing = atomic_exchange(&table->garbage, NULL);
    struct track_garbage *garbage = table->freeing;
    if (!garbage)
        return false;
    if (free_some(table, garbage)) {
        table->freeing = garbage->next;
        free(garbage->segments);
        free(garbage);
    }
    return true;
}

void track_walk_begin(struct track_table *table, struct track_walk *walk)
{
    *walk = (struct track_walk){0};
    atomic_store(&table->walking, true);
}

/* The keys of the next bucket of a part that has one; false: it has none. */
static bool hold_bucket(const struct track_part *part, struct track_walk *walk)
{
    walk->count = 0;
    walk->crowded = false;
    if (walk->bucket >= part->buckets)
        return false;
    struct track_key *key = *track_bucket_at(part, walk->bucket);
    for (; key && walk->count < TRACK_WALK_KEYS; key = key->next) {
        atomic_fetch_add(&key->refs, 1);
        walk->keys[walk->count++] = key;
    }
    walk->crowded = key != NULL;
    walk->bucket += !walk->crowded;
    return true;
}

bool track_walk_next(struct track_table *table, struct track_walk *walk)
{
    for (; walk->part < TRACK_PARTS; walk->part++, walk->bucket = 0) {
        struct track_part *part = &table->parts[walk->part];
        pthread_mutex_lock(&part->lock);
        bool held = hold_bucket(part, walk);
        pthread_mutex_unlock(&part->lock);
        if (held)
            return true;
    }
    atomic_store(&table->walking, false);
    return false;
}

void track_count(struct track_table *table, struct track_counts *counts)
{
    *counts = (struct track_counts){.keys = atomic_load(&table->keys)};
    for (unsigned i = 0; i < TRACK_PARTS; i++) {
        struct track_part *part = &table->parts[i];
        pthread_mutex_lock(&part->lock);
        counts->readers += part->readers;
        pthread_mutex_unlock(&part->lock);
    }
    counts->bytes = atomic_load(&table->used) + track_pending(table);
}
