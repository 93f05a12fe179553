/* SPDX-License-Identifier: BSD-3-Clause */
/* The arguments that the parser gives: their array, and where they point. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/buf.h"
#include "protocol/parse.h"

static const struct parse_limits usual = {
    .args = 16, .bulk = 120, .request = 200, .line = 60, .divert = SIZE_MAX};

/* A request of so many arguments "a". */
static struct buf many_arguments(size_t count)
{
    struct buf stream = {0};
    buf_addf(&stream, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++)
        buf_add(&stream, "$1\r\na\r\n", 7);
    return stream;
}

static void argv_grows_with_what_arrives_and_shrinks(void **state)
{
    (void)state;
    struct parse_limits limits = usual;
    limits.args = 1048576;
    limits.request = SIZE_MAX;
    struct buf stream = many_arguments(limits.args);
    struct parser parser;
    parser_init(&parser);

    /* Announced is nothing, arrived is a thousand. */
    assert_int_equal(parser_run(&parser, stream.data, 10 + 7, &limits),
                     PARSE_MORE);
    assert_int_equal(parser.argc, 1);
    assert_in_range(parser.argv_cap, 1, 1024);
    assert_int_equal(parser_run(&parser, stream.data, 10 + 7 * 5000, &limits),
                     PARSE_MORE);
    assert_in_range(parser.argv_cap, 5000, 10000);
    assert_int_equal(
        parser_run(&parser, stream.data, buf_len(&stream), &limits),
        PARSE_REQUEST);
    assert_int_equal(parser.argc, 1048576);
    for (size_t i = 0; i < parser.argc; i++)
        assert_ptr_equal(parser.argv[i].ptr, stream.data + 10 + 7 * i + 4);
    parser_next(&parser);
    assert_int_equal(parser.argv_cap, 0);
    buf_release(&stream);

    stream = many_arguments(1024);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(
            parser_run(&parser, stream.data, buf_len(&stream), &limits),
            PARSE_REQUEST);
        parser_next(&parser);
        assert_int_equal(parser.argv_cap, 1024);
    }
    buf_release(&stream);
    parser_release(&parser);
    assert_null(parser.argv);

    char announced[] = "*1048577\r\n";
    assert_int_equal(parser_run(&parser, announced, 10, &limits), PARSE_ERROR);
    parser_release(&parser);
}

/* Kept arguments after moves: those before PARSE_LARGE follow each move. */
static void arguments_follow_the_input(void **state)
{
    (void)state;
    char first[64] = "*4\r\n$1\r\na\r\n$2\r\nbb\r\n$1\r\nc\r\n$2\r\ndd\r\n";
    char second[64], third[64];
    struct parse_limits limits = usual;
    struct parser parser;
    size_t len = strlen(first);
    limits.divert = 1;
    parser_init(&parser);
    assert_int_equal(parser_run(&parser, first, len, &limits), PARSE_LARGE);
    assert_ptr_equal(parser.argv[0].ptr, first + 8);
    assert_int_equal(parser.pos, 15);
    assert_int_equal(parser.large_len, 2);
    parser_keep(&parser);
    memcpy(second, first, len);
    memset(first, 'x', len);
    assert_int_equal(parser_run(&parser, second, len, &limits), PARSE_LARGE);
    assert_int_equal(parser.argc, 3);
    assert_ptr_equal(parser.argv[0].ptr, second + 8);
    assert_ptr_equal(parser.argv[1].ptr, second + 15);
    parser_divert(&parser);
    memcpy(third, second, len);
    memcpy(third + parser.pos, "\r\n", 2);
    memset(second, 'x', len);
    assert_int_equal(parser_run(&parser, third, parser.pos + 2, &limits),
                     PARSE_REQUEST);
    assert_int_equal(parser.argc, 4);
    assert_ptr_equal(parser.argv[0].ptr, third + 8);
    assert_ptr_equal(parser.argv[1].ptr, third + 15);
    assert_ptr_equal(parser.argv[2].ptr, third + 23);
    assert_null(parser.argv[3].ptr);
    assert_int_equal(parser.argv[3].len, 2);
    assert_int_equal(parser.used, len - 2);
    parser_release(&parser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(argv_grows_with_what_arrives_and_shrinks),
        cmocka_unit_test(arguments_follow_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
