/* SPDX-License-Identifier: BSD-3-Clause */
/* The metric table, and what is written from it. */

#include "metrics.h"

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "command.h"
#include "protocol/prom.h"
#include "server.h"
#include "sheet.h"
#include "stats.h"
#include "version.h"

/* What the writers of one scrape share. */
struct scrape {
    struct server *server;
    struct stats_now now;
    struct buf *out;
};

/* ------------------------------------------ samples that need a function */

typedef void write_samples(const struct scrape *scrape, const char *name);

static void write_one(const struct scrape *scrape, const char *name)
{
    prom_sample_int(scrape->out, name, NULL, 1);
}

static void write_info(const struct scrape *scrape, const char *name)
{
    char labels[CONF_TEXT_MAX + 64];

    snprintf(labels, sizeof labels,
             "version=\"" EBB_VERSION "\",redis_version=\"%s\"",
             scrape->server->conf.reported_version);
    prom_sample_int(scrape->out, name, labels, 1);
}

static void write_cpu(const struct scrape *scrape, const char *name)
{
    prom_sample(scrape->out, name, NULL,
                scrape->now.cpu_user_s + scrape->now.cpu_system_s);
}

/* The directory itself and its "." and ".." are not among those counted. */
static void write_open_fds(const struct scrape *scrape, const char *name)
{
    DIR *dir = opendir("/proc/self/fd");
    uint64_t count = 0;

    if (dir == NULL)
        return;
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    prom_sample_int(scrape->out, name, NULL, count - 3);
}

static void write_max_fds(const struct scrape *scrape, const char *name)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        prom_sample_int(scrape->out, name, NULL, limit.rlim_cur);
}

static void write_memory(const struct scrape *scrape, const char *name)
{
    struct memory_sheet sheet;

    sheet_take(scrape->server, &sheet);
    for (enum sheet_part part = 0; part < SHEET_ALL; part++) {
        char label[64];

        snprintf(label, sizeof label, "part=\"%s\"", sheet_names[part]);
        prom_sample(scrape->out, name, label, (double)sheet_part(&sheet, part));
    }
}

static void write_errors(const struct scrape *scrape, const char *name)
{
    for (size_t code = 0; code < stats_error_code_count; code++) {
        char label[64];

        snprintf(label, sizeof label, "code=\"%s\"", stats_error_codes[code]);
        prom_sample_int(scrape->out, name, label,
                        stats_errors(scrape->server->stats, code));
    }
}

static void write_per_db(const struct scrape *scrape, const char *name,
                         uint64_t (*count)(struct cache *cache, unsigned db))
{
    const struct server *server = scrape->server;

    for (unsigned db = 0; db < (unsigned)server->conf.databases; db++) {
        char label[32];

        snprintf(label, sizeof label, "db=\"db%u\"", db);
        prom_sample_int(scrape->out, name, label, count(server->cache, db));
    }
}

static void write_keys(const struct scrape *scrape, const char *name)
{
    write_per_db(scrape, name, cache_count);
}

static void write_expiring(const struct scrape *scrape, const char *name)
{
    write_per_db(scrape, name, cache_count_expiring);
}

/* One sample for every command that was ever asked for. */
static void write_per_command(const struct scrape *scrape, const char *name,
                              double (*value)(const struct stats_command *))
{
    for (size_t row = 0; row < command_count; row++) {
        struct stats_command stats;
        char label[64];

        stats_command(scrape->server, row, &stats);
        if (stats.calls == 0 && stats.rejected == 0)
            continue;
        snprintf(label, sizeof label, "cmd=\"%s\"", command_table[row].name);
        prom_sample(scrape->out, name, label, value(&stats));
    }
}

static double calls_of(const struct stats_command *stats)
{
    return (double)stats->calls;
}

static double seconds_of(const struct stats_command *stats)
{
    return (double)stats->usec / 1e6;
}

static double rejected_of(const struct stats_command *stats)
{
    return (double)stats->rejected;
}

static double failed_of(const struct stats_command *stats)
{
    return (double)stats->failed;
}

static void write_calls(const struct scrape *scrape, const char *name)
{
    write_per_command(scrape, name, calls_of);
}

static void write_seconds(const struct scrape *scrape, const char *name)
{
    write_per_command(scrape, name, seconds_of);
}

