/* SPDX-License-Identifier: BSD-3-Clause */
/* Gathers the numbers that INFO and /metrics tell. */

#include "stats.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "acl.h"
#include "command.h"
#include "notify.h"
#include "options.h"
#include "platform.h"
#include "pool.h"
#include "pubsub.h"
#include "server.h"
#include "watch.h"

const char *const stats_error_codes[] = {
    "ERR", "NOAUTH",    "WRONGPASS", "NOPERM", "NOPROTO",
    "OOM", "WRONGTYPE", "EXECABORT", "OTHER",
};

enum { ERROR_CODES = sizeof stats_error_codes / sizeof stats_error_codes[0] };

const size_t stats_error_code_count = ERROR_CODES;

/* What is sampled ten times a second, for rates over the last 1.6 s. */
enum { SAMPLES = 16, SAMPLE_MS = 100 };

struct sample {
    int64_t at_us; /* of a clock that only goes forward */
    uint64_t commands, read_bytes, written_bytes;
};

struct stats {
    struct server *server;
    struct event *timer;
    struct sample samples[SAMPLES]; /* a ring; the main thread's */
    size_t taken;
    _Atomic uint64_t ops_per_s, input_per_s, output_per_s, peak_bytes;
    _Atomic uint64_t main_user_us, main_system_us;
    _Atomic uint64_t errors[ERROR_CODES];
};

static uint64_t time_us(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec;
}

/* ----------------------------------------------------------------- samples */

static struct sample sample_now(const struct server *server)
{
    struct sample sample = {0};
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    sample.at_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    for (unsigned i = 0; i < server->worker_count; i++) {
        const struct worker *worker = &server->workers[i];

        sample.commands +=
            atomic_load_explicit(&worker->commands, memory_order_relaxed);
        sample.read_bytes +=
            atomic_load_explicit(&worker->read_bytes, memory_order_relaxed);
        sample.written_bytes +=
            atomic_load_explicit(&worker->written_bytes, memory_order_relaxed);
    }
    return sample;
}

/* Counters that went back to zero in between count as standing still. */
static uint64_t rate(uint64_t before, uint64_t after, int64_t us)
{
    return after <= before || us <= 0
               ? 0
               : (after - before) * 1000000u / (uint64_t)us;
}

static void sample_rates(struct stats *stats)
{
    struct sample now = sample_now(stats->server);
    struct sample *oldest = &stats->samples[stats->taken % SAMPLES];
    struct sample before = stats->taken < SAMPLES ? stats->samples[0] : *oldest;
    int64_t us = now.at_us - before.at_us;

    *oldest = now;
    stats->taken++;
    if (stats->taken == 1)
        return;
    atomic_store(&stats->ops_per_s, rate(before.commands, now.commands, us));
    atomic_store(&stats->input_per_s,
                 rate(before.read_bytes, now.read_bytes, us));
    atomic_store(&stats->output_per_s,
                 rate(before.written_bytes, now.written_bytes, us));
}

static uint64_t used_bytes(const struct server *server,
                           const struct governor_state *governor,
                           const struct cache_stats *cache)
{
    return governor->base_bytes + pool_used(server->pool) + cache->live_bytes +
           cache->index_bytes;
}

static void raise_peak(struct stats *stats, uint64_t used)
{
    uint64_t peak = atomic_load(&stats->peak_bytes);

    while (used > peak &&
           !atomic_compare_exchange_weak(&stats->peak_bytes, &peak, used))
        continue;
}

static void sample(evutil_socket_t fd, short what, void *ctx)
{
    struct stats *stats = ctx;
    struct governor_state governor;
    struct cache_stats cache;
    struct rusage usage;

    (void)fd;
    (void)what;
    sample_rates(stats);
    if (getrusage(RUSAGE_THREAD, &usage) == 0) {
        atomic_store(&stats->main_user_us, time_us(usage.ru_utime));
        atomic_store(&stats->main_system_us, time_us(usage.ru_stime));
    }
    governor_state(stats->server->governor, &governor);
    cache_stats(stats->server->cache, (int64_t)time(NULL) * 1000, &cache);
    raise_peak(stats, used_bytes(stats->server, &governor, &cache));
}

