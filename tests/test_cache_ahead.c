/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looking ahead comes to the entry that will be found, wherever in its chain
 * the index has it, and to the pieces of a long value.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the above first
#include <cmocka.h>

#include "cache/index.h"
#include "cache/long.h"
#include "tests/cache_kit.h"

enum {
    FEW = 20000,
    MANY = 40000, /* in between all loads of buckets occur */
    APART = 1000,
    FOUND_PERCENT = 95, /* some tags are those of other keys */
};

static uint32_t loc_of(struct cache *cache, const struct cache_key *key)
{
    struct cache_tx tx;
    struct cache_view view;
    cache_begin(&tx, cache, KIT_NOW_MS, key, 1);
    assert_true(cache_find(&tx, 0, key, 0, &view));
    cache_end(&tx);
    return view.loc;
}

/* Where the steps lead to; 0: not to an entry. */
static uint32_t led_to(const struct cache *cache, const struct cache_key *key)
{
    struct cache_ahead ahead = cache_ahead(cache, 0, key);
    uint32_t loc = 0;
    for (unsigned i = 0; i < CACHE_AHEAD_STEPS; i++) {
        cache_ahead_steps(cache, &ahead, 1);
        if (ahead.at != 0)
            loc = ahead.at;
    }
    return loc;
}

static void steps_lead_to_the_entry(void **state)
{
    (void)state;
    struct cache *cache = kit_cache(64 * KIT_MB);
    unsigned put = 0;
    for (unsigned count = FEW; count <= MANY; count += APART) {
        unsigned found = 0;
        for (; put < count; put++)
            assert_true(kit_put_len(cache, 0, put, 10));
        for (unsigned i = 0; i < count; i++) {
            struct cache_key key = kit_key(cache, &i);
            found += led_to(cache, &key) == loc_of(cache, &key);
        }
        assert_in_range(found, count / 100 * FOUND_PERCENT, count);
    }
    cache_free(cache);
}

static void steps_lead_to_the_pieces_of_a_long_value(void **state)
{
    enum { WHOLE = 300000, MOST = 64, NUMBER = 7 };
    (void)state;
    struct cache *cache = kit_cache(64 * KIT_MB);
    unsigned number = NUMBER, count = 0;
    uint32_t pieces[MOST];
    struct cache_write write = {.blob = kit_receive(cache, WHOLE, WHOLE)};
    assert_true(kit_put(cache, 0, number, KIT_NOW_MS, write));
    struct cache_key key = kit_key(cache, &number);
    struct entry *entry = entry_at(cache, loc_of(cache, &key));
    for (uint32_t at = entry_ext(entry)->pieces; at != 0;
         at = piece_at(cache, at)->next) {
        assert_true(count < MOST);
        pieces[count++] = at;
    }
    assert_true(count > PIECE_LATER);
    assert_int_equal(led_to(cache, &key), pieces[0]);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(piece_at(cache, pieces[i])->later,
                         i + PIECE_LATER < count ? pieces[i + PIECE_LATER] : 0);
    cache_free(cache);
}

/* Steps from where there is no bucket any more, but a value of these words: to
 * the entry of that tag, or on in the chain. */
static void step_through(struct cache *cache, uint32_t word, uint8_t tag)
{
    enum { WORDS = 40, IN_VALUE = 8 };
    uint32_t value[WORDS];
    unsigned number = 0;
    for (unsigned i = 0; i < WORDS; i++)
        value[i] = word;
    struct cache_write write = {.value = (char *)value, .len = sizeof value};
    assert_true(kit_put(cache, 0, number, KIT_NOW_MS, write));
    struct cache_key key = kit_key(cache, &number);
    struct cache_ahead ahead = {
        .at = loc_of(cache, &key) + IN_VALUE, .tag = tag, .next = AHEAD_BUCKET};
    for (unsigned i = 0; i < CACHE_AHEAD_STEPS; i++)
        cache_ahead_steps(cache, &ahead, 1);
}

static void step_both_ways(struct cache *cache, uint32_t word)
{
    uint8_t tag = 0;
    while (tag == (uint8_t)word || tag == (uint8_t)(word >> 8) ||
           tag == (uint8_t)(word >> 16) || tag == (uint8_t)(word >> 24))
        tag++;
    step_through(cache, word, (uint8_t)word);
    step_through(cache, word, tag);
}

/* What is not in a bucket could be any number. */
static void steps_stay_where_memory_is(void **state)
{
    (void)state;
    struct cache *cache = kit_cache(64 * KIT_MB);
    assert_true(kit_put_len(cache, 0, 1, 10));
    uint32_t end = slabs_end(&cache->slabs) << 13;
    for (uint32_t back = 0; back < 16; back++) {
        step_both_ways(cache, UINT32_MAX - back);
        step_both_ways(cache, end - back);
        step_both_ways(cache, (UINT32_MAX / 2) + back);
    }
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_lead_to_the_entry),
        cmocka_unit_test(steps_lead_to_the_pieces_of_a_long_value),
        cmocka_unit_test(steps_stay_where_memory_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
