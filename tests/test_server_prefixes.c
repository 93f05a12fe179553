/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes of keys, their margins, and the keys of hits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/hits.h"
#include "server/prefixes.h"
#include "tests/rng.h"

/* -------------------------------------------------------------- the table */

/* The prefix of the only key. */
static void check_prefix(const char *sep, unsigned depth, const char *key,
                         const char *prefix)
{
    struct prefixes *prefixes = prefixes_new(sep, strlen(sep), depth, 1);
    size_t count;
    prefixes_add_key(prefixes, 0, key, strlen(key), 1);
    const struct prefix *rows = prefixes_sorted(prefixes, &count);
    assert_int_equal(count, 1);
    assert_int_equal(rows->len, strlen(prefix));
    assert_memory_equal(rows->text, prefix, rows->len);
    prefixes_free(prefixes);
}

static void a_prefix_ends_with_a_separator(void **state)
{
    char key[PREFIXES_KEY + 2];
    (void)state;
    check_prefix(":", 1, "user:1:name", "user:");
    check_prefix(":", 2, "user:1:name", "user:1:");
    check_prefix(":", 3, "user:1:name", "user:1:");
    check_prefix(":", 1, ":1", ":");
    check_prefix(":", 2, "::1", "::");
    check_prefix(":", 1, "user", "");
    check_prefix(":", 1, "", "");
    check_prefix("::", 1, "a:b::c", "a:b::");
    check_prefix("aa", 2, "aaa", "aa");
    memset(key, 'x', sizeof key);
    key[sizeof key - 1] = 0;
    key[PREFIXES_KEY] = ':';
    check_prefix(":", 1, key, "");
    key[PREFIXES_KEY - 1] = ':';
    key[PREFIXES_KEY] = 0;
    check_prefix(":", 1, key, key);
}

static void rows_are_sums_most_bytes_first(void **state)
{
    struct prefixes *prefixes = prefixes_new(":", 1, 1, 1);
    size_t count;
    (void)state;
    assert_null(prefixes_sorted(prefixes, &count));
    assert_int_equal(count, 0);
    prefixes_add_key(prefixes, 0, "a:1", 3, 3);
    prefixes_add_key(prefixes, 0, "b:1", 3, 5);
    prefixes_add_key(prefixes, 0, "a:2", 3, 4);
    prefixes_add_key(prefixes, 7, "a:1", 3, 6);
    prefixes_add_hit(prefixes, 0, "a:9", 3);
    prefixes_add_hit(prefixes, 0, "c:9", 3);
    const struct prefix *rows = prefixes_sorted(prefixes, &count);
    assert_int_equal(count, 4);
    assert_memory_equal(rows[0].text, "a:", 2);
    assert_int_equal(rows[0].db, 0);
    assert_int_equal(rows[0].keys, 2);
    assert_int_equal(rows[0].hits, 1);
    assert_true(rows[0].bytes == 7 && rows[0].squares == 25);
    assert_int_equal(rows[1].db, 7);
    assert_memory_equal(rows[2].text, "b:", 2);
    assert_memory_equal(rows[3].text, "c:", 2);
    assert_int_equal(rows[3].keys, 0);
    assert_int_equal(prefixes_all(prefixes)->keys, 4);
    assert_int_equal(prefixes_all(prefixes)->hits, 2);
    assert_true(prefixes_all(prefixes)->bytes == 18);
    /* It is found again where sorting has put it. */
    prefixes_add_key(prefixes, 0, "b:2", 3, 5);
    rows = prefixes_sorted(prefixes, &count);
    assert_int_equal(count, 4);
    assert_memory_equal(rows[0].text, "b:", 2);
    prefixes_free(prefixes);
}

static void the_table_is_bounded(void **state)
{
    struct prefixes *prefixes = prefixes_new(":", 1, 1, 1);
    size_t count;
    (void)state;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 3 * PREFIXES_MAX; i++) {
            char key[32];
            int len = snprintf(key, sizeof key, "%d:x", i);
            prefixes_add_key(prefixes, 0, key, (size_t)len, 10);
        }
    prefixes_sorted(prefixes, &count);
    assert_int_equal(count, PREFIXES_MAX);
    assert_int_equal(prefixes_all(prefixes)->keys, 6 * PREFIXES_MAX);
    assert_in_range(prefixes_held(prefixes), 1, 512 * 1024);
    const struct prefix *rows = prefixes_sorted(prefixes, &count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rows[i].keys, 2);
    prefixes_free(prefixes);
}

/* ----------------------------------------------------------------- margins */

enum { WHOLE = 20000, SAMPLED = 1000, TRIES = 400 };

/* One of 20 may be further off: of 400 about 20, and 45 are 5.6 standard
 * deviations more. */
