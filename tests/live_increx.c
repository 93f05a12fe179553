/* SPDX-License-Identifier: BSD-3-Clause */
/* INCREX, as the documents and tests of Redis 8.8 and Valkey 9.2 have it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/errors.h"
#include "tests/talk.h"

#define TWO(a, b)   "*2\r\n:" #a "\r\n:" #b
#define ABOVE       "-ERR LBOUND can't be greater than UBOUND"
#define OVERFLOWS   "-ERR applied increment would overflow"
#define INFINITE    "-ERR applied increment would be Infinity"
#define MOST        "9223372036854775807"
#define LEAST       "-9223372036854775808"
#define NO_INT(of)  "-ERR " of " is not an integer or out of range"
#define NO_FLOAT(x) "-ERR " x " is not a valid float"

static void numbers_are_added(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"INCREX k", TWO(1, 1)},
        {"INCREX k BYINT 5", TWO(6, 5)},
        {"INCREX k byint -10", TWO(-4, -10)},
        {"INCREX k BYINT 0", TWO(-4, 0)},
        {"INCREX k BYINT abc", NO_INT("Increment")},
        {"INCREX k BYINT 1.5", NO_INT("Increment")},
        {"SET k text", "+OK"},
        {"INCREX k", NOT_INT},
        {"INCREX k BYFLOAT 1", "-ERR value is not a valid float"},
        {"HSET h f v", ":1"},
        {"INCREX h", "-WRONGTYPE Operation against a key holding the wrong "
                     "kind of value"},
        {"INCREX h EXAT 1", "-WRONGTYPE Operation against a key holding the "
                            "wrong kind of value"},
        {"SET k " MOST, "+OK"},
        {"INCREX k", TWO(9223372036854775807, 0)},
        {"INCREX k SATURATE", TWO(9223372036854775807, 0)},
        {"SET k 9223372036854775800", "+OK"},
        {"INCREX k BYINT 10", TWO(9223372036854775800, 0)},
        {"INCREX k BYINT 10 SATURATE", TWO(9223372036854775807, 7)},
        {"SET k -9223372036854775800", "+OK"},
        {"INCREX k BYINT " LEAST, TWO(-9223372036854775800, 0)},
        {"INCREX k BYINT -10 SATURATE", TWO(-9223372036854775808, -8)},
    };
    TALK_CHECK(*state, rows);
}

static void bounds_hold_for_the_result(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"INCREX k BYINT 15 UBOUND 10", TWO(0, 0)},
        {"INCREX k LBOUND 5", TWO(0, 0)},
        {"EXISTS k", ":0"},
        {"INCREX k LBOUND 5 SATURATE", TWO(5, 5)},
        {"SET k 10", "+OK"},
        {"INCREX k BYINT 5 UBOUND 15", TWO(15, 5)},
        {"INCREX k BYINT 5 UBOUND 15", TWO(15, 0)},
        {"INCREX k BYINT 5 UBOUND 17 SATURATE", TWO(17, 2)},
        {"INCREX k UBOUND 5 BYINT 5 SATURATE", TWO(5, -12)},
        {"INCREX k BYINT -5 LBOUND 20 SATURATE", TWO(20, 15)},
        {"INCREX k BYINT -5 LBOUND 18", TWO(20, 0)},
        {"SET k 50", "+OK"},
        {"INCREX k BYINT -25 UBOUND 30", TWO(25, -25)},
        {"INCREX k BYINT " MOST " UBOUND 100 SATURATE", TWO(100, 75)},
        {"INCREX k BYINT " MOST " UBOUND 200", TWO(100, 0)},
        {"INCREX k LBOUND 10 UBOUND 5", ABOVE},
        {"INCREX k LBOUND x", NO_INT("LBOUND")},
        {"INCREX k UBOUND 12.5", NO_INT("UBOUND")},
        {"INCREX k UBOUND inf", NO_INT("UBOUND")},
        {"SET k 9223372036854775800", "+OK"},
        {"INCREX k SATURATE UBOUND " LEAST, OVERFLOWS},
        {"GET k", "$19\r\n9223372036854775800"},
    };
    TALK_CHECK(*state, rows);
}

static void fractions_are_added(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"SET k 1.5", "+OK"},
        {"INCREX k BYFLOAT 0.25", "*2\r\n$4\r\n1.75\r\n$4\r\n0.25"},
        {"INCREX k BYINT 1", NOT_INT},
        {"INCREX k BYFLOAT 100 UBOUND 42.5", "*2\r\n$4\r\n1.75\r\n$1\r\n0"},
        {"INCREX k BYFLOAT 100 UBOUND 42.5 SATURATE",
         "*2\r\n$4\r\n42.5\r\n$5\r\n40.75"},
        {"INCREX k BYFLOAT -100 LBOUND -5.5 SATURATE",
         "*2\r\n$4\r\n-5.5\r\n$3\r\n-48"},
        {"INCREX k BYFLOAT 1 LBOUND 0.5 UBOUND 0.25", ABOVE},
        {"INCREX k BYFLOAT 1 UBOUND -inf", ABOVE},
        {"INCREX k BYFLOAT 1 LBOUND inf", ABOVE},
        {"INCREX k BYFLOAT 1 UBOUND inf", "*2\r\n$4\r\n-4.5\r\n$1\r\n1"},
        {"INCREX k BYFLOAT 1 LBOUND inf UBOUND inf",
         "*2\r\n$4\r\n-4.5\r\n$1\r\n0"},
        {"INCREX k BYFLOAT 1 LBOUND inf UBOUND inf SATURATE", INFINITE},
        {"INCREX k BYFLOAT +inf", "-ERR BYFLOAT increment cannot be Infinity"},
        {"INCREX k BYFLOAT nan", NO_FLOAT("Increment")},
        {"INCREX k BYFLOAT abc", NO_FLOAT("Increment")},
        {"INCREX k BYFLOAT 1 LBOUND x", NO_FLOAT("LBOUND")},
        {"INCREX k BYFLOAT 1 UBOUND x", NO_FLOAT("UBOUND")},
        {"GET k", "$4\r\n-4.5"},
        {"SET k inf", "+OK"},
        {"INCREX k BYFLOAT 1", "-ERR value cannot be Infinity"},
        {"SET k 1e4932", "+OK"},
        {"INCREX none BYFLOAT -0.5 UBOUND -1.5", "*2\r\n$1\r\n0\r\n$1\r\n0"},
        {"EXISTS none", ":0"},
    };
    TALK_CHECK(*state, rows);
}

static void numbers_are_numbers_in_resp3(void **state)
{
    struct talk talk = talk_open(*state);
    talk_says(&talk, "HELLO 3", NULL);
    talk_says(&talk, "FLUSHALL", "+OK");
    talk_says(&talk, "INCREX k BYFLOAT 2.5", "*2\r\n,2.5\r\n,2.5");
    talk_says(&talk, "SET k 1", "+OK");
    talk_says(&talk, "INCREX k", TWO(2, 1));
    talk_says(&talk, "DEL k", ":1");
    talk_close(&talk);
}

static void times_are_set_and_kept(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"INCREX k EX 100 ENX", TWO(1, 1)},
        {"TTL k", ":100"},
        {"INCREX k EX 1000 ENX", TWO(2, 1)},
        {"TTL k", ":100"},
        {"INCREX k", TWO(3, 1)},
        {"TTL k", ":100"},
        {"INCREX k UBOUND 3 EX 1000", TWO(3, 0)},
        {"INCREX k UBOUND 3 PERSIST", TWO(3, 0)},
        {"TTL k", ":100"},
        {"INCREX k PX 200000", TWO(4, 1)},
        {"TTL k", ":200"},
        {"INCREX k UBOUND 4 SATURATE EX 300", TWO(4, 0)},
        {"TTL k", ":300"},
        {"INCREX k EXAT 4102444800", TWO(5, 1)},
        {"EXPIRETIME k", ":4102444800"},
        {"INCREX k PXAT 4102444800123", TWO(6, 1)},
        {"PEXPIRETIME k", ":4102444800123"},
        {"INCREX k EXAT 1 ENX", TWO(7, 1)},
        {"PEXPIRETIME k", ":4102444800123"},
        {"INCREX k PERSIST", TWO(8, 1)},
        {"TTL k", ":-1"},
        {"INCREX k PERSIST", TWO(9, 1)},
        {"INCREX k EXAT 1", TWO(10, 1)},
        {"EXISTS k", ":0"},
        {"INCREX k EXAT 1", TWO(1, 1)},
        {"EXISTS k", ":0"},
    };
    TALK_CHECK(*state, rows);
}

static void options_are_given_once(void **state)
{
    static const struct says rows[] = {
        {"FLUSHALL", "+OK"},
        {"INCREX k FOO", SYNTAX},
        {"INCREX k BYINT", SYNTAX},
        {"INCREX k LBOUND", SYNTAX},
        {"INCREX k BYINT 1 BYINT 2", SYNTAX},
        {"INCREX k BYINT 1 BYFLOAT 2", SYNTAX},
        {"INCREX k BYFLOAT 1 BYINT 2", SYNTAX},
        {"INCREX k LBOUND 0 LBOUND 1", SYNTAX},
        {"INCREX k UBOUND 9 UBOUND 8", SYNTAX},
        {"INCREX k SATURATE SATURATE", SYNTAX},
        {"INCREX k ENX ENX EX 10", SYNTAX},
        {"INCREX k EX 10 EX 20", SYNTAX},
        {"INCREX k EX 10 PX 20", SYNTAX},
        {"INCREX k EX 10 PERSIST", SYNTAX},
        {"INCREX k PERSIST EX 10", SYNTAX},
        {"INCREX k PERSIST PERSIST", SYNTAX},
        {"INCREX k PERSIST ENX", SYNTAX},
        {"INCREX k ENX PERSIST", SYNTAX},
        {"INCREX k ENX", "-ERR ENX flag requires an expiration"},
        {"INCREX k EX 0", "-ERR invalid expire time in 'increx' command"},
        {"INCREX k PX -1", "-ERR invalid expire time in 'increx' command"},
        {"INCREX k EX x", NOT_INT},
        {"INCREX k NX XX", SYNTAX},
        {"DBSIZE", ":0"},
        {"INCREX k XX", TWO(0, 0)},
        {"INCREX k XX BYFLOAT 1.5", "*2\r\n$1\r\n0\r\n$1\r\n0"},
        {"EXISTS k", ":0"},
        {"INCREX k NX EX 100 BYINT 3", TWO(3, 3)},
        {"INCREX k NX EX 1000", TWO(3, 0)},
        {"TTL k", ":100"},
        {"INCREX k XX", TWO(4, 1)},
    };
    TALK_CHECK(*state, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_added),
        cmocka_unit_test(bounds_hold_for_the_result),
        cmocka_unit_test(fractions_are_added),
        cmocka_unit_test(numbers_are_numbers_in_resp3),
        cmocka_unit_test(times_are_set_and_kept),
        cmocka_unit_test(options_are_given_once),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
