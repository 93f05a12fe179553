/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * XXH3.  Up to 240 bytes are mixed in one go; more of them go in stripes of 64
 * bytes to eight lanes, which are scrambled after each block of 16 stripes.
 *
 *   |stripe|stripe| ... 16 |scramble|stripe| ... |last 64 bytes| -> merged
 *
 * The last stripe may overlap the one before, and a stripe is not a full one
 * before it is known that more bytes follow: so as many are held back.
 */

#include "xxh3.h"

#include <string.h>

enum {
    SHORT = 240, /* longest input that takes no lanes */
    STRIPE = 64,
    STRIPES = 16, /* in a block */
    SECRET = 192,
};

#define PRIME32_1 UINT64_C(0x9E3779B1)
#define PRIME32_2 UINT64_C(0x85EBCA77)
#define PRIME32_3 UINT64_C(0xC2B2AE3D)
#define PRIME64_1 UINT64_C(0x9E3779B185EBCA87)
#define PRIME64_2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define PRIME64_3 UINT64_C(0x165667B19E3779F9)
#define PRIME64_4 UINT64_C(0x85EBCA77C2B2AE63)
#define PRIME64_5 UINT64_C(0x27D4EB2F165667C5)
#define PRIME_MX1 UINT64_C(0x165667919E3779F9)
#define PRIME_MX2 UINT64_C(0x9FB21C651E98DF25)

// clang-format off
static const uint8_t secret[SECRET] = {
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c,
    0xf7, 0x21, 0xad, 0x1c, 0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb,
    0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f, 0xcb, 0x79, 0xe6, 0x4e,
    0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
    0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6,
    0x81, 0x3a, 0x26, 0x4c, 0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb,
    0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3, 0x71, 0x64, 0x48, 0x97,
    0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
    0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7,
    0xc7, 0x0b, 0x4f, 0x1d, 0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31,
    0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64, 0xea, 0xc5, 0xac, 0x83,
    0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
    0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26,
    0x29, 0xd4, 0x68, 0x9e, 0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc,
    0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce, 0x45, 0xcb, 0x3a, 0x8f,
    0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
};
// clang-format on

