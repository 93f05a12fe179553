/* SPDX-License-Identifier: BSD-3-Clause */
/* CLIENT KILL: whom it ends and whom it leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/crowd.h"
#include "tests/errors.h"

static void kill_by_id(void **state)
{
    struct crowd *f = *state;

    assert_string_equal(crowd_ask_id(f, "CLIENT KILL ID %lld", f->ids[0]),
                        ":1");
    assert_string_equal(crowd_ask_id(f, "CLIENT KILL ID %lld", f->ids[0]),
                        ":0");
    assert_string_equal(
        crowd_ask_id(f, "CLIENT KILL TYPE pubsub ID %lld", f->ids[1]), ":0");
    assert_string_equal(
        crowd_ask_id(f, "CLIENT KILL TYPE normal USER default ID %lld",
                     f->ids[2]),
        ":1");
    assert_string_equal(crowd_ask_id(f, "CLIENT KILL ID %lld", f->my_id), ":0");
    crowd_check_open(f, (bool[OTHERS]){0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1});
}

static void kill_by_address(void **state)
{
    struct crowd *f = *state;
    char addr[64], laddr[64], line[200];

    assert_int_equal(
        sscanf(
            strstr(crowd_ask_id(f, "CLIENT LIST ID %lld", f->ids[4]), "addr="),
            "addr=%63s laddr=%63s", addr, laddr),
        2);
    snprintf(line, sizeof line, "CLIENT KILL ADDR %s LADDR 127.0.0.1:1", addr);
    assert_string_equal(console_ask(&f->me, line), ":0");
    snprintf(line, sizeof line, "CLIENT KILL ADDR %s LADDR %s", addr, laddr);
    assert_string_equal(console_ask(&f->me, line), ":1");
    assert_string_equal(console_ask(&f->me, line), ":0");
    snprintf(line, sizeof line, "CLIENT KILL %s", addr);
    assert_string_equal(console_ask(&f->me, line), "-ERR No such client");
    assert_int_equal(
        sscanf(
            strstr(crowd_ask_id(f, "CLIENT LIST ID %lld", f->ids[5]), "addr="),
            "addr=%63s", addr),
        1);
    snprintf(line, sizeof line, "CLIENT KILL %s", addr);
    assert_string_equal(console_ask(&f->me, line), "+OK");
    crowd_check_open(f, (bool[OTHERS]){1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1});
    snprintf(line, sizeof line, "CLIENT KILL LADDR %s", laddr);
    assert_string_equal(console_ask(&f->me, line), ":10");
    crowd_check_open(f, (bool[OTHERS]){0});
}

static void kill_spares_the_young(void **state)
{
    struct crowd *f = *state;

    assert_string_equal(console_ask(&f->me, "CLIENT KILL MAXAGE 100000"), ":0");
    crowd_check_open(f, (bool[OTHERS]){1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
}

/* The reply comes first, then the end; what is pipelined behind is dropped. */
static void kill_oneself(void **state)
{
    struct crowd *f = *state;
    char line[200], addr[64];

    assert_string_equal(
        crowd_ask_id(f, "CLIENT KILL ID %lld SKIPME no\r\nPING", f->my_id),
        ":1");
    assert_string_equal(console_hear(&f->me), "(no reply)");
    console_close(&f->me);
    console_open(&f->me, f->live);
    assert_int_equal(sscanf(strstr(console_ask(&f->me, "CLIENT INFO"), "addr="),
                            "addr=%63s", addr),
                     1);
    snprintf(line, sizeof line, "CLIENT KILL %s", addr);
    assert_string_equal(console_ask(&f->me, line), "+OK");
    assert_string_equal(console_hear(&f->me), "(no reply)");
    console_close(&f->me);
    console_open(&f->me, f->live);
    assert_string_equal(
        console_ask(&f->me, "CLIENT KILL TYPE normal SKIPME no"), ":13");
    assert_string_equal(console_hear(&f->me), "(no reply)");
    crowd_check_open(f, (bool[OTHERS]){0});
}

static void kill_refuses(void **state)
{
    static const char *const cases[][2] = {
        {"CLIENT KILL", "-ERR wrong number of arguments for 'client|kill' "
                        "command"},
        {"CLIENT KILL foo", "-ERR No such client"},
        {"CLIENT KILL ID", "-ERR No such client"},
        {"CLIENT KILL ID x", "-ERR client-id should be greater than 0"},
        {"CLIENT KILL ID 0", "-ERR client-id should be greater than 0"},
        {"CLIENT KILL ID -1", "-ERR client-id should be greater than 0"},
        {"CLIENT KILL MAXAGE 0", "-ERR maxage should be greater than 0"},
        {"CLIENT KILL MAXAGE x",
         "-ERR maxage is not an integer or out of range"},
        {"CLIENT KILL TYPE foo", "-ERR Unknown client type 'foo'"},
        {"CLIENT KILL USER foo", "-ERR No such user 'foo'"},
        {"CLIENT KILL SKIPME foo", SYNTAX},
        {"CLIENT KILL FOO BAR", SYNTAX},
        {"CLIENT KILL ID 1 ADDR", SYNTAX},
    };
    struct crowd *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(console_ask(&f->me, cases[i][0]), cases[i][1]);
    crowd_check_open(f, (bool[OTHERS]){1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, crowd_setup, crowd_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(kill_by_id),   TEST(kill_by_address), TEST(kill_spares_the_young),
        TEST(kill_oneself), TEST(kill_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
