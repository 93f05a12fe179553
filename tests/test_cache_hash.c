/* SPDX-License-Identifier: BSD-3-Clause */
/* SipHash-1-3 with the key and the inputs of its authors: the bytes 0, 1, 2 and
 * so on, of which each number of them leaves another rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cache/hash.h"
#include "cache_kit.h"

static void known_hashes(void **state)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } known[] = {
        {0, 0xabac0158050fc4dc},  {1, 0xc9f49bf37d57ca93},
        {2, 0x82cb9b024dc7d44d},  {7, 0xd3927d989bb11140},
        {8, 0x369095118d299a8e},  {9, 0x25a48eb36c063de4},
        {15, 0xd320d86d2a519956}, {16, 0xcc4fdd1a7d908b66},
        {17, 0x9cf2689063dbd80c}, {63, 0x9d199062b7bbb3a8},
    };
    const struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        /* Of that length, so that a sanitizer sees who reads beyond. */
        unsigned char *bytes = malloc(known[i].len + (known[i].len == 0));
        for (size_t n = 0; n < known[i].len; n++)
            bytes[n] = (unsigned char)n;
        assert_true(hash_bytes(&key, bytes, known[i].len) == known[i].hash);
        free(bytes);
    }
}

/* Every length and each of the others with as many words. */
static void lanes_as_one(void **state)
{
    enum { MOST = 70 };
    const struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    (void)state;
    if (!hash_has_lanes())
        skip();
    for (size_t len = 0; len < MOST; len++) {
        unsigned char *bytes[HASH_LANES];
        const void *at[HASH_LANES];
        size_t lens[HASH_LANES];
        uint64_t hashes[HASH_LANES];
        for (size_t i = 0; i < HASH_LANES; i++) {
            lens[i] = len / 8 * 8 + (len + 3 * i) % 8;
            at[i] = bytes[i] = malloc(lens[i] + (lens[i] == 0));
            for (size_t n = 0; n < lens[i]; n++)
                bytes[i][n] = (unsigned char)(n * 7 + i * 31 + len);
        }
        hash_lanes(&key, at, lens, hashes);
        for (size_t i = 0; i < HASH_LANES; i++) {
            assert_true(hashes[i] == hash_bytes(&key, bytes[i], lens[i]));
            free(bytes[i]);
        }
    }
}

/* Alike and not, short and longer than what a cell has of a key. */
static void many_as_each(void **state)
{
    static const size_t lens[] = {16,   17,   18,   19,   16, 3,  16, 16, 16,
                                  16,   0,    1,    2,    3,  9,  9,  9,  40000,
                                  5000, 5001, 5002, 5003, 12, 13, 14};
    enum { COUNT = sizeof lens / sizeof *lens };
    struct cache *cache = kit_cache(16 << 20);
    struct cache_key keys[COUNT], *pointers[COUNT];
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        char *bytes = malloc(lens[i] + (lens[i] == 0));
        memset(bytes, (int)('a' + i), lens[i]);
        keys[i] = (struct cache_key){.ptr = bytes, .len = lens[i]};
        pointers[i] = &keys[i];
    }
    cache_hash_keys(cache, pointers, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(keys[i].hash ==
                    cache_key_of(cache, keys[i].ptr, lens[i]).hash);
        free((void *)(uintptr_t)keys[i].ptr);
    }
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_hashes),
        cmocka_unit_test(lanes_as_one),
        cmocka_unit_test(many_as_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
