/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CACHE_H
#define CACHE_H

/*
 * A cache of byte strings whose memory can be given back.
 *
 * Entries live in 64 KiB slabs, one size class a slab, all of them in one
 * region of address space.  The caller says how many bytes of slabs may be
 * resident (cache_set_limit); the cache never holds more than the larger of
 * that and what it holds now, evicts the entries used longest ago to stay
 * within it, and empties sparse slabs by moving their entries, so that what
 * is evicted comes back as whole slabs, and whole slabs go back to the system.
 *
 * Threads: every function may be called from any thread unless it says
 * otherwise.  Entries are spread over shards, each with a lock; a transaction
 * (struct cache_tx) holds the locks of the shards of its keys, and what it
 * does is atomic.  Times are milliseconds of one wall clock, passed in.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache_stats.h"

struct cache;
struct cache_blob;

enum {
    CACHE_DATABASES_MAX = 32,
    CACHE_KEY_MAX = 65536,   /* longest key, bytes */
    CACHE_INLINE_MAX = 4072, /* longest value that needs no blob, bytes */
    CACHE_SLAB = 65536,      /* bytes of one slab */
};

/* What an entry holds; the cache itself only keeps the number. */
enum cache_type { CACHE_STRING, CACHE_HASH };

struct cache_options {
    unsigned shards;      /* a power of two, 1 to 64; 0: 64 */
    unsigned databases;   /* 1 to CACHE_DATABASES_MAX; 0: 16 */
    size_t address_bytes; /* to reserve; 0: 32 GiB, or what can be had */
    uint8_t hash_key[16]; /* random, so that nobody can choose collisions */
};

/* NULL if there is no memory or address space for an empty cache. */
struct cache *cache_new(const struct cache_options *options);
void cache_free(struct cache *cache);

/* The address space it has: it can never hold more than that. */
size_t cache_address_bytes(const struct cache *cache);

/* ------------------------------------------------------------------ keys */

/* A key and its hash.  The bytes stay the caller's. */
struct cache_key {
    const char *ptr;
    size_t len; /* at most CACHE_KEY_MAX */
    uint64_t hash;
};

struct cache_key cache_key_of(const struct cache *cache, const char *ptr,
                              size_t len);
/* The same of many keys, of which all but the hash is there; several at a time
 * where lengths and the processor allow. */
void cache_hash_keys(const struct cache *cache, struct cache_key *const keys[],
                     size_t count);

/*
 * Hints that keys will be looked up soon, in steps, each of which asks for
 * memory that the next one reads:
 *
 *   hash --> bucket --> [more of its chain] --> entry --> value, neighbours
 *                                                   '---> [piece --> pieces]
 *
 * Taken for several keys at once, one step after the other, the waits for
 * memory overlap.
 */
struct cache_ahead {
    uint32_t at;
    uint8_t tag, shard;
    uint8_t next; /* enum ahead_step; 0: there is none */
};

enum { CACHE_AHEAD_STEPS = 3 }; /* as many as nearly all take */

/* Asks for its bucket; the steps follow. */
struct cache_ahead cache_ahead(const struct cache *cache, unsigned db,
                               const struct cache_key *key);
/* Takes a step of each. */
void cache_ahead_steps(const struct cache *cache, struct cache_ahead *ahead,
                       size_t count);

/* ---------------------------------------------------------- transactions */

/* Holds shard locks from cache_begin to cache_end.  Fields are private. */
struct cache_tx {
    struct cache *cache;
    uint64_t shards; /* bit i: shard i is locked */
    int64_t now_ms;
    struct cache_spares *spares; /* cells set aside by cache_make_room */
    uint32_t wanted;             /* class whose cell was missing */
    uint32_t class;              /* of the last cell taken for an entry */
    size_t taken;                /* bytes of cells since it began */
    enum { CACHE_TX_PLAIN, CACHE_TX_TRIED, CACHE_TX_READY } reserve;
};

/*
 * Locks the shards of the keys, in one fixed order.  At most a few
 * microseconds of work may be done before cache_end; no system call.
 */
void cache_begin(struct cache_tx *tx, struct cache *cache, int64_t now_ms,
                 const struct cache_key *keys, size_t count);

