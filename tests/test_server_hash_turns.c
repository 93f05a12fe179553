/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands on long hashes: a slice a turn, whatever happens in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "server/hash.h"
#include "tests/rng.h"
#include "tests/server_kit.h"

enum { LONG = 1 << 20, SLICE = 256 * 1024 };

static void set_one(struct server_kit *kit, const char *name, const char *bytes,
                    size_t len)
{
    const struct arg argv[] = {
        {"hset", 4}, {"key", 3}, {name, strlen(name)}, {bytes, len}};
    struct buf out = {0};
    struct call call = server_kit_call(kit, argv, 4, &out);
    server_kit_run(&call);
    buf_release(&out);
}

static void assert_field(const struct server_kit *kit, const char *name,
                         const char *bytes, size_t len)
{
    struct packed_field field;
    size_t all_len;
    char *all = server_kit_value(kit, server_kit_key(kit, "key"), &all_len);
    struct packed packed = packed_of(all, all_len);
    assert_true(packed_valid(&packed));
    assert_true(packed_find(&packed, name, strlen(name), &field));
    assert_int_equal(field.value_len, len);
    assert_memory_equal(all + field.value, bytes, len);
    free(all);
}

static void a_change_meanwhile_is_not_lost(void **state)
{
    (void)state;
    char *bytes = rng_bytes(LONG);
    for (unsigned turns = 1; turns <= LONG / SLICE; turns++) {
        const struct arg argv[] = {{"hset", 4}, {"key", 3}, {"a", 1}, {"1", 1}};
        struct server_kit kit;
        struct buf out = {0};
        server_kit_init(&kit);
        set_one(&kit, "data", bytes, LONG);
        struct call call = server_kit_call(&kit, argv, 4, &out);
        for (unsigned i = 0; i < turns; i++)
            assert_int_equal(call.command->run(&call), COMMAND_AGAIN);
        assert_in_range(command_owned(&call), LONG / 2, 3 * LONG);
        set_one(&kit, "b", "2", 1);
        server_kit_run(&call);
        assert_field(&kit, "data", bytes, LONG);
        assert_field(&kit, "a", "1", 1);
        assert_field(&kit, "b", "2", 1);
        buf_release(&out);
        server_kit_release(&kit);
    }
    free(bytes);
}

static void a_client_that_goes_leaves_nothing(void **state)
{
    (void)state;
    char *bytes = rng_bytes(LONG);
    const struct arg argv[] = {
        {"hset", 4}, {"key", 3}, {"data", 4}, {bytes, LONG}};
    struct server_kit kit;
    struct cache_stats before, after;
    struct buf out = {0};
    server_kit_init(&kit);
    set_one(&kit, "data", bytes, LONG);
    cache_stats(kit.server->cache, SERVER_KIT_NOW_MS, &before);
    set_one(&kit, "data", bytes, LONG);
    struct call call = server_kit_call(&kit, argv, 4, &out);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(call.command->run(&call), COMMAND_AGAIN);
    cache_stats(kit.server->cache, SERVER_KIT_NOW_MS, &after);
    assert_true(after.live_bytes > before.live_bytes);
    command_drop(&call);
    assert_int_equal(call.owned_bytes, 0);
    cache_stats(kit.server->cache, SERVER_KIT_NOW_MS, &after);
    assert_int_equal(after.live_bytes, before.live_bytes);
    assert_field(&kit, "data", bytes, LONG);
    buf_release(&out);
    server_kit_release(&kit);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_meanwhile_is_not_lost),
        cmocka_unit_test(a_client_that_goes_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
