/* SPDX-License-Identifier: BSD-3-Clause */
/* What a glob match costs at most, and that it can be done in parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/text.h"
#include "tests/rng.h"

enum { PLENTY = 1 << 30 };

/* The steps of a match that must end as said. */
static size_t steps_of(const char *pattern, size_t pattern_len,
                       const char *text, size_t len, enum text_match expected)
{
    struct text_glob glob = {0};
    size_t steps = PLENTY;
    assert_int_equal(
        text_glob_some(&glob, pattern, pattern_len, text, len, false, &steps),
        expected);
    return PLENTY - steps;
}

/* The unit, so many times, and an end. */
static char *repeated(const char *unit, size_t times, const char *end)
{
    size_t len = strlen(unit);
    char *text = malloc(len * times + strlen(end) + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * len, unit, len);
    strcpy(text + times * len, end);
    return text;
}

static void check_bound(const char *unit, size_t times, const char *end,
                        size_t len, enum text_match expected)
{
    char *pattern = repeated(unit, times, end), *text = repeated("a", len, "");
    size_t pattern_len = strlen(pattern);
    size_t steps = steps_of(pattern, pattern_len, text, len, expected);
    assert_in_range(steps, 1, pattern_len * (len + 1) + len);
    free(pattern);
    free(text);
}

/* Each of these takes more than 2^500 steps where stars are tried one within
 * the other. */
static void a_match_takes_pattern_times_text_at_most(void **state)
{
    (void)state;
    check_bound("a*", 500, "b", 5000, TEXT_NO);
    check_bound("a*", 500, "", 5000, TEXT_YES);
    check_bound("*a", 500, "b", 5000, TEXT_NO);
    check_bound("*?", 500, "b", 5000, TEXT_NO);
    check_bound("*a?a", 500, "b", 5000, TEXT_NO);
    check_bound("*[a-c]", 500, "b", 5000, TEXT_NO);
    check_bound("*\\a", 500, "b", 5000, TEXT_NO);
    check_bound("*", 1000, "b", 5000, TEXT_NO);
    /* One star, and what follows almost fits wherever it is tried. */
    check_bound("*", 1, "aaaaaaaaaaaaaaaaaaaaaaaaaaab", 5000, TEXT_NO);
    check_bound("*[bcdefghijklmnopqrstuvwxyza]", 1, "b", 5000, TEXT_NO);
}

static void a_long_class_counts_whole(void **state)
{
    (void)state;
    char *pattern = repeated("b", 1000, "a]");
    pattern[0] = '[';
    assert_in_range(steps_of(pattern, strlen(pattern), "a", 1, TEXT_YES), 1000,
                    1100);
    free(pattern);
}

static size_t some_text(struct rng *rng, const char *letters, char text[16])
{
    size_t len = rng_below(rng, 16);
    for (size_t i = 0; i < len; i++)
        text[i] = letters[rng_below(rng, strlen(letters))];
    return len;
}

static void parts_of_a_match_answer_as_the_whole(void **state)
{
    struct rng rng = {*(const uint64_t *)*state};
    unsigned answers[2] = {0};
    for (int i = 0; i < 200000; i++) {
        char pattern[16], text[16];
        size_t pattern_len = some_text(&rng, "**?ab[]-^\\", pattern);
        size_t len = some_text(&rng, "aab-", text);
        bool either_case = rng_below(&rng, 2);
        bool whole = text_glob(pattern, pattern_len, text, len, either_case);
        struct text_glob glob = {0};
        enum text_match match;
        do {
            size_t steps = 1 + rng_below(&rng, 3);
            match = text_glob_some(&glob, pattern, pattern_len, text, len,
                                   either_case, &steps);
            assert_true(match != TEXT_MORE || steps == 0);
        } while (match == TEXT_MORE);
        assert_int_equal(match, whole ? TEXT_YES : TEXT_NO);
        answers[whole]++;
    }
    assert_true(answers[0] > 1000 && answers[1] > 1000);
}

int main(void)
{
    uint64_t seed = test_seed();
    void *state = &seed;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_match_takes_pattern_times_text_at_most),
        cmocka_unit_test(a_long_class_counts_whole),
        cmocka_unit_test_prestate(parts_of_a_match_answer_as_the_whole, state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
