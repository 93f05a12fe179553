/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CORE_H
#define CORE_H

/*
 * What the cache is made of, for the files of this folder.
 *
 *   cache -+- slabs: all memory of entries and index
 *          +- shards: each a lock, an index, an LRU list, counters
 *          +- directories: where the index segments of all shards are
 *          +- databases: client's number -> internal number
 *
 * A key's hash: the top bits choose the shard, the next eight are the tag, the
 * low 32 choose the bucket.  Below the shard's bits the internal number of the
 * database is mixed in.
 */

#include "cache.h"
#include "entry.h"
#include "hash.h"
#include "lock.h"
#include "slab.h"

enum {
    CORE_SHARDS = 64,
    /* Segments of a shard's index, of each of two kinds: 2^17 segments of 64
     * buckets of 10 hold more than 20 GiB of the smallest entries. */
    CORE_SEGMENTS = 1 << 17,
};

/* What a shard's counters count. */
struct tally {
    uint64_t payload; /* bytes of keys and values */
    uint32_t expires; /* entries with an expiry, of all databases */
    uint32_t counts[ENTRY_NUMBERS], expiring[ENTRY_NUMBERS];
};

/* An entry that will be evicted, unless it is used before. */
struct ahead {
    uint64_t hash;   /* of what was at loc */
    uint32_t loc;    /* 0: none */
    uint32_t bucket; /* where it is; 0: it was not asked for */
};

struct shard {
    struct lock lock;
    uint32_t head, tail; /* LRU list; head: the most recently used */
    uint32_t candidate;  /* see evict.h; 0: none, or not searched */
    bool searched;       /* by policy volatile-lru */
    /* While much is being dropped, see cut.h. */
    bool marking;       /* entries before the cursor are marked, and tallied */
    bool marks;         /* what is stored gets a mark */
    bool cut;           /* the index still has dead slots: without a mark */
    uint32_t cursor;    /* the next entry to mark */
    uint32_t buckets;   /* of the index; 0: it has none yet */
    uint32_t overflows; /* its overflow buckets */
    uint32_t items;     /* in its index */
    uint32_t reserved;  /* overflow buckets up to here keep their segments */
    uint32_t number;
    uint64_t hits, misses;
    /* To here a look-up goes: one line. */
    uint32_t stash;        /* see stash.h; 0: none */
    struct ahead ahead[2]; /* what goes next, and then; see evict.c */
    uint64_t evicted, expired, evicted_bytes;
    struct tally tally, marked;
} __attribute__((aligned(64)));

enum cut_phase { CUT_IDLE, CUT_GIVE, CUT_MARK, CUT_SWEEP, CUT_KEEP, CUT_END };

struct cut {
    struct lock lock;
    _Atomic uint32_t phase;
    _Atomic uint32_t left; /* steps, about, until what was dropped is free */
    uint32_t limit;        /* slabs that the survivors may need */
    uint32_t at;           /* slab, or bucket */
    unsigned shard;        /* of the sweep */
    int64_t horizon_ms;    /* age to which the round of marking goes */
    bool levelling;        /* enough is marked, see mark_round */
    bool lost;             /* entries were cut off, which is still to be told */
    atomic_bool vain; /* the last cut dropped nothing: what is too much is not
                         held by entries */
    /* Marked cells by class; written under the locks of different shards. */
    _Atomic uint64_t cells[SIZES_MAX];
    _Atomic uint64_t entries;
};

/* The slab being emptied, and how far; see move.c. */
struct moving {
    struct lock lock;
    struct slab *slab;
    unsigned cell;
};

/* Where the walk of volatile-ttl stands; see evict_nearest.c. */
struct nearest {
    struct lock lock;
    uint32_t slab, seen; /* seen: slabs since the horizon was set */
    unsigned cell;
    int64_t horizon_ms;
    int64_t least_ms; /* the earliest expiry seen beyond it, and where */
    uint32_t least_slab;
};

