/* SPDX-License-Identifier: BSD-3-Clause */
/* Buckets: look-up, insertion, removal, splitting, merging. */

#include <assert.h>
#include <string.h>

#include "cut.h"
#include "index.h"
#include "long.h"
#include "spares.h"

static inline uint8_t tag_of(uint64_t hash)
{
    return (uint8_t)(hash >> 50);
}

static inline _Atomic uint32_t *segment_at(const struct cache *cache,
                                           const struct shard *shard,
                                           unsigned kind, uint32_t bucket)
{
    return &cache->segments[kind][bucket / INDEX_SEGMENT * cache->shard_count +
                                  shard->number];
}

static inline struct bucket *bucket_at(const struct cache *cache,
                                       const struct shard *shard, unsigned kind,
                                       uint32_t bucket)
{
    uint32_t loc = atomic_load_explicit(segment_at(cache, shard, kind, bucket),
                                        memory_order_relaxed);
    struct bucket *segment = slabs_at(&cache->slabs, loc);
    return segment + bucket % INDEX_SEGMENT;
}

static inline uint32_t bucket_of(uint32_t buckets, uint64_t hash)
{
    uint32_t high = UINT32_MAX >> __builtin_clz(buckets);
    uint32_t at = (uint32_t)hash & high;
    return at < buckets ? at : at & high >> 1;
}

uint32_t index_bucket_of(const struct shard *shard, uint64_t hash)
{
    return bucket_of(shard->buckets, hash);
}

struct bucket *index_bucket(const struct cache *cache,
                            const struct shard *shard, uint32_t number)
{
    return bucket_at(cache, shard, INDEX_PRIMARY, number);
}

struct bucket *index_more(const struct cache *cache, const struct shard *shard,
                          const struct bucket *bucket)
{
    if (bucket->more == 0)
        return NULL;
    return bucket_at(cache, shard, INDEX_OVERFLOW, bucket->more - 1);
}

void index_prefetch(const struct cache *cache, uint64_t hash)
{
    const struct shard *shard =
        &cache->shards[hash >> 1 >> (cache->shard_shift - 1)];
    uint32_t buckets = __atomic_load_n(&shard->buckets, __ATOMIC_RELAXED);
    if (buckets > 0)
        __builtin_prefetch(
            bucket_at(cache, shard, INDEX_PRIMARY, bucket_of(buckets, hash)));
}

/* ---------------------------------------------------------------- look-up */

/* Bit i of the result: tags[i] may be the tag, and is if bit i is the lowest
 * (a carry can make a false one above a true one; the key decides). */
static inline unsigned tags_equal(const uint8_t tags[INDEX_SLOTS], uint8_t tag)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t low, high = 0;
    memcpy(&low, tags, 8);
    memcpy(&high, tags + 8, 4);
    low ^= ones * tag;
    high ^= ones * tag;
    low = (low - ones) & ~low & tops;
    high = (high - ones) & ~high & tops;
    /* One bit a byte to one bit a slot. */
    unsigned first =
        (unsigned)((low >> 7) * UINT64_C(0x0102040810204080) >> 56);
    unsigned last =
        (unsigned)((high >> 7) * UINT64_C(0x0102040810204080) >> 56);
    return first | (last & 15) << 8;
}

/*
 * Reads a bucket without its lock, on purpose: what it finds, right or torn,
 * old or new, is only where to look ahead.
 */
__attribute__((no_sanitize("thread"), no_sanitize("address"))) void
index_prefetch_entry(const struct cache *cache, uint64_t hash)
{
    const struct shard *shard =
        &cache->shards[hash >> 1 >> (cache->shard_shift - 1)];
    uint32_t buckets = __atomic_load_n(&shard->buckets, __ATOMIC_RELAXED);
    if (buckets == 0)
        return;
    const volatile struct bucket *bucket =
        bucket_at(cache, shard, INDEX_PRIMARY, bucket_of(buckets, hash));
    const volatile uint32_t *words = (const volatile uint32_t *)bucket->tags;
    uint32_t seen[INDEX_SLOTS / 4];
    for (unsigned i = 0; i < INDEX_SLOTS / 4; i++)
        seen[i] = words[i];
    unsigned equal = tags_equal((const uint8_t *)seen, tag_of(hash));
    for (; equal; equal &= equal - 1) {
        uint32_t loc = bucket->locs[__builtin_ctz(equal)];
        __builtin_prefetch(entry_at(cache, loc));
    }
}

static inline bool key_is(const struct cache *cache, const struct entry *entry,
                          unsigned number, const struct cache_key *key)
{
    uint32_t packed = entry_packed(entry);
    if (packed_number(packed) != number)
        return false;
    if (!(packed & ENTRY_EXT))
        return (packed >> 13 & 255) == key->len &&
               memcmp(entry->rest + packed_key_offset(packed), key->ptr,
                      key->len) == 0;
    return long_key_is(cache, entry, key);
}