static void write_rejected(const struct scrape *scrape, const char *name)
{
    write_per_command(scrape, name, rejected_of);
}

static void write_failed(const struct scrape *scrape, const char *name)
{
    write_per_command(scrape, name, failed_of);
}

/* --------------------------------------------------------------- the table */

enum metric_kind {
    METRIC_NUMBER,  /* the uint64_t at `at` of struct stats_now */
    METRIC_MILLIS,  /* the same, told in seconds */
    METRIC_SECONDS, /* the double at `at` */
    METRIC_WRITTEN, /* `write` writes the samples */
};

struct metric {
    const char *name;
    const char *labels; /* of its samples, for the documentation */
    const char *type, *help;
    enum metric_kind kind;
    size_t at;
    write_samples *write;
};

// clang-format off
#define AT(field)                   offsetof(struct stats_now, field)
#define GAUGE(name, field, help)    {name, "", "gauge", help, METRIC_NUMBER, AT(field), NULL}
#define COUNTER(name, field, help)  {name, "", "counter", help, METRIC_NUMBER, AT(field), NULL}
#define SECONDS(name, field, help)  {name, "", "gauge", help, METRIC_SECONDS, AT(field), NULL}
#define MILLIS(name, field, help)   {name, "", "gauge", help, METRIC_MILLIS, AT(field), NULL}
#define WRITTEN(name, labels, type, write, help) {name, labels, type, help, METRIC_WRITTEN, 0, write}

