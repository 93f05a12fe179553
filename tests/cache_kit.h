/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CACHE_KIT_H
#define CACHE_KIT_H

/* A cache for a test, and single operations on keys that are numbers. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/core.h"

enum { KIT_NOW_MS = 1000000, KIT_MB = 1 << 20 };

struct cache *kit_cache(size_t limit);
/* For cmocka: the end of a cache, *state, which must be sound. */
int kit_tear_down(void **state);
struct cache_stats kit_stats(struct cache *cache);

/* The key of a number, whose bytes stay the caller's. */
struct cache_key kit_key(const struct cache *cache, const unsigned *number);

/* Making room as often as it takes; false: there is none to be made. */
bool kit_store(struct cache *cache, unsigned db, const struct cache_key *key,
               int64_t now_ms, const struct cache_write *write);
bool kit_put(struct cache *cache, unsigned db, unsigned number, int64_t now_ms,
             struct cache_write write);
/* A value of that many zeros. */
bool kit_put_len(struct cache *cache, unsigned db, unsigned number, size_t len);
bool kit_has(struct cache *cache, unsigned db, unsigned number);
bool kit_drop(struct cache *cache, unsigned db, unsigned number);

/* A value of which `len` bytes of `whole` have come; each is kit_byte of where
 * it stands. */
struct cache_blob *kit_receive(struct cache *cache, size_t whole, size_t len);
static inline char kit_byte(size_t at)
{
    return (char)('a' + at % 23);
}

#endif
