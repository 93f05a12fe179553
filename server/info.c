/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes the sections of INFO. */

#include "info.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "command.h"
#include "info_table.h"
#include "options.h"
#include "protocol/text.h"
#include "server.h"
#include "stats.h"
#include "version.h"

/* What the writers of one INFO share. */
struct info {
    struct server *server;
    struct stats_now now;
    struct buf *out;
};

/* -------------------------------------------------------------- the fields */

uint64_t field_number(const struct stats_now *now, size_t offset)
{
    uint64_t number;

    memcpy(&number, (const char *)now + offset, sizeof number);
    return number;
}

double field_share(const struct stats_now *now, const struct field *field)
{
    double a = (double)field_number(now, field->a);
    double b = (double)field_number(now, field->b);
    double share = b > 0 ? a / b : 0;

    return field->kind == FIELD_PERCENT ? share * 100 : share;
}

int64_t field_excess(const struct stats_now *now, const struct field *field)
{
    return (int64_t)(field_number(now, field->a) - field_number(now, field->b));
}

const char *info_human(uint64_t bytes, char text[INFO_HUMAN_MAX])
{
    static const char units[] = "KMGTP";
    double value = (double)bytes / 1024;
    size_t unit = 0;

    if (bytes < 1024) {
        snprintf(text, INFO_HUMAN_MAX, "%" PRIu64 "B", bytes);
        return text;
    }
    while (value >= 1024 && units[unit + 1] != '\0') {
        value /= 1024;
        unit++;
    }
    snprintf(text, INFO_HUMAN_MAX, "%.2f%c", value, units[unit]);
    return text;
}

static uint64_t number_at(const struct info *info, size_t offset)
{
    return field_number(&info->now, offset);
}

static double double_at(const struct info *info, size_t offset)
{
    double number;

    memcpy(&number, (const char *)&info->now + offset, sizeof number);
    return number;
}

static void write_human(struct buf *out, uint64_t bytes)
{
    char text[INFO_HUMAN_MAX];

    buf_add_text(out, info_human(bytes, text));
}

static void write_share(const struct info *info, const struct field *field)
{
    double share = field_share(&info->now, field);

    if (field->kind == FIELD_PERCENT)
        buf_addf(info->out, "%.2f%%", share);
    else
        buf_addf(info->out, "%.2f", share);
}

static void write_option(const struct info *info, enum conf_id id)
{
    char text[CONF_TEXT_MAX];

    options_get(info->server, id, text);
    buf_add_text(info->out, text);
}

static void write_field(const struct info *info, const struct field *field)
{
    struct buf *out = info->out;

    buf_addf(out, "%s:", field->name);
    switch (field->kind) {
    case FIELD_TEXT:
        buf_add_text(out, field->text);
        break;
    case FIELD_OPTION:
        write_option(info, (enum conf_id)field->a);
        break;
    case FIELD_NUMBER:
        buf_addf(out, "%" PRIu64, number_at(info, field->a));
        break;
    case FIELD_HUMAN:
        write_human(out, number_at(info, field->a));
        break;
    case FIELD_SECONDS:
        buf_addf(out, "%.6f", double_at(info, field->a));
        break;
    case FIELD_RATE:
        buf_addf(out, "%.2f", double_at(info, field->a));
        break;
    case FIELD_RATIO:
    case FIELD_PERCENT:
        write_share(info, field);
        break;
    case FIELD_EXCESS:
        buf_addf(out, "%" PRId64, field_excess(&info->now, field));
        break;
    }
    buf_add_text(out, "\r\n");
}

/* ------------------------------------------------ sections beside the table */

static void write_server(const struct info *info)
{
    struct server *server = info->server;
    struct buf *out = info->out;
    struct utsname os = {0};
    struct timeval time;
    char path[512];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);

    path[len > 0 ? len : 0] = '\0';
    uname(&os);
    gettimeofday(&time, NULL);
    buf_addf(out,
             "redis_version:%s\r\nredis_git_sha1:00000000\r\n"
             "redis_git_dirty:0\r\nredis_build_id:0\r\n"
             "redis_mode:standalone\r\n",
             server->conf.reported_version);
    buf_addf(out, "server_name:ebb\r\nebb_version:%s\r\n", EBB_VERSION);
    buf_addf(out, "os:%s %s %s\r\narch_bits:%zu\r\n", os.sysname, os.release,
             os.machine, sizeof(void *) * 8);
    buf_addf(out, "multiplexing_api:%s\r\ngcc_version:%d.%d.%d\r\n",
             event_base_get_method(server->base), __GNUC__, __GNUC_MINOR__,
             __GNUC_PATCHLEVEL__);
    buf_addf(out,
             "process_id:%ld\r\nprocess_supervised:no\r\n"
             "run_id:%s\r\ntcp_port:%d\r\n",
             (long)getpid(), server->run_id, server->port);
    buf_addf(out, "server_time_usec:%lld\r\n",
             (long long)time.tv_sec * 1000000 + time.tv_usec);
    buf_addf(out,
             "uptime_in_seconds:%" PRIu64 "\r\n"
             "uptime_in_days:%" PRIu64 "\r\n",
             info->now.uptime_s, info->now.uptime_s / 86400);
    buf_addf(out, "executable:%s\r\nconfig_file:%s\r\nio_threads_active:0\r\n",
             path, server->conf.file);
    buf_addf(out, "ebb_threads:%u\r\nebb_metrics_port:%d\r\n",
             server->worker_count, server->metrics_port);
}

