/* SPDX-License-Identifier: BSD-3-Clause */
/* Batches: when one is full, and who looks ahead when. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the above first
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/batch.h"
#include "server/server.h"
#include "tests/cache_kit.h"

/* Who is so far behind took no step. */
enum { FAR = BATCH_BURST * CACHE_AHEAD_STEPS };

static const struct parse_limits wide = {
    .args = 1024, .bulk = 4096, .request = 4096, .divert = 4096};

struct world {
    struct server *server;
    struct batch *batch;
};

static struct world world_new(void)
{
    struct world world = {calloc(1, sizeof *world.server), batch_new()};
    assert_non_null(world.server);
    assert_non_null(world.batch);
    world.server->cache = kit_cache(64 * KIT_MB);
    return world;
}

static void world_free(struct world world)
{
    cache_free(world.server->cache);
    free(world.server);
    batch_free(world.batch);
}

/* A request of another client: a name, the key of a number, more arguments. */
static size_t add(struct world world, unsigned number, unsigned args)
{
    static char in[SKIM_REQUESTS + 1][4096]; /* arguments point into it */
    char *at = in[number % (SKIM_REQUESTS + 1)];
    size_t len = (size_t)sprintf(at, "*%u\r\n$3\r\nGET\r\n$4\r\n", args);
    memcpy(at + len, &number, 4);
    len += 4;
    for (; args > 2; args--)
        len += (size_t)sprintf(at + len, "\r\n$1\r\nx");
    memcpy(at + len, "\r\n", 2);
    return batch_add(world.batch, 0, at, len + 2, &wide);
}

/* Who comes next would find room in an empty one. */
static void one_that_has_no_room_is_full(void **state)
{
    (void)state;
    struct world world = world_new();
    for (unsigned args = 2; args <= BATCH_ARGS; args++) {
        unsigned added = 0;
        batch_clear(world.batch);
        for (; !batch_is_full(world.batch); added++)
            assert_int_equal(add(world, added, args), 1);
        assert_true(added > (SKIM_ARGS - BATCH_ARGS) / BATCH_ARGS);
        assert_int_equal(world.batch->skim.count, added);
    }
    world_free(world);
}

/* A burst at a time; the requests need not be run one by one. */
static void steps_are_taken_just_in_time(void **state)
{
    (void)state;
    struct world world = world_new();
    struct batch *batch = world.batch;
    for (unsigned i = 0; i < SKIM_REQUESTS; i++) {
        assert_true(kit_put_len(world.server->cache, 0, i, 10));
        assert_int_equal(add(world, i, 2), 1);
    }
    batch_hash(batch, world.server);
    struct cache_ahead before[SKIM_REQUESTS];
    memcpy(before, batch->ahead, sizeof before);
    for (; batch->at < batch->skim.count; batch->at++) {
        size_t far = batch->at - batch->at % BATCH_BURST + FAR;
        batch_look_ahead(batch, world.server);
        assert_int_equal(batch->ahead[batch->at].next, 0);
        if (far < batch->skim.count)
            assert_memory_equal(&batch->ahead[far], &before[far],
                                sizeof *before);
    }
    /* Anew, with jumps: to each, and from each. */
    for (size_t from = 0; from < SKIM_REQUESTS; from++)
        for (size_t to = from; to < SKIM_REQUESTS; to++) {
            batch_clear(batch);
            for (unsigned i = 0; i < SKIM_REQUESTS; i++)
                add(world, i, 2);
            batch_hash(batch, world.server);
            batch->at = from;
            batch_look_ahead(batch, world.server);
            batch->at = to;
            batch_look_ahead(batch, world.server);
            assert_int_equal(batch->ahead[from].next, 0);
        }
    world_free(world);
}

/* Of clients in other databases, with keys of other lengths, or without. */
static void each_is_hashed_as_its_own(void **state)
{
    static const char *const in[] = {
        "*2\r\n$3\r\nGET\r\n$3\r\nabc\r\n",
        "*2\r\n$3\r\nGET\r\n$4\r\nabcd\r\n",
        "*1\r\n$4\r\nPING\r\n",
        "*2\r\n$3\r\nGET\r\n$3\r\nabc\r\n",
        "*3\r\n$4\r\nMGET\r\n$1\r\na\r\n$1\r\nb\r\n",
        "*2\r\n$3\r\nGET\r\n$9\r\nabcdefghi\r\n",
        "*2\r\n$3\r\nGET\r\n$0\r\n\r\n",
        "*3\r\n$3\r\nSET\r\n$5\r\nabcde\r\n$1\r\nx\r\n",
        "*2\r\n$7\r\nUNKNOWN\r\n$5\r\nabcde\r\n",
        "*2\r\n$3\r\nGET\r\n$2\r\nab\r\n",
    };
    static const char *const keys[] = {
        "abc", "abcd", NULL, "abc", NULL, "abcdefghi", "", "abcde", NULL, "ab"};
    enum { COUNT = sizeof in / sizeof *in };
    (void)state;
    struct world world = world_new();
    const struct cache *cache = world.server->cache;
    for (unsigned i = 0; i < 100; i++)
        assert_true(kit_put_len(world.server->cache, 0, i, 10));
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(
            batch_add(world.batch, i % 3, in[i], strlen(in[i]), &wide), 1);
    batch_hash(world.batch, world.server);
    for (unsigned i = 0; i < COUNT; i++) {
        const struct batch_request *request = &world.batch->requests[i];
        struct cache_ahead *ahead = &world.batch->ahead[i], none = {0};
        if (!keys[i]) {
            assert_null(request->key.ptr);
            assert_memory_equal(ahead, &none, sizeof none);
            continue;
        }
        struct cache_key key = cache_key_of(cache, keys[i], strlen(keys[i]));
        struct cache_ahead own = cache_ahead(cache, i % 3, &key);
        assert_true(request->key.hash == key.hash);
        assert_int_equal(ahead->at, own.at);
        assert_int_equal(ahead->shard, own.shard);
        assert_int_equal(ahead->tag, own.tag);
    }
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_has_no_room_is_full),
        cmocka_unit_test(steps_are_taken_just_in_time),
        cmocka_unit_test(each_is_hashed_as_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
