/* SPDX-License-Identifier: BSD-3-Clause */
/* The request parser: what it takes, what it refuses, however it is cut. */

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/parse_driver.h"

static const struct parse_limits usual = {
    .args = 16, .bulk = 120, .request = 200, .line = 60, .divert = SIZE_MAX};
static const struct parse_limits anonymous = {.args = 2,
                                              .bulk = 3,
                                              .request = 200,
                                              .line = 60,
                                              .divert = SIZE_MAX,
                                              .anonymous = true};

struct row {
    const char *stream;
    size_t len;
    const char *said;
};
#define ROW(stream, said)                                                      \
    {                                                                          \
        stream, sizeof(stream) - 1, said                                       \
    }
#define DIGITS31 "1111111111111111111111111111111"
#define A50      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A60      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// clang-format off
static const struct row rows[] = {
    ROW("", ""),
    ROW("*1\r\n$4\r\nPING\r\n", "[PING]"),
    ROW("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n", "[GET|k][PING]"),
    ROW("*2\r\n$3\r\nGET\r\n$12\r\nabc\r\ndef*1$2\r\n", "[GET|abc\r\ndef*1$2]"),
    ROW("*2\r\n$0\r\n\r\n$0\r\n\r\n", "[|]"),
    ROW("*2\r\n$00\r\n", "!invalid bulk length"),
    ROW("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\nv", "..."),
    ROW("*1\r\n$4\r\nPING\r", "..."),
    ROW("*", "..."), ROW("*1", "..."), ROW("*1\r", "..."), ROW("*1\r\n", "..."),
    ROW("*1\r\n$", "..."), ROW("*1\r\n$4\r", "..."), ROW("*-", "..."),
    /* Empty requests leave nothing behind. */
    ROW("\r\nPING\r\n", "[][PING]"), ROW("\n\n \t\n", "[][][]"),
    ROW("*0\r\nPING\r\n", "[][PING]"), ROW("*-1\r\nPING\r\n", "[][PING]"),
    ROW("*-10\r\n*1\r\n$4\r\nPING\r\n", "[][PING]"),
    ROW("*-9223372036854775808\r\n", "[]"),
    /* Counts. */
    ROW("*16\r\n", "..."), ROW("*17\r\n", "!invalid multibulk length"),
    ROW("*100\r\n", "!invalid multibulk length"),
    ROW("*2147483648\r\n", "!invalid multibulk length"),
    ROW("*9223372036854775807\r\n", "!invalid multibulk length"),
    ROW("*9223372036854775808\r\n", "!invalid multibulk length"),
    ROW("*18446744073709551617\r\n", "!invalid multibulk length"),
    ROW("*-9223372036854775809\r\n", "!invalid multibulk length"),
    ROW("*+1\r\n", "!invalid multibulk length"),
    ROW("*01\r\n", "!invalid multibulk length"),
    ROW("* 1\r\n", "!invalid multibulk length"),
    ROW("*1 \r\n", "!invalid multibulk length"),
    ROW("*abc\r\n", "!invalid multibulk length"),
    ROW("*\r\n", "!invalid multibulk length"),
    ROW("*-\r\n", "!invalid multibulk length"),
    ROW("*-0\r\n", "!invalid multibulk length"),
    ROW("*--1\r\n", "!invalid multibulk length"),
    ROW("*1-\r\n", "!invalid multibulk length"),
    ROW("*1.0\r\n", "!invalid multibulk length"),
    ROW("*0x1\r\n", "!invalid multibulk length"),
    ROW("*\xef\xbc\x91\r\n", "!invalid multibulk length"),
    ROW("*1\n$4\nPING\n", "!invalid multibulk length"),
    ROW("*1\rX", "!invalid multibulk length"),
    ROW("*1\r\r\n", "!invalid multibulk length"),
    ROW("*1\0\r\n", "!invalid multibulk length"),
    ROW("*" DIGITS31, "..."), ROW("*" DIGITS31 "\r", "..."),
    ROW("*" DIGITS31 "\r\n", "!invalid multibulk length"),
    ROW("*" DIGITS31 "1", "!too big mbulk count string"),
    ROW("*" DIGITS31 "11\r\n", "!too big mbulk count string"),
    /* Lengths. */
    ROW("*2\r\n$1\r\na\r\n$60\r\n" A60 "\r\n", "[a|" A60 "]"),
    ROW("*2\r\n$1\r\na\r\n$120\r\n" A60 A60 "\r\n", "[a|" A60 A60 "]"),
    ROW("*2\r\n$1\r\na\r\n$119\r\n" A60 A60 "\r\n", "!expected CRLF after bulk"),
    ROW("*2\r\n$4\r\nECHO\r\n$121\r\n", "!invalid bulk length"),
    ROW("*1\r\n$060\r\n", "!invalid bulk length"),
    ROW("*1\r\n$03\r\nabc\r\n", "!invalid bulk length"),
    ROW("*1\r\n$10:\r\n" A60 A60, "!invalid bulk length"),
    ROW("*1\r\n$10:\r\n" A60 A50 "\r\n", "!invalid bulk length"),
    ROW("*1\r\n$6x\r\n", "!invalid bulk length"),
    ROW("*1\r\n$11x\r\n", "!invalid bulk length"),
    ROW("*1\r\n$111x\r\n", "!invalid bulk length"),
    ROW("*1\r\n$111\rx\n", "!invalid bulk length"),
    ROW("*1\r\n$11\rx\n", "!invalid bulk length"),
    ROW("*1\r\n$536870913\r\n", "!invalid bulk length"),
    ROW("*1\r\n$2000000000\r\n", "!invalid bulk length"),
    ROW("*1\r\n$9223372036854775807\r\n", "!invalid bulk length"),
    ROW("*1\r\n$99999999999999999999\r\n", "!invalid bulk length"),
    ROW("*1\r\n$-1\r\n", "!invalid bulk length"),
    ROW("*1\r\n$-10\r\n", "!invalid bulk length"),
    ROW("*1\r\n$blabla\r\n", "!invalid bulk length"),
    ROW("*1\r\n$03\r\n", "!invalid bulk length"),
    ROW("*1\r\n$+4\r\n", "!invalid bulk length"),
    ROW("*1\r\n$\r\n", "!invalid bulk length"),
    ROW("*1\r\n$4\nPING\r\n", "!invalid bulk length"),
    ROW("*1\r\n$4\rPING\r\n", "!invalid bulk length"),
    ROW("*1\r\n$" DIGITS31, "..."),
    ROW("*1\r\n$" DIGITS31 "1", "!too big bulk count string"),
    ROW("*1\r\nfoo\r\n", "!expected '$', got 'f'"),
    ROW("*1\r\n:4\r\n", "!expected '$', got ':'"),
    ROW("*1\r\n*1\r\n", "!expected '$', got '*'"),
    ROW("*1\r\n\r\n", "!expected '$', got ' '"),
    ROW("*1\r\n\n", "!expected '$', got ' '"),
    ROW("*1\r\n\x01", "!expected '$', got '?'"),
    ROW("*1\r\n\x7f", "!expected '$', got '?'"),
    ROW("*1\r\n\xff", "!expected '$', got '?'"),
    ROW("*1\r\n~", "!expected '$', got '~'"),
    ROW("*1\r\n\0", "!expected '$', got '?'"),
    /* What is behind an argument. */
    ROW("*1\r\n$4\r\nPINGXX", "!expected CRLF after bulk"),
    ROW("*1\r\n$4\r\nPING\n\r", "!expected CRLF after bulk"),
    ROW("*1\r\n$4\r\nPING\r\r", "!expected CRLF after bulk"),
    ROW("*1\r\n$4\r\nPINGPONG\r\n", "!expected CRLF after bulk"),
    ROW("*1\r\n$0\r\nPING\r\n", "!expected CRLF after bulk"),
    /* An error ends what came before it, not instead of it. */
    ROW("*1\r\n$4\r\nPING\r\n*x", "[PING]!invalid multibulk length"),
    ROW("PING\r\n\x80", "[PING]!unexpected byte"),
    /* First bytes. */
    ROW("\0", "!unexpected byte"), ROW("\x16\x03\x01", "!unexpected byte"),
    ROW("\x80", "!unexpected byte"), ROW("\xff\r\n", "!unexpected byte"),
    ROW("\x08\r\n", "!unexpected byte"), ROW("\x0e\r\n", "!unexpected byte"),
    ROW("\x1f\r\n", "!unexpected byte"),
    ROW("%1\r\n", "!unexpected byte"), ROW("~1\r\n", "!unexpected byte"),
    ROW("|1\r\n", "!unexpected byte"), ROW(">1\r\n", "!unexpected byte"),
    ROW("(1\r\n", "!unexpected byte"), ROW(",1\r\n", "!unexpected byte"),
    ROW("#t\r\n", "!unexpected byte"), ROW("=4\r\n", "!unexpected byte"),
    ROW("_\r\n", "!unexpected byte"), ROW("!1\r\n", "!unexpected byte"),
    ROW("$4\r\nPING\r\n", "[$4][PING]"), ROW("+OK\r\n", "[+OK]"),
    ROW("\v\fPING\r\n", "[PING]"),
    /* Inline commands. */
    ROW("PING\n", "[PING]"), ROW("PING\r\n", "[PING]"), ROW("PING", "..."),
    ROW("PING\r", "..."), ROW("   PING   \r\n", "[PING]"),
    ROW("PING\thello\r\n", "[PING|hello]"), ROW("a\rb\r\n", "[a|b]"),
    ROW("a\r\r\nb\n", "[a][b]"), ROW("a\vb \f c\n", "[a\vb|c]"),
    ROW("SET k \"a b\"\r\n", "[SET|k|a b]"), ROW("a \"\" ''\n", "[a||]"),
    ROW("x \"\\x41\\xfF\\n\\r\\t\\b\\a\\\"\\\\\"\n", "[x|A\xff\n\r\t\b\a\"\\]"),
    ROW("x \"\\xZZ\\x4\\q\\x\"\n", "[x|xZZx4qx]"),
    ROW("x \"'\" '\"' '\\'' '\\n\\\\x' \n", "[x|'|\"|'|\\n\\\\x]"),
    ROW("x foo\"bar\" a'b c'\n", "[x|foobar|ab c]"),
    ROW("x \"a\"\vb\n", "[x|a|b]"), ROW("x \"a\rb\"\r\n", "[x|a\rb]"),
    ROW("x a\\nb \\\" \n", "!unbalanced quotes in request"),
    ROW("x a\\nb\n", "[x|a\\nb]"),
    ROW("SET k \"a b\r\n", "!unbalanced quotes in request"),
    ROW("SET \"k\"x y\r\n", "!unbalanced quotes in request"),
    ROW("x 'a\r\n", "!unbalanced quotes in request"),
    ROW("x 'a'b\r\n", "!unbalanced quotes in request"),
    ROW("x \"\r\n", "!unbalanced quotes in request"),
    ROW("x \"a\\\r\n", "!unbalanced quotes in request"),
    ROW("x \"a\\\"\r\n", "!unbalanced quotes in request"),
    ROW("x '\\'\r\n", "!unbalanced quotes in request"),
    ROW("x \"a\"\"b\"\r\n", "!unbalanced quotes in request"),
    ROW("a b c d e f g h i j k l m n o p\n", "[a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p]"),
    ROW("a b c d e f g h i j k l m n o p q\n", "!invalid multibulk length"),
    ROW(A60 "\n", "[" A60 "]"), ROW(A60, "..."),
    ROW(A60 "a", "!too big inline request"),
    ROW(A60 "a\n", "!too big inline request"),
    ROW(A60 "\r\n", "!too big inline request"),
};