static const struct metric metrics[] = {
    WRITTEN( "ebb_info",                              "{version,redis_version}", "gauge",   write_info,     "1; the labels tell the version"),
    GAUGE(   "ebb_uptime_seconds",                  uptime_s,                   "Time since the start"),

    GAUGE(   "ebb_budget_bytes",                    governor.budget_bytes,      "The budget in force for the process's resident memory"),
    GAUGE(   "ebb_resident_bytes",                  governor.resident_bytes,    "Resident memory of the process"),
    WRITTEN( "ebb_memory_bytes",                      "{part}",                  "gauge",   write_memory,   "What resident memory consists of: the parts add up to it"),
    GAUGE(   "ebb_used_bytes",                      used_bytes,                 "Memory in use: the base, clients' buffers, entries with their headers, the index"),
    GAUGE(   "ebb_used_peak_bytes",                 peak_bytes,                 "The most that ebb_used_bytes was seen at"),
    GAUGE(   "ebb_base_bytes",                      governor.base_bytes,        "Resident memory that is neither slabs nor clients' buffers"),
    GAUGE(   "ebb_reserve_bytes",                   governor.reserve_bytes,     "Part of the budget kept free for what is not counted at once"),
    GAUGE(   "ebb_floor_bytes",                     governor.floor_bytes,       "The smallest budget with which entries can be stored"),
    GAUGE(   "ebb_floor_above_budget",              governor.floor_above_budget,"1 while that is above the budget in force"),
    GAUGE(   "ebb_slab_limit_bytes",                governor.slab_limit_bytes,  "Part of the budget that slabs may use"),
    GAUGE(   "ebb_client_pool_bytes",               pool_bytes,                 "Part of the budget that clients' buffers may use"),
    GAUGE(   "ebb_client_pool_used_bytes",          pool_used_bytes,            "Bytes of clients' buffers"),

    GAUGE(   "ebb_rebuilding",                      rebuilding,                 "1 while a lowered budget is not yet reached"),
    GAUGE(   "ebb_rebuild_remaining_bytes",         remaining_bytes,            "Resident memory above the new budget while rebuilding"),
    COUNTER( "ebb_rebuilds_total",                  governor.rebuilds,          "Times the budget was lowered below what was resident"),
    GAUGE(   "ebb_last_rebuild_from_bytes",         governor.rebuild_from_bytes,"Where the last rebuild began"),
    GAUGE(   "ebb_last_rebuild_to_bytes",           governor.rebuild_to_bytes,  "The budget that the last rebuild was for"),
    MILLIS(  "ebb_last_rebuild_seconds",            governor.last_rebuild_ms,   "How long the last finished rebuild took"),

    GAUGE(   "ebb_entries",                         cache.entries,              "Entries held, flushed ones not yet dropped included"),
#define X(row, help) COUNTER("ebb_" #row "_total", cache.row, help),
    CACHE_COUNTERS(X)
#undef X
#define X(row, help) GAUGE("ebb_cache_" #row, cache.row, help),
    CACHE_GAUGES(X)
#undef X
    MILLIS(  "ebb_cache_oldest_idle_seconds",       cache.oldest_idle_ms,       "How long the entry to be evicted next was not used"),

    GAUGE(   "ebb_connections",                     clients,                    "Connected clients"),
    GAUGE(   "ebb_tracking_clients",                tracking.clients,           "Clients that cache and are told what has changed"),
    GAUGE(   "ebb_tracking_keys",                   tracking.keys,              "Keys that are remembered for them"),
    GAUGE(   "ebb_tracking_items",                  tracking.items,             "The same, once for each client that has read the key"),
    GAUGE(   "ebb_tracking_prefixes",               tracking.prefixes,          "Different prefixes of keys that clients with BCAST want to hear of"),
    GAUGE(   "ebb_tracking_bytes",                  tracking.bytes,             "Bytes of clients' buffers that this takes"),
    GAUGE(   "ebb_connections_max",                 clients_max,                "Clients that may be connected at one time"),
    GAUGE(   "ebb_pubsub_channels",                 pubsub_channels,            "Channels that somebody is subscribed to"),
    GAUGE(   "ebb_pubsub_patterns",                 pubsub_patterns,            "Patterns that somebody is subscribed to"),
    GAUGE(   "ebb_pubsub_shard_channels",           pubsub_shard_channels,      "Shard channels that somebody is subscribed to"),
    GAUGE(   "ebb_pubsub_clients",                  pubsub_clients,             "Clients that are subscribed to something"),
    GAUGE(   "ebb_push_bytes",                      push_bytes,                 "Bytes of messages on their way to clients, before they are in their output"),
    COUNTER( "ebb_lost_notifications_total",        lost_notifications,         "Keyspace notifications lost for lack of memory"),
    COUNTER( "ebb_connections_rejected_total",      rejected_connections,       "Clients refused: too many, no memory or descriptors for them, or of other machines"),
#define X(row, help) COUNTER("ebb_client_" #row "_total", workers.row, help),
    WORKER_COUNTERS(X)
#undef X

    WRITTEN( "ebb_commands_total",                    "{cmd}",                   "counter", write_calls,    "Commands run, by name"),
    WRITTEN( "ebb_commands_seconds_total",            "{cmd}",                   "counter", write_seconds,  "Time spent running them"),
    WRITTEN( "ebb_commands_rejected_total",           "{cmd}",                   "counter", write_rejected, "Commands refused before they ran"),
    WRITTEN( "ebb_commands_failed_total",             "{cmd}",                   "counter", write_failed,   "Commands that answered an error"),
    WRITTEN( "ebb_errors_total",                      "{code}",                  "counter", write_errors,   "Error replies, by code"),

    GAUGE(   "process_resident_memory_bytes",       governor.resident_bytes,    "Resident memory size in bytes"),
    WRITTEN( "process_cpu_seconds_total",             "",                        "counter", write_cpu,      "Total user and system CPU time spent in seconds"),
    SECONDS( "process_start_time_seconds",          started_s,                  "Start time of the process since unix epoch in seconds"),
    WRITTEN( "process_open_fds",                      "",                        "gauge",   write_open_fds, "Number of open file descriptors"),
    WRITTEN( "process_max_fds",                       "",                        "gauge",   write_max_fds,  "Maximum number of open file descriptors"),

    /* What dashboards made for Redis's exporter ask for. */
    WRITTEN( "redis_up",                              "",                        "gauge",   write_one,      "Always 1"),
    GAUGE(   "redis_uptime_in_seconds",             uptime_s,                   "As ebb_uptime_seconds"),
    GAUGE(   "redis_connected_clients",             clients,                    "As ebb_connections"),
    GAUGE(   "redis_pubsub_channels",               pubsub_channels,            "As ebb_pubsub_channels"),
    GAUGE(   "redis_pubsub_patterns",               pubsub_patterns,            "As ebb_pubsub_patterns"),
    GAUGE(   "redis_blocked_clients",               blocked_clients,            "Clients whose commands CLIENT PAUSE holds"),
    GAUGE(   "redis_memory_used_bytes",             used_bytes,                 "As ebb_used_bytes"),
    GAUGE(   "redis_memory_max_bytes",              budget_bytes,               "The option maxmemory in bytes"),
    WRITTEN( "redis_commands_total",                  "{cmd}",                   "counter", write_calls,    "As ebb_commands_total"),
    WRITTEN( "redis_commands_duration_seconds_total", "{cmd}",                   "counter", write_seconds,  "As ebb_commands_seconds_total"),
    COUNTER( "redis_commands_processed_total",      workers.commands,           "As ebb_client_commands_total"),
    COUNTER( "redis_keyspace_hits_total",           cache.hits,                 "As ebb_hits_total"),
    COUNTER( "redis_keyspace_misses_total",         cache.misses,               "As ebb_misses_total"),
    COUNTER( "redis_net_input_bytes_total",         workers.read_bytes,         "As ebb_client_read_bytes_total"),
    COUNTER( "redis_net_output_bytes_total",        workers.written_bytes,      "As ebb_client_written_bytes_total"),
    WRITTEN( "redis_db_keys",                         "{db}",                    "gauge",   write_keys,     "Entries, by database"),
    WRITTEN( "redis_db_keys_expiring",                "{db}",                    "gauge",   write_expiring, "Entries with an expiry, by database"),
    COUNTER( "redis_expired_keys_total",            cache.expired,              "As ebb_expired_total"),
    COUNTER( "redis_evicted_keys_total",            cache.evicted,              "As ebb_evicted_total"),
    COUNTER( "redis_acl_access_denied_auth_total",  workers.auth_failures,      "As ebb_client_auth_failures_total"),
    COUNTER( "redis_acl_access_denied_cmd_total",   workers.denied_commands,    "As ebb_client_denied_commands_total"),
    COUNTER( "redis_acl_access_denied_key_total",   workers.denied_keys,        "As ebb_client_denied_keys_total"),
    COUNTER( "redis_acl_access_denied_channel_total", workers.denied_channels,  "As ebb_client_denied_channels_total"),
};
// clang-format on

