/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STATS_H
#define STATS_H

/*
 * What the server can tell of itself, in one struct that INFO and /metrics
 * both read, and the little that must be remembered for it: rates over the
 * last 1.6 s, peaks, error replies by code.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/cache.h"
#include "cache/pages.h"
#include "governor.h"
#include "tracking.h"
#include "worker.h"

struct server;
struct stats;

/* Adds its 100 ms timer to server->base, which must be there.  NULL: no
 * memory.  On the main thread. */
struct stats *stats_new(struct server *server);
void stats_free(struct stats *stats); /* NULL is fine */

/* The codes of error replies ("ERR", "NOAUTH", ...) that are told apart; the
 * rest is counted as the last one. */
extern const char *const stats_error_codes[];
extern const size_t stats_error_code_count;

/* Counts an error reply; text is what follows the '-'.  Any thread. */
void stats_count_error(struct stats *stats, const char *text, size_t len);
uint64_t stats_errors(const struct stats *stats, size_t code);

/* A moment's numbers.  The fields of both tables have the tables' names. */
struct stats_now {
    struct governor_state governor;
    struct cache_stats cache;
#define X(name, help) uint64_t name;
    struct {
        WORKER_COUNTERS(X)
    } workers; /* sums */
#undef X
    struct pages_heap heap;
    /* Used: base, clients' buffers, cells in use and index; the rest of what is
     * resident is free cells and free slabs. */
    uint64_t used_bytes;
    uint64_t used_net_bytes; /* without the base */
    uint64_t peak_bytes;     /* the most that used_bytes was seen at */
    uint64_t machine_bytes;
    uint64_t pool_bytes, pool_used_bytes;
    uint64_t rebuilding;      /* 0 or 1 */
    uint64_t remaining_bytes; /* above the budget while it is being lowered */
    /* Heap and slabs: in use; pages with something in use; resident. */
    uint64_t allocated_bytes, active_bytes, backed_bytes;
    uint64_t overhead_bytes; /* of used_bytes: all but keys and values */
    uint64_t entry_bytes;    /* used_net_bytes for each entry */
    uint64_t budget_bytes;   /* as CONFIG GET shows it */
    struct tracking_state tracking;
    uint64_t clients, clients_max, rejected_connections;
    uint64_t blocked_clients; /* by CLIENT PAUSE */
    uint64_t watching_clients, watched_keys;
    uint64_t pubsub_channels, pubsub_patterns, pubsub_shard_channels;
    uint64_t pubsub_clients;
    uint64_t old_rules_bytes; /* of users, no more in force */
    uint64_t push_bytes;      /* in flight between threads */
    uint64_t lost_notifications;
    uint64_t ops_per_s;
    double input_kib_per_s, output_kib_per_s;
    uint64_t uptime_s;
    double started_s; /* Unix time */
    double cpu_user_s, cpu_system_s, main_user_s, main_system_s;
};

/* From any thread. */
void stats_take(struct server *server, int64_t now_ms, struct stats_now *now);

/* One command's numbers, summed over the workers. */
struct stats_command {
    uint64_t calls, usec, rejected, failed;
    uint64_t took[STATS_COLUMNS]; /* as in struct command_stats */
};
void stats_command(const struct server *server, size_t row,
                   struct stats_command *out);

/*
 * Counters back to zero (CONFIG RESETSTAT): those of the cache, of stats and
 * of one worker.  The last on that worker's own thread.
 */
void stats_reset(struct server *server);
void stats_reset_worker(struct worker *worker);

#endif
