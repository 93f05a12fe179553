/* SPDX-License-Identifier: BSD-3-Clause */
/* DEBUG SLEEP: one client waits, the server does not. */

#include "debug.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "ticks.h"
#include "worker.h"

enum { LONGEST_S = 24 * 3600 };

struct nap {
    struct conn *conn;
    struct event *event;
    uint64_t from; /* ticks */
};

static void nap_free(void *state)
{
    struct nap *nap = state;
    if (nap->event)
        event_free(nap->event);
    free(nap);
}

/* The time is over, or the peer sends no more. */
static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    struct nap *nap = ctx;
    (void)fd, (void)what;
    conn_resume(nap->conn);
}

/* As Redis takes it: what is no number is 0. */
static double seconds_of(const struct arg *arg)
{
    char text[32];
    size_t len = arg->len < sizeof text ? arg->len : 0;
    memcpy(text, arg->ptr, len);
    text[len] = 0;
    double seconds = strtod(text, NULL);
    return seconds > 0 ? (seconds < LONGEST_S ? seconds : LONGEST_S) : 0;
}

static bool begin_nap(struct call *call, double seconds)
{
    struct nap *nap = calloc(1, sizeof *nap);
    struct conn_info info;
    struct timeval time = {.tv_sec = (time_t)seconds};
    if (!nap)
        return false;
    call->state = nap;
    call->state_free = nap_free;
    conn_describe(call->conn, call->now_ms, &info);
    nap->conn = call->conn;
    nap->from = ticks_now(&call->server->ticks);
    nap->event =
        event_new(call->worker->base, info.fd, EV_CLOSED, on_wake, nap);
    time.tv_usec = (suseconds_t)((seconds - (double)time.tv_sec) * 1e6);
    return nap->event && event_add(nap->event, &time) == 0;
}

/* EXEC keeps others out while it runs: there is no sleeping in it. */
enum command_result debug_sleep(struct call *call)
{
    const struct nap *nap = call->state;
    double seconds = seconds_of(&call->argv[2]);
    if (!nap && seconds > 0 && !call->in_exec)
        return begin_nap(call, seconds) ? COMMAND_WAIT
                                        : call_error(call, ERROR_NO_ROOM);
    if (nap)
        call->ticks +=
            ticks_between(nap->from, ticks_now(&call->server->ticks));
    reply_ok(&call->reply);
    return COMMAND_DONE;
}