struct stats *stats_new(struct server *server)
{
    struct timeval every = {.tv_usec = SAMPLE_MS * 1000};
    struct stats *stats = calloc(1, sizeof *stats);

    if (stats == NULL)
        return NULL;
    stats->server = server;
    stats->timer = event_new(server->base, -1, EV_PERSIST, sample, stats);
    if (stats->timer == NULL || event_add(stats->timer, &every) != 0) {
        stats_free(stats);
        return NULL;
    }
    return stats;
}

void stats_free(struct stats *stats)
{
    if (stats == NULL)
        return;
    if (stats->timer != NULL)
        event_free(stats->timer);
    free(stats);
}

/* ------------------------------------------------------------------ errors */

void stats_count_error(struct stats *stats, const char *text, size_t len)
{
    size_t code = 0;

    for (; code < ERROR_CODES - 1; code++) {
        size_t code_len = strlen(stats_error_codes[code]);

        if (len > code_len && text[code_len] == ' ' &&
            memcmp(text, stats_error_codes[code], code_len) == 0)
            break;
    }
    atomic_fetch_add_explicit(&stats->errors[code], 1, memory_order_relaxed);
}

uint64_t stats_errors(const struct stats *stats, size_t code)
{
    return atomic_load_explicit(&stats->errors[code], memory_order_relaxed);
}

/* --------------------------------------------------------------------- now */

static void sum_workers(const struct server *server, struct stats_now *now)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        const struct worker *worker = &server->workers[i];

#define X(name, help)                                                          \
    now->workers.name +=                                                       \
        atomic_load_explicit(&worker->name, memory_order_relaxed);
        WORKER_COUNTERS(X)
#undef X
        now->blocked_clients +=
            atomic_load_explicit(&worker->halted_count, memory_order_relaxed);
    }
}

static void take_cpu(const struct stats *stats, struct stats_now *now)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        now->cpu_user_s = (double)time_us(usage.ru_utime) / 1e6;
        now->cpu_system_s = (double)time_us(usage.ru_stime) / 1e6;
    }
    now->main_user_s = (double)atomic_load(&stats->main_user_us) / 1e6;
    now->main_system_s = (double)atomic_load(&stats->main_system_us) / 1e6;
}

/* Slabs are allocated memory as well. */
static void take_allocated(struct stats_now *now)
{
    const struct cache_stats *cache = &now->cache;

    pages_heap(&now->heap);
    now->allocated_bytes =
        now->heap.allocated + cache->live_bytes + cache->index_bytes;
    now->backed_bytes = now->heap.resident + cache->resident_bytes;
    now->active_bytes =
        now->heap.active + cache->resident_bytes - cache->stock_bytes;
}

/* As it is now, not as it was at the governor's last tick. */
static void take_resident(const struct server *server,
                          struct governor_state *governor)
{
    const struct platform *platform = server->platform;
    uint64_t resident = platform->resident(platform->ctx);

    if (resident > 0)
        governor->resident_bytes = resident;
}

static void take_memory(struct server *server, int64_t now_ms,
                        struct stats_now *now)
{
    struct governor_state *governor = &now->governor;
    struct cache_stats *cache = &now->cache;

