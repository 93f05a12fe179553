/* SPDX-License-Identifier: BSD-3-Clause */
/* SHA-256 against the examples of its standard, and around every edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "server/sha256.h"

static const char *hex_of(const void *bytes, size_t len)
{
    static char hex[SHA256_HEX + 1];
    uint8_t digest[SHA256_BYTES];
    sha256(bytes, len, digest);
    sha256_hex(digest, hex);
    return hex;
}

static void examples_of_the_standard(void **state)
{
    static const char two_blocks[] =
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    (void)state;
    assert_string_equal(
        hex_of("", 0),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_string_equal(
        hex_of("abc", 3),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(
        hex_of(two_blocks, sizeof two_blocks - 1),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");

    char *million = malloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    assert_string_equal(
        hex_of(million, 1000000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

/* All lengths around the ends of blocks, hashed together. */
static void every_length(void **state)
{
    uint8_t bytes[300], digests[300][SHA256_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    for (size_t len = 0; len < 300; len++)
        sha256(bytes, len, digests[len]);
    assert_string_equal(
        hex_of(digests, sizeof digests),
        "df90175783c44235cf6aefd935a2c2747f42399416d16789ece339f1fd26d835");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_standard),
        cmocka_unit_test(every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
