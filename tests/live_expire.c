/* SPDX-License-Identifier: BSD-3-Clause */
/* When keys expire, and what the commands about it say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/errors.h"
#include "tests/live.h"
#include "tests/talk.h"

static void times_are_set_told_and_cleared(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"TTL k", ":-2"},
        {"PTTL k", ":-2"},
        {"EXPIRETIME k", ":-2"},
        {"PEXPIRETIME k", ":-2"},
        {"EXPIRE k 10", ":0"},
        {"PERSIST k", ":0"},
        {"SET k v", "+OK"},
        {"TTL k", ":-1"},
        {"PTTL k", ":-1"},
        {"EXPIRETIME k", ":-1"},
        {"PEXPIRETIME k", ":-1"},
        {"PERSIST k", ":0"},
        {"EXPIRE k 100", ":1"},
        {"TTL k", ":100"},
        {"PEXPIRE k 200000", ":1"},
        {"TTL k", ":200"},
        {"PERSIST k", ":1"},
        {"TTL k", ":-1"},
        {"EXPIREAT k 4102444800", ":1"},
        {"PEXPIRETIME k", ":4102444800000"},
        {"PEXPIREAT k 4102444800499", ":1"},
        {"PEXPIRETIME k", ":4102444800499"},
        {"EXPIRETIME k", ":4102444800"},
        {"PEXPIREAT k 4102444800500", ":1"},
        {"EXPIRETIME k", ":4102444801"},
        {"PEXPIREAT k 9223372036854775807", ":1"},
        {"PEXPIRETIME k", ":9223372036854775807"},
    };
    TALK_CHECK(*state, rows);
}

static void conditions_compare_with_the_time_before(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"SET k v", "+OK"},
        {"EXPIREAT k 4102444800 XX", ":0"},
        {"EXPIREAT k 4102444800 GT", ":0"},
        {"TTL k", ":-1"},
        {"EXPIREAT k 4102444800 LT", ":1"},
        {"EXPIREAT k 4102444900 NX", ":0"},
        {"EXPIREAT k 4102444800 GT", ":0"},
        {"EXPIREAT k 4102444800 LT", ":0"},
        {"EXPIREAT k 4102444900 LT", ":0"},
        {"EXPIREAT k 4102444900 gt", ":1"},
        {"EXPIREAT k 4102444700 GT", ":0"},
        {"EXPIREAT k 4102444700 XX LT", ":1"},
        {"EXPIRETIME k", ":4102444700"},
        {"PERSIST k", ":1"},
        {"EXPIREAT k 4102444700 NX NX", ":1"},
        {"EXPIREAT k 1 GT", ":0"},
        {"EXPIREAT k 1 NX", ":0"},
        {"EXPIREAT k 1 LT", ":1"},
        {"EXISTS k", ":0"},
        {"EXPIRE k 1 FOO", "-ERR Unsupported option FOO"},
        {"EXPIRE k 1 NX GT", "-ERR NX and XX, GT or LT options at the same "
                             "time are not compatible"},
        {"EXPIRE k 1 GT LT",
         "-ERR GT and LT options at the same time are not compatible"},
    };
    TALK_CHECK(*state, rows);
}

static void times_that_do_not_fit_are_refused(void **state)
{
    static const struct says rows[] = {
        {"SET k v", "+OK"},
        {"EXPIRE k x", NOT_INT},
        {"EXPIRE k 9223372036854775808", NOT_INT},
        {"EXPIRE k 9223372036854775807",
         "-ERR invalid expire time in 'expire' command"},
        {"EXPIRE k 9223372036854775",
         "-ERR invalid expire time in 'expire' command"},
        {"EXPIRE k -9223372036854776",
         "-ERR invalid expire time in 'expire' command"},
        {"EXPIREAT k 9223372036854776",
         "-ERR invalid expire time in 'expireat' command"},
        {"PEXPIRE k 9223372036854775807",
         "-ERR invalid expire time in 'pexpire' command"},
        {"TTL k", ":-1"},
        {"EXPIREAT k 9223372036854775", ":1"},
        {"PEXPIRETIME k", ":9223372036854775000"},
    };
    TALK_CHECK(*state, rows);
}

static void what_is_past_is_gone_at_once(void **state)
{
    static const struct says rows[] = {
        {"SET k v", "+OK"},
        {"EXPIRE k 0", ":1"},
        {"EXISTS k", ":0"},
        {"SET k v", "+OK"},
        {"PEXPIRE k -1", ":1"},
        {"EXISTS k", ":0"},
        {"SET k v", "+OK"},
        {"EXPIREAT k 1", ":1"},
        {"EXISTS k", ":0"},
        {"SET k v", "+OK"},
        {"PEXPIREAT k -5", ":1"},
        {"EXISTS k", ":0"},
        {"SET k v PXAT 1", "+OK"},
        {"EXISTS k", ":0"},
        {"DEL k", ":0"},
        {"SET k v", "+OK"},
        {"SET k w XX EXAT 1", "+OK"},
        {"EXISTS k", ":0"},
    };
    TALK_CHECK(*state, rows);
}

/* Without a look at them, too: that is the crawler's work. */
static void keys_go_when_their_time_has_come(void **state)
{
    enum { KEYS = 1000 };
    redisContext *redis = live_connect(*state);
    assert_string_equal(live_text(redis, "FLUSHALL"), "OK");
    long long before = live_info(redis, "expired_keys");
    for (int i = 0; i < KEYS; i++)
        live_text(redis, "SET k%d v PX 30", i);
    live_text(redis, "SET stays v PX 300000");
    while (live_int(redis, "EXISTS k%d", KEYS - 1) != 0)
        ;
    assert_int_equal(live_int(redis, "SETNX k0 new"), 1);
    live_await_info(redis, "expired_keys", before + KEYS, before + KEYS);
    assert_int_equal(live_int(redis, "DBSIZE"), 2);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_set_told_and_cleared),
        cmocka_unit_test(conditions_compare_with_the_time_before),
        cmocka_unit_test(times_that_do_not_fit_are_refused),
        cmocka_unit_test(what_is_past_is_gone_at_once),
        cmocka_unit_test(keys_go_when_their_time_has_come),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