bool index_find(const struct cache *cache, const struct shard *shard,
                unsigned number, const struct cache_key *key,
                struct place *place)
{
    if (shard->buckets == 0)
        return false;
    uint64_t hash = hash_in(key->hash, number);
    struct bucket *bucket =
        bucket_at(cache, shard, INDEX_PRIMARY, index_bucket_of(shard, hash));
    for (; bucket; bucket = index_more(cache, shard, bucket)) {
        unsigned equal = tags_equal(bucket->tags, tag_of(hash));
        for (; equal; equal &= equal - 1) {
            unsigned slot = (unsigned)__builtin_ctz(equal);
            uint32_t loc = bucket->locs[slot];
            if (loc && !cut_is_dead(cache, shard, loc) &&
                key_is(cache, entry_at(cache, loc), number, key)) {
                *place = (struct place){bucket, slot};
                return true;
            }
        }
    }
    return false;
}

bool index_find_loc(const struct cache *cache, const struct shard *shard,
                    uint64_t hash, uint32_t loc, struct place *place)
{
    if (shard->buckets == 0)
        return false;
    struct bucket *bucket =
        bucket_at(cache, shard, INDEX_PRIMARY, index_bucket_of(shard, hash));
    for (; bucket; bucket = index_more(cache, shard, bucket))
        for (unsigned slot = 0; slot < INDEX_SLOTS; slot++)
            if (bucket->locs[slot] == loc && !cut_is_dead(cache, shard, loc)) {
                *place = (struct place){bucket, slot};
                return true;
            }
    return false;
}

/* --------------------------------------------------------------- segments */

static bool segment_add(struct cache *cache, struct shard *shard, unsigned kind,
                        uint32_t bucket, struct cache_spares *spares)
{
    struct slabs *slabs = &cache->slabs;
    unsigned class = sizes_of_segment(&slabs->sizes);
    if (bucket / INDEX_SEGMENT >= CORE_SEGMENTS)
        return false;
    uint32_t loc = spares_take(cache, spares, class);
    if (loc == 0)
        return false;
    memset(slabs_at(slabs, loc), 0, SIZES_SEGMENT);
    struct slab *slab = slab_of(slabs, loc);
    unsigned cell = slab_cell_number(slabs, slab, loc);
    __atomic_store_n(&slab_owners(slab)[cell],
                     bucket / INDEX_SEGMENT << 7 | kind << 6 | shard->number,
                     __ATOMIC_RELAXED);
    atomic_store_explicit(segment_at(cache, shard, kind, bucket), loc,
                          memory_order_relaxed);
    cell_set_live(slabs, loc);
    return true;
}

static void segment_drop(struct cache *cache, struct shard *shard,
                         unsigned kind, uint32_t bucket)
{
    _Atomic uint32_t *at = segment_at(cache, shard, kind, bucket);
    uint32_t loc = atomic_load_explicit(at, memory_order_relaxed);
    atomic_store_explicit(at, 0, memory_order_relaxed);
    cell_clear_live(&cache->slabs, loc);
    cell_free(&cache->slabs, loc);
}

/* --------------------------------------------------------------- overflow */

/* Makes sure that overflow bucket `number` has a segment. */
static bool overflow_ready(struct cache *cache, struct shard *shard,
                           uint32_t number, struct cache_spares *spares)
{
    return atomic_load_explicit(
               segment_at(cache, shard, INDEX_OVERFLOW, number),
               memory_order_relaxed) != 0 ||
           segment_add(cache, shard, INDEX_OVERFLOW, number, spares);
}

static struct bucket *overflow_add(struct cache *cache, struct shard *shard,
                                   struct bucket *last,
                                   struct cache_spares *spares)
{
    if (!overflow_ready(cache, shard, shard->overflows, spares))
        return NULL;
    uint32_t number = shard->overflows++;
    struct bucket *bucket = bucket_at(cache, shard, INDEX_OVERFLOW, number);
    memset(bucket, 0, sizeof *bucket);
    last->more = number + 1;
    return bucket;
}

/*
 * Frees the empty overflow bucket behind `before`; the last overflow bucket
 * of the shard takes its number.  A segment goes only when half of the one
 * below is free as well, so that a bucket that is split or merged finds the
 * buckets again that it has just freed.
 */