static const size_t metric_count = sizeof metrics / sizeof metrics[0];

static void write_metric(const struct scrape *scrape,
                         const struct metric *metric)
{
    const char *from = (const char *)&scrape->now + metric->at;
    uint64_t number;
    double seconds;

    prom_family(scrape->out, metric->name, metric->type, metric->help);
    memcpy(&number, from, sizeof number);
    memcpy(&seconds, from, sizeof seconds);
    switch (metric->kind) {
    case METRIC_NUMBER:
        prom_sample_int(scrape->out, metric->name, NULL, number);
        break;
    case METRIC_MILLIS:
        prom_sample(scrape->out, metric->name, NULL, (double)number / 1000);
        break;
    case METRIC_SECONDS:
        prom_sample(scrape->out, metric->name, NULL, seconds);
        break;
    case METRIC_WRITTEN:
        metric->write(scrape, metric->name);
        break;
    }
}

void metrics_write(struct server *server, int64_t now_ms, struct buf *out)
{
    struct scrape scrape = {.server = server, .out = out};

    stats_take(server, now_ms, &scrape.now);
    for (size_t i = 0; i < metric_count; i++)
        write_metric(&scrape, &metrics[i]);
}

const char *metrics_name(size_t i)
{
    return i < metric_count ? metrics[i].name : NULL;
}

void metrics_print_markdown(FILE *to)
{
    fputs("# Metrics\n\n"
          "`GET /metrics` on `metrics-port` answers in Prometheus's text "
          "format 0.0.4.\n`GET /healthz` answers `ok`, `GET /budget` how far "
          "the process is from its budget\n([resize.md](resize.md)).  None of "
          "them asks for a password, and none tells keys,\nvalues, addresses "
          "or secrets.\n\n"
          "Names that begin with `redis_` repeat numbers under the names that "
          "dashboards\nmade for Redis's exporter ask for.  `CONFIG RESETSTAT` "
          "sets counters back to 0.\n\n"
          "| metric | type | what it is |\n|---|---|---|\n",
          to);
    for (size_t i = 0; i < metric_count; i++)
        fprintf(to, "| `%s%s` | %s | %s |\n", metrics[i].name,
                metrics[i].labels, metrics[i].type, metrics[i].help);
}
