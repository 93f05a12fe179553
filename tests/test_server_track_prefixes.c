/* SPDX-License-Identifier: BSD-3-Clause */
/* The prefixes of BCAST: what a key begins with, and whom that concerns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/track_prefixes.h"
#include "tests/rng.h"

static const char *some_prefix(struct rng *rng, char text[8])
{
    size_t len = rng_below(rng, 5);
    for (size_t i = 0; i < len; i++)
        text[i] = "ab:"[rng_below(rng, 3)];
    text[len] = 0;
    return text;
}

/* Against looking at each, while some come and others go. */
static void a_key_matches_what_it_begins_with(void **state)
{
    enum { PREFIXES = 60 };
    struct track_prefixes *prefixes = track_prefixes_new(8);
    struct rng rng = {2};
    char texts[PREFIXES][8], key[8];
    struct track_prefix *found[PREFIXES] = {0};
    unsigned workers[PREFIXES];
    (void)state;
    for (int round = 0; round < 50000; round++) {
        size_t i = rng_below(&rng, PREFIXES);
        if (found[i]) {
            track_prefix_drop(prefixes, found[i], workers[i]);
            found[i] = NULL;
        } else if (rng_below(&rng, 3) > 0) {
            workers[i] = (unsigned)rng_below(&rng, 8);
            some_prefix(&rng, texts[i]);
            found[i] = track_prefix_add(prefixes, texts[i], strlen(texts[i]),
                                        workers[i]);
            assert_non_null(found[i]);
        }
        uint64_t want = 0;
        some_prefix(&rng, key);
        for (i = 0; i < PREFIXES; i++)
            if (found[i] && strncmp(key, texts[i], strlen(texts[i])) == 0)
                want |= UINT64_C(1) << workers[i];
        assert_int_equal(track_prefixes_match(prefixes, key, strlen(key)),
                         want);
    }
    track_prefixes_free(prefixes);
}

static void as_many_different_prefixes_as_may_be(void **state)
{
    struct track_prefixes *prefixes = track_prefixes_new(2);
    struct track_prefix *all[TRACK_PREFIXES_MAX];
    char text[16];
    (void)state;
    for (int i = 0; i < TRACK_PREFIXES_MAX; i++) {
        int len = snprintf(text, sizeof text, "%d", i);
        all[i] = track_prefix_add(prefixes, text, (size_t)len, 0);
        assert_non_null(all[i]);
    }
    assert_null(track_prefix_add(prefixes, "x", 1, 0));
    struct track_prefix *again = track_prefix_add(prefixes, "7", 1, 1);
    assert_ptr_equal(again, all[7]);
    assert_int_equal(track_prefixes_count(prefixes), TRACK_PREFIXES_MAX);
    assert_int_equal(track_prefixes_match(prefixes, "77", 2), 3);
    track_prefix_drop(prefixes, again, 1);
    assert_int_equal(track_prefixes_match(prefixes, "77", 2), 1);
    for (int i = 0; i < TRACK_PREFIXES_MAX; i++)
        track_prefix_drop(prefixes, all[i], 0);
    assert_int_equal(track_prefixes_count(prefixes), 0);
    assert_int_equal(track_prefixes_match(prefixes, "77", 2), 0);
    track_prefixes_free(prefixes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_matches_what_it_begins_with),
        cmocka_unit_test(as_many_different_prefixes_as_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
