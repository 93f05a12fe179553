/* SPDX-License-Identifier: BSD-3-Clause */
/* What every option that may change at runtime does, and what it must be. */

#include "option_rules.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "acl.h"
#include "descriptors.h"
#include "governor.h"
#include "limits.h"
#include "log.h"
#include "notify.h"
#include "options.h"
#include "server.h"
#include "slowlog.h"
#include "tracking.h"

/* ---------------------------------------------------------------- effects */

/* As the governor takes it: bytes, or minus percent. */
static int64_t budget_of(const struct conf *conf)
{
    return conf->maxmemory == 0 ? -OPTIONS_DEFAULT_SHARE : conf->maxmemory;
}

static void apply_maxmemory(struct server *server, const struct conf *conf)
{
    governor_set_budget(server->governor, budget_of(conf));
}

static void apply_maxmemory_policy(struct server *server,
                                   const struct conf *conf)
{
    /* In the order of the words in conf/options.h. */
    static const enum cache_policy policies[] = {
        CACHE_VOLATILE_LRU, CACHE_VOLATILE_RANDOM, CACHE_VOLATILE_TTL,
        CACHE_ALLKEYS_LRU,  CACHE_ALLKEYS_RANDOM,  CACHE_NO_EVICTION,
    };

    cache_set_policy(server->cache, policies[conf->maxmemory_policy]);
}

static void apply_maxmemory_clients(struct server *server,
                                    const struct conf *conf)
{
    governor_set_clients_share(server->governor, conf->maxmemory_clients);
}

static void apply_huge_pages(struct server *server, const struct conf *conf)
{
    enum { YES };

    cache_set_huge_pages(server->cache, conf->huge_pages == YES);
}

static void apply_tracking(struct server *server, const struct conf *conf)
{
    int64_t keys = conf->tracking_table_max_keys;

    tracking_set_max(server->tracking, keys > 0 ? (uint64_t)keys : UINT64_MAX);
}

static void apply_requirepass(struct server *server, const struct conf *conf)
{
    acl_set_password(server->acl, conf->requirepass);
}

static void apply_notify(struct server *server, const struct conf *conf)
{
    notify_want(server, (unsigned)conf->notify_keyspace_events);
}

static void apply_loglevel(struct server *server, const struct conf *conf)
{
    log_set_level(server->log, (enum log_level)conf->loglevel);
}

/* What connections read: struct limits, all of it at once. */
static void apply_limits(struct server *server, const struct conf *conf)
{
    enum { PROTECTED, OPEN };
    struct limits *limits = &server->limits;

    atomic_store(&limits->clients, conf->maxclients);
    atomic_store(&limits->bulk_bytes, conf->proto_max_bulk_len);
    atomic_store(&limits->request_args, conf->request_args_max);
    atomic_store(&limits->request_bytes, conf->request_bytes_max);
    atomic_store(&limits->inline_bytes, conf->inline_max);
    atomic_store(&limits->output_mark_bytes, conf->output_mark);
    atomic_store(&limits->output_limit_bytes, conf->output_limit);
    atomic_store(&limits->idle_ms, conf->timeout * 1000);
    atomic_store(&limits->request_ms, conf->request_timeout * 1000);
    atomic_store(&limits->stall_ms, conf->stall_timeout * 1000);
    atomic_store(&limits->auth_ms, conf->auth_timeout * 1000);
    atomic_store(&limits->stop_ms, conf->stop_timeout * 1000);
    atomic_store(&limits->keepalive_s, conf->tcp_keepalive);
    atomic_store(&limits->protected_mode, conf->protected_mode == PROTECTED);
    atomic_store(&limits->acl_log_entries, conf->acllog_max_len);
}

