/* SPDX-License-Identifier: BSD-3-Clause */
/* SipHash-1-3 for little-endian machines. */

#include <string.h>

#include "hash.h"

struct state {
    uint64_t a, b, c, d;
};

static inline uint64_t rotate(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static inline void round_once(struct state *s)
{
    s->a += s->b;
    s->c += s->d;
    s->b = rotate(s->b, 13) ^ s->a;
    s->d = rotate(s->d, 16) ^ s->c;
    s->a = rotate(s->a, 32);
    s->c += s->b;
    s->a += s->d;
    s->b = rotate(s->b, 17) ^ s->c;
    s->d = rotate(s->d, 21) ^ s->a;
    s->c = rotate(s->c, 32);
}

static inline void absorb(struct state *s, uint64_t word)
{
    s->d ^= word;
    round_once(s);
    s->a ^= word;
}

/* The last bytes, those that are no whole word. */
static inline uint64_t rest_of(const unsigned char *bytes, size_t len)
{
    size_t rest = len & 7;
    uint64_t word = 0;
    if (rest > 0 && len > 8) {
        memcpy(&word, bytes + len - 8, 8);
        return word >> (64 - 8 * rest);
    }
    for (size_t i = 0; i < rest; i++)
        word |= (uint64_t)bytes[(len & ~(size_t)7) + i] << (8 * i);
    return word;
}

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len)
{
    struct state s = {
        0x736f6d6570736575 ^ key->k0,
        0x646f72616e646f6d ^ key->k1,
        0x6c7967656e657261 ^ key->k0,
        0x7465646279746573 ^ key->k1,
    };
    const unsigned char *at = bytes;
    uint64_t word;
    size_t whole = len & ~(size_t)7;
    for (const unsigned char *end = at + whole; at < end; at += 8) {
        memcpy(&word, at, 8);
        absorb(&s, word);
    }
    absorb(&s, rest_of(bytes, len) | (uint64_t)len << 56);
    s.c ^= 0xff;
    round_once(&s);
    round_once(&s);
    round_once(&s);
    return s.a ^ s.b ^ s.c ^ s.d;
}