static const struct row anonymous_rows[] = {
    ROW("*2\r\n$3\r\nabc\r\n$0\r\n\r\n", "[abc|]"),
    ROW("*3\r\n", "!unauthenticated multibulk length"),
    ROW("*2147483647\r\n", "!unauthenticated multibulk length"),
    ROW("*2147483648\r\n", "!invalid multibulk length"),
    ROW("*1\r\n$4\r\n", "!unauthenticated bulk length"),
    ROW("*1\r\n$536870912\r\n", "!unauthenticated bulk length"),
    ROW("*1\r\n$536870913\r\n", "!invalid bulk length"),
    ROW("*1\r\n$-1\r\n", "!invalid bulk length"),
    ROW("abc abc\n", "[abc|abc]"),
    ROW("a b c\n", "!unauthenticated multibulk length"),
    ROW("abcd\n", "!unauthenticated bulk length"),
    ROW("\"\\x41\\x42\\x43\"\n", "[ABC]"),
};
// clang-format on

/* Feeds `stream` cut at the given places and compares what came of it. */
static void check_cut(struct driver driver, const struct row *row,
                      const char *said, const size_t *cuts, size_t count)
{
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        driver_feed(&driver, row->stream + from, cuts[i] - from);
        from = cuts[i];
    }
    driver_feed(&driver, row->stream + from, row->len - from);
    const char *got = driver_end(&driver);
    if (buf_len(&driver.said) != strlen(said) || strcmp(got, said) != 0)
        fail_msg("%s: got %s instead of %s (%zu cuts, first at %zu)",
                 row->stream, got, said, count, count ? cuts[0] : 0);
    buf_release(&driver.said);
}

