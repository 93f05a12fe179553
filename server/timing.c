/* SPDX-License-Identifier: BSD-3-Clause */
/* What took long is told to the slow log and to the latency monitor. */

#include "timing.h"

#include "governor.h"
#include "latency.h"
#include "slowlog.h"

static void tell_latency(struct server *server, enum latency_event event,
                         uint64_t ns, int64_t now_ms)
{
    int64_t least_ms = server->limits.latency_ms, ms = (int64_t)(ns / 1000000);
    if (least_ms > 0 && ms >= least_ms)
        latency_note(server->latency, event, ms, now_ms / 1000);
}

void timing_slow(struct call *call, uint64_t ns)
{
    struct server *server = call->server;
    int64_t least_us = server->limits.slowlog_us, us = (int64_t)(ns / 1000);
    if (least_us >= 0 && us >= least_us &&
        !(call->command->flags & COMMAND_SKIP_SLOWLOG))
        slowlog_note(server->slowlog, call, us);
    tell_latency(server,
                 call->command->flags & COMMAND_FAST ? LATENCY_FAST_COMMAND
                                                     : LATENCY_COMMAND,
                 ns, call->now_ms);
}

bool timing_make_room(struct call *call)
{
    struct server *server = call->server;
    if (server->limits.latency_ms == 0)
        return cache_make_room(&call->tx);
    uint64_t from = ticks_now(&server->ticks);
    bool made = cache_make_room(&call->tx);
    uint64_t took = ticks_between(from, ticks_now(&server->ticks));
    tell_latency(server, LATENCY_EVICTION, ticks_ns(&server->ticks, took),
                 call->now_ms);
    return made;
}

void timing_slice(struct server *server, uint64_t from, int64_t now_ms)
{
    struct governor_state state;
    if (server->limits.latency_ms == 0)
        return;
    uint64_t took = ticks_between(from, ticks_now(&server->ticks));
    governor_state(server->governor, &state);
    tell_latency(server, state.rebuilding ? LATENCY_REBUILD : LATENCY_EXPIRE,
                 ticks_ns(&server->ticks, took), now_ms);
}