static uint64_t word(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static uint64_t half_word(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static uint64_t rotate(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

/* Both halves of the product in one. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t avalanche(uint64_t value)
{
    value = (value ^ value >> 37) * PRIME_MX1;
    return value ^ value >> 32;
}

static uint64_t avalanche_xxh64(uint64_t value)
{
    value = (value ^ value >> 33) * PRIME64_2;
    value = (value ^ value >> 29) * PRIME64_3;
    return value ^ value >> 32;
}

/* ------------------------------------------------------------ short inputs */

static uint64_t of_1_to_3(const uint8_t *in, size_t len)
{
    uint64_t all = in[len - 1] | (uint64_t)len << 8 | (uint64_t)in[0] << 16 |
                   (uint64_t)in[len >> 1] << 24;
    return avalanche_xxh64((half_word(secret) ^ half_word(secret + 4)) ^ all);
}

static uint64_t of_4_to_8(const uint8_t *in, size_t len)
{
    uint64_t all = half_word(in + len - 4) | half_word(in) << 32;
    uint64_t value = (word(secret + 8) ^ word(secret + 16)) ^ all;
    value ^= rotate(value, 49) ^ rotate(value, 24);
    value *= PRIME_MX2;
    value ^= (value >> 35) + len;
    value *= PRIME_MX2;
    return value ^ value >> 28;
}

static uint64_t of_9_to_16(const uint8_t *in, size_t len)
{
    uint64_t low = (word(secret + 24) ^ word(secret + 32)) ^ word(in);
    uint64_t high =
        (word(secret + 40) ^ word(secret + 48)) ^ word(in + len - 8);
    return avalanche(len + __builtin_bswap64(low) + high + fold(low, high));
}

static uint64_t mix(const uint8_t *in, size_t at)
{
    return fold(word(in) ^ word(secret + at),
                word(in + 8) ^ word(secret + at + 8));
}

static uint64_t of_17_to_128(const uint8_t *in, size_t len)
{
    uint64_t sum = len * PRIME64_1;
    for (size_t i = (len - 1) / 32 + 1; i-- > 0;)
        sum +=
            mix(in + i * 16, i * 32) + mix(in + len - i * 16 - 16, i * 32 + 16);
    return avalanche(sum);
}

static uint64_t of_129_to_240(const uint8_t *in, size_t len)
{
    uint64_t sum = len * PRIME64_1;
    for (size_t i = 0; i < 8; i++)
        sum += mix(in + i * 16, i * 16);
    sum = avalanche(sum);
    for (size_t i = 8; i < len / 16; i++)
        sum += mix(in + i * 16, (i - 8) * 16 + 3);
    return avalanche(sum + mix(in + len - 16, 119));
}

static uint64_t of_short(const uint8_t *in, size_t len)
{
    if (len == 0)
        return avalanche_xxh64(word(secret + 56) ^ word(secret + 64));
    if (len <= 3)
        return of_1_to_3(in, len);
    if (len <= 8)
        return of_4_to_8(in, len);
    if (len <= 16)
        return of_9_to_16(in, len);
    return len <= 128 ? of_17_to_128(in, len) : of_129_to_240(in, len);
}

/* ------------------------------------------------------------- long inputs */

static void mix_stripe(uint64_t *lanes, const uint8_t *in, size_t at)
{
    for (size_t i = 0; i < XXH3_LANES; i++) {
        uint64_t value = word(in + i * 8);
        uint64_t keyed = value ^ word(secret + at + i * 8);
        lanes[i ^ 1] += value;
        lanes[i] += (keyed & UINT32_MAX) * (keyed >> 32);
    }
}

static void scramble(uint64_t *lanes)
{
    for (size_t i = 0; i < XXH3_LANES; i++) {
        lanes[i] ^= lanes[i] >> 47;
        lanes[i] ^= word(secret + SECRET - STRIPE + i * 8);
        lanes[i] *= PRIME32_1;
    }
}

/* Full stripes that are not the last. */
static unsigned mix_stripes(uint64_t *lanes, unsigned stripe, const uint8_t *in,
                            size_t count)
{
    for (; count > 0; count--, in += STRIPE) {
        mix_stripe(lanes, in, stripe * 8);
        if (++stripe == STRIPES) {
            scramble(lanes);
            stripe = 0;
        }
    }
    return stripe;
}

static uint64_t merge(const uint64_t *lanes, uint64_t sum)
{
    for (size_t i = 0; i < XXH3_LANES; i += 2)
        sum += fold(lanes[i] ^ word(secret + 11 + i * 8),
                    lanes[i + 1] ^ word(secret + 19 + i * 8));
    return avalanche(sum);
}

void xxh3_init(struct xxh3 *hash)
{
    *hash = (struct xxh3){
        .lanes = {PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4,
                  PRIME32_2, PRIME64_5, PRIME32_1},
    };
}

void xxh3_add(struct xxh3 *hash, const void *bytes, size_t len)
{
    const uint8_t *in = bytes;
    hash->len += len;
    while (len > 0) {
        if (hash->buffered == XXH3_BUFFER) {
            hash->stripe = mix_stripes(hash->lanes, hash->stripe, hash->buffer,
                                       XXH3_BUFFER / STRIPE);
            hash->buffered = 0;
        }
        size_t room = XXH3_BUFFER - hash->buffered;
        size_t n = len < room ? len : room;
        memcpy(hash->buffer + hash->buffered, in, n);
        hash->buffered += n;
        in += n;
        len -= n;
    }
}

uint64_t xxh3_value(const struct xxh3 *hash)
{
    uint64_t lanes[XXH3_LANES];
    uint8_t last[STRIPE];
    size_t held = hash->buffered;
    if (hash->len <= SHORT)
        return of_short(hash->buffer, held);
    memcpy(lanes, hash->lanes, sizeof lanes);
    mix_stripes(lanes, hash->stripe, hash->buffer, (held - 1) / STRIPE);
    /* What was there before lies behind what came after it. */
    size_t before = held < STRIPE ? STRIPE - held : 0;
    memcpy(last, hash->buffer + XXH3_BUFFER - before, before);
    memcpy(last + before, hash->buffer + held - (STRIPE - before),
           STRIPE - before);
    mix_stripe(lanes, last, SECRET - STRIPE - 7);
    return merge(lanes, hash->len * PRIME64_1);
}
