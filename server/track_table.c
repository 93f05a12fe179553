/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys and their readers: in, out, and told. */

#include "track_core.h"

#include <stdlib.h>
#include <string.h>

enum { SET_LEAST = 4 };

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
    uint64_t *ids = track_alloc(table, size, track_cost(size));
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
        track_give(table, old.ids, track_cost(old.cap * sizeof *old.ids));
    return true;
}

static enum track_result add_reader(struct track_table *table,
                                    struct track_part *part,
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
                                    struct track_part *part,
                                    struct track_key *key, unsigned worker,
                                    uint64_t client)
{
    struct track_group *group = &key->first;
    while (group && group->worker != worker)
        group = group->next;
    if (group)
        return add_reader(table, part, group, client);
    group = track_alloc(table, sizeof *group, track_cost(sizeof *group));
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
    struct track_key *fresh = track_alloc(table, size, track_cost(size));
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

static enum track_result add_key(struct track_table *table,
                                 struct track_part *part,
                                 const struct cache_key *key, unsigned db,
                                 unsigned worker, uint64_t client)
{
    if (atomic_load_explicit(&table->keys, memory_order_relaxed) >=
            atomic_load_explicit(&table->keys_max, memory_order_relaxed) ||
        !track_make_buckets(table, part))
        return TRACK_FULL;
    struct track_key *fresh = new_key(table, key, worker, client);
    if (!fresh)
        return TRACK_FULL;
    if (part->keys >= part->buckets)
        track_split(table, part);
    struct track_key **to =
        track_bucket_at(part, track_bucket_of(fresh->hash, part->buckets));
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
    struct track_part *part = track_part_of(table, key->hash);
    enum track_result result;
    pthread_mutex_lock(&part->lock);
    struct track_key **at = track_find(part, key);
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
                                      struct track_part *part,
                                      struct track_key **at)
{
    struct track_key *key = *at;
    size_t bytes = track_key_cost(key);
    for (struct track_group *group = &key->first; group; group = group->next) {
        bytes += track_group_cost(group);
        part->readers -= group->count;
    }
    *at = key->next;
    part->keys--;
    atomic_fetch_sub(&table->keys, 1);
    atomic_fetch_add(&table->pending, bytes);
    atomic_fetch_sub(&table->used, bytes);
    if (part->keys < part->buckets / 4 && part->buckets > TRACK_SEGMENT &&
        !atomic_load_explicit(&table->walking, memory_order_relaxed))
        track_merge(table, part);
    return &key->first;
}

struct track_group *track_take(struct track_table *table,
                               const struct cache_key *key)
{
    struct track_part *part = track_part_of(table, key->hash);
    struct track_group *groups = NULL;
    pthread_mutex_lock(&part->lock);
    struct track_key **at = track_find(part, key);
    if (at)
        groups = unlink_key(table, part, at);
    pthread_mutex_unlock(&part->lock);
    return groups;
}

static struct track_group *take_from(struct track_table *table,
                                     struct track_part *part, uint32_t random)
{
    struct track_group *groups = NULL;
    pthread_mutex_lock(&part->lock);
    if (part->keys > 0) {
        uint32_t bucket = random % part->buckets;
        while (!*track_bucket_at(part, bucket))
            bucket = (bucket + 1) % part->buckets;
        groups = unlink_key(table, part, track_bucket_at(part, bucket));
    }
    pthread_mutex_unlock(&part->lock);
    return groups;
}

struct track_group *track_take_any(struct track_table *table, uint64_t random)
{
    struct track_group *groups = NULL;
    if (atomic_load_explicit(&table->keys, memory_order_relaxed) == 0)
        return NULL;
    for (unsigned i = 0; i < TRACK_PARTS && !groups; i++)
        groups =
            take_from(table, &table->parts[((random >> 32) + i) % TRACK_PARTS],
                      (uint32_t)random);
    return groups;
}

void track_let_go(struct track_table *table, struct track_key *key)
{
    if (atomic_fetch_sub(&key->refs, 1) != 1)
        return;
    size_t bytes = track_key_cost(key);
    free(key);
    track_unpend(table, bytes);
}

void track_release(struct track_table *table, struct track_group *group)
{
    struct track_key *key = group->key;
    size_t bytes = track_group_cost(group);
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
