/* SPDX-License-Identifier: BSD-3-Clause */
/* What the main thread does. */

#include "loop.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "changes.h"
#include "governor.h"
#include "listen.h"
#include "log.h"
#include "mailbox.h"
#include "notify.h"
#include "platform.h"
#include "server.h"
#include "timing.h"
#include "tracking.h"
#include "worker.h"

enum {
    TICK_MS = 10,
    SLICE_US = 200,
    SLICES_WAIT = 100, /* times 1 ms: for who is told of what is evicted */
    TELL_MS = 5000,
};

typedef void server_run_posted(struct server *server, void *ctx);

static void deliver(void *owner, mailbox_run *run, void *ctx)
{
    ((server_run_posted *)run)(owner, ctx);
}

void server_post(struct server *server, void (*run)(struct server *, void *),
                 void *ctx)
{
    mailbox_post(server->mailbox, (mailbox_run *)run, ctx, NULL);
}

/* ------------------------------------------------------------ rebuild steps */

static const struct timeval at_once = {0, 0}, soon = {0, 1000};

/* A slice of the cache's outstanding work; a timer that is due at once lets
 * other events have their turn before the next.  Whoever waits for this core,
 * a client's process too, has it between slices and not when the system's own
 * time slice ends, milliseconds later. */
static void on_slice(evutil_socket_t fd, short what, void *ctx)
{
    struct server *server = ctx;
    const struct platform *platform = server->platform;
    (void)fd, (void)what;
    int64_t now_ms = platform->wall_ms(platform->ctx);
    uint64_t from = ticks_now(&server->ticks);
    if (notify_behind(server) && server->slices_waited++ < SLICES_WAIT) {
        changes_settle(server, NULL);
        event_add(server->slice, &soon);
        return;
    }
    server->slices_waited = 0;
    bool more = governor_slice(server->governor, now_ms, SLICE_US);
    more |= tracking_step(server->tracking, now_ms);
    timing_slice(server, from, now_ms);
    changes_settle(server, NULL);
    if (more) {
        sched_yield();
        event_add(server->slice, &at_once);
    }
}

static void hurry(struct server *server, void *ctx)
{
    (void)ctx;
    atomic_store(&server->hurried, false);
    if (!event_pending(server->slice, EV_TIMEOUT, NULL))
        on_slice(-1, 0, server);
}

void loop_hurry(struct server *server)
{
    if (!atomic_load_explicit(&server->hurried, memory_order_relaxed) &&
        !atomic_exchange(&server->hurried, true))
        server_post(server, hurry, NULL);
}

/* For who wants to see that it lives. */
static void tell_state(struct server *server, int64_t now_ms)
{
    struct governor_state state;
    if (now_ms < server->tell_ms)
        return;
    server->tell_ms = now_ms + TELL_MS;
    governor_state(server->governor, &state);
    log_write(server->log, LOG_DEBUG,
              "%" PRIu64 " clients are connected, %" PRIu64
              " bytes are resident of %" PRIu64,
              (uint64_t)server->client_count, state.resident_bytes,
              state.budget_bytes);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
    struct server *server = ctx;
    const struct platform *platform = server->platform;
    (void)fd, (void)what;
    int64_t now_ms = platform->monotonic_us(platform->ctx) / 1000;
    governor_tick(server->governor, now_ms);
    tell_state(server, now_ms);
    if (!event_pending(server->slice, EV_TIMEOUT, NULL))
        on_slice(-1, 0, server);
}

/* ------------------------------------------------------------------- the end
 */

static void stop(struct server *server, void *ctx)
{
    (void)ctx;
    if (server->stopping)
        return;
    server->stopping = true;
    log_write(server->log, LOG_NOTICE, "Stopping: replies under way are sent");
    listeners_free(server->listeners);
    server->listeners = NULL;
    workers_stop(server);
}

void server_stop(struct server *server)
{
    server_post(server, stop, NULL);
}

static void worker_done(struct server *server, void *ctx)
{
    (void)ctx;
    if (++server->workers_done == server->worker_count)
        event_base_loopbreak(server->base);
}

void server_worker_done(struct server *server)
{
    server_post(server, worker_done, NULL);
}

/* The first signal lets replies be finished, the second does not wait for
 * clients, the third not even for us. */
static void on_stop_signal(evutil_socket_t number, short what, void *ctx)
{
    struct server *server = ctx;
    (void)number, (void)what;
    if (!server->stopping) {
        stop(server, NULL);
    } else if (server->status == 0) {
        log_write(server->log, LOG_WARNING,
                  "Stopping at once: asked a second time");
        server->status = 1;
        atomic_store(&server->limits.stop_ms, 0);
    } else {
        _exit(1);
    }
}

static void on_hangup(evutil_socket_t number, short what, void *ctx)
{
    struct server *server = ctx;
    (void)number, (void)what;
    if (log_reopen(server->log))
        log_write(server->log, LOG_NOTICE, "The log was opened again");
    else
        log_write(server->log, LOG_WARNING,
                  "The log cannot be opened again, the old one is kept: %s",
                  strerror(errno));
}

/* --------------------------------------------------------------- its events */

struct event_base *loop_base(void)
{
    struct event_config *config = event_config_new();
    if (!config)
        return NULL;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

bool loop_begin(struct server *server)
{
    server->base = loop_base();
    if (server->base)
        server->mailbox = mailbox_new(server->base, deliver, server);
    return server->mailbox != NULL;
}

const char *loop_add_events(struct server *server)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    const struct timeval tick = {0, TICK_MS * 1000};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        event_callback_fn run =
            numbers[i] == SIGHUP ? on_hangup : on_stop_signal;
        server->signals[i] =
            evsignal_new(server->base, numbers[i], run, server);
        if (!server->signals[i] || event_add(server->signals[i], NULL) != 0)
            return "Signals cannot be caught";
    }
    server->tick = event_new(server->base, -1, EV_PERSIST, on_tick, server);
    server->slice = event_new(server->base, -1, 0, on_slice, server);
    if (!server->tick || !server->slice || event_add(server->tick, &tick) != 0)
        return "No memory for timers";
    return NULL;
}

void loop_free_events(struct server *server)
{
    for (size_t i = 0; i < 3; i++)
        if (server->signals[i])
            event_free(server->signals[i]);
    if (server->tick)
        event_free(server->tick);
    if (server->slice)
        event_free(server->slice);
}
