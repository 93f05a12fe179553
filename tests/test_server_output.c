/* SPDX-License-Identifier: BSD-3-Clause */
/* The output queue against a socket that takes what it likes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/output.h"
#include "server/platform.h"
#include "tests/cache_kit.h"
#include "tests/rng.h"

enum { LONG = 200000, SENT_MAX = 4 << 20 };

/* A socket: takes up to `takes` bytes a call, and every `fails`th call answers
 * with one of the errors in turn. */
struct wire {
    struct platform platform;
    struct cache *cache;
    size_t takes;
    unsigned fails, calls;
    bool dead;
    char *sent;
    size_t len;
};

static bool failing(struct wire *wire)
{
    wire->calls++;
    if (wire->dead)
        errno = ECONNRESET;
    else if (wire->fails && wire->calls % wire->fails == 0)
        errno = wire->calls / wire->fails % 2 ? EINTR : EAGAIN;
    else
        return false;
    return true;
}

static ssize_t wire_writev(void *ctx, int fd, const struct iovec *iov,
                           int count)
{
    struct wire *wire = ctx;
    size_t left = wire->takes, before = wire->len;
    (void)fd;
    if (failing(wire))
        return -1;
    for (int i = 0; i < count && left > 0; i++) {
        size_t part = iov[i].iov_len < left ? iov[i].iov_len : left;
        assert_true(wire->len + part <= SENT_MAX);
        memcpy(wire->sent + wire->len, iov[i].iov_base, part);
        wire->len += part;
        left -= part;
    }
    return (ssize_t)(wire->len - before);
}

static ssize_t wire_write(void *ctx, int fd, const void *from, size_t len)
{
    const struct iovec iov = {(void *)from, len};
    return wire_writev(ctx, fd, &iov, 1);
}

static int set_up(void **state)
{
    static const struct cache_options options = {.shards = 1};
    struct wire *wire = calloc(1, sizeof *wire);
    assert_non_null(wire);
    wire->platform = (struct platform){
        .ctx = wire, .write = wire_write, .writev = wire_writev};
    wire->cache = cache_new(&options);
    assert_non_null(wire->cache);
    cache_set_limit(wire->cache, 16 << 20);
    wire->sent = malloc(SENT_MAX);
    assert_non_null(wire->sent);
    wire->takes = SIZE_MAX;
    *state = wire;
    return 0;
}

static int tear_down(void **state)
{
    struct wire *wire = *state;
    cache_check(wire->cache);
    cache_free(wire->cache);
    free(wire->sent);
    free(wire);
    return 0;
}

static char byte_at(size_t i)
{
    return (char)(i * 7 + i / 251);
}

static void store_long(struct wire *wire, const struct cache_key *key)
{
    struct cache_blob *blob = cache_blob_new(wire->cache, LONG);
    size_t room, at = 0;
    assert_non_null(blob);
    while (at < LONG) {
        char *to = cache_blob_room(blob, 1, &room);
        assert_non_null(to);
        for (size_t i = 0; i < room; i++)
            to[i] = byte_at(at + i);
        cache_blob_advance(blob, room);
        at += room;
    }
    struct cache_write write = {.blob = blob, .len = LONG};
    assert_true(kit_store(wire->cache, 0, key, 1, &write));
}

/* Replies with the long value: its pieces pinned, its tail copied. */
static void reply_long(struct wire *wire, struct output *output)
{
    struct cache_key key = cache_key_of(wire->cache, "long", 4);
    struct cache_view view;
    struct cache_tx tx;
    output_ready(output);
    cache_begin(&tx, wire->cache, 1, &key, 1);
    if (!cache_find(&tx, 0, &key, 0, &view)) {
        cache_end(&tx);
        store_long(wire, &key);
        cache_begin(&tx, wire->cache, 1, &key, 1);
        assert_true(cache_find(&tx, 0, &key, 0, &view));
    }
    assert_true(cache_view_is_long(&view));
    output_pin(output, cache_view_pin(&view));
    buf_add(&output->tail, view.bytes, view.bytes_len);
    cache_end(&tx);
}

static void drop_long(struct wire *wire)
{
    struct cache_key key = cache_key_of(wire->cache, "long", 4);
    struct cache_tx tx;
    cache_begin(&tx, wire->cache, 1, &key, 1);
    cache_remove(&tx, 0, &key);
    cache_end(&tx);
}

/* Sends until nothing is left, however often the socket is full. */
static void send_all(struct wire *wire, struct output *output)
{
    size_t sent = 0, calls = 0, before = wire->len;
    enum output_result result;
    do
        result =
            output_write(output, &wire->platform, 3, SIZE_MAX, &sent, &calls);
    while (result == OUTPUT_BLOCKED);
    assert_int_equal(result, OUTPUT_SENT);
    assert_int_equal(sent, wire->len - before);
    assert_int_equal(output_len(output), 0);
    assert_int_equal(output->pinned, 0);
    assert_true(output_empty(output));
}

