/* SPDX-License-Identifier: BSD-3-Clause */
/* The server: its parts, in the order in which they are made; its main loop;
 * its end. */

#include "server.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acl_file.h"
#include "acl_log.h"
#include "changes.h"
#include "descriptors.h"
#include "gate.h"
#include "governor.h"
#include "http.h"
#include "latency.h"
#include "listen.h"
#include "log.h"
#include "mailbox.h"
#include "notify.h"
#include "options.h"
#include "pause.h"
#include "platform.h"
#include "pool.h"
#include "pubsub.h"
#include "slowlog.h"
#include "stats.h"
#include "timing.h"
#include "tracking.h"
#include "version.h"
#include "watch.h"
#include "worker.h"

enum {
    WHY_MAX = 512,
    TICK_MS = 10,
    SLICE_US = 200,
    SLICES_WAIT = 100, /* times 1 ms: for who is told of what is evicted */
    TELL_MS = 5000,
    OWN_THREADS = 2,
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

/* ----------------------------------------------------------------- beginning
 */

static bool fail(char *why, const char *text)
{
    snprintf(why, WHY_MAX, "%s", text);
    return false;
}

static void tell_ignored(const struct server *server)
{
    const char *name;
    for (size_t at = 0; (name = conf_ignored(&server->conf, &at)) != NULL;)
        log_write(server->log, LOG_WARNING,
                  "%s has no meaning here and is ignored", name);
}

static bool make_run_id(struct server *server, char *why)
{
    uint8_t bytes[20];
    const struct platform *platform = server->platform;
    if (!platform->random(platform->ctx, bytes, sizeof bytes))
        return fail(why, "The system gives no random bytes");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(server->run_id + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

static struct cache *make_cache(struct server *server)
{
    struct cache_options options = {
        .databases = (unsigned)server->conf.databases,
    };
    const struct platform *platform = server->platform;
    if (!platform->random(platform->ctx, options.hash_key,
                          sizeof options.hash_key))
        return NULL;
    return cache_new(&options);
}

/* What can be looked at before anything is made. */
static bool prepare(struct server *server, char *why)
{
    const struct conf *conf = &server->conf;
    server->log = log_new(conf->logfile, (enum log_level)conf->loglevel);
    if (!server->log) {
        snprintf(why, WHY_MAX, "Cannot open the log file %.300s: %s",
                 conf->logfile, strerror(errno));
        return false;
    }
    tell_ignored(server);
    if (!descriptors_suffice(server, why) || !make_run_id(server, why))
        return false;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    server->worker_count = conf->threads > 0 ? (unsigned)conf->threads
                           : cores > 64      ? 64
                           : cores > 0       ? (unsigned)cores
                                             : 1;
    return true;
}

static struct event_base *new_base(void)
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

static bool read_users(struct server *server, char *why)
{
    char reason[ACL_FILE_WHY_MAX];
    const char *error = acl_file_begin(server->acl, &server->conf, reason);
    if (!error)
        return true;
    log_write(server->log, LOG_WARNING, "The users cannot be read: %s", error);
    return fail(why, error);
}

static bool make_parts(struct server *server, char *why)
{
    server->base = new_base();
    if (!server->base)
        return fail(why, "No event loop can be made");
    server->mailbox = mailbox_new(server->base, deliver, server);
    server->cache = make_cache(server);
    server->pool = pool_new(0);
    server->acl = acl_new(&server->acl_version);
    server->acl_log = acl_log_new();
    server->options = options_new(server);
    server->latency = latency_new();
    server->pause = pause_new(server);
    if (server->pool)
        server->slowlog = slowlog_new(server->pool);
    ticks_init(&server->ticks);
    server->pubsub = pubsub_new(server);
    server->notify = notify_new(server);
    if (!server->cache)
        return fail(why, "No memory or addresses for an empty cache: look at "
                         "ulimit -v and vm.overcommit_memory");
    if (!server->mailbox || !server->pool || !server->options ||
        !server->latency || !server->slowlog || !server->pause ||
        !server->pubsub || !server->notify || !server->acl || !server->acl_log)
        return fail(why, "No memory to start with");
    server->gate = gate_new(server->worker_count);
    server->watches = watches_new(server);
    server->tracking = tracking_new(server);
    changes_begin(server);
    if (!server->gate || !server->watches || !server->tracking)
        return fail(why, "No memory to start with");
    if (!workers_new(server))
        return fail(why, "No memory or descriptors for the worker threads");
    server->governor =
        governor_new(server->cache, server->pool, server->platform, server->log,
                     server->worker_count + OWN_THREADS);
    if (!server->governor)
        return fail(why, "No memory for the governor");
    const char *misfit = options_fit(server, &server->conf);
    if (misfit)
        return fail(why, misfit);
    options_apply_all(server);
    if (!read_users(server, why))
        return false;
    governor_tick(server->governor,
                  server->platform->monotonic_us(server->platform->ctx) / 1000);
    server->stats = stats_new(server);
    if (!server->stats)
        return fail(why, "No memory for statistics");
    return true;
}

static bool add_events(struct server *server, char *why)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    const struct timeval tick = {0, TICK_MS * 1000};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        event_callback_fn run =
            numbers[i] == SIGHUP ? on_hangup : on_stop_signal;
        server->signals[i] =
            evsignal_new(server->base, numbers[i], run, server);
        if (!server->signals[i] || event_add(server->signals[i], NULL) != 0)
            return fail(why, "Signals cannot be caught");
    }
    server->tick = event_new(server->base, -1, EV_PERSIST, on_tick, server);
    server->slice = event_new(server->base, -1, 0, on_slice, server);
    if (!server->tick || !server->slice || event_add(server->tick, &tick) != 0)
        return fail(why, "No memory for timers");
    return true;
}

static bool write_pidfile(const struct server *server, char *why)
{
    const char *path = server->conf.pidfile;
    if (path[0] == '\0')
        return true;
    FILE *file = fopen(path, "we");
    if (file && fprintf(file, "%d\n", (int)getpid()) > 0 && fclose(file) == 0)
        return true;
    snprintf(why, WHY_MAX, "Cannot write the pidfile %.300s: %s", path,
             strerror(errno));
    return false;
}

static bool open_ports(struct server *server, char *why)
{
    server->listeners = listeners_new(server, why);
    if (!server->listeners)
        return false;
    if (server->conf.metrics_port != 0) {
        server->http = http_new(server, why);
        if (!server->http)
            return false;
    }
    return write_pidfile(server, why);
}

struct server *server_start(const struct conf *conf, char *why)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server) {
        fail(why, "No memory for the server");
        return NULL;
    }
    server->conf = *conf;
    server->platform = &platform_linux;
    server->started_ms = platform_linux.wall_ms(platform_linux.ctx);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    if (prepare(server, why) && make_parts(server, why) &&
        add_events(server, why) && open_ports(server, why)) {
        if (workers_start(server))
            return server;
        snprintf(why, WHY_MAX, "Threads cannot be started: %s",
                 strerror(errno));
    }
    server_free(server);
    return NULL;
}

