/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stock redis.conf names everything that Redis has.  Most of it tunes what
 * is not there to be tuned; some of it asks for something, and who asked must
 * not believe to have it.
 */
#include "foreign.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "value.h"

/* What may be said of them is nothing to Ebb. */
// clang-format off
static const char *const ignored[] = {
    "active-defrag-cycle-max",
    "active-defrag-cycle-min", "active-defrag-ignore-bytes",
    "active-defrag-max-scan-fields", "active-defrag-threshold-lower",
    "active-defrag-threshold-upper", "active-expire-effort", "activedefrag",
    "activerehashing", "always-show-logo", "aof-load-truncated",
    "aof-rewrite-incremental-fsync", "aof-timestamp-enabled",
    "aof-use-rdb-preamble", "appenddirname", "appendfilename", "appendfsync",
    "auto-aof-rewrite-min-size", "auto-aof-rewrite-percentage",
    "busy-reply-threshold", "client-output-buffer-limit",
    "client-query-buffer-limit", "crash-log-enabled",
    "crash-memcheck-enabled", "dbfilename", "dir", "disable-thp", "dynamic-hz",
    "hash-max-listpack-entries", "hash-max-listpack-value",
    "hash-max-ziplist-entries", "hash-max-ziplist-value",
    "hll-sparse-max-bytes", "hz", "io-threads", "io-threads-do-reads",
    "jemalloc-bg-thread", "latency-tracking",
    "latency-tracking-info-percentiles", "lazyfree-lazy-eviction",
    "lazyfree-lazy-expire", "lazyfree-lazy-server-del",
    "lazyfree-lazy-user-del", "lazyfree-lazy-user-flush", "lfu-decay-time",
    "lfu-log-factor", "list-compress-depth", "list-max-listpack-size",
    "list-max-ziplist-size", "lua-time-limit",
    "maxmemory-eviction-tenacity", "maxmemory-samples",
    "no-appendfsync-on-rewrite", "oom-score-adj", "oom-score-adj-values",
    "proc-title-template", "rdb-del-sync-files", "rdb-save-incremental-fsync",
    "rdbchecksum", "rdbcompression", "repl-backlog-size", "repl-backlog-ttl",
    "repl-disable-tcp-nodelay", "repl-diskless-load", "repl-diskless-sync",
    "repl-diskless-sync-delay", "repl-diskless-sync-max-replicas",
    "repl-ping-replica-period", "repl-timeout", "replica-lazy-flush",
    "replica-priority", "replica-serve-stale-data", "sanitize-dump-payload",
    "set-max-intset-entries", "set-proc-title", "shutdown-timeout",
    "stop-writes-on-bgsave-error", "stream-node-max-bytes",
    "stream-node-max-entries", "syslog-facility", "syslog-ident",
    "zset-max-listpack-entries",
    "zset-max-listpack-value", "zset-max-ziplist-entries",
    "zset-max-ziplist-value",
};
// clang-format on

/* They ask for something, unless their value is this one; NULL: always. */
static const struct {
    const char *name, *nothing, *why;
} asking[] = {
    {"acl-pubsub-default", "resetchannels",
     "users get channels by their own rules"},
    {"cluster-enabled", "no", "there is no cluster"},
    {"enable-module-command", "no", "there are no modules"},
    {"include", NULL, "a file cannot include another"},
    {"loadmodule", NULL, "there are no modules"},
    {"min-replicas-to-write", "0", "there are no replicas"},
    {"rename-command", NULL, "commands keep their names"},
    {"replicaof", "no one", "there are no replicas"},
    {"slaveof", "no one", "there are no replicas"},
    {"supervised", "no", "no supervisor is told of the start"},
    {"syslog-enabled", "no", "the log is a file or standard output"},
    {"tls-port", "0", "there is no TLS"},
};

enum {
    IGNORED = sizeof ignored / sizeof *ignored,
    ASKING = sizeof asking / sizeof *asking,
};

static_assert((int)IGNORED + (int)ASKING <= (int)CONF_IGNORED_MAX,
              "struct conf has room for all");

static const char *name_at(size_t i)
{
    return i < IGNORED ? ignored[i] : asking[i - IGNORED].name;
}

/* The words and single spaces between are this text, in either case. */
static bool say(const struct word *values, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && *text++ != ' ')
            return false;
        if (strlen(text) < values[i].len ||
            strncasecmp(text, values[i].ptr, values[i].len) != 0)
            return false;
        text += values[i].len;
    }
    return *text == '\0';
}

bool foreign_take(struct conf *conf, struct word name,
                  const struct word *values, size_t count, const char **refusal,
                  char *why)
{
    size_t i = 0;

    *refusal = NULL;
    while (i < IGNORED + ASKING && !say(&name, 1, name_at(i)))
        i++;
    if (i == IGNORED + ASKING)
        return false;
    if (i >= IGNORED) {
        const char *nothing = asking[i - IGNORED].nothing;
        *refusal = asking[i - IGNORED].why;
        if (nothing == NULL)
            return false;
        if (count == 0 || !say(values, count, nothing)) {
            *refusal = value_say(why, "%s, so that it can only be '%s'",
                                 *refusal, nothing);
            return false;
        }
        *refusal = NULL;
    }
    conf->ignored[i] = true;
    return true;
}

const char *conf_ignored(const struct conf *conf, size_t *at)
{
    while (*at < IGNORED + ASKING) {
        size_t i = (*at)++;
        if (conf->ignored[i])
            return name_at(i);
    }
    return NULL;
}
