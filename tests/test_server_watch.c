/* SPDX-License-Identifier: BSD-3-Clause */
/* Watched keys: each is watched once, and databases change places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "server/watch.h"
#include "tests/cache_kit.h"
#include "tests/server_kit.h"

enum { NOW_MS = 1000, OWN = 0, OTHER = 1, WATCHERS = 100 };

static int set_up(void **state)
{
    struct server_kit *kit = malloc(sizeof *kit);
    server_kit_init(kit);
    kit->server->watches = watches_new(kit->server);
    assert_non_null(kit->server->watches);
    *state = kit;
    return 0;
}

static int tear_down(void **state)
{
    struct server_kit *kit = *state;
    watches_free(kit->server->watches);
    server_kit_release(kit);
    free(kit);
    return 0;
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
    struct server *server = ((struct server_kit *)*state)->server;
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
}

/* Whichever of the two lists that have it is the longer one. */
static void a_key_is_watched_once(void **state)
{
    struct watcher *watchers[WATCHERS];
    struct server *server = ((struct server_kit *)*state)->server;
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
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_look_is_for_all_who_watch_the_key),
        TEST(a_key_is_watched_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
