/* SPDX-License-Identifier: BSD-3-Clause */
/* maxmemory-policy: what goes when the budget is reached, and what never does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/call.h"
#include "tests/answer.h"
#include "tests/live.h"
#include "tests/rng.h"

enum { LEN = 1000, MB = 1 << 20 };

static struct live *start(const char *policy)
{
    return live_start("--maxmemory", "24mb", "--maxmemory-policy", policy,
                      NULL);
}

/* False: -OOM. */
static bool set(redisContext *redis, unsigned number, bool expires)
{
    static char zeros[LEN];
    redisReply *reply =
        expires ? redisCommand(redis, "SET %u %b EX 1000", number, zeros,
                               (size_t)LEN)
                : redisCommand(redis, "SET %u %b", number, zeros, (size_t)LEN);
    assert_non_null(reply);
    bool done = reply->type == REDIS_REPLY_STATUS;
    if (!done)
        assert_string_equal(reply->str, ERROR_NO_ROOM);
    freeReplyObject(reply);
    return done;
}

/* As INFO tells it; valid until the next call. */
static const char *info_policy(redisContext *redis)
{
    static char word[32];
    const char *line =
        strstr(live_text(redis, "INFO memory"), "maxmemory_policy:");
    assert_non_null(line);
    assert_int_equal(sscanf(line, "maxmemory_policy:%31s", word), 1);
    return word;
}

static void names_are_those_of_redis(void **state)
{
    (void)state;
    static const char *const words[] = {"volatile-lru",   "volatile-random",
                                        "volatile-ttl",   "allkeys-lru",
                                        "allkeys-random", "noeviction"};
    struct live *live = start("volatile-ttl");
    redisContext *redis = live_connect(live);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        answer_is_ok(
            redisCommand(redis, "CONFIG SET maxmemory-policy %s", words[i]));
        assert_string_equal(info_policy(redis), words[i]);
    }
    answer_is_error(
        redisCommand(redis, "CONFIG SET maxmemory-policy allkeys-lfu"),
        "ERR CONFIG SET failed (possibly related to argument "
        "'maxmemory-policy') - argument(s) must be one of the following: "
        "volatile-lru, volatile-random, volatile-ttl, allkeys-lru, "
        "allkeys-random, noeviction");
    redisFree(redis);
    live_stop(live);
}

/* Of each policy for what is volatile. */
static void what_lasts_is_never_dropped(void **state)
{
    const char *policy = *state;
    struct live *live = start(policy);
    redisContext *redis = live_connect(live);
    unsigned number = 0, lasting;
    while (live_info(redis, "evicted_keys") == 0)
        for (unsigned i = 0; i < 100; i++, number++)
            assert_true(set(redis, number, number % 2));
    while (set(redis, number, false))
        number++;
    /* Each that did not expire is there. */
    assert_int_equal(live_info(redis, "ebb_cache_expiring"), 0);
    lasting = (unsigned)live_int(redis, "DBSIZE");
    for (unsigned i = 0; i < number; i += 2)
        assert_int_equal(live_int(redis, "EXISTS %u", i), 1);
    /* But for a lower budget, which comes first. */
    answer_is_ok(redisCommand(redis, "CONFIG SET maxmemory 16mb"));
    live_await_info(redis, "used_memory_rss", 1, 16 * MB);
    assert_true(live_int(redis, "DBSIZE") < lasting);
    assert_true(live_int(redis, "DBSIZE") > 0);
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    static char lru[] = "volatile-lru", ttl[] = "volatile-ttl",
                random[] = "volatile-random";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_redis),
        {lru, what_lasts_is_never_dropped, NULL, NULL, lru},
        {ttl, what_lasts_is_never_dropped, NULL, NULL, ttl},
        {random, what_lasts_is_never_dropped, NULL, NULL, random},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
