/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers, words and patterns. */

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/text.h"

/* A copy in memory of exactly its size, so that a read beyond it is seen. */
static char *exact(const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);
    if (len > 0)
        memcpy(copy, text, len);
    return copy;
}

static bool to_int(const char *text, size_t len, int64_t *value)
{
    char *copy = exact(text, len);
    bool taken = text_to_int(copy, len, value);
    free(copy);
    return taken;
}

static void integers_in_their_one_spelling(void **state)
{
    (void)state;
    static const int64_t good[] = {0,
                                   1,
                                   -1,
                                   9,
                                   10,
                                   99,
                                   100,
                                   -100,
                                   INT32_MAX,
                                   INT32_MIN,
                                   INT64_MAX,
                                   INT64_MIN,
                                   INT64_MAX - 1,
                                   INT64_MIN + 1,
                                   1000000000000000000,
                                   999999999999999999,
                                   -1000000000000000000};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char text[32], out[TEXT_INT_MAX];
        int64_t value = 77;
        int len = snprintf(text, sizeof text, "%" PRId64, good[i]);
        assert_true(to_int(text, (size_t)len, &value));
        assert_int_equal(value, good[i]);
        assert_int_equal(text_of_int(value, out), len);
        assert_string_equal(out, text);
    }
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "01",
                                      "-0",
                                      "-01",
                                      "00",
                                      "1.0",
                                      "1e3",
                                      "0x1",
                                      "a",
                                      "1a",
                                      "--1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "18446744073709551616",
                                      "99999999999999999999",
                                      "100000000000000000000",
                                      "-100000000000000000000",
                                      "1\n",
                                      "/",
                                      ":"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t value = 77;
        if (to_int(bad[i], strlen(bad[i]), &value))
            fail_msg("taken: '%s'", bad[i]);
        assert_int_equal(value, 77);
    }
    int64_t value;
    assert_false(to_int("1\0", 2, &value));
    assert_true(to_int("123", 2, &value));
    assert_int_equal(value, 12);
}

static void unsigned_integers(void **state)
{
    (void)state;
    uint64_t value = 77;
    assert_true(text_to_uint("0", 1, &value));
    assert_true(value == 0);
    assert_true(text_to_uint("18446744073709551615", 20, &value));
    assert_true(value == UINT64_MAX);
    assert_true(text_to_uint("9999999999999999999", 19, &value));
    assert_true(value == 9999999999999999999u);
    assert_true(text_to_uint("10000000000000000000", 20, &value));
    assert_true(value == 10000000000000000000u);
    value = 77;
    assert_false(text_to_uint("18446744073709551616", 20, &value));
    assert_false(text_to_uint("18446744073709551620", 20, &value));
    assert_false(text_to_uint("99999999999999999999", 20, &value));
    assert_false(text_to_uint("100000000000000000000", 21, &value));
    assert_false(text_to_uint("-1", 2, &value));
    assert_false(text_to_uint("00", 2, &value));
    assert_false(text_to_uint("", 0, &value));
    assert_true(value == 77);
}

static void digits_of_every_length(void **state)
{
    (void)state;
    uint64_t power = 1;
    for (size_t digits = 1; digits <= 20; digits++) {
        const uint64_t values[] = {power, power * 9 + power / 2,
                                   power + power / 7};
        for (size_t i = 0; i < 3; i++) {
            char expected[32], out[32] = {0};
            if (digits == 20 && i == 1)
                continue; /* beyond 64 bits */
            snprintf(expected, sizeof expected, "%" PRIu64, values[i]);
            assert_int_equal(text_digits(values[i]), digits);
            text_put_digits(out, values[i], digits);
            assert_string_equal(out, expected);
        }
        assert_int_equal(text_digits(power - 1), digits > 1 ? digits - 1 : 1);
        power *= digits < 20 ? 10 : 1;
    }
    assert_int_equal(text_digits(UINT64_MAX), 20);
}

