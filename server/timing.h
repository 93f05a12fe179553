/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TIMING_H
#define TIMING_H

/*
 * How long commands take.  The clock is read once for each: where one command
 * of a batch ends, the next begins, so that finding and parsing it counts as
 * its own.
 *
 *   timing_start      run         run         run      timing_start ...
 *        |--- GET a ---|--- SET b --|--- GET c --|  send
 *                 timing_add   timing_add   timing_add
 *
 * Every command is counted in its row's histogram; what took as long as
 * slowlog-log-slower-than or latency-monitor-threshold is told to those.
 */

#include "command.h"
#include "server.h"
#include "stats.h"
#include "ticks.h"
#include "worker.h"

/* What is done from now on is the next command's.  When the worker begins to
 * run commands, and after what is no command's, such as sending. */
static inline void timing_start(struct worker *worker)
{
    worker->ticks = ticks_now(&worker->server->ticks);
}

/* After each run of a command: adds its time to the call. */
static inline void timing_add(struct call *call)
{
    struct worker *worker = call->worker;
    uint64_t now = ticks_now(&call->server->ticks);
    call->ticks += ticks_between(worker->ticks, now);
    worker->ticks = now;
}

/* The column of the histogram that a time belongs to. */
static inline unsigned timing_column(uint64_t ns)
{
    uint64_t us = ns >> 10;
    unsigned column = us ? 64 - (unsigned)__builtin_clzll(us) : 0;
    return column < STATS_COLUMNS ? column : STATS_COLUMNS - 1;
}

/* Tells who wants to know of slow commands. */
void timing_slow(struct call *call, uint64_t ns);

/* When a command is complete; `ran`: it counts as a call. */
static inline void timing_end(struct call *call, struct command_stats *stats,
                              bool ran)
{
    const struct server *server = call->server;
    uint64_t ns = ticks_ns(&server->ticks, call->ticks);
    worker_count(stats, ticks, call->ticks);
    if (ran)
        worker_count(stats, took[timing_column(ns)], 1);
    if (call->ticks >=
        atomic_load_explicit(&server->limits.slow_ticks, memory_order_relaxed))
        timing_slow(call, ns);
}

enum {
    TIMING_SLICE_NS = 200000,
    TIMING_TURN_NS = 1000000, /* of requests that are short themselves */
};

/* At the end of a command: those since then have taken as long as one client's
 * may in a turn, although they may be few. */
static inline bool timing_long(const struct worker *worker, uint64_t from)
{
    uint64_t took = ticks_between(from, worker->ticks);
    return ticks_ns(&worker->server->ticks, took) >= TIMING_TURN_NS;
}

/* What was begun then has taken as long as it may before others have a turn.
 * For work whose cost nobody can tell by its size, such as making room. */
static inline bool timing_enough(const struct worker *worker, uint64_t from)
{
    const struct ticks *ticks = &worker->server->ticks;
    uint64_t took = ticks_between(from, ticks_now(ticks));
    return ticks_ns(ticks, took) >= TIMING_SLICE_NS;
}

/* Makes room as cache_make_room does, and tells who wants to know if it took
 * long. */
bool timing_make_room(struct call *call);

/* After a slice of the main thread's work on the cache, begun then. */
void timing_slice(struct server *server, uint64_t from, int64_t now_ms);

#endif
