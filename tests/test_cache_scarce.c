/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system has no more memory, and tells so in the middle of a slab: no part
 * of it stays resident that nobody counts.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the above first
#include <cmocka.h>

#include "cache/pages.h"
#include "tests/cache_kit.h"

enum {
    LIMIT = 32 * KIT_MB,
    LEN = 1000,                       /* bytes of a value */
    SOME = 8 * KIT_MB / (LEN + 64),   /* entries */
    MANY = 2 * LIMIT / (LEN + 64),    /* more than there is memory for */
    BEYOND = LIMIT / (2 * CACHE_SLAB) /* slabs it has memory for */
};

/* The linker puts these in the way, see tests.mk. */
bool __real_pages_populate(char *from, size_t len);
bool __wrap_pages_populate(char *from, size_t len);
bool __wrap_pages_populate_huge(char *from, bool *huge);

struct system {
    size_t left;    /* bytes of memory */
    size_t refused; /* the largest piece that was */
};

static struct system memory;

/* It gives what it has. */
bool __wrap_pages_populate(char *from, size_t len)
{
    size_t part = len < memory.left ? len : memory.left;
    memory.left -= part;
    if (part > 0)
        assert_true(__real_pages_populate(from, part));
    if (part < len && memory.refused < len)
        memory.refused = len;
    return part == len;
}

bool __wrap_pages_populate_huge(char *from, bool *huge)
{
    *huge = __wrap_pages_populate(from, PAGES_HUGE);
    return *huge;
}

static void expect_counted(struct cache *cache)
{
    struct cache_places places;
    cache_places(cache, &places);
    size_t known = (size_t)slabs_end(&cache->slabs) * CACHE_SLAB;
    assert_int_equal(pages_resident(places.region, known) - places.between,
                     kit_stats(cache).resident_bytes);
}

static void fill(struct cache *cache, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        assert_true(kit_put_len(cache, 0, i, LEN));
        while (cache_grows(cache) && memory.refused == 0)
            cache_step(cache, KIT_NOW_MS);
    }
}

/* Others go then, as at the limit. */
static void run_out(bool huge, size_t odd)
{
    memory = (struct system){.left = SIZE_MAX};
    struct cache *cache = kit_cache(LIMIT);
    cache_set_huge_pages(cache, huge);
    fill(cache, 0, SOME);
    expect_counted(cache);
    memory.left = (size_t)BEYOND * CACHE_SLAB + odd;
    fill(cache, SOME, SOME + MANY);
    assert_int_equal(memory.refused, huge ? (int)PAGES_HUGE : (int)CACHE_SLAB);
    assert_true(kit_stats(cache).evicted > 0);
    assert_true(kit_has(cache, 0, SOME + MANY - 1));
    expect_counted(cache);
    cache_check(cache);
    cache_free(cache);
}

static void a_part_of_a_slab_goes_back(void **state)
{
    (void)state;
    run_out(false, CACHE_SLAB / 2);
}

static void a_part_of_a_group_goes_back(void **state)
{
    (void)state;
    run_out(true, PAGES_HUGE / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_of_a_slab_goes_back),
        cmocka_unit_test(a_part_of_a_group_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
