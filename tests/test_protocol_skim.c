/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests taken off the input at once: as the parser would, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/skim.h"

#define SET "*3\r\n$3\r\nSET\r\n$5\r\nk\r\n12\r\n$0\r\n\r\n"
#define GET "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"

static const struct parse_limits wide = {.args = 1024,
                                         .bulk = 1 << 20,
                                         .request = 1 << 20,
                                         .line = 1 << 16,
                                         .divert = 4072};

/* On memory of exactly that many bytes, so that reading on would be seen. */
static char *exactly(const char *bytes, size_t len)
{
    char *in = malloc(len + 1);
    assert_non_null(in);
    memcpy(in + 1, bytes, len);
    return in;
}

static void run(struct skim *skim, const char *in, size_t len)
{
    skim->count = skim->args_used = 0;
    skim_run(skim, in, len, &wide);
}

static size_t skimmed(struct skim *skim, const char *bytes,
                      const struct parse_limits *limits)
{
    char *in = exactly(bytes, strlen(bytes));
    skim->count = skim->args_used = 0;
    skim_run(skim, in + 1, strlen(bytes), limits);
    free(in);
    return skim->count;
}

static void requests_and_arguments_are_told(void **state)
{
    struct skim skim;
    const char *in = SET GET SET "*2\r\n$3\r\nGE";
    (void)state;
    skim.count = skim.args_used = 0;
    assert_int_equal(skim_run(&skim, in, strlen(in), &wide),
                     strlen(SET GET SET));
    assert_int_equal(skim.count, 3);
    assert_int_equal(skim.requests[0].used, strlen(SET));
    assert_int_equal(skim.requests[1].used, strlen(GET));
    const struct arg *argv = skim.requests[0].argv;
    assert_int_equal(skim.requests[0].argc, 3);
    assert_int_equal(argv[0].len, 3);
    assert_memory_equal(argv[0].ptr, "SET", 3);
    assert_int_equal(argv[1].len, 5);
    assert_memory_equal(argv[1].ptr, "k\r\n12", 5);
    assert_int_equal(argv[2].len, 0);
    argv = skim.requests[1].argv;
    assert_int_equal(skim.requests[1].argc, 2);
    assert_ptr_equal(argv[1].ptr, in + strlen(SET GET) - 3);
}

static void every_cut_is_left_to_the_parser(void **state)
{
    struct skim skim;
    (void)state;
    for (size_t len = 0; len < strlen(GET SET); len++) {
        char *in = exactly(GET SET, len);
        run(&skim, in + 1, len);
        assert_int_equal(skim.count, len >= strlen(GET));
        free(in);
    }
}

/* "*2 GET" with a key of so many bytes. */
static size_t get_of(char *to, size_t len)
{
    char head[64];
    size_t at =
        (size_t)snprintf(head, sizeof head, "*2\r\n$3\r\nGET\r\n$%zu\r\n", len);
    memcpy(to, head, at);
    memset(to + at, 'k', len);
    memcpy(to + at + len, "\r\n", 2);
    return at + len + 2;
}

static void lengths_have_up_to_four_digits(void **state)
{
    static const size_t lens[] = {0,   1,   9,    10,   11,   99,
                                  100, 999, 1000, 1001, 4071, 4072};
    static char in[8192];
    struct skim skim;
    (void)state;
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        size_t len = get_of(in, lens[i]);
        char *copy = exactly(in, len);
        run(&skim, copy + 1, len);
        assert_int_equal(skim.count, 1);
        assert_int_equal(skim.requests[0].argv[1].len, lens[i]);
        assert_int_equal(skim.requests[0].used, len);
        free(copy);
    }
    /* One more is diverted. */
    run(&skim, in, get_of(in, 4073));
    assert_int_equal(skim.count, 0);
}

static void what_is_odd_is_left_to_the_parser(void **state)
{
    static const char *const odd[] = {
        "PING\r\n",
        "\r\n" GET,
        "*0\r\n" GET,
        "*\r\n*1\r\n$4\r\nPING\r\n",
        "*-1\r\n" GET,
        "*02\r\n$3\r\nGET\r\n$1\r\nk\r\n",
        "*2\r\n$03\r\nGET\r\n$1\r\nk\r\n",
        "*1\r\n$-1\r\n",
        "*1\r\n:1\r\n$1\r\n",
        "*1\n$1\nk\n",
        "*1\r\n$4\r\nPING\n\n",
        "*1\r\n$4\r\nPING  ",
        "*1\r\n$4 \r\nPING\r\n",
        "*1\r\n$9999999999\r\nk\r\n",
        "*99999999999999999999\r\n",
        "*2\r\n$999999999\r\nk\r\n",
        "*1\r\n$10000\r\nk\r\n",
    };
    struct skim skim;
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_int_equal(skimmed(&skim, odd[i], &wide), 0);
}