static void margins_are_what_they_say(void **state)
{
    static double numbers[WHOLE];
    unsigned far_sums = 0, far_shares = 0, some = 0;
    struct rng random = {1};
    double sum = 0;
    (void)state;
    for (int i = 0; i < WHOLE; i++) {
        bool in = rng_next(&random) % 10 == 0;
        numbers[i] = in ? (double)(rng_next(&random) % 1000) : 0;
        some += in;
        sum += numbers[i];
        numbers[i] += in ? 1 : 0;
    }
    sum += some;
    for (int try = 0; try < TRIES; try++) {
        double found = 0, squares = 0;
        unsigned count = 0;
        for (int i = 0; i < SAMPLED; i++) {
            size_t at = (size_t)i + rng_next(&random) % (size_t)(WHOLE - i);
            double swap = numbers[at];
            numbers[at] = numbers[i];
            numbers[i] = swap;
            found += swap;
            squares += swap * swap;
            count += swap > 0;
        }
        double margin = prefixes_sum_margin(found, squares, SAMPLED, WHOLE);
        far_sums += fabs(found * WHOLE / SAMPLED - sum) > margin;
        margin = prefixes_share_margin(count, SAMPLED, WHOLE);
        far_shares +=
            fabs((double)count / SAMPLED - (double)some / WHOLE) > margin;
    }
    assert_in_range(far_sums, 1, 45);
    assert_in_range(far_shares, 1, 45);
}

static void the_whole_has_no_margin(void **state)
{
    (void)state;
    assert_true(prefixes_sum_margin(10, 60, 3, 3) == 0);
    assert_true(prefixes_sum_margin(10, 100, 1, 1) == 0);
    assert_true(prefixes_sum_margin(0, 0, 0, 0) == 0);
    assert_true(prefixes_share_margin(2, 3, 3) == 0);
}

static void a_few_make_nothing_certain(void **state)
{
    (void)state;
    assert_true(isinf(prefixes_sum_margin(10, 100, 1, 2)));
    assert_true(prefixes_share_margin(0, 0, 1000) > 0.9);
    assert_true(prefixes_share_margin(3, 3, 1000) > 0.3);
    assert_true(prefixes_share_margin(0, 1000, UINT64_MAX) > 0.002);
    assert_true(prefixes_share_margin(1000, 1000, UINT64_MAX) < 0.006);
}

/* -------------------------------------------------------------------- hits */

static void the_latest_hits_are_kept(void **state)
{
    static struct hit kept[HITS_KEPT];
    struct hits *hits = hits_new();
    bool seen[HITS_KEPT] = {false};
    char key[200];
    (void)state;
    assert_int_equal(hits_copy(hits, kept), 0);
    memset(key, 'k', sizeof key);
    hits_note(hits, 3, key, sizeof key, 5000);
    assert_int_equal(hits_copy(hits, kept), 1);
    assert_int_equal(kept[0].db, 3);
    assert_int_equal(kept[0].at_s, 5);
    assert_int_equal(kept[0].len, PREFIXES_KEY);
    assert_memory_equal(kept[0].key, key, PREFIXES_KEY);
    for (int i = 0; i < HITS_KEPT; i++) {
        int len = snprintf(key, sizeof key, "%d", i);
        hits_note(hits, 0, key, (size_t)len, 6000);
    }
    assert_int_equal(hits_copy(hits, kept), HITS_KEPT);
    for (int i = 0; i < HITS_KEPT; i++) {
        char text[PREFIXES_KEY + 1] = {0};
        memcpy(text, kept[i].key, kept[i].len);
        assert_in_range(atoi(text), 0, HITS_KEPT - 1);
        seen[atoi(text)] = true;
    }
    for (int i = 0; i < HITS_KEPT; i++)
        assert_true(seen[i]);
    hits_free(hits);
}

static void one_in_so_many_is_noted(void **state)
{
    enum { NOTED = 100000 };
    uint32_t random = 0, most = 0;
    uint64_t passed = 0;
    (void)state;
    for (int i = 0; i < NOTED; i++) {
        uint32_t until = hits_until_next(&random);
        passed += until + 1;
        if (until > most)
            most = until;
    }
    assert_in_range(passed / NOTED, HITS_EVERY - 1, HITS_EVERY + 1);
    assert_int_equal(most, 2 * HITS_EVERY - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_ends_with_a_separator),
        cmocka_unit_test(rows_are_sums_most_bytes_first),
        cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(margins_are_what_they_say),
        cmocka_unit_test(the_whole_has_no_margin),
        cmocka_unit_test(a_few_make_nothing_certain),
        cmocka_unit_test(the_latest_hits_are_kept),
        cmocka_unit_test(one_in_so_many_is_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
