/* SPDX-License-Identifier: BSD-3-Clause */
/* The format of DUMP, its checksum and its compression. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "server/crc64.h"
#include "server/dump.h"
#include "server/lzf.h"
#include "tests/rng.h"

static void the_checksum_is_that_of_redis(void **state)
{
    static const char text[] =
        "This is a test of the emergency broadcast system.";
    (void)state;
    assert_true(crc64(0, "", 0) == 0);
    assert_true(crc64(0, "123456789", 9) == UINT64_C(0xe9c6d914c4b8d9ca));
    for (size_t i = 0; i < sizeof text; i++)
        assert_true(crc64(crc64(0, text, i), text + i, sizeof text - i) ==
                    crc64(0, text, sizeof text));
}

/* ---------------------------------------------------------------- heads */

static void assert_head(size_t len, const char *bytes, size_t size)
{
    char head[DUMP_HEAD];
    struct dump_string string;
    assert_int_equal(dump_head(len, head), size);
    assert_memory_equal(head, bytes, size);
    assert_true(dump_read(head, size, size + len, &string));
    assert_int_equal(string.kind, DUMP_RAW);
    assert_int_equal(string.len, len);
    assert_int_equal(string.at, size);
    assert_int_equal(string.stored, len);
    assert_false(dump_read(head, size, size + len + 1, &string));
    assert_false(dump_read(head, size, size + len - 1, &string));
    assert_false(dump_read(head, size - 1, size - 1, &string));
}

static void lengths_take_as_few_bytes_as_they_need(void **state)
{
    (void)state;
    assert_head(0, "\0\0", 2);
    assert_head(63, "\0\x3f", 2);
    assert_head(64, "\0\x40\x40", 3);
    assert_head(16383, "\0\x7f\xff", 3);
    assert_head(16384, "\0\x80\0\0\x40\0", 6);
    assert_head(UINT32_MAX, "\0\x80\xff\xff\xff\xff", 6);
    assert_head((size_t)UINT32_MAX + 1, "\0\x81\0\0\0\1\0\0\0\0", 10);
}

static void assert_number(int64_t number, const char *bytes, size_t size)
{
    char head[DUMP_HEAD], text[32];
    struct dump_string string;
    assert_int_equal(dump_number(number, head), size);
    if (size == 0)
        return;
    assert_memory_equal(head, bytes, size);
    assert_true(dump_read(head, size, size, &string));
    assert_int_equal(string.kind, DUMP_TEXT_HERE);
    snprintf(text, sizeof text, "%lld", (long long)number);
    assert_int_equal(string.len, strlen(text));
    assert_memory_equal(string.text, text, string.len);
    assert_false(dump_read(head, size, size + 1, &string));
    assert_false(dump_read(head, size - 1, size - 1, &string));
}

static void numbers_take_as_few_bytes_as_they_need(void **state)
{
    (void)state;
    assert_number(0, "\0\xc0\0", 3);
    assert_number(127, "\0\xc0\x7f", 3);
    assert_number(-128, "\0\xc0\x80", 3);
    assert_number(128, "\0\xc1\x80\0", 4);
    assert_number(-32768, "\0\xc1\0\x80", 4);
    assert_number(32768, "\0\xc2\0\x80\0\0", 6);
    assert_number(INT32_MIN, "\0\xc2\0\0\0\x80", 6);
    assert_number((int64_t)INT32_MAX + 1, "", 0);
    assert_number((int64_t)INT32_MIN - 1, "", 0);
}

static void what_is_no_string_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"", 0},           {"\0", 1},           {"\1\1a", 3},
        {"\0\2a", 3},      {"\0\1ab", 4},       {"\0\xc4\1", 3},
        {"\0\x82\1", 3},   {"\0\xc3\1\1", 4},   {"\0\xc3", 2},
        {"\0\xc3\x80", 3}, {"\0\x40", 2},       {"\0\xff", 2},
        {"\x12\1\2", 3},   {"\0\xc3\xc0\1", 4}, {"\0\xc1\1", 3},
    };
    struct dump_string string;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_false(
            dump_read(rows[i].bytes, rows[i].len, rows[i].len, &string));
}

/* ------------------------------------------------------------------ LZF */

