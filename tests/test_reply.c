/* SPDX-License-Identifier: BSD-3-Clause */
/* Replies, byte for byte, in both protocols. */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/reply.h"

/* What the writer call wrote, in protocol 2 and in 3. */
#define SAYS(call, resp2, resp3)                                               \
    do {                                                                       \
        struct buf out = {0};                                                  \
        struct reply two = {&out, 2}, three = {&out, 3}, *r = &two;            \
        call;                                                                  \
        check(&out, resp2, sizeof(resp2) - 1, #call);                          \
        r = &three;                                                            \
        call;                                                                  \
        check(&out, resp3, sizeof(resp3) - 1, #call);                          \
        buf_release(&out);                                                     \
    } while (0)
#define SAYS_BOTH(call, bytes) SAYS(call, bytes, bytes)

static void check(struct buf *out, const char *bytes, size_t len,
                  const char *call)
{
    if (buf_len(out) != len || memcmp(out->data + out->start, bytes, len) != 0)
        fail_msg("%s wrote %.*s instead of %s", call, (int)buf_len(out),
                 out->data + out->start, bytes);
    buf_drain(out, len);
}

static void simple_replies(void **state)
{
    (void)state;
    SAYS_BOTH(reply_status(r, "PONG"), "+PONG\r\n");
    SAYS_BOTH(reply_status(r, ""), "+\r\n");
    SAYS_BOTH(reply_ok(r), "+OK\r\n");
    SAYS(reply_null(r), "$-1\r\n", "_\r\n");
    SAYS(reply_null_array(r), "*-1\r\n", "_\r\n");
    SAYS(reply_bool(r, true), ":1\r\n", "#t\r\n");
    SAYS(reply_bool(r, false), ":0\r\n", "#f\r\n");
}

static void errors_are_one_line(void **state)
{
    (void)state;
    SAYS_BOTH(reply_error(r, "ERR syntax error"), "-ERR syntax error\r\n");
    SAYS_BOTH(reply_error(r, "ERR a\r\nb\nc\rd"), "-ERR a  b c d\r\n");
    SAYS_BOTH(reply_error(r, "\n\r"), "-  \r\n");
    SAYS_BOTH(reply_errorf(r, "ERR no '%s', %d", "x\r\n+OK", 7),
              "-ERR no 'x  +OK', 7\r\n");
    /* What stands before it is left alone. */
    struct buf out = {0};
    struct reply r = {&out, 2};
    reply_ok(&r);
    reply_errorf(&r, "ERR %0300d", 1);
    assert_int_equal(buf_len(&out), 5 + 1 + 4 + 300 + 2);
    assert_memory_equal(out.data, "+OK\r\n-ERR 000", 13);
    assert_memory_equal(out.data + 5 + 1 + 4 + 298, "01\r\n", 4);
    buf_release(&out);
}

static void integers(void **state)
{
    (void)state;
    SAYS_BOTH(reply_int(r, 0), ":0\r\n");
    SAYS_BOTH(reply_int(r, 9), ":9\r\n");
    SAYS_BOTH(reply_int(r, -1), ":-1\r\n");
    SAYS_BOTH(reply_int(r, INT64_MAX), ":9223372036854775807\r\n");
    SAYS_BOTH(reply_int(r, INT64_MIN), ":-9223372036854775808\r\n");
    SAYS_BOTH(reply_bulk_int(r, 0), "$1\r\n0\r\n");
    SAYS_BOTH(reply_bulk_int(r, -120), "$4\r\n-120\r\n");
    SAYS_BOTH(reply_bulk_int(r, INT64_MIN), "$20\r\n-9223372036854775808\r\n");

    int64_t value = 1;
    for (int digits = 1; digits <= 18; digits++, value *= 10) {
        for (int64_t v = value - 2; v <= value + 2; v++) {
            struct buf out = {0};
            struct reply r = {&out, 2};
            char line[32];
            int len = snprintf(line, sizeof line, ":%lld\r\n", (long long)v);
            reply_int(&r, v);
            check(&out, line, (size_t)len, "reply_int");
            buf_release(&out);
        }
    }
}

static void bulks(void **state)
{
    (void)state;
    SAYS_BOTH(reply_bulk(r, "a\r\nb\0c", 6), "$6\r\na\r\nb\0c\r\n");
    SAYS_BOTH(reply_bulk(r, NULL, 0), "$0\r\n\r\n");
    SAYS_BOTH(reply_bulk_text(r, "hello"), "$5\r\nhello\r\n");
    SAYS_BOTH(reply_bulk_begin(r, 536870912), "$536870912\r\n");
    SAYS(reply_verbatim(r, "a\nb", 3), "$3\r\na\nb\r\n", "=7\r\ntxt:a\nb\r\n");
    SAYS(reply_verbatim(r, "", 0), "$0\r\n\r\n", "=4\r\ntxt:\r\n");
}

static void aggregates(void **state)
{
    (void)state;
    SAYS_BOTH(reply_array(r, 0), "*0\r\n");
    SAYS_BOTH(reply_array(r, 1234567), "*1234567\r\n");
    SAYS(reply_map(r, 7), "*14\r\n", "%7\r\n");
    SAYS(reply_set(r, 10), "*10\r\n", "~10\r\n");
    SAYS(reply_push(r, 3), "*3\r\n", ">3\r\n");
}

static void doubles(void **state)
{
    (void)state;
    SAYS(reply_double(r, 0), "$1\r\n0\r\n", ",0\r\n");
    SAYS(reply_double(r, 1.5), "$3\r\n1.5\r\n", ",1.5\r\n");
    SAYS(reply_double(r, -3), "$2\r\n-3\r\n", ",-3\r\n");
    SAYS(reply_double(r, 0.1), "$19\r\n0.10000000000000001\r\n",
         ",0.10000000000000001\r\n");
    SAYS(reply_double(r, 1e16), "$17\r\n10000000000000000\r\n",
         ",10000000000000000\r\n");
    SAYS(reply_double(r, 1e17), "$5\r\n1e+17\r\n", ",1e+17\r\n");
    SAYS(reply_double(r, 1e-5), "$22\r\n1.0000000000000001e-05\r\n",
         ",1.0000000000000001e-05\r\n");
    SAYS(reply_double(r, -5e-324), "$24\r\n-4.9406564584124654e-324\r\n",
         ",-4.9406564584124654e-324\r\n");
    SAYS(reply_double(r, INFINITY), "$3\r\ninf\r\n", ",inf\r\n");
    SAYS(reply_double(r, -INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n");
    SAYS(reply_double(r, NAN), "$3\r\nnan\r\n", ",nan\r\n");
    SAYS(reply_double(r, -NAN), "$3\r\nnan\r\n", ",nan\r\n");
}

/* A reply of n bytes needs room for n bytes and not one more. */
static void a_full_buffer_gets_no_part_of_a_reply(void **state)
{
    (void)state;
    for (size_t max = 1; max < 12; max++) {
        struct buf out = {.max = max};
        struct reply r = {&out, 3};
        reply_bulk(&r, "hello", 5); /* 11 bytes */
        assert_int_equal(out.failed, max < 11);
        buf_release(&out);
        out.failed = false;
        reply_verbatim(&r, "", 0); /* 10 bytes */
        assert_int_equal(out.failed, max < 10);
        buf_release(&out);
        out.failed = false;
        reply_int(&r, -12345678); /* 12 bytes */
        assert_true(out.failed);
        assert_int_equal(buf_len(&out), 0);
        buf_release(&out);
        out.failed = false;
        reply_error(&r, "12345678"); /* 11 bytes */
        assert_int_equal(out.failed, max < 11);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_replies),
        cmocka_unit_test(errors_are_one_line),
        cmocka_unit_test(integers),
        cmocka_unit_test(bulks),
        cmocka_unit_test(aggregates),
        cmocka_unit_test(doubles),
        cmocka_unit_test(a_full_buffer_gets_no_part_of_a_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
