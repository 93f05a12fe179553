/* SPDX-License-Identifier: BSD-3-Clause */
/* The plain model that the cache is compared with. */

#include "tests/cache_shadow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rng.h"

/* Every key begins with its number, where it is long enough for that. */
static size_t key_len(unsigned key)
{
    static const size_t edges[] = {
        0,    CACHE_KEY_MAX, CACHE_KEY_MAX - 1, 254, 255, 256, 257, 4096, 8000,
        8184, 20000};
    if (key < sizeof edges / sizeof *edges)
        return edges[key];
    return 4 + rng_mix(key) % (key % 50 == 0 ? 600 : 40);
}

void shadow_init(struct shadow *shadow, const struct cache *cache,
                 unsigned databases, unsigned keys)
{
    *shadow = (struct shadow){.databases = databases, .keys = keys};
    shadow->key = calloc(keys, sizeof *shadow->key);
    shadow->entries = calloc((size_t)databases * keys, sizeof *shadow->entries);
    assert(shadow->key && shadow->entries);
    for (unsigned i = 0; i < keys; i++) {
        size_t len = key_len(i);
        char *bytes = malloc(len + 1);
        assert(bytes);
        shadow_bytes(i + 1, 0, bytes, len);
        if (len >= sizeof i)
            memcpy(bytes, &i, sizeof i);
        shadow->key[i] = cache_key_of(cache, bytes, len);
    }
}

void shadow_release(struct shadow *shadow)
{
    for (unsigned i = 0; i < shadow->keys; i++)
        free((char *)(uintptr_t)shadow->key[i].ptr);
    free(shadow->key);
    free(shadow->entries);
}

int shadow_key(const struct shadow *shadow, const char *ptr, size_t len)
{
    unsigned i = 0;
    if (len >= sizeof i)
        memcpy(&i, ptr, sizeof i);
    if (i >= shadow->keys || shadow->key[i].len != len ||
        memcmp(shadow->key[i].ptr, ptr, len) != 0)
        return -1;
    return (int)i;
}

uint64_t shadow_put(struct shadow *shadow, struct shadow_entry *entry,
                    size_t len, int64_t expires_at_ms, enum cache_type type,
                    int64_t now_ms)
{
    entry->version = ++shadow->versions;
    entry->len = len;
    entry->expires_at_ms = expires_at_ms;
    entry->type = type;
    shadow_touch(shadow, entry, now_ms);
    return entry->version;
}

void shadow_touch(struct shadow *shadow, struct shadow_entry *entry,
                  int64_t now_ms)
{
    entry->used = ++shadow->uses;
    entry->used_at_ms = now_ms;
}

void shadow_forget(struct shadow_entry *entry)
{
    entry->version = 0;
    entry->owed = false;
}

void shadow_evict(struct shadow *shadow, struct shadow_entry *entry)
{
    if (entry->used > shadow->evicted_used) {
        shadow->evicted_used = entry->used;
        shadow->evicted_used_at_ms = entry->used_at_ms;
    }
    shadow->evicted++;
    shadow_forget(entry);
}

/* Byte i of a value is byte i % 8 of a word made of its version and i / 8. */
static uint64_t word_of(uint64_t version, size_t offset)
{
    return rng_mix(version * 0x9e3779b97f4a7c15u + offset / 8);
}

void shadow_bytes(uint64_t version, size_t offset, char *to, size_t len)
{
    for (size_t done = 0; done < len;) {
        uint64_t word = word_of(version, offset + done);
        size_t skip = (offset + done) % 8, part = 8 - skip;
        if (part > len - done)
            part = len - done;
        memcpy(to + done, (char *)&word + skip, part);
        done += part;
    }
}

bool shadow_same(uint64_t version, size_t offset, const char *bytes, size_t len)
{
    char expected[4096];
    for (size_t done = 0; done < len;) {
        size_t part =
            len - done < sizeof expected ? len - done : sizeof expected;
        shadow_bytes(version, offset + done, expected, part);
        if (memcmp(bytes + done, expected, part) != 0)
            return false;
        done += part;
    }
    return true;
}
