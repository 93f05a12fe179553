/* SPDX-License-Identifier: BSD-3-Clause */
/* Making a cache, and its databases. */

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core.h"

static const size_t CACHE_ADDRESSES = (size_t)32 << 30;
static const size_t CACHE_ADDRESSES_LEAST = (size_t)256 << 20;

/* Directories are address space that is touched as far as segments exist. */
static size_t directory_bytes(const struct cache *cache)
{
    return (size_t)CORE_SEGMENTS * cache->shard_count * sizeof(uint32_t);
}

static bool directories_new(struct cache *cache)
{
    for (int kind = 0; kind < 2; kind++) {
        void *at = mmap(NULL, directory_bytes(cache), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED) {
            if (kind == 1)
                munmap((void *)cache->segments[0], directory_bytes(cache));
            return false;
        }
        cache->segments[kind] = at;
    }
    return true;
}

/* As much as asked for, or else as the system grants; of that half, so that
 * the rest of the process has some too. */
static bool reserve(struct cache *cache, size_t wanted)
{
    size_t bytes = wanted ? wanted : CACHE_ADDRESSES;
    if (slabs_init(&cache->slabs, bytes))
        return true;
    while (!wanted && (bytes /= 2) >= CACHE_ADDRESSES_LEAST)
        if (slabs_init(&cache->slabs, bytes)) {
            slabs_release(&cache->slabs);
            return slabs_init(&cache->slabs, bytes / 2);
        }
    return false;
}

size_t cache_address_bytes(const struct cache *cache)
{
    return (size_t)cache->slabs.slab_count * SIZES_SLAB;
}

struct cache *cache_new(const struct cache_options *options)
{
    unsigned shards = options->shards ? options->shards : (unsigned)CORE_SHARDS;
    assert(shards <= CORE_SHARDS && (shards & (shards - 1)) == 0);
    assert(options->databases <= CACHE_DATABASES_MAX);
    struct cache *cache = NULL;
    size_t size = sizeof *cache + shards * sizeof *cache->shards;
    if (posix_memalign((void **)&cache, 64, size) != 0)
        return NULL;
    memset(cache, 0, size);
    memcpy(&cache->hash_key, options->hash_key, sizeof cache->hash_key);
    cache->shard_count = shards;
    cache->shard_shift = 64 - (unsigned)__builtin_ctz(shards);
    cache->databases = options->databases ? options->databases : 16;
    if (!reserve(cache, options->address_bytes)) {
        free(cache);
        return NULL;
    }
    if (!directories_new(cache)) {
        slabs_release(&cache->slabs);
        free(cache);
        return NULL;
    }
    for (unsigned i = 0; i < CACHE_DATABASES_MAX; i++)
        atomic_init(&cache->numbers[i], (uint8_t)i);
    for (unsigned i = 0; i < shards; i++) {
        lock_init(&cache->shards[i].lock);
        cache->shards[i].number = i;
    }
    lock_init(&cache->garbage_lock);
    lock_init(&cache->moving.lock);
    lock_init(&cache->cut.lock);
    lock_init(&cache->crawl_lock);
    atomic_init(&cache->policy, CACHE_ALLKEYS_LRU);
    lock_init(&cache->nearest.lock);
    cache->nearest.least_ms = INT64_MAX;
    atomic_init(&cache->crawling, true);
    atomic_init(&cache->due_ms, INT64_MAX);
    return cache;
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    slabs_release(&cache->slabs);
    for (int kind = 0; kind < 2; kind++)
        munmap((void *)cache->segments[kind], directory_bytes(cache));
    free(cache);
}

/* -------------------------------------------------------------- databases */

static void lock_all(struct cache *cache)
{
    for (unsigned i = 0; i < cache->shard_count; i++)
        lock_take(&cache->shards[i].lock);
}

static void unlock_all(struct cache *cache)
{
    for (unsigned i = 0; i < cache->shard_count; i++)
        lock_drop(&cache->shards[i].lock);
}

static uint64_t count_in(const struct cache *cache, unsigned number)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < cache->shard_count; i++)
        count += cache->shards[i].tally.counts[number];
    return count;
}

/* An internal number that no client's number maps to and no entry has. */
static unsigned free_number(const struct cache *cache, uint64_t taken)
{
    for (unsigned number = 0; number < ENTRY_NUMBERS; number++)
        if (!(taken >> number & 1) && count_in(cache, number) == 0)
            return number;
    return ENTRY_NUMBERS;
}

/* Databases first to last-1 get new, empty numbers; all or none. */
static bool flush(struct cache *cache, unsigned first, unsigned last)
{
    uint8_t fresh[CACHE_DATABASES_MAX];
    bool done = true;
    lock_all(cache);
    /* Not before: a number that another thread buries meanwhile may be given
     * to a database again, and must not be taken for dead. */
    uint64_t taken = atomic_load(&cache->dead), dying = 0;
    for (unsigned db = 0; db < CACHE_DATABASES_MAX; db++)
        taken |= UINT64_C(1) << number_of(cache, db);
    for (unsigned db = first; db < last && done; db++) {
        unsigned number = number_of(cache, db);
        fresh[db] = (uint8_t)number;
        if (count_in(cache, number) == 0)
            continue;
        unsigned next = free_number(cache, taken);
        done = next < ENTRY_NUMBERS;
        if (!done)
            break;
        fresh[db] = (uint8_t)next;
        taken |= UINT64_C(1) << next;
        dying |= UINT64_C(1) << number;
    }
    if (done) {
        for (unsigned db = first; db < last; db++)
            atomic_store_explicit(&cache->numbers[db], fresh[db],
                                  memory_order_relaxed);
        atomic_fetch_or(&cache->dead, dying);
        if (dying != 0)
            atomic_store(&cache->flushed, true);
    }
    unlock_all(cache);
    return done;
}

bool cache_flush(struct cache *cache, unsigned db)
{
    assert(db < cache->databases);
    return flush(cache, db, db + 1);
}

bool cache_flush_all(struct cache *cache)
{
    return flush(cache, 0, cache->databases);
}

void cache_swap(struct cache *cache, unsigned db, unsigned other)
{
    assert(db < cache->databases && other < cache->databases);
    lock_all(cache);
    unsigned number = number_of(cache, db);
    atomic_store_explicit(&cache->numbers[db], (uint8_t)number_of(cache, other),
                          memory_order_relaxed);
    atomic_store_explicit(&cache->numbers[other], (uint8_t)number,
                          memory_order_relaxed);
    unlock_all(cache);
}
