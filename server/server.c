/* SPDX-License-Identifier: BSD-3-Clause */
/* The server: its parts, in the order in which they are made, and its end. */

#include "server.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
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
#include "loop.h"
#include "mailbox.h"
#include "notify.h"
#include "options.h"
#include "pause.h"
#include "platform.h"
#include "pool.h"
#include "pubsub.h"
#include "slowlog.h"
#include "stats.h"
#include "tracking.h"
#include "version.h"
#include "watch.h"
#include "worker.h"

enum {
    WHY_MAX = 512,
    OWN_THREADS = 2,
};

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
    if (!loop_begin(server))
        return fail(why, "No event loop can be made");
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
    if (!server->pool || !server->options || !server->latency ||
        !server->slowlog || !server->pause || !server->pubsub ||
        !server->notify || !server->acl || !server->acl_log)
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
    const char *error = loop_add_events(server);
    return !error || fail(why, error);
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
    loop_free_events(server);
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
