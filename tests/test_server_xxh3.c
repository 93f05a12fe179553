/* SPDX-License-Identifier: BSD-3-Clause */
/* Digests of values: known ones, and the same in whatever parts it comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "server/xxh3.h"
#include "tests/rng.h"

enum { LONG = 65536 };

static uint64_t of(const void *bytes, size_t len)
{
    struct xxh3 hash;
    xxh3_init(&hash);
    xxh3_add(&hash, bytes, len);
    return xxh3_value(&hash);
}

static void fill(uint8_t *bytes)
{
    for (uint32_t i = 0; i < LONG; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13 ^ i);
}

/* What Redis's documents and tests say, and the library of xxhash.com. */
static void digests_are_those_of_the_specification(void **state)
{
    static const struct {
        const char *text;
        uint64_t digest;
    } texts[] = {
        {"", UINT64_C(0x2d06800538d394c2)},
        {"v8", UINT64_C(0x0cc76dbb41381419)},
        {"123", UINT64_C(0x404a763b3f4c8c9a)},
        {"hello", UINT64_C(0x9555e8555c62dcfd)},
        {"Hello world", UINT64_C(0xb6acb9d84a38ff74)},
        {"v8lf0c11xh8ymlqztfd3eeq16kfn4sspw7fqmnuuq3k3t75em5wdizgcdw7uc26nnf96"
         "1u2jkfzkjytls2kwlj7626sd",
         UINT64_C(0x00006c38adf31777)},
    };
    static const struct {
        size_t len;
        uint64_t digest;
    } rows[] = {
        {1, UINT64_C(0xc44bdff4074eecdb)},
        {2, UINT64_C(0xbac0dce10c5585a9)},
        {3, UINT64_C(0xf696dd0e04ce27e9)},
        {4, UINT64_C(0x6c6204c26c9f6afe)},
        {8, UINT64_C(0x50af67c1d1342329)},
        {9, UINT64_C(0x1c357977faf687ae)},
        {16, UINT64_C(0x4e7389cd10bfc07d)},
        {17, UINT64_C(0x223339424fae6666)},
        {32, UINT64_C(0x8334603787c50f0a)},
        {64, UINT64_C(0xab395ddc15b81517)},
        {128, UINT64_C(0x63cc7e732fadcd70)},
        {129, UINT64_C(0x6c65917e2517b3fd)},
        {192, UINT64_C(0xd9d6178eacf80805)},
        {240, UINT64_C(0xc026638249387de5)},
        {241, UINT64_C(0x792fcf39a7ff4785)},
        {255, UINT64_C(0x5d5436be27f4839a)},
        {256, UINT64_C(0x54131e0d1631e267)},
        {257, UINT64_C(0xf3782217839b9eca)},
        {319, UINT64_C(0xd1a1b6cf38c5f7c5)},
        {320, UINT64_C(0x16f3f437047c67c0)},
        {512, UINT64_C(0x215c3e10b67dfb5d)},
        {1023, UINT64_C(0xef20c8088d5e8a52)},
        {1024, UINT64_C(0xa5bf48f173e2f1d4)},
        {1025, UINT64_C(0x14bc4b8a2ac06d5c)},
        {1088, UINT64_C(0x92dfe2dea528998b)},
        {2048, UINT64_C(0x23a519560126a214)},
        {2049, UINT64_C(0xcc7b84bd10cf442e)},
        {5000, UINT64_C(0x6882a185a6ae602d)},
        {65536, UINT64_C(0xf7f34ed1ab1a6edf)},
    };
    static uint8_t bytes[LONG];
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_true(of(texts[i].text, strlen(texts[i].text)) ==
                    texts[i].digest);
    fill(bytes);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(of(bytes, rows[i].len) == rows[i].digest);
}

static void parts_make_the_same_digest_as_the_whole(void **state)
{
    static uint8_t bytes[LONG];
    struct rng rng = {test_seed()};
    (void)state;
    fill(bytes);
    for (int round = 0; round < 3000; round++) {
        size_t len = rng_skewed(&rng, LONG), at = 0;
        struct xxh3 hash;
        xxh3_init(&hash);
        while (at < len) {
            size_t part = 1 + rng_skewed(&rng, len - at);
            xxh3_add(&hash, bytes + at, part);
            at += part;
            if (rng_chance(&rng, 100))
                assert_true(xxh3_value(&hash) == of(bytes, at));
        }
        assert_true(xxh3_value(&hash) == of(bytes, len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_the_specification),
        cmocka_unit_test(parts_make_the_same_digest_as_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
