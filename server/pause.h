/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PAUSE_H
#define PAUSE_H

/*
 * CLIENT PAUSE: commands, or those that write, are not begun until it is over.
 *
 *   command_serve -> pause_holds? -> conn_halt: the client waits with its
 *                                    request; nothing more of it is read
 *   timer, CLIENT UNPAUSE -> pause_end -> worker_end_halt on every worker
 *
 * What has begun goes on.  What lets somebody in or ends the pause is never
 * held: AUTH, HELLO, QUIT, RESET, CLIENT PAUSE and UNPAUSE.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "server.h"

enum pause_mode { PAUSE_NONE, PAUSE_WRITE, PAUSE_ALL };

struct pause;

/* Its timer is on server->base.  NULL: no memory. */
struct pause *pause_new(struct server *server);
void pause_free(struct pause *pause); /* NULL is fine */

/* From any thread.  A pause that goes on already is not shortened, nor made
 * milder. */
void pause_begin(struct pause *pause, enum pause_mode mode, int64_t ms);
void pause_end(struct pause *pause);

/* The call is one that the pause holds. */
bool pause_wants(const struct call *call);

/* The same, at the cost of one load while there is none. */
static inline bool pause_holds(const struct call *call)
{
    return atomic_load_explicit(&call->server->pausing, memory_order_relaxed) !=
               PAUSE_NONE &&
           pause_wants(call);
}

#endif