/* Where a walk through all slabs stands; see walk.c. */
struct walk {
    uint32_t slab;
    unsigned cell;
    atomic_bool active; /* read without the lock as well */
    int64_t next_due_ms, began_ms;
};

struct cache {
    struct slabs slabs;
    struct hash_key hash_key;
    unsigned shard_count, shard_shift, databases;
    _Atomic uint32_t *segments[2]; /* [kind][segment * shard_count + shard] */
    /* Of each shard's index, for those who look ahead: the shard's own line is
     * mostly another core's. */
    _Atomic uint32_t buckets[CORE_SHARDS];

    /* Written with all shards locked, read with any. */
    _Atomic uint8_t numbers[CACHE_DATABASES_MAX];
    _Atomic uint64_t dead; /* internal numbers being swept */

    cache_lost *lost; /* who is told of what goes by itself; see listen.h */
    void *lost_ctx;
    _Atomic uint32_t listening; /* how: changed with the cut locked */

    atomic_bool flushed;     /* since the last step */
    atomic_bool stashed;     /* some shard may have a cell, see stash.h */
    _Atomic uint32_t policy; /* changed with the cut and each shard locked */
    atomic_bool crawling;    /* for expired entries, in steps */
    struct nearest nearest;
    unsigned search_turn;   /* step only */
    _Atomic int64_t due_ms; /* nothing expires before */
    _Atomic uint64_t moved, moved_bytes, swept_expired;
    struct lock garbage_lock;
    _Atomic uint32_t garbage; /* see garbage.h */
    struct moving moving;
    struct cut cut;
    struct lock crawl_lock;
    struct walk crawl; /* expired entries, under crawl_lock */
    struct walk sweep; /* entries of dead databases; step only */
    bool grew;         /* the stock was used up since the last step */
    int64_t grown_ms;  /* a step was asked for slabs last; step only */
    int64_t looked_ms;
    unsigned stock_low;      /* least stock since looked_ms */
    unsigned quiet_looks;    /* at which the stock was as before */
    unsigned trimming;       /* slabs of the stock still to go back */
    _Atomic uint32_t before; /* slabs allowed before the limit was lowered */
    _Atomic uint32_t held;   /* slabs above the limit that no step can free */
    struct cache_stats zero; /* counters at the last reset */

    /* Written by every eviction, and so on lines of its own.
     * used_ms of what goes next in each shard: of its tail, or candidate. */
    _Alignas(64) _Atomic uint32_t oldest[CORE_SHARDS];
    _Atomic uint64_t filled;   /* shards that have entries */
    _Atomic uint64_t expiring; /* shards that have some with an expiry */
    atomic_uint evict_turn;
    _Atomic uint32_t least_used_ms; /* nothing was older when last looked */
    struct shard shards[];
};

static inline struct entry *entry_at(const struct cache *cache, uint32_t loc)
{
    return slabs_at(&cache->slabs, loc);
}

static inline unsigned shard_number(const struct cache *cache, uint64_t hash)
{
    /* Shifted in two steps: with one shard the shift is 64. */
    return (unsigned)(hash >> 1 >> (cache->shard_shift - 1));
}

static inline struct shard *shard_of(struct cache *cache, uint64_t hash)
{
    return &cache->shards[shard_number(cache, hash)];
}

/* The hash under which an index holds a key of that internal database. */
static inline uint64_t hash_in(uint64_t hash, unsigned number)
{
    return hash ^ (number * UINT64_C(0x9E3779B97F4A7C15) >> 8);
}

/* The same, from the cell. */
uint64_t entry_hash(const struct cache *cache, const struct entry *entry);

static inline bool entry_expired(const struct entry *entry, int64_t now_ms)
{
    int64_t at = entry_expires_at(entry);
    return at != 0 && at <= now_ms;
}

static inline unsigned number_of(const struct cache *cache, unsigned db)
{
    return atomic_load_explicit(&cache->numbers[db], memory_order_relaxed);
}

/* Bytes of key and value. */
size_t entry_payload(const struct entry *entry);

#endif