static void overflow_drop(struct cache *cache, struct shard *shard,
                          struct bucket *before)
{
    uint32_t number = before->more - 1, end = --shard->overflows;
    before->more = 0;
    if (number != end) {
        struct bucket *gap = bucket_at(cache, shard, INDEX_OVERFLOW, number);
        struct bucket *moved = bucket_at(cache, shard, INDEX_OVERFLOW, end);
        uint64_t hash = entry_hash(cache, entry_at(cache, moved->locs[0]));
        struct bucket *at =
            index_bucket(cache, shard, index_bucket_of(shard, hash));
        while (at->more != end + 1)
            at = index_more(cache, shard, at);
        *gap = *moved;
        at->more = number + 1;
    }
    uint32_t above = end + INDEX_SEGMENT / 2;
    if (above % INDEX_SEGMENT == 0 &&
        atomic_load_explicit(segment_at(cache, shard, INDEX_OVERFLOW, above),
                             memory_order_relaxed) != 0)
        segment_drop(cache, shard, INDEX_OVERFLOW, above);
}

/* ----------------------------------------------------------------- chains */

static bool chain_add(struct cache *cache, struct shard *shard,
                      struct bucket *bucket, uint8_t tag, uint32_t loc,
                      struct cache_spares *spares)
{
    while (bucket->more)
        bucket = index_more(cache, shard, bucket);
    unsigned slot = 0;
    while (slot < INDEX_SLOTS && bucket->locs[slot])
        slot++;
    if (slot == INDEX_SLOTS) {
        bucket = overflow_add(cache, shard, bucket, spares);
        if (!bucket)
            return false;
        slot = 0;
    }
    bucket->tags[slot] = tag;
    bucket->locs[slot] = loc;
    return true;
}

/* Removes a slot of the chain that begins at `first` by moving the chain's
 * last slot into it. */
static void chain_remove(struct cache *cache, struct shard *shard,
                         struct bucket *first, struct place place)
{
    struct bucket *before = NULL, *last = first;
    while (last->more) {
        before = last;
        last = index_more(cache, shard, last);
    }
    unsigned end = INDEX_SLOTS - 1;
    while (last->locs[end] == 0)
        end--;
    place.bucket->tags[place.slot] = last->tags[end];
    place.bucket->locs[place.slot] = last->locs[end];
    last->tags[end] = 0;
    last->locs[end] = 0;
    if (end == 0 && before)
        overflow_drop(cache, shard, before);
}

/* ---------------------------------------------------- growing, contracting */

/* The bucket that `number`, as the last one, was split from. */
static uint32_t buddy_of(uint32_t number)
{
    return number & (UINT32_MAX >> 1 >> __builtin_clz(number));
}

/* A chain taken apart, to be put together anew. */
enum { LOOSE_BUCKETS = INDEX_SEGMENT / 2 };

struct loose {
    unsigned count;
    uint32_t locs[LOOSE_BUCKETS * INDEX_SLOTS];
    uint8_t tags[LOOSE_BUCKETS * INDEX_SLOTS];
};

/* False, and nothing done, if the chain is too long. */
static bool take_apart(struct cache *cache, struct shard *shard,
                       struct bucket *first, struct loose *loose)
{
    unsigned buckets = 0;
    for (struct bucket *at = first; at; at = index_more(cache, shard, at))
        if (++buckets > LOOSE_BUCKETS)
            return false;
    loose->count = 0;
    for (struct bucket *at = first; at; at = index_more(cache, shard, at))
        for (unsigned slot = 0; slot < INDEX_SLOTS && at->locs[slot]; slot++) {
            loose->tags[loose->count] = at->tags[slot];
            loose->locs[loose->count++] = at->locs[slot];
        }
    /* From the end, so that what is left is a chain all the time. */
    while (first->more) {
        struct bucket *before = first;
        while (index_more(cache, shard, before)->more)
            before = index_more(cache, shard, before);
        overflow_drop(cache, shard, before);
    }
    memset(first, 0, sizeof *first);
    return true;
}

/* Adds a loose slot to a bucket.  All loose slots together need at most one
 * overflow bucket more than taking apart has freed. */
static void put_back(struct cache *cache, struct shard *shard, uint32_t bucket,
                     const struct loose *loose, unsigned i)
{
    bool added = chain_add(cache, shard, index_bucket(cache, shard, bucket),
                           loose->tags[i], loose->locs[i], NULL);
    assert(added);
    (void)added;
}

/* Adds bucket number `buckets` and moves to it, from its buddy, what belongs
 * there.  Does nothing if there is no segment for it. */
static void split(struct cache *cache, struct shard *shard,
                  struct cache_spares *spares)
{
    struct loose loose;
    uint32_t number = shard->buckets;
    if (number % INDEX_SEGMENT == 0 &&
        !segment_add(cache, shard, INDEX_PRIMARY, number, spares))
        return;
    struct bucket *buddy = index_bucket(cache, shard, buddy_of(number));
    if (!take_apart(cache, shard, buddy, &loose)) {
        if (number % INDEX_SEGMENT == 0)
            segment_drop(cache, shard, INDEX_PRIMARY, number);
        return;
    }
    memset(index_bucket(cache, shard, number), 0, sizeof(struct bucket));
    __atomic_store_n(&shard->buckets, number + 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < loose.count; i++)
        __builtin_prefetch(entry_at(cache, loose.locs[i]));
    for (unsigned i = 0; i < loose.count; i++) {
        uint64_t hash = entry_hash(cache, entry_at(cache, loose.locs[i]));
        put_back(cache, shard, index_bucket_of(shard, hash), &loose, i);
    }
}

