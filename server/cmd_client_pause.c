/* SPDX-License-Identifier: BSD-3-Clause */
/* CLIENT PAUSE, UNPAUSE and UNBLOCK: clients that wait. */

#include "call.h"

#include <stdlib.h>

#include "ask.h"
#include "conn.h"
#include "pause.h"
#include "worker.h"

enum command_result cmd_client_pause(struct call *call)
{
    enum pause_mode mode = PAUSE_ALL;
    int64_t ms;
    if (call->argc > 4)
        return call_error_arguments(call);
    if (call->argc == 4 && arg_is(&call->argv[3], "write"))
        mode = PAUSE_WRITE;
    else if (call->argc == 4 && !arg_is(&call->argv[3], "all"))
        return call_error(call, "ERR CLIENT PAUSE mode must be WRITE or ALL");
    if (!call_timeout(call, 2, &ms))
        return COMMAND_DONE;
    if (ms > 0)
        pause_begin(call->server->pause, mode, ms);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

enum command_result cmd_client_unpause(struct call *call)
{
    pause_end(call->server->pause);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

/* --------------------------------------------------------------- UNBLOCK */

struct unblock {
    uint64_t id;
    bool with_error;
    _Atomic bool found; /* by the worker whose client it is */
};

static void unblock_visit(struct worker *worker, void *ctx)
{
    struct unblock *unblock = ctx;
    struct conn *conn = worker_conn(worker, unblock->id);
    if (conn && conn_unblock(conn, unblock->with_error))
        unblock->found = true;
}

enum command_result cmd_client_unblock(struct call *call)
{
    struct unblock *unblock = ask_ctx(call);
    bool with_error = false;
    int64_t id;
    if (unblock) {
        reply_int(&call->reply, unblock->found);
        return COMMAND_DONE;
    }
    if (call->argc > 4)
        return call_error_arguments(call);
    if (call->argc == 4) {
        with_error = arg_is(&call->argv[3], "error");
        if (!with_error && !arg_is(&call->argv[3], "timeout"))
            return call_error(
                call, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
    if (!call_int(call, 2, &id))
        return COMMAND_DONE;
    unblock = calloc(1, sizeof *unblock);
    if (!unblock)
        return call_error(call, ERROR_NO_ROOM);
    unblock->id = (uint64_t)id;
    unblock->with_error = with_error;
    return ask_workers(call, unblock_visit, unblock, free);
}
