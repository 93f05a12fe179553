/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CACHE_STATS_H
#define CACHE_STATS_H

/* Numbers of a cache: what it counted, what it holds, where its memory lies. */

#include <stddef.h>
#include <stdint.h>

struct cache;

// clang-format off
/* One row is one number: a field, a line of INFO, a metric. */
#define CACHE_COUNTERS(X)                                                     \
    X(hits,           "Lookups that found an entry")                          \
    X(misses,         "Lookups that found none")                              \
    X(evicted,        "Entries dropped to stay within the budget")            \
    X(expired,        "Entries dropped because their time had passed")        \
    X(evicted_bytes,  "Bytes of the entries that were evicted")               \
    X(moved,          "Entries moved to empty sparse slabs")                  \
    X(moved_bytes,    "Bytes of the entries that were moved")                 \
    X(slabs_returned, "Slabs whose memory went back to the system")

#define CACHE_GAUGES(X)                                                       \
    X(entries,         "Entries held, flushed ones not yet dropped included") \
    X(expiring,        "Entries with an expiry")                              \
    X(limit_bytes,     "Bytes of slabs that may be resident")                 \
    X(resident_bytes,  "Bytes of slabs that are resident")                    \
    X(live_bytes,      "Bytes of cells in use, headers and keys included")    \
    X(payload_bytes,   "Bytes of keys and values")                            \
    X(index_bytes,     "Bytes of slabs that hold the index")                  \
    X(stock_bytes,     "Bytes of resident slabs that are free")               \
    X(huge_bytes,      "Bytes of slabs that lie in huge pages")               \
    X(scratch_bytes,   "Bytes in use only while much is dropped at once")     \
    X(excess_bytes,    "Bytes of slabs above the limit, still to be returned")\
    X(flushed_entries, "Entries of emptied databases, still to be dropped")
// clang-format on

struct cache_stats {
#define X(name, help) uint64_t name;
    CACHE_COUNTERS(X)
    CACHE_GAUGES(X)
#undef X
    uint64_t oldest_idle_ms; /* how long the next victim has not been used */
};

void cache_stats(struct cache *cache, int64_t now_ms, struct cache_stats *out);
void cache_reset_counters(struct cache *cache);

/* Where the memory of a cache lies.  Asks the system for what is resident: some
 * microseconds. */
struct cache_places {
    const char *region; /* of the slabs: from here ... */
    size_t region_len;  /* ... this far */
    uint64_t between;   /* resident in it, but no slab: the allocator's books */
    uint64_t tables; /* resident elsewhere: the states of slabs, and where the
                        index lies; marks are scratch_bytes */
};

void cache_places(struct cache *cache, struct cache_places *out);

#endif