static void expect_long(const char *at)
{
    for (size_t i = 0; i < LONG; i++)
        assert_int_equal(at[i], byte_at(i));
}

static void bytes_and_pins_keep_their_order(void **state)
{
    static const size_t takes[] = {SIZE_MAX, 1, 7, 1000, 65536};
    static const size_t befores[] = {0, 5, 4096, 4097, 100000};
    struct wire *wire = *state;
    static char filler[100000];
    memset(filler, 'f', sizeof filler);
    for (size_t i = 0; i < 5; i++) {
        for (unsigned fails = 0; fails < 4; fails++) {
            struct output output = {0};
            size_t before = befores[(i + fails) % 5];
            wire->takes = takes[i];
            wire->fails = fails == 1 ? 0 : fails;
            if (wire->takes == 1 && wire->fails == 2)
                continue; /* slow, and covered by 3 */
            wire->len = 0;
            buf_add(&output.tail, filler, before);
            reply_long(wire, &output);
            buf_add_text(&output.tail, "between");
            reply_long(wire, &output);
            buf_add_text(&output.tail, "after");
            assert_int_equal(output_len(&output), before + 2 * LONG + 12);
            send_all(wire, &output);
            assert_int_equal(wire->len, before + 2 * LONG + 12);
            assert_memory_equal(wire->sent, filler, before);
            expect_long(wire->sent + before);
            assert_memory_equal(wire->sent + before + LONG, "between", 7);
            expect_long(wire->sent + before + LONG + 7);
            assert_memory_equal(wire->sent + before + 2 * LONG + 7, "after", 5);
            output_release(&output);
        }
    }
}

static void a_value_that_is_gone_is_still_sent(void **state)
{
    struct wire *wire = *state;
    struct output output = {0};
    size_t sent = 0, calls = 0;
    reply_long(wire, &output);
    wire->takes = 1000;
    assert_int_equal(
        output_write(&output, &wire->platform, 3, 5000, &sent, &calls),
        OUTPUT_MORE);
    assert_int_equal(sent, 5000);
    assert_int_equal(calls, 5);
    drop_long(wire);
    send_all(wire, &output);
    assert_int_equal(wire->len, LONG);
    expect_long(wire->sent);
    output_release(&output);
}

static void a_dead_peer_is_noticed_and_pins_are_freed(void **state)
{
    struct wire *wire = *state;
    struct output output = {0};
    size_t sent = 0, calls = 0;
    reply_long(wire, &output);
    reply_long(wire, &output);
    wire->dead = true;
    assert_int_equal(
        output_write(&output, &wire->platform, 3, SIZE_MAX, &sent, &calls),
        OUTPUT_DEAD);
    drop_long(wire);
    output_release(&output);
    assert_int_equal(output_len(&output), 0);
    assert_int_equal(output_held(&output), 0);
}

/* What was replied after a mark can be taken back, whatever it was. */
static void a_rewind_leaves_what_was_there(void **state)
{
    struct wire *wire = *state;
    struct rng rng = {test_seed()};
    for (int round = 0; round < 200; round++) {
        struct output output = {0};
        size_t pins = 0, len;
        wire->len = 0;
        for (int i = 0; i < 3; i++) {
            if (rng_below(&rng, 2) == 0)
                buf_add_text(&output.tail, "kept");
            if (rng_below(&rng, 4) == 0) {
                reply_long(wire, &output);
                pins++;
            }
        }
        len = output_len(&output);
        size_t pinned = output.pinned;
        struct output_mark mark = output_mark(&output);
        for (int i = 0; i < 3; i++) {
            if (rng_below(&rng, 2) == 0)
                buf_add_text(&output.tail, "dropped");
            if (rng_below(&rng, 4) == 0)
                reply_long(wire, &output);
        }
        output_rewind(&output, mark);
        assert_int_equal(output_len(&output), len);
        assert_int_equal(output.pinned, pinned);
        buf_add_text(&output.tail, "end");
        send_all(wire, &output);
        assert_int_equal(wire->len, len + 3);
        assert_null(memmem(wire->sent, wire->len, "dropped", 7));
        assert_memory_equal(wire->sent + wire->len - 3, "end", 3);
        output_release(&output);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(bytes_and_pins_keep_their_order),
        TEST(a_value_that_is_gone_is_still_sent),
        TEST(a_dead_peer_is_noticed_and_pins_are_freed),
        TEST(a_rewind_leaves_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
