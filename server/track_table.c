/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linear hashing in each part: buckets are added, and taken away, one at a
 * time, so that no operation waits for a table to be copied.
 */

#include "track_table.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"

enum {
    PARTS = 64,
    SEGMENT = 64,    /* buckets */
    STEP_KEYS = 256, /* freed at a time */
    SET_LEAST = 4,
};

struct part {
    _Alignas(64) pthread_mutex_t lock;
    struct track_key ***segments;
    uint32_t segments_cap, buckets, keys;
    uint64_t readers;
};

/* The buckets of a part that was emptied. */
struct garbage {
    struct garbage *next;
    struct track_key ***segments;
    uint32_t buckets, at;
};

struct track_table {
    struct pool *pool;
    _Atomic uint64_t keys_max, keys;
    _Atomic size_t used, pending;
    _Atomic bool walking; /* no bucket may go */
    _Atomic(struct garbage *) garbage;
    struct garbage *freeing;
    struct part parts[PARTS];
};

/* ----------------------------------------------------------------- memory */

/* With what the allocator makes of it: measured with a million keys whose
 * lengths shift, it is almost half as much again. */
static size_t cost(size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    return bytes + bytes / 2;
}

static size_t key_cost(const struct track_key *key)
{
    return cost(sizeof *key + key->len);
}

static size_t group_cost(const struct track_group *group)
{
    size_t bytes = group->cap > 0 ? cost(group->cap * sizeof *group->ids) : 0;
    return group == &group->key->first ? bytes : bytes + cost(sizeof *group);
}

static size_t limit_of(const struct track_table *table)
{
    return pool_limit(table->pool) / TRACK_POOL_PART;
}

static bool pool_has(struct pool *pool, size_t bytes)
{
    size_t got = pool_take(pool, bytes);
    if (got == bytes)
        return true;
    pool_give(pool, got);
    return false;
}

/* Memory for what is in the table, charged at `bytes`. */
static void *take(struct track_table *table, size_t size, size_t bytes)
{
    size_t used = atomic_fetch_add(&table->used, bytes) + bytes;
    if (used <= limit_of(table) && pool_has(table->pool, bytes)) {
        void *memory = malloc(size);
        if (memory)
            return memory;
        pool_give(table->pool, bytes);
    }
    atomic_fetch_sub(&table->used, bytes);
    return NULL;
}

static void give(struct track_table *table, void *memory, size_t bytes)
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
    if (!pool_has(table->pool, bytes))
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

static struct part *part_of(struct track_table *table, uint64_t hash)
{
    return &table->parts[hash >> 58];
}

static struct track_key **bucket_at(const struct part *part, uint32_t bucket)
{
    return &part->segments[bucket / SEGMENT][bucket % SEGMENT];
}

/* Where a hash belongs when there are so many buckets. */
static uint32_t bucket_of(uint32_t hash, uint32_t buckets)
{
    uint32_t mask = buckets - 1;
    for (unsigned shift = 1; shift < 32; shift *= 2)
        mask |= mask >> shift;
    uint32_t bucket = hash & mask;
    return bucket < buckets ? bucket : bucket & mask >> 1;
}

static size_t segments_cost(uint32_t cap)
{
    return cost(cap * sizeof(struct track_key **));
}

static bool grow_segments(struct track_table *table, struct part *part)
{
    uint32_t cap = part->segments_cap ? part->segments_cap * 2 : SET_LEAST;
    struct track_key ***segments =
        take(table, cap * sizeof *segments, segments_cost(cap));
    if (!segments)
        return false;
    if (part->segments) {
        memcpy(segments, part->segments, part->segments_cap * sizeof *segments);
        give(table, part->segments, segments_cost(part->segments_cap));
    }
    part->segments = segments;
    part->segments_cap = cap;
    return true;
}

static bool add_segment(struct track_table *table, struct part *part)
{
    size_t size = SEGMENT * sizeof(struct track_key *);
    uint32_t number = part->buckets / SEGMENT;
    if (number == part->segments_cap && !grow_segments(table, part))
        return false;
    struct track_key **segment = take(table, size, cost(size));
    if (!segment)
        return false;
    memset(segment, 0, size);
    part->segments[number] = segment;
    return true;
}

/* Before the first key. */
static bool make_buckets(struct track_table *table, struct part *part)
{
    if (part->buckets > 0)
        return true;
    if (!add_segment(table, part))
        return false;
    part->buckets = SEGMENT;
    return true;
}

