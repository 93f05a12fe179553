/* SPDX-License-Identifier: BSD-3-Clause */
/* A server on which commands are run turn by turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "server/pool.h"
#include "tests/cache_kit.h"
#include "tests/server_kit.h"

void server_kit_init(struct server_kit *kit)
{
    struct cache_options options = {.shards = 4, .address_bytes = 256 << 20};
    *kit = (struct server_kit){.server = calloc(1, sizeof *kit->server)};
    kit->server->cache = cache_new(&options);
    kit->server->pool = pool_new(4 << 20);
    assert_non_null(kit->server->cache);
    cache_set_limit(kit->server->cache, SERVER_KIT_LIMIT);
    atomic_store(&kit->server->limits.bulk_bytes, SERVER_KIT_LIMIT);
    kit->worker = aligned_alloc(_Alignof(struct worker), sizeof *kit->worker);
    memset(kit->worker, 0, sizeof *kit->worker);
    kit->worker->server = kit->server;
    kit->worker->hits_unnoted = 1000000000;
}

void server_kit_release(struct server_kit *kit)
{
    assert_int_equal(pool_used(kit->server->pool), 0);
    cache_check(kit->server->cache);
    cache_free(kit->server->cache);
    pool_free(kit->server->pool);
    free(kit->server);
    free(kit->worker);
}

struct cache_key server_kit_key(const struct server_kit *kit, const char *name)
{
    return cache_key_of(kit->server->cache, name, strlen(name));
}

void server_kit_set(const struct server_kit *kit, struct cache_key key,
                    const char *bytes, size_t len)
{
    struct call call = {.server = kit->server, .now_ms = SERVER_KIT_NOW_MS};
    struct cache_write write = {.blob = call_blob_of(&call, bytes, len)};
    assert_non_null(write.blob);
    assert_true(
        kit_store(kit->server->cache, 0, &key, SERVER_KIT_NOW_MS, &write));
}

char *server_kit_value(const struct server_kit *kit, struct cache_key key,
                       size_t *len)
{
    struct cache_tx tx;
    struct cache_view view;
    cache_begin(&tx, kit->server->cache, SERVER_KIT_NOW_MS, &key, 1);
    assert_true(cache_find(&tx, 0, &key, 0, &view));
    char *copy = malloc(view.len);
    cache_view_copy(&view, 0, copy, view.len);
    *len = view.len;
    cache_end(&tx);
    cache_tx_close(&tx);
    return copy;
}

struct call server_kit_call(struct server_kit *kit, const struct arg *argv,
                            size_t argc, struct buf *out)
{
    return (struct call){
        .server = kit->server,
        .worker = kit->worker,
        .session = &kit->session,
        .argv = argv,
        .argc = argc,
        .now_ms = SERVER_KIT_NOW_MS,
        .reply = {out, 2},
        .command = argc > 0 ? command_find(argv[0].ptr, argv[0].len) : NULL};
}

unsigned server_kit_run(struct call *call)
{
    unsigned turns = 1;
    enum command_result result;
    while ((result = call->command->run(call)) == COMMAND_AGAIN)
        turns++;
    assert_int_equal(result, COMMAND_DONE);
    command_drop(call);
    return turns;
}
