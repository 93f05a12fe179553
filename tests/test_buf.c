/* SPDX-License-Identifier: BSD-3-Clause */
/* Growable bytes: order, limits, and what stays after a failure. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/buf.h"

/* The sanitizers report it when an allocation fails. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

static void assert_holds(const struct buf *buf, const char *text)
{
    assert_int_equal(buf_len(buf), strlen(text));
    assert_memory_equal(buf->data + buf->start, text, strlen(text));
}

static void filled_at_the_end_drained_at_the_front(void **state)
{
    (void)state;
    struct buf buf = {0};
    buf_add(&buf, "hello", 5);
    buf_add(&buf, "", 0);
    buf_add_text(&buf, " world");
    buf_addf(&buf, " %d", 42);
    assert_holds(&buf, "hello world 42");
    buf_drain(&buf, 6);
    assert_holds(&buf, "world 42");
    buf_truncate(&buf, 5);
    assert_holds(&buf, "world");
    char *room = buf_room(&buf, 3);
    memcpy(room, "!!?", 3);
    buf_commit(&buf, 2);
    assert_holds(&buf, "world!!");
    buf_drain(&buf, 7);
    assert_int_equal(buf.start, 0);
    buf_release(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.cap, 0);
}

static void long_formatted_text_is_whole(void **state)
{
    (void)state;
    struct buf buf = {0};
    for (int width = 250; width < 260; width++) {
        buf_addf(&buf, "%0*d|", width, 7);
        assert_int_equal(buf_len(&buf), width + 1);
        assert_memory_equal(buf.data + width - 2, "07|", 3);
        buf_truncate(&buf, 0);
    }
    buf_release(&buf);
}

/* A queue of a few bytes, through which many pass, does not grow. */
static void draining_makes_room(void **state)
{
    (void)state;
    struct buf buf = {0};
    unsigned char in = 0, out = 0;
    for (int round = 0; round < 10000; round++) {
        for (int i = 0; i < 37; i++) {
            char c = (char)in++;
            buf_add(&buf, &c, 1);
        }
        for (size_t left = 20; buf_len(&buf) > left;) {
            assert_int_equal((unsigned char)buf.data[buf.start], out++);
            buf_drain(&buf, 1);
        }
    }
    assert_in_range(buf.cap, 57, 256);
    buf_release(&buf);
}

/* Much is held and little was drained: what is held goes to larger memory. */
static void growing_leaves_behind_what_was_drained(void **state)
{
    (void)state;
    struct buf buf = {0};
    char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    for (size_t drained = 1; drained < 100; drained++) {
        buf_add(&buf, bytes, 128);
        buf_drain(&buf, drained);
        buf_add(&buf, bytes + 128, 128);
        assert_int_equal(buf_len(&buf), 256 - drained);
        assert_memory_equal(buf.data + buf.start, bytes + drained,
                            256 - drained);
        assert_int_equal(buf.cap, 256);
        buf_release(&buf);
    }
    /* Even if it would just fit: moving that much again and again costs. */
    buf_add(&buf, bytes, 128);
    buf_drain(&buf, 1);
    buf_add(&buf, bytes, 1);
    assert_int_equal(buf.cap, 256);
    buf_release(&buf);
}

static void growing_doubles(void **state)
{
    (void)state;
    struct buf buf = {0};
    size_t caps = 0, cap = 0;
    for (int i = 0; i < 1 << 20; i++) {
        buf_add(&buf, "x", 1);
        caps += buf.cap != cap;
        cap = buf.cap;
    }
    assert_in_range(caps, 1, 21);
    assert_in_range(cap, 1 << 20, 2 << 20);
    buf_release(&buf);
}

static void max_is_exact_and_failing_is_sticky(void **state)
{
    (void)state;
    char bytes[1000];
    memset(bytes, 'x', sizeof bytes);
    for (size_t max = 1; max < sizeof bytes; max += 37) {
        struct buf buf = {.max = max};
        buf_add(&buf, bytes, max - 1);
        buf_add(&buf, bytes, 1);
        assert_false(buf.failed);
        assert_int_equal(buf_len(&buf), max);
        assert_int_equal(buf.cap, max);
        buf_add(&buf, bytes, 0);
        assert_false(buf.failed);
        buf_add(&buf, bytes, 1);
        assert_true(buf.failed);
        assert_int_equal(buf_len(&buf), max);

        /* Not even what would fit: there must be no hole. */
        buf_drain(&buf, max);
        buf_add(&buf, bytes, 1);
        buf_addf(&buf, "%d", 1);
        assert_null(buf_room(&buf, 1));
        assert_int_equal(buf_len(&buf), 0);
        buf_release(&buf);
        assert_true(buf.failed);
        assert_int_equal(buf.max, max);
        buf.failed = false;
        buf_add(&buf, bytes, max);
        assert_int_equal(buf_len(&buf), max);
        buf_release(&buf);
    }
}

static void what_does_not_fit_is_dropped_whole(void **state)
{
    (void)state;
    struct buf buf = {.max = 100};
    char bytes[101] = {0};
    buf_add(&buf, "abc", 3);
    buf_add(&buf, bytes, 98);
    assert_true(buf.failed);
    assert_holds(&buf, "abc");
    buf.failed = false;
    buf_addf(&buf, "%0400d", 1);
    assert_true(buf.failed);
    assert_holds(&buf, "abc");
    buf_release(&buf);
}

/* At max, bytes that were drained make room even when that means moving. */
static void at_max_drained_bytes_are_room(void **state)
{
    (void)state;
    struct buf buf = {.max = 100};
    char bytes[100];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    buf_add(&buf, bytes, 100);
    buf_drain(&buf, 10);
    buf_add(&buf, bytes, 10);
    assert_false(buf.failed);
    assert_int_equal(buf_len(&buf), 100);
    assert_memory_equal(buf.data + buf.start, bytes + 10, 90);
    assert_memory_equal(buf.data + buf.start + 90, bytes, 10);
    buf_release(&buf);
}

static void no_memory_is_a_failure(void **state)
{
    (void)state;
    struct buf buf = {0};
    buf_add(&buf, "abc", 3);
    assert_null(buf_room(&buf, SIZE_MAX / 2 + 1));
    assert_true(buf.failed);
    buf.failed = false;
    assert_null(buf_room(&buf, SIZE_MAX));
    assert_true(buf.failed);
#ifndef SANITIZED
    /* Half of the addresses that exist: no allocator has these. */
    buf.failed = false;
    assert_null(buf_room(&buf, SIZE_MAX / 2 - 100));
    assert_true(buf.failed);
#endif
    assert_holds(&buf, "abc");
    buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filled_at_the_end_drained_at_the_front),
        cmocka_unit_test(long_formatted_text_is_whole),
        cmocka_unit_test(draining_makes_room),
        cmocka_unit_test(growing_leaves_behind_what_was_drained),
        cmocka_unit_test(growing_doubles),
        cmocka_unit_test(max_is_exact_and_failing_is_sticky),
        cmocka_unit_test(what_does_not_fit_is_dropped_whole),
        cmocka_unit_test(at_max_drained_bytes_are_room),
        cmocka_unit_test(no_memory_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