/* Unlocks.  Views are void after it.  Keeps the cells set aside. */
void cache_end(struct cache_tx *tx);

/*
 * After a call answered CACHE_NO_ROOM: the caller ends the transaction, asks
 * here for room and begins it again (cache_begin_again), as often as needed.
 * Evicts from the oldest end of the whole cache, or empties a sparse slab.
 * False: nothing is left that could be evicted for it.
 */
bool cache_make_room(struct cache_tx *tx);

/* As cache_begin, for a transaction that was ended and is tried once more. */
void cache_begin_again(struct cache_tx *tx, const struct cache_key *keys,
                       size_t count);

/* Gives unused cells back; needed once after the last cache_end of a
 * transaction that called cache_make_room or cache_provide. */
void cache_tx_close(struct cache_tx *tx);

/* ---------------------------------------------------------------- reading */

/*
 * An entry as a transaction sees it, valid until it writes or ends.  A value
 * is either wholly at `bytes`, or (long) begins in pieces elsewhere and has
 * only its last `bytes_len` bytes there.
 */
struct cache_view {
    const char *bytes;
    size_t bytes_len;
    size_t len; /* of the whole value */
    size_t key_len;
    int64_t expires_at_ms; /* 0: never */
    uint32_t idle_ms;      /* since it was last touched, before this look */
    enum cache_type type;
    uint32_t loc, pieces; /* private */
    struct cache *cache;
};

static inline bool cache_view_is_long(const struct cache_view *view)
{
    return view->bytes_len != view->len;
}

enum {
    CACHE_TOUCH = 1, /* it becomes the most recently used */
    CACHE_COUNT = 2, /* a hit or a miss in the statistics */
};

/* True if it is there; an expired entry is dropped and is not there. */
bool cache_find(struct cache_tx *tx, unsigned db, const struct cache_key *key,
                unsigned how, struct cache_view *view);

/* Copies part of a value; offset + len must lie within it. */
void cache_view_copy(const struct cache_view *view, size_t offset, char *to,
                     size_t len);

/* Bytes the entry occupies, with all overhead. */
size_t cache_view_resident(const struct cache_view *view);

/* The key: in place, or copied to scratch (CACHE_KEY_MAX bytes) when it is
 * not in one run. */
const char *cache_view_key(const struct cache_view *view, char *scratch);

/*
 * A pin keeps the pieces of a long value where they are, whatever happens to
 * the entry, so that they can be sent without a copy.  It covers the value
 * without its last bytes_len bytes, which the caller copies.
 */
struct cache_pin {
    struct cache *cache;
    uint32_t head, next; /* private */
    size_t skip, left;   /* left: bytes not yet consumed */
};

struct cache_span {
    const char *ptr;
    size_t len;
};

/* For a long value only. */
struct cache_pin cache_view_pin(const struct cache_view *view);
/* Another pin of the same bytes; outside any transaction. */
struct cache_pin cache_pin_again(const struct cache_pin *pin);
/* Of what it covers only the bytes from `offset` on are wanted, `len` of them.
 */
void cache_pin_narrow(struct cache_pin *pin, size_t offset, size_t len);
/* Fills up to `max` spans with the next bytes; returns how many. */
unsigned cache_pin_spans(const struct cache_pin *pin, struct cache_span *spans,
                         unsigned max);
void cache_pin_consume(struct cache_pin *pin, size_t len);
void cache_unpin(struct cache_pin *pin); /* outside any transaction */

/*
 * Pieces that are pinned, or of a value being received, are not moved, and
 * few of them can keep many slabs nearly empty.  While that is so somewhere,
 * their owners are asked to let them be moved (outside any transaction), when
 * they hold no pointer into them.
 */
bool cache_is_strewn(const struct cache *cache);
void cache_pin_settle(struct cache_pin *pin);
void cache_blob_settle(struct cache_blob *blob);

/* ---------------------------------------------------------------- writing */

enum cache_result { CACHE_OK, CACHE_NO_ROOM };

struct cache_write {
    const char *value; /* at most CACHE_INLINE_MAX bytes; or */
    size_t len;
    struct cache_blob *blob; /* not NULL: a whole value, taken over on OK */
    int64_t expires_at_ms;   /* 0: never */
    enum cache_type type;
};