static void limits_hold(void **state)
{
    struct skim skim;
    struct parse_limits limits = wide;
    (void)state;
    limits.args = 2;
    assert_int_equal(skimmed(&skim, GET GET SET GET, &limits), 2);
    limits = wide;
    limits.bulk = 4;
    assert_int_equal(skimmed(&skim, GET SET, &limits), 1);
    limits = wide;
    limits.request = strlen(GET);
    assert_int_equal(skimmed(&skim, GET GET SET, &limits), 2);
    limits.request--;
    assert_int_equal(skimmed(&skim, GET GET SET, &limits), 0);
}

static void a_batch_is_bounded(void **state)
{
    static char in[65536];
    struct skim skim;
    size_t len = 0;
    (void)state;
    for (unsigned i = 0; i < SKIM_REQUESTS + 3; i++)
        len += get_of(in + len, i);
    run(&skim, in, len);
    assert_int_equal(skim.count, SKIM_REQUESTS);
    assert_int_equal(skim.requests[SKIM_REQUESTS - 1].argv[1].len,
                     SKIM_REQUESTS - 1);
    /* Of two connections. */
    run(&skim, GET, strlen(GET));
    skim_run(&skim, in, get_of(in, 7), &wide);
    assert_int_equal(skim.count, 2);
    assert_int_equal(skim.requests[0].argv[1].len, 1);
    assert_int_equal(skim.requests[1].argv[1].len, 7);
    /* So many arguments, and one more. */
    for (unsigned more = 0; more < 2; more++) {
        len = (size_t)snprintf(in, sizeof in, "*%u\r\n", SKIM_ARGS - 2 + more);
        for (unsigned i = 0; i < SKIM_ARGS - 2 + more; i++) {
            memcpy(in + len, "$1\r\nx\r\n", 7);
            len += 7;
        }
        len += get_of(in + len, 1);
        run(&skim, in, len);
        assert_int_equal(skim.count, 2 - more);
    }
}

/* Requests with random faults and cuts; the seed is fixed. */
static void the_parser_takes_the_same(void **state)
{
    static const char *const pieces[] = {
        "*2\r\n",
        "*1\r\n",
        "*3\r\n",
        "$3\r\nGET\r\n",
        "$0\r\n\r\n",
        "$1\r\nk\r\n",
        "$11\r\n01234567890\r\n",
        "$4\r\nPING\r\n",
        "*0\r\n",
        "$-1\r\n",
        "\r\n",
        "$2\r\nk\r\n",
        "PING\r\n",
        "$01\r\nk\r\n",
        "$\r\n",
        "9",
    };
    uint64_t random = 1;
    unsigned taken = 0;
    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        char in[512];
        size_t len = 0;
        for (unsigned i = 0; i < 12; i++) {
            random = random * UINT64_C(6364136223846793005) + 1;
            unsigned n = (unsigned)(random >> 33);
            /* Rarely what no request has. */
            const char *piece = pieces[n % 64 ? n / 64 % 8 : n / 64 % 16];
            memcpy(in + len, piece, strlen(piece));
            len += strlen(piece);
        }
        len -= random >> 40 & 7;
        char *copy = exactly(in, len), *at = copy + 1;
        struct skim skim;
        struct parser parser;
        parser_init(&parser);
        run(&skim, at, len);
        for (size_t i = 0; i < skim.count; i++) {
            const struct skim_request *request = &skim.requests[i];
            assert_int_equal(parser_run(&parser, at, len, &wide),
                             PARSE_REQUEST);
            assert_int_equal(parser.argc, request->argc);
            assert_int_equal(parser.used, request->used);
            for (size_t arg = 0; arg < parser.argc; arg++) {
                assert_ptr_equal(parser.argv[arg].ptr, request->argv[arg].ptr);
                assert_int_equal(parser.argv[arg].len, request->argv[arg].len);
            }
            at += parser.used;
            len -= parser.used;
            parser_next(&parser);
            taken++;
        }
        parser_release(&parser);
        free(copy);
    }
    assert_true(taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_and_arguments_are_told),
        cmocka_unit_test(every_cut_is_left_to_the_parser),
        cmocka_unit_test(lengths_have_up_to_four_digits),
        cmocka_unit_test(what_is_odd_is_left_to_the_parser),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_batch_is_bounded),
        cmocka_unit_test(the_parser_takes_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
