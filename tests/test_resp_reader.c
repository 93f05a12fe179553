/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader that other tests trust: every type, every cut, and refusals. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/resp_reader.h"

#define STREAM                                                                 \
    "+OK\r\n-ERR no\r\n:-12\r\n$5\r\na\r\n\"b\r\n$-1\r\n*-1\r\n_\r\n"          \
    "*3\r\n:1\r\n*0\r\n$0\r\n\r\n#t\r\n#f\r\n,1.5\r\n,-inf\r\n"                \
    "%2\r\n+k\r\n:1\r\n$1\r\nl\r\n_\r\n~1\r\n:1\r\n>2\r\n+m\r\n:2\r\n"         \
    "=8\r\ntxt:a\tb\n\r\n(123\r\n!3\r\nbad\r\n"

static const char *const shown[] = {
    "+OK",
    "-ERR no",
    ":-12",
    "\"a\\r\\n\\\"b\"",
    "nil",
    "nil",
    "nil",
    "[:1 [] \"\"]",
    "true",
    "false",
    "1.5",
    "-inf",
    "{+k: :1, \"l\": nil}",
    "~[:1]",
    ">[+m :2]",
    "=\"a\\x09b\\n\"",
    "(123",
    "!\"bad\"",
};
enum { SHOWN = sizeof shown / sizeof *shown };

/* Reads what is there; returns how many replies were read before. */
static size_t take(struct resp_reader *reader, size_t count, char *raw,
                   size_t *raw_len)
{
    struct resp *reply;
    enum resp_result result;
    while ((result = resp_next(reader, &reply)) == RESP_READ) {
        assert_true(count < SHOWN);
        char *text = resp_show(reply);
        assert_string_equal(text, shown[count]);
        free(text);
        memcpy(raw + *raw_len, reply->raw, reply->raw_len);
        *raw_len += reply->raw_len;
        resp_free(reply);
        count++;
    }
    assert_int_equal(result, RESP_MORE);
    return count;
}

static void every_split_gives_the_same_replies(void **state)
{
    (void)state;
    const char stream[] = STREAM;
    size_t len = sizeof stream - 1;
    char raw[sizeof stream];
    for (size_t cut = 0; cut <= len; cut++) {
        struct resp_reader reader = {0};
        size_t raw_len = 0;
        resp_feed(&reader, stream, cut);
        size_t count = take(&reader, 0, raw, &raw_len);
        resp_feed(&reader, stream + cut, len - cut);
        count = take(&reader, count, raw, &raw_len);
        assert_int_equal(count, SHOWN);
        assert_int_equal(raw_len, len);
        assert_memory_equal(raw, stream, len);
        resp_release(&reader);
    }
}

static void byte_by_byte_too(void **state)
{
    (void)state;
    const char stream[] = STREAM;
    char raw[sizeof stream];
    size_t raw_len = 0, count = 0;
    struct resp_reader reader = {0};
    for (size_t i = 0; i < sizeof stream - 1; i++) {
        resp_feed(&reader, stream + i, 1);
        count = take(&reader, count, raw, &raw_len);
    }
    assert_int_equal(count, SHOWN);
    resp_release(&reader);
}

static void malformed_replies_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "?\r\n",
        "+a\nb\r\n",
        "+a\rb\r\n",
        "+a\n",
        ":\r\n",
        ":01\r\n",
        ":+1\r\n",
        ": 1\r\n",
        ":-0\r\n",
        ":1.0\r\n",
        ":99999999999999999999\r\n",
        "$-2\r\n",
        "$3\r\nabcd\r\n",
        "$3\r\nab\r\n\r\n",
        "*-2\r\n",
        "%-1\r\n",
        "_x\r\n",
        "#x\r\n",
        "#\r\n",
        ",\r\n",
        ",abc\r\n",
        ", 1\r\n",
        "=3\r\nabc\r\n",
        "=4\r\ntxt.\r\n",
        "*1\r\n?\r\n",
        "(\r\n",
        "|1\r\n+a\r\n+b\r\n",
        "*?\r\n",
        "$?\r\n",
        "\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct resp_reader reader = {0};
        struct resp *reply;
        resp_feed(&reader, bad[i], strlen(bad[i]));
        if (resp_next(&reader, &reply) != RESP_BROKEN)
            fail_msg("taken: %s", bad[i]);
        assert_null(reply);
        resp_feed(&reader, "+OK\r\n", 5);
        assert_int_equal(resp_next(&reader, &reply), RESP_BROKEN);
        resp_release(&reader);
    }
}

/* Arrays of one array, and so on; reads them if `levels` are few enough. */
static enum resp_result read_levels(int levels)
{
    struct resp_reader reader = {0};
    struct resp *reply;
    for (int i = 0; i < levels; i++)
        resp_feed(&reader, "*1\r\n", 4);
    resp_feed(&reader, ":7\r\n", 4);
    enum resp_result result = resp_next(&reader, &reply);
    resp_free(reply);
    resp_release(&reader);
    return result;
}

static void depth_is_limited(void **state)
{
    (void)state;
    assert_int_equal(read_levels(16), RESP_READ);
    assert_int_equal(read_levels(17), RESP_BROKEN);
    assert_int_equal(read_levels(100000), RESP_BROKEN);
}

static void trees_can_be_asked(void **state)
{
    (void)state;
    struct resp_reader reader = {0};
    struct resp *reply;
    const char map[] = "%2\r\n+a\r\n:1\r\n$1\r\nb\r\n,2.5\r\n";
    resp_feed(&reader, map, sizeof map - 1);
    assert_int_equal(resp_next(&reader, &reply), RESP_READ);
    assert_int_equal(resp_find(reply, "a")->integer, 1);
    assert_true(resp_find(reply, "b")->number == 2.5);
    assert_null(resp_find(reply, "c"));
    assert_true(resp_is(&reply->items[2], '$', "b"));
    assert_false(resp_is(&reply->items[2], '+', "b"));
    assert_false(resp_is(&reply->items[2], '$', "bb"));
    assert_int_equal(strlen(reply->items[2].text), 1);
    resp_free(reply);
    resp_release(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_gives_the_same_replies),
        cmocka_unit_test(byte_by_byte_too),
        cmocka_unit_test(malformed_replies_are_refused),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(trees_can_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