/* All of it, the input cut so, and what is ready taken so; false: malformed. */
static bool decode(const char *in, size_t len, size_t part, char *out,
                   size_t *made)
{
    static struct lzf lzf;
    size_t at = 0;
    memset(&lzf, 0, sizeof lzf);
    *made = 0;
    while (at < len) {
        size_t left = len - at, used;
        size_t n = left < part ? left : part;
        if (!lzf_decode(&lzf, in + at, n, n == left, &used))
            return false;
        const char *bytes;
        size_t ready = lzf_ready(&lzf, &bytes);
        memcpy(out + *made, bytes, ready);
        *made += ready;
        lzf_take(&lzf, ready);
        at += used;
        if (used == 0 && ready == 0)
            part += 1; /* an instruction is longer than the part */
    }
    return true;
}

static void what_was_compressed_comes_back(void **state)
{
    static char out[100000];
    /* 200 times "a"; 270 bytes of "abc"; bytes as they are. */
    static const struct {
        const char *in;
        size_t len;
        const char *pattern;
        size_t made;
    } rows[] = {
        {"\x01"
         "aa\xe0\xbb\x00\x01"
         "aa",
         9, "a", 200},
        {"\x03"
         "abca\xe0\xff\x02\x01"
         "bc",
         11, "abc", 270},
        {"\x02xyz", 4, "xyz", 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t part = 1; part <= rows[i].len; part++) {
            size_t made;
            assert_true(decode(rows[i].in, rows[i].len, part, out, &made));
            assert_int_equal(made, rows[i].made);
            for (size_t k = 0; k < made; k++)
                assert_int_equal(out[k],
                                 rows[i].pattern[k % strlen(rows[i].pattern)]);
        }
}

/* As far back as can be, over and over, so that the history slides. */
static void history_is_kept_as_far_as_it_is_reached(void **state)
{
    static char in[60000], want[200000], out[200000];
    struct rng rng = {test_seed()};
    size_t len = 0, made = 0, came;
    (void)state;
    while (len + LZF_IN < sizeof in && made + LZF_OUT < sizeof want) {
        if (made == 0 || rng_chance(&rng, 300)) {
            size_t n = 1 + rng_below(&rng, 32);
            in[len++] = (char)(n - 1);
            for (size_t i = 0; i < n; i++)
                in[len++] = want[made++] = (char)rng_next(&rng);
            continue;
        }
        size_t most = made < LZF_HISTORY ? made : LZF_HISTORY;
        size_t back = rng_chance(&rng, 300) ? most : 1 + rng_below(&rng, most);
        size_t n = 3 + rng_below(&rng, LZF_OUT - 2);
        size_t code = n - 2;
        in[len++] = (char)((code < 7 ? code << 5 : 7u << 5) | (back - 1) >> 8);
        if (code >= 7)
            in[len++] = (char)(code - 7);
        in[len++] = (char)((back - 1) & 255);
        for (size_t i = 0; i < n; i++, made++)
            want[made] = want[made - back];
    }
    for (size_t part = 1; part < 5000; part = part * 3 + 1) {
        assert_true(decode(in, len, part, out, &came));
        assert_int_equal(came, made);
        assert_memory_equal(out, want, made);
    }
}

static void malformed_input_is_refused(void **state)
{
    static char out[LZF_ROOM];
    size_t made;
    (void)state;
    assert_false(decode("\x20\x00", 2, 2, out, &made));    /* nothing there */
    assert_false(decode("\0a\x20\x01", 4, 4, out, &made)); /* too far back */
    assert_false(decode("\x05"
                        "abc",
                        4, 4, out, &made)); /* bytes are missing */
    assert_false(decode("\0a\x20", 3, 3, out, &made));
    assert_false(decode("\0a\xe0\x01", 4, 4, out, &made));
    assert_true(decode("\0a\xe0\x01\x00", 5, 5, out, &made));
    assert_int_equal(made, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checksum_is_that_of_redis),
        cmocka_unit_test(lengths_take_as_few_bytes_as_they_need),
        cmocka_unit_test(numbers_take_as_few_bytes_as_they_need),
        cmocka_unit_test(what_is_no_string_is_refused),
        cmocka_unit_test(what_was_compressed_comes_back),
        cmocka_unit_test(history_is_kept_as_far_as_it_is_reached),
        cmocka_unit_test(malformed_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