static void words_in_either_case(void **state)
{
    (void)state;
    assert_true(text_is("GeT", 3, "get"));
    assert_true(text_is("no-evict", 8, "no-evict"));
    assert_true(text_is("", 0, ""));
    assert_false(text_is("GET", 2, "get"));
    assert_false(text_is("GETS", 4, "get"));
    assert_false(text_is("", 0, "get"));
    assert_false(text_is("get", 3, ""));
    assert_false(text_is("ge\0", 3, "get"));
    assert_false(text_is("get\0", 4, "get"));
    assert_false(text_is("@", 1, "`"));
    assert_false(text_is("[", 1, "{"));
}

struct glob_row {
    const char *pattern, *text;
    bool match;
};

// clang-format off
static const struct glob_row globs[] = {
    {"", "", true}, {"", "a", false}, {"a", "", false}, {"*", "", true},
    {"**", "", false}, {"?", "", false}, {"[^]", "", false},
    {"*", "anything", true}, {"***", "a", true}, {"abc", "abc", true},
    {"abc", "abcd", false}, {"abcd", "abc", false}, {"abc", "aBc", false},
    {"a*", "a", true}, {"a**", "a", true}, {"a*c", "abbc", true},
    {"a*c", "abbd", false}, {"*c", "abc", true}, {"*bc*", "abcd", true},
    {"*a*b*c*", "xxaxxbxxcxx", true}, {"*a*b*c*", "xxaxxcxxbxx", false},
    {"*ab", "aab", true}, {"*aab", "aaab", true}, {"a?c", "abc", true},
    {"a?", "a", false}, {"?*", "a", true}, {"*?", "a", true}, {"*??", "a", false},
    {"a*?*?c", "abbc", true}, {"a*?*?c", "abc", false},
    /* Classes. */
    {"h[ae]llo", "hello", true}, {"h[ae]llo", "hillo", false},
    {"h[^e]llo", "hallo", true}, {"h[^e]llo", "hello", false},
    {"[a-c]x", "bx", true}, {"[a-c]x", "dx", false}, {"[c-a]x", "bx", true},
    {"[z-a]", "m", true}, {"[a-]", "-", false}, {"[a-]", "^", true}, {"[a-]", "b", false},
    {"[]", "a", false}, {"[]", "]", false}, {"[]a]", "a]", false},
    {"[^]", "a", true}, {"[^]a", "ba", true}, {"[^^]", "^", false},
    {"[^^]", "a", true}, {"[a^]", "^", true}, {"[\\]]", "]", true},
    {"[\\a-z]", "-", true}, {"[\\a-z]", "m", false}, {"[a-\\]]", "]", false},
    {"[+--]", ",", true}, {"[*]", "*", true}, {"[*]", "a", false},
    {"[?]", "a", false}, {"*[0-9]", "ab7", true}, {"*[0-9]b", "7a8b", true},
    /* The pattern ends within. */
    {"[", "[", false}, {"[", "a", false}, {"[a", "a", true}, {"[a", "b", false},
    {"[ab", "b", true}, {"[^", "a", true}, {"[^a", "a", false},
    {"[^a", "b", true}, {"[a-", "a", true}, {"[a-", "-", true},
    {"[a-", "b", false}, {"[a-c", "b", true}, {"[\\", "\\", true},
    {"[\\", "a", false}, {"\\", "\\", true}, {"\\", "a", false},
    {"a\\", "a\\", true}, {"a\\", "a", false}, {"*\\", "ab\\", true},
    {"*[", "ab[", false}, {"*[^", "ab", true},
    /* Escapes. */
    {"\\*", "*", true}, {"\\*", "a", false}, {"\\a", "a", true},
    {"\\\\", "\\", true}, {"\\[a]", "[a]", true}, {"a\\?c", "a?c", true},
    {"a\\?c", "abc", false},
    /* Bytes from 0x80. */
    {"\xc3\xa9", "\xc3\xa9", true}, {"?", "\xc3\xa9", false},
    {"[\x80-\xff]", "\x90", true}, {"[\x80-\xff]", "a", false},
    {"[a-\xff]", "b", false}, {"[a-\xff]", "B", true},
};

static const struct glob_row folded[] = {
    {"abc", "ABC", true}, {"ABC", "abc", true}, {"[a-c]", "B", true},
    {"[A-C]", "b", true}, {"[abc]", "C", true}, {"\\A", "a", true},
    {"[\\A]", "a", false}, {"[\\A]", "A", true}, {"*MEM*", "maxmemory", true},
    {"a", "b", false}, {"@", "`", false}, {"\xc3", "\xe3", false},
    {"[Z-a]", "b", false}, {"[Z-a]", "^", false},
};
// clang-format on