/* Takes the last bucket away and adds what it has to its buddy, for which no
 * key need be read. */
static bool merge(struct cache *cache, struct shard *shard)
{
    struct loose loose;
    uint32_t number = shard->buckets - 1;
    struct bucket *bucket = index_bucket(cache, shard, number);
    if (!overflow_ready(cache, shard, shard->overflows, NULL) ||
        !take_apart(cache, shard, bucket, &loose))
        return false;
    __atomic_store_n(&shard->buckets, number, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < loose.count; i++)
        put_back(cache, shard, buddy_of(number), &loose, i);
    if (number % INDEX_SEGMENT == 0)
        segment_drop(cache, shard, INDEX_PRIMARY, number);
    return true;
}

bool index_contract(struct cache *cache, struct shard *shard, unsigned sparse)
{
    if (shard->items < (uint64_t)shard->buckets * sparse && shard->buckets > 1)
        return merge(cache, shard);
    return false;
}

void index_sweep(struct cache *cache, struct shard *shard, uint32_t number)
{
    struct loose loose;
    struct bucket *first = index_bucket(cache, shard, number);
    if (!take_apart(cache, shard, first, &loose))
        return;
    /* All marks first: the look-ups miss the cache, but side by side. */
    bool dead[LOOSE_BUCKETS * INDEX_SLOTS];
    for (unsigned i = 0; i < loose.count; i++)
        dead[i] = cut_is_dead(cache, shard, loose.locs[i]);
    for (unsigned i = 0; i < loose.count; i++) {
        uint32_t loc = loose.locs[i];
        if (!dead[i]) {
            put_back(cache, shard, number, &loose, i);
            continue;
        }
        shard->items--;
        if (atomic_load_explicit(&slab_of(&cache->slabs, loc)->long_entries,
                                 memory_order_relaxed))
            long_drop(cache, entry_at(cache, loc));
    }
}

static bool index_open(struct cache *cache, struct shard *shard,
                       struct cache_spares *spares)
{
    if (!segment_add(cache, shard, INDEX_PRIMARY, 0, spares))
        return false;
    __atomic_store_n(&shard->buckets, 1, __ATOMIC_RELAXED);
    return true;
}

void index_close(struct cache *cache, struct shard *shard)
{
    assert(shard->items == 0 && shard->buckets <= 1 && shard->overflows == 0);
    if (shard->buckets == 0)
        return;
    __atomic_store_n(&shard->buckets, 0, __ATOMIC_RELAXED);
    segment_drop(cache, shard, INDEX_PRIMARY, 0);
    for (uint32_t i = 0;
         atomic_load_explicit(segment_at(cache, shard, INDEX_OVERFLOW, i),
                              memory_order_relaxed) != 0;
         i += INDEX_SEGMENT)
        segment_drop(cache, shard, INDEX_OVERFLOW, i);
}

bool index_reserve(struct cache *cache, struct shard *shard, uint32_t more,
                   struct cache_spares *spares)
{
    if (shard->buckets == 0 && !index_open(cache, shard, spares))
        return false;
    uint32_t end = shard->overflows + more;
    for (uint32_t i = shard->overflows; i < end; i += INDEX_SEGMENT)
        if (!overflow_ready(cache, shard, i, spares))
            return false;
    return overflow_ready(cache, shard, end, spares);
}

bool index_insert(struct cache *cache, struct shard *shard, uint64_t hash,
                  uint32_t loc, struct cache_spares *spares)
{
    if (shard->buckets == 0 && !index_open(cache, shard, spares))
        return false;
    struct bucket *bucket =
        index_bucket(cache, shard, index_bucket_of(shard, hash));
    if (!chain_add(cache, shard, bucket, tag_of(hash), loc, spares))
        return false;
    shard->items++;
    if (shard->items > (uint64_t)shard->buckets * INDEX_FULL)
        split(cache, shard, spares);
    return true;
}

void index_remove(struct cache *cache, struct shard *shard, uint64_t hash,
                  struct place place)
{
    struct bucket *first =
        index_bucket(cache, shard, index_bucket_of(shard, hash));
    chain_remove(cache, shard, first, place);
    shard->items--;
    if (!shard->cut)
        index_contract(cache, shard, INDEX_SPARSE);
    if (shard->items == 0 && shard->buckets == 1 && !shard->cut)
        index_close(cache, shard);
}