/* One more bucket, with some keys of another; without memory the chains just
 * get longer. */
static void split(struct track_table *table, struct part *part)
{
    uint32_t fresh = part->buckets;
    if (fresh % SEGMENT == 0 && !add_segment(table, part))
        return;
    /* That which had its keys until now. */
    struct track_key **from = bucket_at(part, bucket_of(fresh, fresh));
    struct track_key **to = bucket_at(part, fresh);
    part->buckets++;
    while (*from) {
        struct track_key *key = *from;
        if (bucket_of(key->hash, part->buckets) != fresh) {
            from = &key->next;
            continue;
        }
        *from = key->next;
        key->next = *to;
        *to = key;
    }
}

/* The last bucket's keys go back to where they came from. */
static void merge(struct track_table *table, struct part *part)
{
    uint32_t last = part->buckets - 1;
    struct track_key *keys = *bucket_at(part, last);
    struct track_key **to = bucket_at(part, bucket_of(last, last));
    while (*to)
        to = &(*to)->next;
    *to = keys;
    *bucket_at(part, last) = NULL;
    part->buckets = last;
    if (last % SEGMENT == 0)
        give(table, part->segments[last / SEGMENT],
             cost(SEGMENT * sizeof(struct track_key *)));
}

static struct track_key **find(const struct part *part,
                               const struct cache_key *key)
{
    uint32_t hash = (uint32_t)key->hash;
    if (part->buckets == 0)
        return NULL;
    struct track_key **at = bucket_at(part, bucket_of(hash, part->buckets));
    for (; *at; at = &(*at)->next)
        if ((*at)->hash == hash && (*at)->len == key->len &&
            memcmp((*at)->bytes, key->ptr, key->len) == 0)
            return at;
    return NULL;
}

/* ---------------------------------------------------------------- readers */

static uint64_t *place_of(const struct track_group *group, uint64_t client)
{
    uint32_t mask = group->cap - 1;
    uint32_t at = (uint32_t)(client * UINT64_C(0x9E3779B97F4A7C15) >> 32);
    for (;; at++) {
        uint64_t *place = &group->ids[at & mask];
        if (*place == 0 || *place == client)
            return place;
    }
}

static bool grow_set(struct track_table *table, struct track_group *group)
{
    struct track_group old = *group;
    uint32_t cap = old.cap ? old.cap * 2 : SET_LEAST;
    size_t size = cap * sizeof *group->ids;
    uint64_t *ids = take(table, size, cost(size));
    if (!ids)
        return false;
    memset(ids, 0, size);
    group->ids = ids;
    group->cap = cap;
    if (old.cap == 0)
        *place_of(group, old.one) = old.one;
    for (uint32_t i = 0; i < old.cap; i++)
        if (old.ids[i] != 0)
            *place_of(group, old.ids[i]) = old.ids[i];
    if (old.cap > 0)
        give(table, old.ids, cost(old.cap * sizeof *old.ids));
    return true;
}

static enum track_result add_reader(struct track_table *table,
                                    struct part *part,
                                    struct track_group *group, uint64_t client)
{
    if (group->cap == 0 ? group->one == client
                        : *place_of(group, client) == client)
        return TRACK_ADDED;
    if (group->count == TRACK_READERS)
        return TRACK_CROWD;
    if ((group->cap == 0 || group->count >= group->cap / 4 * 3) &&
        !grow_set(table, group))
        return TRACK_FULL;
    *place_of(group, client) = client;
    group->count++;
    part->readers++;
    return TRACK_ADDED;
}

static enum track_result add_to_key(struct track_table *table,
                                    struct part *part, struct track_key *key,
                                    unsigned worker, uint64_t client)
{
    struct track_group *group = &key->first;
    while (group && group->worker != worker)
        group = group->next;
    if (group)
        return add_reader(table, part, group, client);
    group = take(table, sizeof *group, cost(sizeof *group));
    if (!group)
        return TRACK_FULL;
    *group = (struct track_group){.next = key->first.next,
                                  .key = key,
                                  .worker = worker,
                                  .count = 1,
                                  .one = client};
    key->first.next = group;
    atomic_fetch_add(&key->refs, 1);
    part->readers++;
    return TRACK_ADDED;
}