static void check_globs(const struct glob_row *table, size_t count,
                        bool either_case)
{
    for (size_t i = 0; i < count; i++) {
        size_t pattern_len = strlen(table[i].pattern);
        size_t len = strlen(table[i].text);
        char *pattern = exact(table[i].pattern, pattern_len);
        char *text = exact(table[i].text, len);
        if (text_glob(pattern, pattern_len, text, len, either_case) !=
            table[i].match)
            fail_msg("'%s' and '%s'", table[i].pattern, table[i].text);
        free(pattern);
        free(text);
    }
}

static void globs_match_as_the_table_says(void **state)
{
    (void)state;
    check_globs(globs, sizeof globs / sizeof *globs, false);
    check_globs(folded, sizeof folded / sizeof *folded, true);
}

static void globs_are_binary(void **state)
{
    (void)state;
    assert_true(text_glob("a\0*", 3, "a\0bc", 4, false));
    assert_false(text_glob("a\0b", 3, "a\0c", 3, false));
    assert_true(text_glob("[\0]", 3, "\0", 1, false));
}

/* What would take for ever if stars were tried one within the other. */
static void many_stars_are_no_trap(void **state)
{
    (void)state;
    char pattern[20001], text[20000];
    for (size_t i = 0; i < 20000; i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[20000] = 'b';
    memset(text, 'a', sizeof text);
    assert_false(text_glob(pattern, sizeof pattern, text, sizeof text, false));
    assert_true(text_glob(pattern, 20000, text, sizeof text, false));
}

/* ---------------------------------------------------------------- floats */

static void floats_are_read_as_a_whole(void **state)
{
    static const struct {
        const char *text;
        long double value;
    } good[] = {
        {"0", 0},         {"-0", 0},         {"1.5", 1.5L},
        {"+1", 1},        {".5", 0.5L},      {"5.", 5},
        {"1e3", 1000},    {"-1E-2", -0.01L}, {"0x10", 16},
        {"0x1p-3", .125}, {"inf", INFINITY}, {"-Infinity", -INFINITY},
    };
    static const char *const bad[] = {"",    " 1",      "1 ",     "1x",
                                      "nan", "nan(1)",  "e",      "-",
                                      "1e",  "1e99999", "1e-9999"};
    long double value;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(text_to_float(good[i].text, strlen(good[i].text), &value));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(text_to_float(bad[i], strlen(bad[i]), &value));
    assert_false(text_to_float("1\0", 2, &value));
    char digits[TEXT_FLOAT_MAX];
    memset(digits, '0', sizeof digits);
    assert_true(text_to_float(digits, TEXT_FLOAT_MAX - 1, &value));
    assert_false(text_to_float(digits, TEXT_FLOAT_MAX, &value));
}

static void floats_are_written_without_needless_digits(void **state)
{
    static const struct {
        long double value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0L, "0"},
        {3, "3"},
        {-1.5L, "-1.5"},
        {0.1L, "0.1"},
        {0.1L + 0.2L, "0.3"},
        {1e-17L, "0.00000000000000001"},
        {1e-18L, "0"},
        {-1e-18L, "0"},
        {100, "100"},
        {1e20L, "100000000000000000000"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
    };
    char out[TEXT_FLOAT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(text_of_float(rows[i].value, out),
                         strlen(rows[i].text));
        assert_string_equal(out, rows[i].text);
    }
    assert_int_equal(text_of_float(-LDBL_MAX, out), 4933 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_read_as_a_whole),
        cmocka_unit_test(floats_are_written_without_needless_digits),
        cmocka_unit_test(integers_in_their_one_spelling),
        cmocka_unit_test(unsigned_integers),
        cmocka_unit_test(digits_of_every_length),
        cmocka_unit_test(words_in_either_case),
        cmocka_unit_test(globs_match_as_the_table_says),
        cmocka_unit_test(globs_are_binary),
        cmocka_unit_test(many_stars_are_no_trap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
