/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of all sizes: what is held when there are few slabs a class. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "tests/cache_kit.h"
#include "tests/rng.h"

enum { MB = KIT_MB, VALUE_MOST = 4000 };

typedef size_t some_size(struct rng *rng);

static size_t uniform(struct rng *rng)
{
    return 1 + rng_below(rng, VALUE_MOST);
}

/* As many of 10 to 20 bytes as of 2000 to 4000. */
static size_t skewed(struct rng *rng)
{
    size_t base = (size_t)10 << rng_below(rng, 9);
    size_t size = base + rng_below(rng, base);
    return size < VALUE_MOST ? size : (size_t)VALUE_MOST;
}

/* Stores so many times what fits; then the payload must be that part of the
 * limit. */
static void check_mix(size_t limit, unsigned times, some_size *size,
                      double part)
{
    struct cache *cache = kit_cache(limit);
    struct rng rng = {1};
    size_t stored = 0;
    for (unsigned i = 0; stored < times * limit; i++) {
        size_t len = size(&rng);
        assert_true(kit_put_len(cache, 0, i, len));
        stored += len;
        if (i % 100 == 0)
            while (cache_step(cache, KIT_NOW_MS + i / 1000))
                ;
    }
    struct cache_stats stats = kit_stats(cache);
    double got = (double)stats.payload_bytes / (double)limit;
    printf("%zu MiB, %.3f of it payload\n", limit / MB, got);
    assert_true(got >= part);
    assert_in_range(stats.resident_bytes, 1, limit);
    cache_check(cache);
    cache_free(cache);
}

static void few_slabs_are_used_well(void **state)
{
    (void)state;
    check_mix(7 * MB, 50, uniform, 0.70);
    check_mix(7 * MB, 50, skewed, 0.50);
}

static void more_slabs_are_used_better(void **state)
{
    (void)state;
    check_mix(54 * MB, 5, uniform, 0.85);
    check_mix(54 * MB, 5, skewed, 0.86);
}

static uint64_t work_done(struct cache *cache)
{
    struct cache_stats stats = kit_stats(cache);
    return stats.evicted + stats.moved;
}

/* Whoever stores does a share of what other sizes ask for, and nobody all of
 * it: hundreds of small entries make room for a slab of larger ones. */
static void a_change_of_sizes_is_paid_bit_by_bit(void **state)
{
    (void)state;
    enum { LIMIT = 8 * MB, MUCH = 100 };
    static const size_t lens[] = {64, 400, 100, 1000};
    struct cache *cache = kit_cache(LIMIT);
    unsigned number = 0;
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        unsigned puts = 0, dear = 0;
        for (size_t stored = 0; stored < 2 * LIMIT; stored += lens[i], puts++) {
            uint64_t before = work_done(cache);
            assert_true(kit_put_len(cache, 0, number++, lens[i]));
            dear += work_done(cache) - before > MUCH;
        }
        printf("%zu B: %u of %u puts\n", lens[i], dear, puts);
        assert_true(dear <= puts / 1000);
    }
    cache_check(cache);
    cache_free(cache);
}

/* Free slabs are used before anything is evicted, the one kept ready for what
 * comes as well as those that others have just left. */
static void what_was_left_is_used_first(void **state)
{
    (void)state;
    enum { LIMIT = 8 * MB, LARGE = 3000, FEW = 10 };
    struct cache *cache = kit_cache(LIMIT);
    unsigned number = 0;
    while (work_done(cache) == 0)
        assert_true(kit_put_len(cache, 0, number++, LARGE));
    uint64_t before = work_done(cache);
    for (unsigned i = 0; i < number; i++)
        kit_drop(cache, 0, i);
    for (unsigned i = 0; i < LIMIT / 2 / 200; i++)
        assert_true(kit_put_len(cache, 0, number + i, 100));
    assert_in_range(work_done(cache) - before, 0, FEW);
    cache_check(cache);
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_slabs_are_used_well),
        cmocka_unit_test(more_slabs_are_used_better),
        cmocka_unit_test(what_was_left_is_used_first),
        cmocka_unit_test(a_change_of_sizes_is_paid_bit_by_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
