/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of every length that is kept in a way of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"
#include "server/call.h"
#include "tests/answer.h"
#include "tests/live.h"
#include "tests/rng.h"

static const size_t lengths[] = {
    0,
    1,
    CACHE_INLINE_MAX - 1,
    CACHE_INLINE_MAX,
    CACHE_INLINE_MAX + 1,
    CALL_COPY_MAX,
    CALL_COPY_MAX + 1,
    CACHE_SLAB - 1,
    CACHE_SLAB + 1,
    1000 * 1000,
};

enum { LENGTHS = sizeof lengths / sizeof *lengths };

static void values_of_every_length_are_kept_whole(void **state)
{
    redisContext *redis = live_connect(*state);
    for (size_t i = 0; i < LENGTHS; i++) {
        size_t len = lengths[i];
        char *bytes = rng_bytes(len);
        answer_is_ok(redisCommand(redis, "SET k %b", bytes, len));
        assert_int_equal(live_int(redis, "STRLEN k"), len);
        answer_is_bytes(redisCommand(redis, "GET k"), bytes, len);
        answer_is_bytes(redisCommand(redis, "SET k x EX 100 GET"), bytes, len);
        answer_is_ok(redisCommand(redis, "MSET a 1 k %b b 2", bytes, len));
        assert_int_equal(live_int(redis, "TTL k"), -1);
        answer_is_bytes(redisCommand(redis, "GETEX k EX 100"), bytes, len);
        assert_int_equal(live_int(redis, "TTL k"), 100);
        answer_is_bytes(redisCommand(redis, "GETSET k %b", "y", (size_t)1),
                        bytes, len);
        answer_is_ok(redisCommand(redis, "SETEX k 100 %b", bytes, len));
        answer_is_bytes(redisCommand(redis, "GETDEL k"), bytes, len);
        assert_int_equal(live_int(redis, "EXISTS k"), 0);
        assert_int_equal(live_int(redis, "SETNX k %b", bytes, len), 1);
        assert_int_equal(live_int(redis, "SETNX k %b", bytes, len), 0);
        answer_is_bytes(redisCommand(redis, "GET k"), bytes, len);
        free(bytes);
    }
    redisFree(redis);
}

static void appending_joins_every_length_to_every_other(void **state)
{
    redisContext *redis = live_connect(*state);
    for (size_t i = 0; i < LENGTHS; i++)
        for (size_t j = 0; j < LENGTHS; j++) {
            size_t one = lengths[i], two = lengths[j];
            char *first = rng_bytes(one), *second = rng_bytes(two);
            answer_is_ok(redisCommand(redis, "SET k %b EX 100", first, one));
            assert_int_equal(live_int(redis, "APPEND k %b", second, two),
                             one + two);
            char *both = malloc(one + two + 1);
            assert_non_null(both);
            memcpy(both, first, one);
            memcpy(both + one, second, two);
            answer_is_bytes(redisCommand(redis, "GET k"), both, one + two);
            assert_int_equal(live_int(redis, "TTL k"), 100);
            free(both);
            free(first);
            free(second);
        }
    assert_int_equal(live_int(redis, "DEL k"), 1);
    assert_int_equal(live_int(redis, "APPEND k ab"), 2);
    assert_string_equal(live_text(redis, "GET k"), "ab");
    redisFree(redis);
}

static void appending_ends_at_the_longest_value(void **state)
{
    redisContext *redis = live_connect(*state);
    char *bytes = rng_bytes(1 << 20);
    assert_string_equal(
        live_text(redis, "CONFIG SET proto-max-bulk-len %d", 1 << 20), "OK");
    answer_is_ok(redisCommand(redis, "SET k %b", bytes, (size_t)(1 << 20) - 1));
    assert_int_equal(live_int(redis, "APPEND k x"), 1 << 20);
    answer_is_error(redisCommand(redis, "APPEND k y"),
                    "ERR string exceeds maximum allowed size "
                    "(proto-max-bulk-len)");
    assert_int_equal(live_int(redis, "STRLEN k"), 1 << 20);
    assert_string_equal(live_text(redis, "CONFIG SET proto-max-bulk-len 512mb"),
                        "OK");
    free(bytes);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_length_are_kept_whole),
        cmocka_unit_test(appending_joins_every_length_to_every_other),
        cmocka_unit_test(appending_ends_at_the_longest_value),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
