/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys chosen to meet in one bucket do so only under the hash key that they
 * were chosen for.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "cache/index_chain.h"
#include "tests/cache_kit.h"
#include "tests/rng.h"

enum {
    CHOSEN = 2000,    /* keys */
    ALIKE_BITS = 12,  /* low bits of their hashes, which choose the bucket */
    CHAIN_WORST = 40, /* of 12 slots, when all the keys are in few buckets */
    CHAIN_FAIR = 3,
};

static struct cache *new_cache(const uint8_t hash_key[16])
{
    struct cache_options options = {.shards = 1, .databases = 1};
    memcpy(options.hash_key, hash_key, sizeof options.hash_key);
    struct cache *cache = cache_new(&options);
    assert_non_null(cache);
    cache_set_limit(cache, 64 << 20);
    return cache;
}

static struct cache_key key_of(const struct cache *cache,
                               const uint64_t *number)
{
    return cache_key_of(cache, (const char *)number, sizeof *number);
}

/* Numbers whose hashes under the cache's key end in zeros. */
static void choose(const struct cache *cache, uint64_t numbers[CHOSEN])
{
    uint64_t number = 0;
    for (unsigned found = 0; found < CHOSEN; number++) {
        uint64_t hash = key_of(cache, &number).hash;
        if ((hash & ((1 << ALIKE_BITS) - 1)) == 0)
            numbers[found++] = number;
    }
}

static void put(struct cache *cache, const uint64_t *number)
{
    struct cache_key key = key_of(cache, number);
    struct cache_write write = {.value = "", .len = 0};
    assert_true(kit_store(cache, 0, &key, 1, &write));
}

/* Buckets of the longest chain, with the keys in. */
static unsigned longest(struct cache *cache, const uint64_t numbers[CHOSEN])
{
    for (unsigned i = 0; i < CHOSEN; i++)
        put(cache, &numbers[i]);
    struct shard *shard = &cache->shards[0];
    assert_int_equal(shard->items, CHOSEN);
    unsigned most = 0;
    for (uint32_t i = 0; i < shard->buckets; i++) {
        unsigned len = 0;
        struct bucket *bucket = index_bucket(cache, shard, i);
        for (; bucket; bucket = index_more(cache, shard, bucket))
            len++;
        most = len > most ? len : most;
    }
    cache_check(cache);
    return most;
}

static void test_chosen_keys(void **state)
{
    (void)state;
    struct rng rng = {test_seed()};
    for (int round = 0; round < 3; round++) {
        uint8_t known[16], secret[16];
        for (size_t i = 0; i < sizeof known; i++) {
            known[i] = (uint8_t)rng_next(&rng);
            secret[i] = (uint8_t)rng_next(&rng);
        }
        static uint64_t numbers[CHOSEN];
        struct cache *cache = new_cache(known);
        choose(cache, numbers);
        assert_true(longest(cache, numbers) > CHAIN_WORST);
        cache_free(cache);
        cache = new_cache(secret);
        assert_in_range(longest(cache, numbers), 1, CHAIN_FAIR);
        cache_free(cache);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chosen_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