/* Stores, replacing what was there.  On CACHE_NO_ROOM nothing has changed. */
enum cache_result cache_put(struct cache_tx *tx, unsigned db,
                            const struct cache_key *key,
                            const struct cache_write *write);

/*
 * Overwrites part of the value that was just found, where it lies; offset + len
 * must lie within it.  False: the value is pinned, it must not change.
 */
bool cache_patch(const struct cache_view *view, size_t offset,
                 const char *bytes, size_t len);

/*
 * Gives an entry that is there another key, perhaps in another database; what
 * was there goes.  It keeps its expiry, and a long value its pieces.  On
 * CACHE_NO_ROOM nothing has changed.
 */
enum cache_result cache_rename(struct cache_tx *tx, unsigned from_db,
                               const struct cache_key *from, unsigned to_db,
                               const struct cache_key *to);

/* True if it was there. */
bool cache_remove(struct cache_tx *tx, unsigned db,
                  const struct cache_key *key);

/*
 * Sets or (0) clears the expiry of an entry that cache_find has just found.
 * The view is void after it.
 */
enum cache_result cache_set_expiry(struct cache_tx *tx, unsigned db,
                                   const struct cache_key *key,
                                   int64_t expires_at_ms);

/*
 * Several puts that succeed together: on a tx from cache_tx_init, which has
 * not begun, cache_provide sets aside the memory of each put (false: as
 * cache_make_room); after cache_begin_again, cache_ready makes sure that the
 * index has room for all the keys; after CACHE_OK the puts cannot fail.
 */
void cache_tx_init(struct cache_tx *tx, struct cache *cache, int64_t now_ms);
bool cache_provide(struct cache_tx *tx, size_t key_len,
                   const struct cache_write *write);
enum cache_result cache_ready(struct cache_tx *tx, const struct cache_key *keys,
                              size_t count);

/*
 * A value being received: its bytes go straight to where they will stay.
 * Memory is taken as bytes arrive.  One thread at a time.
 */
/* NULL if a value of that length can never fit, or no memory. */
struct cache_blob *cache_blob_new(struct cache *cache, size_t len);
/* Where the next bytes go, and how many; NULL if no room can be made. */
char *cache_blob_room(struct cache_blob *blob, int64_t now_ms, size_t *len);
void cache_blob_advance(struct cache_blob *blob, size_t len);
size_t cache_blob_len(const struct cache_blob *blob); /* the announced one */
/* Copies bytes already received. */
void cache_blob_copy(const struct cache_blob *blob, size_t offset, char *to,
                     size_t len);
/* The run of them that begins there; at least one byte must have come. */
struct cache_span cache_blob_span(const struct cache_blob *blob, size_t offset);
void cache_blob_free(struct cache_blob *blob); /* NULL is fine */
/* True if a value of that length could be held by an otherwise empty cache,
 * wherever its pieces come to lie while it is received. */
bool cache_fits(const struct cache *cache, size_t key_len, size_t len);

/* ------------------------------------------------------------- being told */

/*
 * Of entries that go though nobody asked for it.  While somebody listens he is
 * told of each just before it goes, with its shard locked: so whoever saw a key
 * in a transaction that began after cache_listen learns when it goes, and the
 * order is right.  Databases that were flushed go silently.
 *
 * A cut, which is how a limit that was lowered by much is reached, never looks
 * at what it drops.  It is told once, afterwards, as CACHE_CUT: without a lock,
 * a database or a view (NULL).  The listener may look then what is still there.
 */
enum cache_why { CACHE_EVICTED, CACHE_EXPIRED, CACHE_CUT };

/* db is the client's number.  The view has no idle_ms.  Must not call the cache
 * except for cache_view_*, and, when told of a cut, cache_find. */
typedef void cache_lost(void *ctx, enum cache_why why, unsigned db,
                        const struct cache_view *view);

/* Once, before there are other threads. */
void cache_set_listener(struct cache *cache, cache_lost *lost, void *ctx);

enum cache_listening {
    CACHE_TELL_NOTHING, /* as it is at first */
    CACHE_TELL_CUTS,    /* everything; what is cut off, by CACHE_CUT */
    CACHE_TELL_EACH,    /* everything by name: nothing is cut off, and to lower
                           the limit takes about three times as long */
};