    governor_state(server->governor, governor);
    take_resident(server, governor);
    cache_stats(server->cache, now_ms, cache);
    take_allocated(now);
    now->used_bytes = used_bytes(server, governor, cache);
    now->used_net_bytes = now->used_bytes - governor->base_bytes;
    raise_peak(server->stats, now->used_bytes);
    now->peak_bytes = atomic_load(&server->stats->peak_bytes);
    now->overhead_bytes = now->used_bytes - cache->payload_bytes;
    now->entry_bytes =
        cache->entries > 0 ? now->used_net_bytes / cache->entries : 0;
    now->machine_bytes =
        (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    now->pool_bytes = pool_limit(server->pool);
    now->pool_used_bytes = pool_used(server->pool);
    tracking_state(server->tracking, &now->tracking);
    now->budget_bytes = options_budget(server);
    now->rebuilding = governor->rebuilding;
    if (governor->rebuilding && governor->resident_bytes > now->budget_bytes)
        now->remaining_bytes = governor->resident_bytes - now->budget_bytes;
}

static void take_pubsub(const struct server *server, struct stats_now *now)
{
    const struct pubsub *pubsub = server->pubsub;

    now->pubsub_channels = pubsub_topics(pubsub, TOPIC_CHANNEL);
    now->pubsub_patterns = pubsub_topics(pubsub, TOPIC_PATTERN);
    now->pubsub_shard_channels = pubsub_topics(pubsub, TOPIC_SHARD);
    now->pubsub_clients = pubsub_clients(pubsub);
    now->old_rules_bytes = acl_retired(server->acl);
    now->push_bytes = atomic_load(&server->push_bytes);
    now->lost_notifications = notify_lost(server);
}

void stats_take(struct server *server, int64_t now_ms, struct stats_now *now)
{
    const struct stats *stats = server->stats;
    int64_t up_ms = now_ms - server->started_ms;

    *now = (struct stats_now){0};
    take_memory(server, now_ms, now);
    sum_workers(server, now);
    take_cpu(stats, now);
    now->clients = atomic_load(&server->client_count);
    now->clients_max = (uint64_t)atomic_load(&server->limits.clients);
    struct watch_totals watched = watch_totals(server->watches);
    now->watching_clients = watched.clients;
    now->watched_keys = watched.keys;
    now->rejected_connections = atomic_load(&server->rejected_connections);
    take_pubsub(server, now);
    now->ops_per_s = atomic_load(&stats->ops_per_s);
    now->input_kib_per_s = (double)atomic_load(&stats->input_per_s) / 1024;
    now->output_kib_per_s = (double)atomic_load(&stats->output_per_s) / 1024;
    now->uptime_s = up_ms > 0 ? (uint64_t)up_ms / 1000 : 0;
    now->started_s = (double)server->started_ms / 1000;
}

void stats_command(const struct server *server, size_t row,
                   struct stats_command *out)
{
    uint64_t ticks = 0;

    *out = (struct stats_command){0};
    for (unsigned i = 0; i < server->worker_count; i++) {
        const struct command_stats *one = &server->workers[i].by_command[row];

        ticks += atomic_load_explicit(&one->ticks, memory_order_relaxed);
        out->rejected +=
            atomic_load_explicit(&one->rejected, memory_order_relaxed);
        out->failed += atomic_load_explicit(&one->failed, memory_order_relaxed);
        for (size_t j = 0; j < STATS_COLUMNS; j++)
            out->took[j] +=
                atomic_load_explicit(&one->took[j], memory_order_relaxed);
    }
    for (size_t j = 0; j < STATS_COLUMNS; j++)
        out->calls += out->took[j];
    out->usec = ticks_ns(&server->ticks, ticks) / 1000;
}

/* ------------------------------------------------------------------- reset */

void stats_reset(struct server *server)
{
    struct stats *stats = server->stats;

    cache_reset_counters(server->cache);
    atomic_store(&server->rejected_connections, 0);
    atomic_store(&stats->peak_bytes, 0);
    for (size_t i = 0; i < ERROR_CODES; i++)
        atomic_store(&stats->errors[i], 0);
}

/* What is 0 is not written: rows that were never used stay unpaged. */
static void reset_command(struct command_stats *stats)
{
    if (atomic_load(&stats->rejected) > 0)
        atomic_store(&stats->rejected, 0);
    if (atomic_load(&stats->ticks) == 0)
        return;
    atomic_store(&stats->ticks, 0);
    atomic_store(&stats->failed, 0);
    for (size_t i = 0; i < STATS_COLUMNS; i++)
        atomic_store(&stats->took[i], 0);
}

void stats_reset_worker(struct worker *worker)
{
#define X(name, help) atomic_store(&worker->name, 0);
    WORKER_COUNTERS(X)
#undef X
    for (size_t row = 0; row < command_count; row++)
        reset_command(&worker->by_command[row]);
}
