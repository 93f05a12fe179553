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
    const struct ticks *ticks;
    uint64_t from; /* ticks */
    int64_t us;    /* how long */
};

static void nap_free(void *state)
{
    struct nap *nap = state;
    if (nap->event)
        event_free(nap->event);
    free(nap);
}

static int64_t us_left(const struct nap *nap)
{
    uint64_t passed = ticks_between(nap->from, ticks_now(nap->ticks));
    return nap->us - (int64_t)(ticks_ns(nap->ticks, passed) / 1000);
}

static bool set_alarm(struct nap *nap)
{
    int64_t us = us_left(nap) > 0 ? us_left(nap) + 1 : 0;
    const struct timeval time = {us / 1000000, us % 1000000};
    return event_add(nap->event, &time) == 0;
}

/* The time is over, or the peer sends no more.  The event's clock may be a
 * little ahead. */
static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    struct nap *nap = ctx;
    (void)fd;
    if ((what & EV_CLOSED) || us_left(nap) <= 0 || !set_alarm(nap))
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
    if (!nap)
        return false;
    call->state = nap;
    call->state_free = nap_free;
    conn_describe(call->conn, call->now_ms, &info);
    nap->conn = call->conn;
    nap->ticks = &call->server->ticks;
    nap->from = ticks_now(nap->ticks);
    nap->us = (int64_t)(seconds * 1e6);
    nap->event =
        event_new(call->worker->base, info.fd, EV_CLOSED, on_wake, nap);
    return nap->event && set_alarm(nap);
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
