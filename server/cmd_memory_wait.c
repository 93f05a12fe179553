/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MEMORY WAIT: answers when the budget that was set last is kept, when the time
 * is over, or when the client sends no more (it may be gone).  Until then an
 * event looks now and then; the worker serves others meanwhile.
 */

#include "call.h"

#include <event2/event.h>
#include <stdlib.h>

#include "conn.h"
#include "governor.h"
#include "platform.h"
#include "worker.h"

enum { LOOK_MS = 50 };

struct wait {
    struct server *server;
    struct conn *conn;
    struct event *event;
    int64_t until_ms; /* monotonic */
};

static int64_t clock_ms(const struct server *server)
{
    const struct platform *platform = server->platform;
    return platform->monotonic_us(platform->ctx) / 1000;
}

/* When the command ends, or its connection. */
static void wait_free(void *state)
{
    struct wait *wait = state;
    if (wait->event)
        event_free(wait->event);
    free(wait);
}

static void on_look(evutil_socket_t fd, short what, void *ctx)
{
    struct wait *wait = ctx;
    struct governor_progress now;
    (void)fd;
    governor_progress(wait->server->governor, &now);
    if (now.done || (what & EV_CLOSED) ||
        clock_ms(wait->server) >= wait->until_ms)
        conn_resume(wait->conn);
}

static enum command_result answer(struct call *call)
{
    struct reply *reply = &call->reply;
    struct governor_progress now;
    governor_progress(call->server->governor, &now);
    reply_map(reply, 4);
    reply_bulk_text(reply, "budget");
    reply_int(reply, (int64_t)now.budget_bytes);
    reply_bulk_text(reply, "resident");
    reply_int(reply, (int64_t)now.resident_bytes);
    reply_bulk_text(reply, "done");
    reply_int(reply, now.done);
    reply_bulk_text(reply, "remaining");
    reply_int(reply, (int64_t)now.remaining_bytes);
    return COMMAND_DONE;
}

/* False: there is no memory for it. */
static bool begin_wait(struct call *call, int64_t timeout_ms)
{
    const struct timeval look = {0, LOOK_MS * 1000};
    struct wait *wait = calloc(1, sizeof *wait);
    struct conn_info info;
    if (!wait)
        return false;
    call->state = wait;
    call->state_free = wait_free;
    conn_describe(call->conn, call->now_ms, &info);
    wait->server = call->server;
    wait->conn = call->conn;
    if (__builtin_add_overflow(clock_ms(call->server), timeout_ms,
                               &wait->until_ms))
        wait->until_ms = INT64_MAX;
    wait->event = event_new(call->worker->base, info.fd, EV_CLOSED | EV_PERSIST,
                            on_look, wait);
    return wait->event && event_add(wait->event, &look) == 0;
}

enum command_result cmd_memory_wait(struct call *call)
{
    struct governor_progress now;
    int64_t timeout_ms;
    if (call->state)
        return call->unblocked == UNBLOCK_ERROR
                   ? call_error(call, "UNBLOCKED client unblocked via CLIENT "
                                      "UNBLOCK")
                   : answer(call);
    if (!call_int(call, 2, &timeout_ms))
        return COMMAND_DONE;
    if (timeout_ms < 0)
        return call_error(call, "ERR timeout is negative");
    governor_progress(call->server->governor, &now);
    if (now.done || timeout_ms == 0 || call->in_exec)
        return answer(call);
    if (!begin_wait(call, timeout_ms))
        return call_error(call, ERROR_NO_ROOM);
    call->may_unblock = true;
    return COMMAND_WAIT;
}
