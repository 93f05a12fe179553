/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * At the limit the entry that goes for a new one is often of the same shard,
 * and its cell stays there.  Who goes is as before, and no cell stays for good.
 * What goes next is looked at ahead.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/core.h"
#include "tests/cache_kit.h"

enum {
    LIMIT = 16 * KIT_MB, /* at less no slab is kept ready, and none goes so */
    LEN = 100,
    AT_ONCE = 1000, /* puts in a millisecond */
};

/* Stores new entries until twice as many have gone as are left; how many were
 * stored. */
static unsigned fill(struct cache *cache, size_t len)
{
    static const char value[LEN];
    struct cache_write write = {.value = value, .len = len};
    unsigned number = 0;
    for (struct cache_stats stats = kit_stats(cache);
         stats.evicted <= 2 * stats.entries; stats = kit_stats(cache))
        for (unsigned i = 0; i < AT_ONCE; i++, number++)
            assert_true(kit_put(cache, 0, number, KIT_NOW_MS + number / AT_ONCE,
                                write));
    return number;
}

static unsigned stashed(const struct cache *cache)
{
    unsigned cells = 0;
    for (unsigned i = 0; i < cache->shard_count; i++)
        cells += cache->shards[i].stash != 0;
    return cells;
}

/* To the millisecond, which is as exact as an entry's last use is known. */
static void nothing_goes_before_what_is_older(void **state)
{
    (void)state;
    struct cache *cache = kit_cache(LIMIT);
    unsigned stored = fill(cache, LEN), first = 0;
    assert_true(stashed(cache) > 0);
    while (!kit_has(cache, 0, first))
        first++;
    for (unsigned i = (first / AT_ONCE + 1) * AT_ONCE; i < stored; i++)
        assert_true(kit_has(cache, 0, i));
    cache_check(cache);
    cache_free(cache);
}

static void all_cells_go_back_when_the_entries_have_gone(void **state)
{
    (void)state;
    struct cache *cache = kit_cache(LIMIT);
    unsigned stored = fill(cache, LEN);
    assert_true(stashed(cache) > 0);
    for (unsigned i = 0; i < stored; i++)
        kit_drop(cache, 0, i);
    while (cache_step(cache, KIT_NOW_MS + stored / AT_ONCE))
        ;
    assert_int_equal(stashed(cache), 0);
    assert_int_equal(kit_stats(cache).live_bytes, 0);
    cache_check(cache);
    cache_free(cache);
}

/* A cell that is of no use to the next entry goes back at once. */
static void other_sizes_find_none_of_the_old_cells(void **state)
{
    (void)state;
    struct cache *cache = kit_cache(LIMIT);
    unsigned number = fill(cache, LEN);
    assert_true(stashed(cache) > 0);
    for (unsigned i = 0; i < AT_ONCE; i++)
        assert_true(kit_put_len(cache, 0, number + i, 10 * LEN));
    unsigned large = sizes_of_entry(&cache->slabs.sizes, 10 * LEN);
    for (unsigned i = 0; i < cache->shard_count; i++)
        if (cache->shards[i].stash != 0)
            assert_true(cell_class(&cache->slabs, cache->shards[i].stash) >=
                        large);
    cache_check(cache);
    cache_free(cache);
}

/* What goes next was looked at ahead; by then its cell may have another. */
static void another_entry_in_the_cell_goes_as_well(void **state)
{
    (void)state;
    struct cache *cache = kit_cache(LIMIT);
    unsigned number = fill(cache, LEN);
    for (unsigned i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        shard->ahead[0].loc = shard->tail;
        shard->ahead[0].hash = ~entry_hash(cache, entry_at(cache, shard->tail));
    }
    uint64_t evicted = kit_stats(cache).evicted;
    for (unsigned i = 0; kit_stats(cache).evicted < evicted + AT_ONCE; i++)
        assert_true(kit_put_len(cache, 0, number + i, LEN));
    for (unsigned i = 0; i < cache->shard_count; i++) {
        const struct shard *shard = &cache->shards[i];
        assert_int_equal(shard->ahead[0].loc, shard->tail);
        assert_true(shard->ahead[0].hash ==
                    entry_hash(cache, entry_at(cache, shard->tail)));
    }
    cache_check(cache);
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_goes_before_what_is_older),
        cmocka_unit_test(all_cells_go_back_when_the_entries_have_gone),
        cmocka_unit_test(other_sizes_find_none_of_the_old_cells),
        cmocka_unit_test(another_entry_in_the_cell_goes_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