/* From how many ticks on a command is slow for anybody. */
static void apply_slow(struct server *server, const struct conf *conf)
{
    struct limits *limits = &server->limits;
    int64_t slow_us = conf->slowlog_log_slower_than;
    int64_t late_ms = conf->latency_monitor_threshold;
    uint64_t least_ns = UINT64_MAX;

    if (slow_us >= 0 && slow_us < INT64_MAX / 1000)
        least_ns = (uint64_t)slow_us * 1000;
    if (late_ms > 0 && late_ms < INT64_MAX / 1000000 &&
        (uint64_t)late_ms * 1000000 < least_ns)
        least_ns = (uint64_t)late_ms * 1000000;
    atomic_store(&limits->slowlog_us, slow_us);
    atomic_store(&limits->latency_ms, late_ms);
    atomic_store(&limits->slow_ticks, ticks_of_ns(&server->ticks, least_ns));
}

static void apply_slowlog_max_len(struct server *server,
                                  const struct conf *conf)
{
    slowlog_set_max(server->slowlog, (uint64_t)conf->slowlog_max_len);
}

/* ----------------------------------------------------------------- checks */

static const char *explain(char why[CONF_TEXT_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static const char *explain(char why[CONF_TEXT_MAX], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, CONF_TEXT_MAX, format, args);
    va_end(args);
    return why;
}

static const char *check_maxmemory_clients(struct server *server,
                                           const struct conf *conf, char *why)
{
    uint64_t budget = governor_bytes_of(server->governor, budget_of(conf));
    int64_t share = conf->maxmemory_clients;
    uint64_t bytes =
        share < 0 ? budget / 100 * (uint64_t)-share : (uint64_t)share;

    (void)why;
    return bytes <= budget / 2 ? NULL
                               : "argument must be at most half of maxmemory";
}

static const char *check_output(struct server *server, const struct conf *conf,
                                char *why)
{
    (void)server;
    (void)why;
    return conf->output_mark <= conf->output_limit
               ? NULL
               : "output-mark must be at most output-limit";
}

static const char *check_maxclients(struct server *server,
                                    const struct conf *conf, char *why)
{
    int64_t clients = descriptors_raise(conf->maxclients);

    (void)server;
    if (clients == conf->maxclients)
        return NULL;
    return explain(why,
                   "The operating system is not able to handle the specified "
                   "number of clients, try with %" PRId64,
                   clients);
}

const struct option_rule option_rules[CONF_COUNT] = {
    [CONF_maxmemory] = {apply_maxmemory, NULL},
    [CONF_maxmemory_policy] = {apply_maxmemory_policy, NULL},
    [CONF_maxmemory_clients] = {apply_maxmemory_clients,
                                check_maxmemory_clients},
    [CONF_huge_pages] = {apply_huge_pages, NULL},
    [CONF_tracking_table_max_keys] = {apply_tracking, NULL},
    [CONF_maxclients] = {apply_limits, check_maxclients},
    [CONF_timeout] = {apply_limits, NULL},
    [CONF_request_timeout] = {apply_limits, NULL},
    [CONF_stall_timeout] = {apply_limits, NULL},
    [CONF_auth_timeout] = {apply_limits, NULL},
    [CONF_stop_timeout] = {apply_limits, NULL},
    [CONF_tcp_keepalive] = {apply_limits, NULL},
    [CONF_proto_max_bulk_len] = {apply_limits, NULL},
    [CONF_request_args_max] = {apply_limits, NULL},
    [CONF_request_bytes_max] = {apply_limits, NULL},
    [CONF_inline_max] = {apply_limits, NULL},
    [CONF_output_mark] = {apply_limits, check_output},
    [CONF_output_limit] = {apply_limits, check_output},
    [CONF_protected_mode] = {apply_limits, NULL},
    [CONF_acllog_max_len] = {apply_limits, NULL},
    [CONF_requirepass] = {apply_requirepass, NULL},
    [CONF_slowlog_log_slower_than] = {apply_slow, NULL},
    [CONF_slowlog_max_len] = {apply_slowlog_max_len, NULL},
    [CONF_latency_monitor_threshold] = {apply_slow, NULL},
    [CONF_notify_keyspace_events] = {apply_notify, NULL},
    [CONF_loglevel] = {apply_loglevel, NULL},
};
