/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash-1-3 for little-endian machines, of one or of several at a time: what
 * a round does is the same for a word and for a vector of words.
 */

#include <string.h>

#include "hash.h"

#define ROTATE(x, bits) ((x) << (bits) | (x) >> (64 - (bits)))

#define ROUND(s)                                                               \
    do {                                                                       \
        (s).a += (s).b;                                                        \
        (s).c += (s).d;                                                        \
        (s).b = ROTATE((s).b, 13) ^ (s).a;                                     \
        (s).d = ROTATE((s).d, 16) ^ (s).c;                                     \
        (s).a = ROTATE((s).a, 32);                                             \
        (s).c += (s).b;                                                        \
        (s).a += (s).d;                                                        \
        (s).b = ROTATE((s).b, 17) ^ (s).c;                                     \
        (s).d = ROTATE((s).d, 21) ^ (s).a;                                     \
        (s).c = ROTATE((s).c, 32);                                             \
    } while (0)

#define ABSORB(s, word)                                                        \
    do {                                                                       \
        (s).d ^= (word);                                                       \
        ROUND(s);                                                              \
        (s).a ^= (word);                                                       \
    } while (0)

#define FINISH(s)                                                              \
    do {                                                                       \
        (s).c ^= 0xff;                                                         \
        ROUND(s);                                                              \
        ROUND(s);                                                              \
        ROUND(s);                                                              \
    } while (0)

static const uint64_t INIT[] = {0x736f6d6570736575, 0x646f72616e646f6d,
                                0x6c7967656e657261, 0x7465646279746573};

static inline uint64_t word_at(const void *bytes, size_t i)
{
    uint64_t word;
    memcpy(&word, (const char *)bytes + i * 8, 8);
    return word;
}

/* The last word: the bytes that are no whole word, and the length. */
static inline uint64_t last_of(const void *at, size_t len)
{
    const unsigned char *bytes = at;
    size_t rest = len & 7;
    uint64_t word = 0;
    if (rest > 0 && len > 8) {
        memcpy(&word, bytes + len - 8, 8);
        word >>= 64 - 8 * rest;
    } else {
        for (size_t i = 0; i < rest; i++)
            word |= (uint64_t)bytes[(len & ~(size_t)7) + i] << (8 * i);
    }
    return word | (uint64_t)len << 56;
}

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len)
{
    struct {
        uint64_t a, b, c, d;
    } s = {INIT[0] ^ key->k0, INIT[1] ^ key->k1, INIT[2] ^ key->k0,
           INIT[3] ^ key->k1};
    for (size_t i = 0; i < len / 8; i++)
        ABSORB(s, word_at(bytes, i));
    ABSORB(s, last_of(bytes, len));
    FINISH(s);
    return s.a ^ s.b ^ s.c ^ s.d;
}

#if defined __x86_64__

bool hash_has_lanes(void)
{
    return __builtin_cpu_supports("avx2");
}

/* A register of four words. */
typedef uint64_t lanes __attribute__((vector_size(8 * HASH_LANES)));

__attribute__((target("avx2"))) void
hash_lanes(const struct hash_key *key, const void *const bytes[HASH_LANES],
           const size_t len[HASH_LANES], uint64_t hashes[HASH_LANES])
{
    struct {
        lanes a, b, c, d;
    } s = {
        (INIT[0] ^ key->k0) + (lanes){0},
        (INIT[1] ^ key->k1) + (lanes){0},
        (INIT[2] ^ key->k0) + (lanes){0},
        (INIT[3] ^ key->k1) + (lanes){0},
    };
    lanes word;
    for (size_t i = 0; i < len[0] / 8; i++) {
        word = (lanes){word_at(bytes[0], i), word_at(bytes[1], i),
                       word_at(bytes[2], i), word_at(bytes[3], i)};
        ABSORB(s, word);
    }
    word = (lanes){last_of(bytes[0], len[0]), last_of(bytes[1], len[1]),
                   last_of(bytes[2], len[2]), last_of(bytes[3], len[3])};
    ABSORB(s, word);
    FINISH(s);
    word = s.a ^ s.b ^ s.c ^ s.d;
    memcpy(hashes, &word, sizeof word);
}

#else

bool hash_has_lanes(void)
{
    return false;
}

void hash_lanes(const struct hash_key *key, const void *const bytes[HASH_LANES],
                const size_t len[HASH_LANES], uint64_t hashes[HASH_LANES])
{
    for (size_t i = 0; i < HASH_LANES; i++)
        hashes[i] = hash_bytes(key, bytes[i], len[i]);
}

#endif
