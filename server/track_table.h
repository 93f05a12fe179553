/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACK_TABLE_H
#define TRACK_TABLE_H

/*
 * Which clients have read which keys, of those who keep copies of them.
 *
 *   bucket -> key -> key -> ...       by the key's hash
 *              |
 *              +-> readers of worker 0: client ids
 *              '-> readers of worker 1: client ids
 *
 * A key is a name, in whatever database, as it is in Redis.  When it changes
 * it is taken out, and its readers, a group for each worker, are the messages
 * to these: they hold on to the key, so telling takes no memory.
 *
 * The memory is the client pool's.  What is in the table has at most the part
 * TRACK_POOL_PART of the pool, and `max_keys` keys; what was taken out and not
 * yet released is pending, and its owner sees to it that it is little.
 *
 * Any thread.  There is a lock for each 64th of the keys, and it is chosen as
 * the cache chooses a shard: who holds a key's shard meets few others here.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/cache.h"

struct pool;
struct track_table;

enum {
    TRACK_POOL_PART = 4,
    /* Clients of one worker that are remembered for a key, those that are gone
     * since included.  One more, and all of them are told that it changed. */
    TRACK_READERS = 16384,
};

/* The clients of one worker that have read a key.  Private but for next. */
struct track_group {
    struct track_group *next;
    struct track_key *key;
    uint32_t count, cap; /* cap 0: `one` is all */
    uint32_t worker;
    union {
        uint64_t one;
        uint64_t *ids; /* a hash set of cap places, 0: empty */
    };
};

struct track_key {
    struct track_key *next;
    uint32_t hash, len;
    _Atomic uint32_t dbs;  /* in which it was read, a bit each */
    _Atomic uint32_t refs; /* groups, and who looks at it */
    struct track_group first;
    char bytes[];
};

struct track_table *track_table_new(struct pool *pool); /* NULL: no memory */
void track_table_free(struct track_table *table);       /* NULL is fine */
void track_set_max(struct track_table *table, uint64_t keys);

enum track_result {
    TRACK_ADDED,
    TRACK_FULL,  /* make room with track_take_any; nothing was added */
    TRACK_CROWD, /* as many have read it as may be: track_take it */
};

enum track_result track_add(struct track_table *table,
                            const struct cache_key *key, unsigned db,
                            unsigned worker, uint64_t client);

/* Takes the key out: its groups, linked by next, to be released one by one.
 * NULL: nobody has read it. */
struct track_group *track_take(struct track_table *table,
                               const struct cache_key *key);
/* The same of some key, by chance; NULL: there is none. */
struct track_group *track_take_any(struct track_table *table, uint64_t random);
void track_release(struct track_table *table, struct track_group *group);
/* That client need not be told; false: then there is nobody left in a group
 * that was taken. */
bool track_forget(struct track_group *group, uint64_t client);

/* The next client of a group that was taken; at: 0 at first.  0 at the end. */
uint64_t track_next_client(const struct track_group *group, uint32_t *at);

/* More is in the table than may be. */
bool track_is_over(const struct track_table *table);

/* Empties it at once; track_step frees the memory bit by bit, true while
 * there is more.  One thread at a time. */
void track_clear(struct track_table *table);
bool track_step(struct track_table *table);

/*
 * A walk through all keys that are there throughout, a bucket at a time:
 * track_walk_next takes hold of its keys, to be let go one by one.  A bucket
 * that is crowded has more of them: take out those, and the next call has the
 * rest.  False: it is over.  One walk at a time.
 */
enum { TRACK_WALK_KEYS = 32 };

struct track_walk {
    uint32_t part, bucket;
    unsigned count;
    struct track_key *keys[TRACK_WALK_KEYS];
    bool crowded;
};

void track_walk_begin(struct track_table *table, struct track_walk *walk);
bool track_walk_next(struct track_table *table, struct track_walk *walk);
void track_let_go(struct track_table *table, struct track_key *key);

/* Bytes that wait to be released; more of them, if the pool has so many. */
size_t track_pending(const struct track_table *table);
bool track_pend(struct track_table *table, size_t bytes);
void track_unpend(struct track_table *table, size_t bytes);

struct track_counts {
    uint64_t keys, readers;
    size_t bytes; /* in the table and pending */
};
void track_count(struct track_table *table, struct track_counts *counts);

#endif
