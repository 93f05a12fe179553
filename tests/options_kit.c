/* SPDX-License-Identifier: BSD-3-Clause */
/* A server whose options are set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "server/acl.h"
#include "server/governor.h"
#include "server/log.h"
#include "server/notify.h"
#include "server/options.h"
#include "server/platform.h"
#include "server/pool.h"
#include "server/slowlog.h"
#include "server/tracking.h"
#include "tests/options_kit.h"

static size_t resident(void *ctx)
{
    (void)ctx;
    return 24 * MB;
}

char options_kit_root[TREE_ROOT_MAX];

static uint64_t memory(void *ctx)
{
    (void)ctx;
    return governor_machine_bytes(options_kit_root);
}

static struct platform platform;

int options_kit_start(void **state)
{
    struct cache_options cache = {.shards = 4, .address_bytes = 256 * MB};
    struct server *server = calloc(1, sizeof *server);

    platform = platform_linux;
    platform.resident = resident;
    platform.memory = memory;
    conf_init(&server->conf);
    server->log = log_new("/dev/null", LOG_WARNING);
    server->cache = cache_new(&cache);
    server->pool = pool_new(4 * MB);
    server->governor =
        governor_new(server->cache, server->pool, &platform, NULL, 2);
    server->acl = acl_new(&server->acl_version);
    server->notify = notify_new(server);
    server->tracking = tracking_new(server);
    server->options = options_new(server);
    server->slowlog = slowlog_new(server->pool);
    ticks_init(&server->ticks);
    assert_non_null(server->log);
    assert_non_null(server->cache);
    assert_non_null(server->options);
    options_apply_all(server);
    *state = server;
    return 0;
}

int options_kit_stop(void **state)
{
    struct server *server = *state;

    options_free(server->options);
    slowlog_free(server->slowlog);
    tracking_free(server->tracking);
    notify_free(server->notify);
    acl_free(server->acl);
    governor_free(server->governor);
    pool_free(server->pool);
    cache_free(server->cache);
    log_free(server->log);
    free(server);
    return 0;
}

const char *options_kit_set(struct server *server, const char *const *words)
{
    static char why[OPTIONS_WHY_MAX];
    struct arg pairs[16];
    const char *error;
    size_t count = 0;

    for (; words[count] != NULL; count++)
        pairs[count] = (struct arg){words[count], strlen(words[count])};
    assert_int_equal(count % 2, 0);
    error = options_set(server, pairs, count / 2, why);
    return error == NULL ? "" : error;
}

const char *options_kit_get(struct server *server, enum conf_id id)
{
    static char text[CONF_TEXT_MAX];

    options_get(server, id, text);
    return text;
}