/* --------------------------------------------------------------- in and out */

static struct track_key *new_key(struct track_table *table,
                                 const struct cache_key *key, unsigned worker,
                                 uint64_t client)
{
    size_t size = sizeof(struct track_key) + key->len;
    struct track_key *fresh = take(table, size, cost(size));
    if (!fresh)
        return NULL;
    *fresh = (struct track_key){
        .hash = (uint32_t)key->hash,
        .len = (uint32_t)key->len,
        .first = {.key = fresh, .worker = worker, .count = 1, .one = client},
    };
    atomic_init(&fresh->refs, 1);
    memcpy(fresh->bytes, key->ptr, key->len);
    return fresh;
}

static enum track_result add_key(struct track_table *table, struct part *part,
                                 const struct cache_key *key, unsigned db,
                                 unsigned worker, uint64_t client)
{
    if (atomic_load_explicit(&table->keys, memory_order_relaxed) >=
            atomic_load_explicit(&table->keys_max, memory_order_relaxed) ||
        !make_buckets(table, part))
        return TRACK_FULL;
    struct track_key *fresh = new_key(table, key, worker, client);
    if (!fresh)
        return TRACK_FULL;
    if (part->keys >= part->buckets)
        split(table, part);
    struct track_key **to =
        bucket_at(part, bucket_of(fresh->hash, part->buckets));
    fresh->dbs = UINT32_C(1) << db;
    fresh->next = *to;
    *to = fresh;
    part->keys++;
    part->readers++;
    atomic_fetch_add(&table->keys, 1);
    return TRACK_ADDED;
}

enum track_result track_add(struct track_table *table,
                            const struct cache_key *key, unsigned db,
                            unsigned worker, uint64_t client)
{
    struct part *part = part_of(table, key->hash);
    enum track_result result;
    pthread_mutex_lock(&part->lock);
    struct track_key **at = find(part, key);
    if (at) {
        (*at)->dbs |= UINT32_C(1) << db;
        result = add_to_key(table, part, *at, worker, client);
    } else {
        result = add_key(table, part, key, db, worker, client);
    }
    pthread_mutex_unlock(&part->lock);
    return result;
}

/* Out of its bucket; from now on it is pending. */
static struct track_group *unlink_key(struct track_table *table,
                                      struct part *part, struct track_key **at)
{
    struct track_key *key = *at;
    size_t bytes = key_cost(key);
    for (struct track_group *group = &key->first; group; group = group->next) {
        bytes += group_cost(group);
        part->readers -= group->count;
    }
    *at = key->next;
    part->keys--;
    atomic_fetch_sub(&table->keys, 1);
    atomic_fetch_add(&table->pending, bytes);
    atomic_fetch_sub(&table->used, bytes);
    if (part->keys < part->buckets / 4 && part->buckets > SEGMENT &&
        !atomic_load_explicit(&table->walking, memory_order_relaxed))
        merge(table, part);
    return &key->first;
}

struct track_group *track_take(struct track_table *table,
                               const struct cache_key *key)
{
    struct part *part = part_of(table, key->hash);
    struct track_group *groups = NULL;
    pthread_mutex_lock(&part->lock);
    struct track_key **at = find(part, key);
    if (at)
        groups = unlink_key(table, part, at);
    pthread_mutex_unlock(&part->lock);
    return groups;
}

static struct track_group *take_from(struct track_table *table,
                                     struct part *part, uint32_t random)
{
    struct track_group *groups = NULL;
    pthread_mutex_lock(&part->lock);
    if (part->keys > 0) {
        uint32_t bucket = random % part->buckets;
        while (!*bucket_at(part, bucket))
            bucket = (bucket + 1) % part->buckets;
        groups = unlink_key(table, part, bucket_at(part, bucket));
    }
    pthread_mutex_unlock(&part->lock);
    return groups;
}

struct track_group *track_take_any(struct track_table *table, uint64_t random)
{
    struct track_group *groups = NULL;
    if (atomic_load_explicit(&table->keys, memory_order_relaxed) == 0)
        return NULL;
    for (unsigned i = 0; i < PARTS && !groups; i++)
        groups = take_from(table, &table->parts[((random >> 32) + i) % PARTS],
                           (uint32_t)random);
    return groups;
}

void track_let_go(struct track_table *table, struct track_key *key)
{
    if (atomic_fetch_sub(&key->refs, 1) != 1)
        return;
    size_t bytes = key_cost(key);
    free(key);
    track_unpend(table, bytes);
}