/* Outside any transaction; may wait for one step of a cut. */
void cache_listen(struct cache *cache, enum cache_listening how);

/* -------------------------------------------------------------- databases */

/* Entries of a database, expired ones that nobody met included. */
uint64_t cache_count(struct cache *cache, unsigned db);
uint64_t cache_count_expiring(struct cache *cache, unsigned db);

/*
 * Empties a database (or all) at once for every observer; the memory comes
 * back through cache_step.  False: too many are being emptied, try again
 * after some cache_step.
 */
bool cache_flush(struct cache *cache, unsigned db);
bool cache_flush_all(struct cache *cache);

/* What is in the one is in the other from now on, for every observer at once.
 */
void cache_swap(struct cache *cache, unsigned db, unsigned other);

/* --------------------------------------------------------------- iteration */

/* Sees an entry under its shard's lock; must not call the cache except for
 * cache_view_*. */
typedef void cache_see(void *ctx, const struct cache_view *view);

/*
 * Shows the entries of one bucket of a database and returns the cursor of the
 * next, 0 at the end.  Starting from 0 until 0 comes back, every entry that is
 * there throughout is shown exactly once, also while the index grows and
 * contracts and entries move.  Any number is a legal cursor.  Cursors are
 * below 2^53.
 */
uint64_t cache_scan(struct cache *cache, unsigned db, uint64_t cursor,
                    int64_t now_ms, cache_see *see, void *ctx);

/* A cursor at a random place, to begin with there. */
uint64_t cache_scan_somewhere(const struct cache *cache, uint64_t random);

/* ------------------------------------------------------------------ memory */

/* How many bytes of slabs may be resident.  At once for new entries;
 * cache_step does what that leaves. */
void cache_set_limit(struct cache *cache, size_t bytes);

/*
 * Bytes above the limit that no step can free: they are in use by those who
 * send and receive them.  0: there are none, or steps have yet to be taken.
 */
size_t cache_held(const struct cache *cache);

/*
 * Slabs in huge pages, where the system has some: look-ups wait less for the
 * translation of addresses.  It costs nothing but up to 2 MiB of free slabs,
 * within the limit.  Off at first; false: no more are made.
 */
void cache_set_huge_pages(struct cache *cache, bool wanted);

/* False: entries that have expired are dropped when they are met or room is
 * made, not before. */
void cache_set_crawling(struct cache *cache, bool crawling);

/*
 * What goes for a store that needs room, or for a limit that is lowered.  For a
 * store what the policy protects never does: it is refused then
 * (CACHE_NO_ROOM). A lower limit comes first: when nothing else is left, what
 * is protected goes for it, that not used for longest before others.
 */
enum cache_policy {
    CACHE_NO_EVICTION,    /* nothing */
    CACHE_ALLKEYS_LRU,    /* what was not used for longest: as it is at first */
    CACHE_VOLATILE_LRU,   /* the same, of what has an expiry */
    CACHE_VOLATILE_TTL,   /* what expires before about 29 of 30 that do */
    CACHE_ALLKEYS_RANDOM, /* any; for a limit that is lowered by much, as LRU */
    CACHE_VOLATILE_RANDOM, /* any that has an expiry; where that is so of few,
                              as TTL */
};

/* At any time.  Outside any transaction; may wait for one step of a cut. */
void cache_set_policy(struct cache *cache, enum cache_policy policy);
/* False: nothing may go, at all or just now. */
bool cache_evicts(const struct cache *cache);

/*
 * Does one bounded piece of outstanding work (some tens of microseconds):
 * evict or move entries for a lowered limit, give empty slabs back, drop
 * flushed and expired entries.  True while more is left to do now.  One
 * thread at a time.
 */
bool cache_step(struct cache *cache, int64_t now_ms);
/* True if since the last step somebody had to ask the system for memory, or
 * will have to before long: more will be ready if a step is taken soon. */
bool cache_grows(const struct cache *cache);

/* Gives up to `most` free slabs back to the system, which cache_step would keep
 * for a while; how many.  Some microseconds each. */
size_t cache_purge(struct cache *cache, size_t most);

/*
 * Walks everything and aborts with a sentence on the first invariant that
 * does not hold.  No transaction may be open and no other thread inside.
 */
void cache_check(struct cache *cache);

#endif
