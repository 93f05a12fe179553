/* SPDX-License-Identifier: BSD-3-Clause */
/* Watched keys of two databases that change places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "server/server.h"
#include "server/watch.h"
#include "tests/cache_kit.h"

enum { NOW_MS = 1000, OWN = 0, OTHER = 1, WATCHERS = 100 };

static struct server *server_of_test(void)
{
    struct cache_options options = {.shards = 4, .address_bytes = 256 << 20};
    struct server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    server->cache = cache_new(&options);
    cache_set_limit(server->cache, 16 << 20);
    server->watches = watches_new(server);
    assert_non_null(server->watches);
    return server;
}

static void put(struct server *server, unsigned db, const char *name)
{
    const struct cache_key key = cache_key_of(server->cache, name, 1);
    const struct cache_write write = {.value = "1", .len = 1};
    assert_true(kit_store(server->cache, db, &key, NOW_MS, &write));
}

static struct watcher *watch(struct server *server, const char *name)
{
    const struct cache_key key = cache_key_of(server->cache, name, 1);
    struct watcher *watcher = watcher_new(server->watches);
    assert_non_null(watcher);
    assert_int_equal(watch_key(watcher, OWN, &key, NOW_MS), WATCH_OK);
    return watcher;
}

/* A key is looked up once for all who watch it, whether it is there then or
 * not. */
static void one_look_is_for_all_who_watch_the_key(void **state)
{
    struct watcher *watchers[WATCHERS];
    struct server *server = server_of_test();
    (void)state;
    put(server, OTHER, "x");
    for (size_t i = 0; i < WATCHERS; i++)
        watchers[i] = watch(server, "k");
    watch_swapped(server->watches, OWN, OTHER, NOW_MS);
    for (size_t i = 0; i < WATCHERS; i++)
        assert_false(watch_is_dirty(watchers[i]));
    put(server, OTHER, "k");
    watch_swapped(server->watches, OTHER, OWN, NOW_MS);
    for (size_t i = 0; i < WATCHERS; i++) {
        assert_true(watch_is_dirty(watchers[i]));
        watcher_free(watchers[i]);
    }
    watches_free(server->watches);
    cache_free(server->cache);
    free(server);
}

/* Whichever of the two lists that have it is the longer one. */
static void a_key_is_watched_once(void **state)
{
    struct watcher *watchers[WATCHERS];
    struct server *server = server_of_test();
    (void)state;
    for (size_t i = 0; i < WATCHERS; i++)
        watchers[i] = watch(server, "x");
    struct watcher *first = watchers[0], *last = watchers[WATCHERS - 1];
    const struct cache_key x = cache_key_of(server->cache, "x", 1);
    assert_int_equal(watch_key(first, OWN, &x, NOW_MS), WATCH_OK);
    assert_int_equal(watch_key(last, OWN, &x, NOW_MS), WATCH_OK);
    assert_int_equal(watcher_count(first), 1);
    assert_int_equal(watcher_count(last), 1);
    for (unsigned i = 0; i < 2 * WATCHERS; i++) {
        const struct cache_key key =
            cache_key_of(server->cache, (const char *)&i, sizeof i);
        for (unsigned times = 0; times < 2; times++)
            assert_int_equal(watch_key(first, OWN, &key, NOW_MS), WATCH_OK);
        assert_int_equal(watcher_count(first), i + 2);
    }
    assert_int_equal(watch_key(first, OWN, &x, NOW_MS), WATCH_OK);
    assert_int_equal(watcher_count(first), 2 * WATCHERS + 1);
    /* Of another database it is another one. */
    assert_int_equal(watch_key(first, OTHER, &x, NOW_MS), WATCH_OK);
    assert_int_equal(watcher_count(first), 2 * WATCHERS + 2);
    for (size_t i = 0; i < WATCHERS; i++)
        watcher_free(watchers[i]);
    watches_free(server->watches);
    cache_free(server->cache);
    free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_look_is_for_all_who_watch_the_key),
        cmocka_unit_test(a_key_is_watched_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