void track_release(struct track_table *table, struct track_group *group)
{
    struct track_key *key = group->key;
    size_t bytes = group_cost(group);
    if (group->cap > 0)
        free(group->ids);
    if (group != &key->first)
        free(group);
    track_unpend(table, bytes);
    track_let_go(table, key);
}

bool track_forget(struct track_group *group, uint64_t client)
{
    uint64_t *place = group->cap ? place_of(group, client) : &group->one;
    if (*place == client) {
        *place = 0;
        group->count--;
    }
    return group->count > 0;
}

uint64_t track_next_client(const struct track_group *group, uint32_t *at)
{
    if (group->cap == 0)
        return (*at)++ == 0 ? group->one : 0;
    while (*at < group->cap)
        if (group->ids[(*at)++] != 0)
            return group->ids[*at - 1];
    return 0;
}

/* ------------------------------------------------------------- as a whole */

struct track_table *track_table_new(struct pool *pool)
{
    struct track_table *table = aligned_alloc(64, sizeof *table);
    if (!table)
        return NULL;
    memset(table, 0, sizeof *table);
    table->pool = pool;
    for (unsigned i = 0; i < PARTS; i++)
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
    for (unsigned i = 0; i < PARTS; i++)
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
           atomic_load(&table->used) > limit_of(table);
}

/* What was in a part is still charged as used, until it is freed. */
static void discard(struct track_table *table, struct part *part)
{
    if (part->buckets == 0)
        return;
    struct garbage *garbage = malloc(sizeof *garbage);
    if (!garbage)
        abort();
    *garbage =
        (struct garbage){.segments = part->segments, .buckets = part->buckets};
    atomic_fetch_sub(&table->keys, part->keys);
    size_t directory = segments_cost(part->segments_cap);
    atomic_fetch_sub(&table->used, directory);
    pool_give(table->pool, directory);
    part->segments = NULL;
    part->segments_cap = part->buckets = part->keys = 0;
    part->readers = 0;
    struct garbage *head = atomic_load(&table->garbage);
    do
        garbage->next = head;
    while (!atomic_compare_exchange_weak(&table->garbage, &head, garbage));
}

void track_clear(struct track_table *table)
{
    for (unsigned i = 0; i < PARTS; i++) {
        struct part *part = &table->parts[i];
        pthread_mutex_lock(&part->lock);
        discard(table, part);
        pthread_mutex_unlock(&part->lock);
    }
}

static void free_key(struct track_table *table, struct track_key *key)
{
    size_t bytes = key_cost(key);
    struct track_group *group = &key->first;
    while (group) {
        struct track_group *next = group->next;
        bytes += group_cost(group);
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
static bool free_some(struct track_table *table, struct garbage *garbage)
{
    unsigned freed = 0;
    while (garbage->at < garbage->buckets && freed < STEP_KEYS) {
        uint32_t bucket = garbage->at++;
        struct track_key **segment = garbage->segments[bucket / SEGMENT];
        for (struct track_key *key = segment[bucket % SEGMENT]; key;) {
            struct track_key *next = key->next;
            free_key(table, key);
            freed++;
            key = next;
        }
        if (garbage->at % SEGMENT == 0 || garbage->at == garbage->buckets)
            give(table, segment, cost(SEGMENT * sizeof *segment));
    }
    return garbage->at == garbage->buckets;
}

bool track_step(struct track_table *table)
{
    if (!table->freeing)
        table->freeing = atomic_exchange(&table->garbage, NULL);
    struct garbage *garbage = table->freeing;
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
static bool hold_bucket(const struct part *part, struct track_walk *walk)
{
    walk->count = 0;
    walk->crowded = false;
    if (walk->bucket >= part->buckets)
        return false;
    struct track_key *key = *bucket_at(part, walk->bucket);
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
    for (; walk->part < PARTS; walk->part++, walk->bucket = 0) {
        struct part *part = &table->parts[walk->part];
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
    for (unsigned i = 0; i < PARTS; i++) {
        struct part *part = &table->parts[i];
        pthread_mutex_lock(&part->lock);
        counts->readers += part->readers;
        pthread_mutex_unlock(&part->lock);
    }
    counts->bytes = atomic_load(&table->used) + track_pending(table);
}
