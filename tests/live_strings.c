/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that store, change and return values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/errors.h"
#include "tests/live.h"
#include "tests/talk.h"

static void set_takes_all_its_options(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"SET k a XX", "$-1"},
        {"SET k a NX", "+OK"},
        {"SET k b NX", "$-1"},
        {"SET k b nx GET", "$1\r\na"},
        {"SET k b XX GET", "$1\r\na"},
        {"SET n b XX GET", "$-1"},
        {"EXISTS n", ":0"},
        {"SET n b GET", "$-1"},
        {"SET k c EX 100", "+OK"},
        {"TTL k", ":100"},
        {"SET k c KEEPTTL", "+OK"},
        {"TTL k", ":100"},
        {"SET k c GET", "$1\r\nc"},
        {"TTL k", ":-1"},
        {"SET k c PX 100000", "+OK"},
        {"TTL k", ":100"},
        {"SET k c EXAT 4102444800", "+OK"},
        {"EXPIRETIME k", ":4102444800"},
        {"SET k c PXAT 4102444800001", "+OK"},
        {"PEXPIRETIME k", ":4102444800001"},
        {"SET k c EXAT 1", "+OK"},
        {"EXISTS k", ":0"},
        {"SET k c NX XX", SYNTAX},
        {"SET k c EX 1 PX 1", SYNTAX},
        {"SET k c EX 1 KEEPTTL", SYNTAX},
        {"SET k c KEEPTTL EX 1", SYNTAX},
        {"SET k c EX", SYNTAX},
        {"SET k c PERSIST", SYNTAX},
        {"SET k c EX x", NOT_INT},
        {"SET k c EX 0", "-ERR invalid expire time in 'set' command"},
        {"SET k c PX -1", "-ERR invalid expire time in 'set' command"},
        {"SET k c EX 9223372036854775",
         "-ERR invalid expire time in 'set' command"},
        {"SET k c PX 9223372036854775807",
         "-ERR invalid expire time in 'set' command"},
        {"EXISTS k", ":0"},
        {"SETEX k 0 v", "-ERR invalid expire time in 'setex' command"},
        {"PSETEX k -1 v", "-ERR invalid expire time in 'psetex' command"},
    };
    TALK_CHECK(*state, rows);
}

static void values_come_back_and_go(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"GET k", "$-1"},
        {"SETNX k a", ":1"},
        {"SETNX k b", ":0"},
        {"GETSET k b", "$1\r\na"},
        {"GETSET n b", "$-1"},
        {"SETEX k 100 c", "+OK"},
        {"GETSET k d", "$1\r\nc"},
        {"TTL k", ":-1"},
        {"PSETEX k 100000 c", "+OK"},
        {"TTL k", ":100"},
        {"GETEX k", "$1\r\nc"},
        {"TTL k", ":100"},
        {"GETEX k PERSIST", "$1\r\nc"},
        {"TTL k", ":-1"},
        {"GETEX k EX 50", "$1\r\nc"},
        {"TTL k", ":50"},
        {"GETEX k EX 50 PERSIST", SYNTAX},
        {"GETEX k KEEPTTL", SYNTAX},
        {"GETEX k EX 0", "-ERR invalid expire time in 'getex' command"},
        {"GETEX none EX 0", "$-1"},
        {"GETEX k PXAT 1", "$1\r\nc"},
        {"GETDEL k", "$-1"},
        {"SET k \"\"", "+OK"},
        {"STRLEN k", ":0"},
        {"GETDEL k", "$0\r\n"},
        {"STRLEN k", ":0"},
        {"MGET k n none", "*3\r\n$-1\r\n$1\r\nb\r\n$-1"},
    };
    TALK_CHECK(*state, rows);
}

static void numbers_count_and_do_not_wrap(void **state)
{
    static const char overflow[] = "-ERR increment or decrement would overflow";
    const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"INCR i", ":1"},
        {"DECRBY i 3", ":-2"},
        {"INCRBY i 9223372036854775807", ":9223372036854775805"},
        {"INCRBY i 3", overflow},
        {"GET i", "$19\r\n9223372036854775805"},
        {"SET i -9223372036854775808", "+OK"},
        {"DECR i", overflow},
        {"DECRBY i -9223372036854775808", "-ERR decrement would overflow"},
        {"INCRBY i 1.0", NOT_INT},
        {"SET i 10 EX 100", "+OK"},
        {"INCR i", ":11"},
        {"TTL i", ":100"},
        {"SET i 010", "+OK"},
        {"INCR i", NOT_INT},
        {"SET i \" 1\"", "+OK"},
        {"INCR i", NOT_INT},
        {"SET i \"\"", "+OK"},
        {"INCR i", NOT_INT},
        {"SET i 9223372036854775808", "+OK"},
        {"INCR i", NOT_INT},
    };
    TALK_CHECK(*state, rows);
}

static void several_are_stored_all_or_none(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"MSET a 1 b 2 a 3", "+OK"},
        {"MGET a b", "*2\r\n$1\r\n3\r\n$1\r\n2"},
        {"MSETNX c 1 b 3", ":0"},
        {"MGET b c", "*2\r\n$1\r\n2\r\n$-1"},
        {"MSETNX c 1 d 3", ":1"},
        {"MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"},
        {"MSETNX a", "-ERR wrong number of arguments for 'msetnx' command"},
    };
    TALK_CHECK(*state, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_takes_all_its_options),
        cmocka_unit_test(values_come_back_and_go),
        cmocka_unit_test(numbers_count_and_do_not_wrap),
        cmocka_unit_test(several_are_stored_all_or_none),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
