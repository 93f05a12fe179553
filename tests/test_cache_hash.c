/* SPDX-License-Identifier: BSD-3-Clause */
/* SipHash-1-3 with the key and the inputs of its authors: the bytes 0, 1, 2 and
 * so on, of which each number of them leaves another rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "cache/hash.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_hashes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
