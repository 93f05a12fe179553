/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_KIT_H
#define SERVER_KIT_H

/* A server and a worker without threads and sockets, on which a test runs
 * single commands, turn by turn. */

#include "server/call.h"
#include "server/worker.h"

enum { SERVER_KIT_NOW_MS = 1000, SERVER_KIT_LIMIT = 64 << 20 };

struct server_kit {
    struct server *server; /* with a cache of that limit, and a pool */
    struct worker *worker;
    struct session session;
};

void server_kit_init(struct server_kit *kit);
/* The cache must be sound, and nothing charged to clients. */
void server_kit_release(struct server_kit *kit);

struct cache_key server_kit_key(const struct server_kit *kit, const char *name);
/* Makes it a long value, in pieces. */
void server_kit_set(const struct server_kit *kit, struct cache_key key,
                    const char *bytes, size_t len);
/* The value, to be freed. */
char *server_kit_value(const struct server_kit *kit, struct cache_key key,
                       size_t *len);

/* A call of the command that the first argument names; without arguments of
 * none. */
struct call server_kit_call(struct server_kit *kit, const struct arg *argv,
                            size_t argc, struct buf *out);
/* A turn of it, and more until it is done; returns how many. */
unsigned server_kit_run(struct call *call);

#endif