static void write_replication(const struct info *info)
{
    buf_addf(info->out, "master_replid:%s\r\n", info->server->run_id);
}

static void write_commandstats(const struct info *info)
{
    for (size_t row = 0; row < command_count; row++) {
        struct stats_command stats;

        stats_command(info->server, row, &stats);
        if (stats.calls == 0 && stats.rejected == 0 && stats.failed == 0)
            continue;
        buf_addf(info->out,
                 "cmdstat_%s:calls=%" PRIu64 ",usec=%" PRIu64
                 ",usec_per_call=%.2f,rejected_calls=%" PRIu64
                 ",failed_calls=%" PRIu64 "\r\n",
                 command_table[row].name, stats.calls, stats.usec,
                 stats.calls == 0 ? 0
                                  : (double)stats.usec / (double)stats.calls,
                 stats.rejected, stats.failed);
    }
}

/* The time that so many of a thousand calls did not take longer than, in
 * microseconds: the top of a column of the histogram. */
static double percentile(const struct stats_command *stats, unsigned permille)
{
    uint64_t calls = 0, below = 0;
    unsigned column = 0;

    for (size_t i = 0; i < STATS_COLUMNS; i++)
        calls += stats->took[i];
    while (column < STATS_COLUMNS - 1 &&
           (below += stats->took[column]) * 1000 < calls * permille)
        column++;
    return (double)(UINT64_C(1024) << column) / 1000;
}

static void write_latencystats(const struct info *info)
{
    for (size_t row = 0; row < command_count; row++) {
        struct stats_command stats;

        stats_command(info->server, row, &stats);
        if (stats.calls > 0)
            buf_addf(info->out,
                     "latency_percentiles_usec_%s:p50=%.3f,p99=%.3f,"
                     "p99.9=%.3f\r\n",
                     command_table[row].name, percentile(&stats, 500),
                     percentile(&stats, 990), percentile(&stats, 999));
    }
}

static void write_errorstats(const struct info *info)
{
    for (size_t code = 0; code < stats_error_code_count; code++) {
        uint64_t count = stats_errors(info->server->stats, code);

        if (count > 0)
            buf_addf(info->out, "errorstat_%s:count=%" PRIu64 "\r\n",
                     stats_error_codes[code], count);
    }
}

/* How long keys have left on average is not known without looking at them
 * all, so it is given as 0, "unknown". */
static void write_keyspace(const struct info *info)
{
    struct server *server = info->server;

    for (unsigned db = 0; db < (unsigned)server->conf.databases; db++) {
        uint64_t keys = cache_count(server->cache, db);

        if (keys > 0)
            buf_addf(info->out,
                     "db%u:keys=%" PRIu64 ",expires=%" PRIu64 ",avg_ttl=0\r\n",
                     db, keys, cache_count_expiring(server->cache, db));
    }
}

/* ------------------------------------------------------------ the sections */

struct section {
    const char *name, *title;
    const struct fields *fields;           /* NULL: none */
    void (*more)(const struct info *info); /* lines beside the table's */
    bool on_request;                       /* not among the default ones */
};

// clang-format off
static const struct section sections[] = {
    {"server",       "Server",       NULL,              write_server,       false},
    {"clients",      "Clients",      &info_clients,     NULL,               false},
    {"memory",       "Memory",       &info_memory,      NULL,               false},
    {"persistence",  "Persistence",  &info_persistence, NULL,               false},
    {"stats",        "Stats",        &info_stats,       NULL,               false},
    {"replication",  "Replication",  &info_replication, write_replication,  false},
    {"cpu",          "CPU",          &info_cpu,         NULL,               false},
    {"modules",      "Modules",      NULL,              NULL,               false},
    {"commandstats", "Commandstats", NULL,              write_commandstats, true},
    {"errorstats",   "Errorstats",   NULL,              write_errorstats,   false},
    {"latencystats", "Latencystats", NULL,              write_latencystats, true},
    {"cluster",      "Cluster",      &info_cluster,     NULL,               false},
    {"ebb",          "Ebb",          &info_ebb,         NULL,               false},
    {"keyspace",     "Keyspace",     NULL,              write_keyspace,     false},
};
// clang-format on

enum { SECTIONS = sizeof sections / sizeof sections[0] };

info_sections info_find(const char *name, size_t len)
{
    bool all = text_is(name, len, "all") || text_is(name, len, "everything");
    bool by_default = text_is(name, len, "default");
    info_sections found = 0;

    for (unsigned i = 0; i < SECTIONS; i++)
        if (all || (by_default && !sections[i].on_request) ||
            text_is(name, len, sections[i].name))
            found |= 1u << i;
    return found;
}

void info_write(struct server *server, int64_t now_ms, info_sections wanted,
                struct buf *out)
{
    struct info info = {.server = server, .out = out};
    bool first = true;

    stats_take(server, now_ms, &info.now);
    for (unsigned i = 0; i < SECTIONS; i++) {
        const struct section *section = &sections[i];

        if ((wanted & 1u << i) == 0)
            continue;
        buf_addf(out, "%s# %s\r\n", first ? "" : "\r\n", section->title);
        first = false;
        for (size_t j = 0; section->fields && j < section->fields->count; j++)
            write_field(&info, &section->fields->rows[j]);
        if (section->more != NULL)
            section->more(&info);
    }
}
