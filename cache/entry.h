/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENTRY_H
#define ENTRY_H

/*
 * One entry, in one cell:
 *
 *   | prev 4 | next 4 | packed 4 | used_ms 4 | [expiry 8] | [ext 24] | key |
 * value |
 *
 *   packed:  value 13 bits | key 8 | db 6 | type 2 | expiry 1 | ext 1 | 0
 *
 * prev and next link the LRU list of its shard.  used_ms is the wall clock
 * when it was last used, modulo 2^32.  The bit lengths are those of the bytes
 * in this cell.  An entry with ext has a key of 255 bytes or more, or a long
 * value, which begins in pieces and ends in the cell.  Of a key longer than
 * ENTRY_KEY_HERE, the cell has the first bytes and a hash of the rest, and the
 * rest is in pieces too; the index only ever sees what is in the cell.
 *
 * Key bytes, and the fields that say where they are, never change while the
 * entry is live, so that its shard can be told without the shard's lock;
 * packed and expiry are read and written atomically for the same reason.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct entry {
    uint32_t prev, next;
    uint32_t packed;
    uint32_t used_ms;
    char rest[];
};

struct entry_ext {
    uint32_t pieces;     /* of the value; 0: none */
    uint32_t key_pieces; /* of the key's end; 0: none */
    uint64_t value_len;  /* of the whole */
    uint32_t key_len;    /* of the whole */
    uint32_t unused;
};

enum {
    ENTRY_HEAD = 16,
    ENTRY_KEY_SHORT = 254,  /* longest key without ext */
    ENTRY_KEY_HERE = 4000,  /* longest key wholly in the cell */
    ENTRY_KEY_FIRST = 3992, /* bytes of a longer one that are in the cell */
    ENTRY_EXPIRY = 1 << 29,
    ENTRY_EXT = 1 << 30,
    ENTRY_NUMBERS = 64, /* internal database numbers */
};

/*
 * How long ago that was.  Threads read the clock at different moments and it
 * may be set back: what was used up to AHEAD_MAX_MS ahead of now_ms was used
 * just now.
 */
static inline uint32_t entry_age_ms(uint32_t used_ms, int64_t now_ms)
{
    enum { AHEAD_MAX_MS = 1 << 24 };
    uint32_t age = (uint32_t)now_ms - used_ms;
    return age > UINT32_MAX - AHEAD_MAX_MS ? 0 : age;
}

static inline uint32_t entry_packed(const struct entry *entry)
{
    return __atomic_load_n(&entry->packed, __ATOMIC_RELAXED);
}

static inline uint32_t entry_pack(size_t value_here, size_t key_here,
                                  unsigned number, unsigned type, bool expiry,
                                  bool ext)
{
    return (uint32_t)value_here | (uint32_t)(ext ? 255 : key_here) << 13 |
           (uint32_t)number << 21 | (uint32_t)type << 27 |
           (expiry ? ENTRY_EXPIRY : 0u) | (ext ? ENTRY_EXT : 0u);
}

static inline unsigned packed_number(uint32_t packed)
{
    return packed >> 21 & 63;
}

static inline unsigned packed_type(uint32_t packed)
{
    return packed >> 27 & 3;
}

static inline size_t packed_value_here(uint32_t packed)
{
    return packed & 8191;
}

/* 255 with ext. */
static inline size_t packed_key_here(uint32_t packed)
{
    return packed >> 13 & 255;
}

static inline size_t packed_key_offset(uint32_t packed)
{
    return (packed & ENTRY_EXPIRY ? 8 : 0) +
           (packed & ENTRY_EXT ? sizeof(struct entry_ext) : 0);
}

/* NULL without ext. */
static inline struct entry_ext *entry_ext(struct entry *entry)
{
    uint32_t packed = entry_packed(entry);
    if (!(packed & ENTRY_EXT))
        return NULL;
    return (struct entry_ext *)(void *)(entry->rest +
                                        (packed & ENTRY_EXPIRY ? 8 : 0));
}

/* 0: never. */
static inline int64_t entry_expires_at(const struct entry *entry)
{
    if (!(entry_packed(entry) & ENTRY_EXPIRY))
        return 0;
    return __atomic_load_n((const int64_t *)(const void *)entry->rest,
                           __ATOMIC_RELAXED);
}

static inline void entry_set_expires_at(struct entry *entry, int64_t at_ms)
{
    __atomic_store_n((int64_t *)(void *)entry->rest, at_ms, __ATOMIC_RELAXED);
}

/* The key as the cell has it. */
static inline const char *entry_key(const struct entry *entry, size_t *len)
{
    uint32_t packed = entry_packed(entry);
    const char *key = entry->rest + packed_key_offset(packed);
    *len = packed_key_here(packed);
    if (packed & ENTRY_EXT) {
        const struct entry_ext *ext =
            (const struct entry_ext *)(const void *)(key - sizeof *ext);
        *len = ext->key_len > ENTRY_KEY_HERE ? ENTRY_KEY_HERE : ext->key_len;
    }
    return key;
}

static inline char *entry_value(struct entry *entry)
{
    size_t len;
    const char *key = entry_key(entry, &len);
    return (char *)(uintptr_t)key + len;
}

#endif
