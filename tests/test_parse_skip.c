/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests that are given up: the rest of them is skipped, wherever the input
 * is cut, and what follows is parsed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/parse.h"

static const char bytes[] = "*5\r\n$3\r\nDEL\r\n$2\r\nab\r\n$0\r\n\r\n$9\r\n"
                            "$1\r\n*2\r\n.\r\n$1\r\nz\r\n*1\r\n$4\r\nPING\r\n";

enum { LEN = sizeof bytes - 1, REQUEST = LEN - 14 };

static struct parse_limits limits_of(size_t request)
{
    return (struct parse_limits){.args = 100,
                                 .bulk = 100,
                                 .request = request,
                                 .line = 100,
                                 .divert = 1000};
}

/* Input that comes a byte at a time; a connection would keep it so. */
struct stream {
    struct parser parser;
    struct parse_limits limits;
    char held[LEN];
    size_t len, taken; /* of bytes */
};

static enum parse_status next(struct stream *stream)
{
    for (;;) {
        char *in = malloc(stream->len + 1); /* it moves each time */
        assert_non_null(in);
        memcpy(in, stream->held, stream->len);
        enum parse_status status =
            parser_run(&stream->parser, in, stream->len, &stream->limits);
        if (stream->parser.skipping && status == PARSE_MORE) {
            size_t dropped = parser_dropped(&stream->parser);
            stream->len -= dropped;
            memmove(stream->held, stream->held + dropped, stream->len);
        }
        if (status == PARSE_REQUEST && stream->parser.argc > 0)
            assert_memory_equal(stream->parser.argv[0].ptr, "PING", 4);
        free(in);
        if (status != PARSE_MORE || stream->taken == LEN)
            return status;
        stream->held[stream->len++] = bytes[stream->taken++];
    }
}

static void give_up(struct stream *stream, size_t argc)
{
    assert_true(parser_give_up(&stream->parser, stream->held));
    assert_int_equal(stream->parser.argc, argc);
    assert_int_equal(stream->parser.expected, 5);
    if (argc > 0)
        assert_memory_equal(stream->parser.argv[0].ptr, "DEL", 3);
    parser_skip(&stream->parser);
    size_t dropped = parser_dropped(&stream->parser);
    stream->len -= dropped;
    memmove(stream->held, stream->held + dropped, stream->len);
}

static void expect_the_rest(struct stream *stream)
{
    assert_int_equal(next(stream), PARSE_REQUEST);
    assert_int_equal(stream->parser.argc, 0);
    stream->len -= stream->parser.used;
    parser_next(&stream->parser);
    stream->limits = limits_of(1000);
    assert_int_equal(stream->taken, REQUEST);
    assert_int_equal(stream->len, 0);
    assert_int_equal(next(stream), PARSE_REQUEST);
    assert_int_equal(stream->parser.argc, 1);
    parser_release(&stream->parser);
}

static void one_beyond_the_limit_is_skipped(void **state)
{
    static const size_t argc_by_limit[][2] = {
        {12, 0}, {13, 1}, {20, 1}, {21, 2}, {27, 3}, {41, 3}, {42, 4}, {48, 4}};
    (void)state;
    for (size_t i = 0; i < sizeof argc_by_limit / sizeof *argc_by_limit; i++) {
        struct stream stream = {.limits = limits_of(argc_by_limit[i][0])};
        parser_init(&stream.parser);
        assert_int_equal(next(&stream), PARSE_ERROR);
        assert_string_equal(stream.parser.error,
                            "Protocol error: too big request");
        give_up(&stream, argc_by_limit[i][1]);
        expect_the_rest(&stream);
    }
}

static void one_is_given_up_anywhere(void **state)
{
    (void)state;
    for (size_t at = 4; at < REQUEST; at++) {
        struct stream stream = {.limits = limits_of(1000)};
        parser_init(&stream.parser);
        memcpy(stream.held, bytes, at);
        stream.len = stream.taken = at;
        char in[LEN];
        memcpy(in, bytes, at);
        assert_int_equal(parser_run(&stream.parser, in, at, &stream.limits),
                         PARSE_MORE);
        assert_true(parser_unfinished(&stream.parser));
        give_up(&stream, stream.parser.argc);
        assert_false(parser_unfinished(&stream.parser));
        expect_the_rest(&stream);
    }
}

static void argv_counts(void **state)
{
    enum { ARGS = 5000 };
    (void)state;
    char *in = malloc(ARGS * 8 + 32);
    assert_non_null(in);
    size_t len = (size_t)sprintf(in, "*%d\r\n", ARGS);
    for (int i = 0; i < ARGS; i++)
        len += (size_t)sprintf(in + len, "$1\r\nx\r\n");
    struct parse_limits limits = limits_of(ARGS * 8);
    limits.args = ARGS;
    struct parser parser;
    parser_init(&parser);
    limits.held = ARGS * (8 + sizeof(struct arg));
    assert_int_equal(parser_run(&parser, in, len, &limits), PARSE_REQUEST);
    parser_next(&parser);
    limits.held = ARGS * sizeof(struct arg);
    assert_int_equal(parser_run(&parser, in, len, &limits), PARSE_ERROR);
    assert_true(parser_give_up(&parser, in));
    assert_in_range(parser.argc, 1024, ARGS - 1);
    parser_release(&parser);
    free(in);
}

static void nothing_else_is_given_up(void **state)
{
    static const char *const inputs[] = {"", "*2", "GET", "*1\r\n+",
                                         "*1\r\n$-1\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        struct parse_limits limits = limits_of(1000);
        struct parser parser;
        char in[16];
        strcpy(in, inputs[i]);
        parser_init(&parser);
        parser_run(&parser, in, strlen(in), &limits);
        assert_false(parser_give_up(&parser, in));
        parser_release(&parser);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_beyond_the_limit_is_skipped),
        cmocka_unit_test(one_is_given_up_anywhere),
        cmocka_unit_test(argv_counts),
        cmocka_unit_test(nothing_else_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