static void check_all_cuts(struct driver driver, const struct row *row,
                           const char *said)
{
    size_t each[256];
    assert_in_range(row->len, 0, 256);
    check_cut(driver, row, said, NULL, 0);
    for (size_t i = 0; i <= row->len; i++)
        for (size_t j = i; j <= row->len; j++)
            check_cut(driver, row, said, (size_t[]){i, j}, 2);
    for (size_t i = 0; i < row->len; i++)
        each[i] = i;
    check_cut(driver, row, said, each, row->len);
}

static void check_rows(const struct row *table, size_t count,
                       const struct parse_limits *limits)
{
    for (size_t i = 0; i < count; i++) {
        check_all_cuts((struct driver){.limits = limits}, &table[i],
                       table[i].said);
        struct driver staying = {.limits = limits, .stay = table[i].len + 1};
        size_t half = table[i].len / 2;
        check_cut(staying, &table[i], table[i].said, &half, 1);
    }
}

static void every_cut_gives_the_same(void **state)
{
    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows, &usual);
}

/* Behind another request argv is there, and arguments take the short way. */
static void every_cut_gives_the_same_later_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf stream = {0}, said = {0};
        buf_addf(&stream, "*1\r\n$1\r\na\r\n");
        buf_add(&stream, rows[i].stream, rows[i].len);
        buf_addf(&said, "[a]");
        buf_add(&said, rows[i].said, strlen(rows[i].said) + 1);
        struct row later = {stream.data, buf_len(&stream), said.data};
        check_all_cuts((struct driver){.limits = &usual}, &later, later.said);
        buf_release(&stream);
        buf_release(&said);
    }
}

