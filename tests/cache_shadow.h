/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CACHE_SHADOW_H
#define CACHE_SHADOW_H

/*
 * What a cache ought to hold: the plain model that the real one is compared
 * with.  A value is not stored, only the number it is made from, so that the
 * shadow of a large cache is small.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/cache.h"

struct shadow_entry {
    uint64_t version; /* of the value; 0: the entry is not there */
    size_t len;
    int64_t expires_at_ms; /* 0: never */
    int64_t used_at_ms;
    uint64_t used; /* place in the order of use; larger is later */
    enum cache_type type;
    bool owed; /* there since the scan began, and not shown by it yet */
};

struct shadow {
    unsigned databases, keys;
    struct cache_key *key;        /* `keys` of them, hashed for the cache */
    struct shadow_entry *entries; /* databases * keys */
    uint64_t versions, uses;      /* last ones given out */
    /* The most recently used entry that was found to be evicted. */
    uint64_t evicted_used;
    int64_t evicted_used_at_ms;
    uint64_t evicted; /* how many were found so */
};

/* Keys of 0 to CACHE_KEY_MAX bytes, most of them short. */
void shadow_init(struct shadow *shadow, const struct cache *cache,
                 unsigned databases, unsigned keys);
void shadow_release(struct shadow *shadow);

static inline struct shadow_entry *shadow_at(struct shadow *shadow, unsigned db,
                                             unsigned key)
{
    return &shadow->entries[(size_t)db * shadow->keys + key];
}

/* Which key this is, or -1. */
int shadow_key(const struct shadow *shadow, const char *ptr, size_t len);

static inline bool shadow_expired(const struct shadow_entry *entry,
                                  int64_t now_ms)
{
    return entry->expires_at_ms != 0 && entry->expires_at_ms <= now_ms;
}

/* Puts a value of a new version there; returns the version. */
uint64_t shadow_put(struct shadow *shadow, struct shadow_entry *entry,
                    size_t len, int64_t expires_at_ms, enum cache_type type,
                    int64_t now_ms);
void shadow_touch(struct shadow *shadow, struct shadow_entry *entry,
                  int64_t now_ms);
void shadow_forget(struct shadow_entry *entry);
/* It was there, is not expired, and is gone. */
void shadow_evict(struct shadow *shadow, struct shadow_entry *entry);

/* The bytes of a value, and whether these are they. */
void shadow_bytes(uint64_t version, size_t offset, char *to, size_t len);
bool shadow_same(uint64_t version, size_t offset, const char *bytes,
                 size_t len);

#endif
