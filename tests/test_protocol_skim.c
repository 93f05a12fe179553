/* SPDX-License-Identifier: BSD-3-Clause */
/* A look at requests ahead: right where it says so, silent where it cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/skim.h"

#define SET "*3\r\n$3\r\nSET\r\n$5\r\nk\r\n12\r\n$0\r\n\r\n"

static void arguments_and_length_are_told(void **state)
{
    struct arg args[8];
    size_t count;
    (void)state;
    size_t len = strlen(SET);
    assert_int_equal(skim_request(SET SET, 2 * len, args, 8, &count), len);
    assert_int_equal(count, 3);
    assert_int_equal(args[0].len, 3);
    assert_memory_equal(args[0].ptr, "SET", 3);
    assert_int_equal(args[1].len, 5);
    assert_memory_equal(args[1].ptr, "k\r\n12", 5);
    assert_int_equal(args[2].len, 0);
    assert_int_equal(skim_request(SET, len, args, 2, &count), len);
    assert_int_equal(count, 2);
    assert_int_equal(skim_request("*0\r\n", 4, args, 8, &count), 4);
    assert_int_equal(count, 0);
}

/* On memory of exactly that many bytes, so that reading on would be seen. */
static void every_cut_is_unfinished(void **state)
{
    struct arg args[8];
    size_t count, last = 0;
    (void)state;
    for (size_t len = 0; len < strlen(SET); len++) {
        char *in = malloc(len + 1);
        assert_non_null(in);
        memcpy(in + 1, SET, len);
        assert_int_equal(skim_request(in + 1, len, args, 8, &count), 0);
        assert_true(count >= last && count <= 3);
        last = count;
        free(in);
    }
    assert_int_equal(last, 2);
}

static void what_is_odd_is_left_to_the_parser(void **state)
{
    static const char *const odd[] = {
        "PING\r\n",
        "*\r\n",
        "*-1\r\n",
        "*1\r\n$-1\r\n",
        "*1\r\n:1\r\n",
        "*1\n$1\nk\n",
        "*1\r\n$9999999999\r\nk\r\n",
        "*99999999999999999999\r\n",
        "*2\r\n$999999999\r\nk\r\n",
    };
    struct arg args[8];
    size_t count;
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        assert_int_equal(skim_request(odd[i], strlen(odd[i]), args, 8, &count),
                         0);
        assert_int_equal(count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_and_length_are_told),
        cmocka_unit_test(every_cut_is_unfinished),
        cmocka_unit_test(what_is_odd_is_left_to_the_parser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