int server_run(struct server *server)
{
    char addresses[1024];
    struct governor_state state;
    governor_state(server->governor, &state);
    log_write(server->log, LOG_NOTICE,
              "Ebb " EBB_VERSION " runs as process %d with %u workers within "
              "%" PRIu64 " bytes",
              (int)getpid(), server->worker_count, state.budget_bytes);
    listeners_start(server->listeners);
    listeners_describe(server->listeners, addresses, sizeof addresses);
    log_write(server->log, LOG_NOTICE, "Ready to accept connections on %s",
              addresses);
    if (server->http)
        log_write(server->log, LOG_NOTICE, "Metrics are at port %d",
                  server->metrics_port);
    size_t granted = cache_address_bytes(server->cache);
    if (state.budget_bytes > granted) /* RLIMIT_AS or strict overcommit */
        log_write(server->log, LOG_WARNING,
                  "The system grants addresses for %zu MiB, and no more can be "
                  "cached: for more, raise ulimit -v or set "
                  "vm.overcommit_memory to 0 or 1",
                  granted >> 20);
    event_base_dispatch(server->base);
    /* What is left is cleaning up, which a signal shall not cut short. */
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    log_write(server->log, LOG_NOTICE, "Stopped");
    if (server->conf.pidfile[0] != '\0')
        unlink(server->conf.pidfile);
    return server->status;
}

static void free_events(struct server *server)
{
    for (size_t i = 0; i < 3; i++)
        if (server->signals[i])
            event_free(server->signals[i]);
    if (server->tick)
        event_free(server->tick);
    if (server->slice)
        event_free(server->slice);
}

void server_free(struct server *server)
{
    if (!server)
        return;
    listeners_free(server->listeners);
    http_free(server->http);
    workers_free(server);
    tracking_free(server->tracking);
    notify_free(server->notify);
    pubsub_free(server->pubsub);
    stats_free(server->stats);
    free_events(server);
    governor_free(server->governor);
    options_free(server->options);
    watches_free(server->watches);
    gate_free(server->gate);
    slowlog_free(server->slowlog);
    latency_free(server->latency);
    pause_free(server->pause);
    acl_free(server->acl);
    acl_log_free(server->acl_log);
    pool_free(server->pool);
    if (server->cache)
        cache_free(server->cache);
    mailbox_free(server->mailbox);
    if (server->base)
        event_base_free(server->base);
    log_free(server->log);
    free(server);
}