static void strangers_have_their_own_limits(void **state)
{
    (void)state;
    check_rows(anonymous_rows, sizeof anonymous_rows / sizeof *anonymous_rows,
               &anonymous);
}

static void kept_arguments_are_like_any_other(void **state)
{
    (void)state;
    for (size_t divert = 0; divert < 5; divert++) {
        struct parse_limits limits = usual;
        limits.divert = divert;
        check_rows(rows, sizeof rows / sizeof *rows, &limits);
    }
}

static void diverted_arguments_leave_the_input(void **state)
{
    (void)state;
    // clang-format off
    static const struct row diverted[] = {
        ROW("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\nPING\r\n", "[SET|k|<5>][PING]"),
        ROW("*4\r\n$3\r\nSET\r\n$5\r\n\r\n\r\n\r\r\n$1\r\nk\r\n$9\r\nvaluevalu\r\n", "[SET|<5>|k|<9>]"),
        ROW("*1\r\n$5\r\nhello\r\n", "[<5>]"),
        ROW("*1\r\n$4\r\nhell\r\n", "[hell]"),
        ROW("*2\r\n$1\r\nx\r\n$60\r\n" A60 "\r\n", "[x|<60>]"),
        ROW("*2\r\n$1\r\nx\r\n$121\r\n", "!invalid bulk length"),
        ROW("*2\r\n$1\r\nx\r\n$5\r\nhell", "..."),
        ROW("*2\r\n$1\r\nx\r\n$5\r\nhello", "..."),
        ROW("*2\r\n$1\r\nx\r\n$5\r\nhello\r", "..."),
        ROW("*2\r\n$1\r\nx\r\n$5\r\nhelloo\r\n", "!expected CRLF after bulk"),
        ROW("*2\r\n$1\r\nx\r\n$5\r\nhello\n\r", "!expected CRLF after bulk"),
    };
    // clang-format on
    struct parse_limits limits = usual;
    limits.divert = 4;
    struct driver driver = {.limits = &limits, .divert = true};
    for (size_t i = 0; i < sizeof diverted / sizeof *diverted; i++)
        check_all_cuts(driver, &diverted[i], diverted[i].said);
}

/* The request is 4 + 7 + 11 bytes: "*2\r\n$1\r\na\r\n$5\r\nhello\r\n". */
static void the_bytes_of_a_request_are_limited(void **state)
{
    (void)state;
    static const struct row fits =
        ROW("*2\r\n$1\r\na\r\n$5\r\nhello\r\n*2\r\n$1\r\na\r\n$5\r\nhello\r\n",
            "[a|hello][a|hello]");
    static const struct row too_big =
        ROW("*2\r\n$1\r\na\r\n$5\r\n", "!too big request");
    struct parse_limits limits = usual;
    for (size_t divert = 4; divert <= 5; divert++) {
        limits.divert = divert;
        limits.request = 22;
        check_all_cuts((struct driver){.limits = &limits}, &fits, fits.said);
        limits.request = 21;
        check_all_cuts((struct driver){.limits = &limits}, &too_big,
                       too_big.said);
        check_all_cuts((struct driver){.limits = &limits}, &fits, too_big.said);
    }
    /* What is diverted does not count, its header does. */
    limits.divert = 4;
    limits.request = 17;
    struct driver diverting = {.limits = &limits, .divert = true};
    check_all_cuts(diverting, &fits, "[a|<5>][a|<5>]");
    limits.request = 16;
    check_all_cuts(diverting, &fits, "!too big request");
    for (limits.request = 0; limits.request < 4; limits.request++)
        check_all_cuts(diverting, &too_big, too_big.said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_gives_the_same),
        cmocka_unit_test(every_cut_gives_the_same_later_on),
        cmocka_unit_test(strangers_have_their_own_limits),
        cmocka_unit_test(kept_arguments_are_like_any_other),
        cmocka_unit_test(diverted_arguments_leave_the_input),
        cmocka_unit_test(the_bytes_of_a_request_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
