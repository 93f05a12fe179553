/* SPDX-License-Identifier: BSD-3-Clause */
/* The lines of INFO that are a name and a number: one row each. */

#include "info_table.h"

#include "conf/conf.h"
#include "stats.h"

// clang-format off
#define AT(field)           offsetof(struct stats_now, field)
#define TEXT(name, value)   {name, FIELD_TEXT, value, 0, 0}
#define NUMBER(name, a)     {name, FIELD_NUMBER, NULL, AT(a), 0}
#define HUMAN(name, a)      {name, FIELD_HUMAN, NULL, AT(a), 0}
#define BYTES(name, a)      NUMBER(name, a), HUMAN(name "_human", a)
#define SECONDS(name, a)    {name, FIELD_SECONDS, NULL, AT(a), 0}
#define RATE(name, a)       {name, FIELD_RATE, NULL, AT(a), 0}
#define RATIO(name, a, b)   {name, FIELD_RATIO, NULL, AT(a), AT(b)}
#define PERCENT(name, a, b) {name, FIELD_PERCENT, NULL, AT(a), AT(b)}
#define EXCESS(name, a, b)  {name, FIELD_EXCESS, NULL, AT(a), AT(b)}

static const struct field clients_fields[] = {
    NUMBER("connected_clients",               clients),
    TEXT("cluster_connections",               "0"),
    NUMBER("maxclients",                      clients_max),
    NUMBER("blocked_clients",                 blocked_clients),
    NUMBER("tracking_clients",                tracking.clients),
    NUMBER("pubsub_clients",                  pubsub_clients),
    TEXT("clients_in_timeout_table",          "0"),
    NUMBER("watching_clients",                watching_clients),
    NUMBER("total_watched_keys",              watched_keys),
    NUMBER("ebb_client_pool_bytes",           pool_bytes),
    NUMBER("ebb_client_pool_used_bytes",      pool_used_bytes),
    NUMBER("ebb_tracking_bytes",              tracking.bytes),
    NUMBER("ebb_client_push_bytes",           push_bytes),
    NUMBER("ebb_lost_notifications",          lost_notifications),
    NUMBER("ebb_old_rules_bytes",             old_rules_bytes),
};

static const struct field memory_fields[] = {
    BYTES("used_memory",                      used_bytes),
    BYTES("used_memory_rss",                  governor.resident_bytes),
    BYTES("used_memory_peak",                 peak_bytes),
    PERCENT("used_memory_peak_perc",          used_bytes, peak_bytes),
    NUMBER("used_memory_overhead",            overhead_bytes),
    NUMBER("used_memory_startup",             governor.base_bytes),
    NUMBER("used_memory_dataset",             cache.payload_bytes),
    PERCENT("used_memory_dataset_perc",       cache.payload_bytes, used_net_bytes),
    NUMBER("allocator_allocated",             allocated_bytes),
    NUMBER("allocator_active",                active_bytes),
    NUMBER("allocator_resident",              backed_bytes),
    BYTES("total_system_memory",              machine_bytes),
    TEXT("used_memory_lua",                   "0"),
    TEXT("used_memory_lua_human",             "0B"),
    TEXT("used_memory_scripts",               "0"),
    TEXT("used_memory_scripts_human",         "0B"),
    BYTES("maxmemory",                        budget_bytes),
    {"maxmemory_policy", FIELD_OPTION, NULL,  CONF_maxmemory_policy, 0},
    RATIO("allocator_frag_ratio",             active_bytes, allocated_bytes),
    EXCESS("allocator_frag_bytes",            active_bytes, allocated_bytes),
    RATIO("allocator_rss_ratio",              backed_bytes, active_bytes),
    EXCESS("allocator_rss_bytes",             backed_bytes, active_bytes),
    RATIO("rss_overhead_ratio",               governor.resident_bytes, backed_bytes),
    EXCESS("rss_overhead_bytes",              governor.resident_bytes, backed_bytes),
    RATIO("mem_fragmentation_ratio",          governor.resident_bytes, used_bytes),
    EXCESS("mem_fragmentation_bytes",         governor.resident_bytes, used_bytes),
    TEXT("mem_not_counted_for_evict",         "0"),
    TEXT("mem_replication_backlog",           "0"),
    TEXT("mem_total_replication_buffers",     "0"),
    TEXT("mem_clients_slaves",                "0"),
    NUMBER("mem_clients_normal",              pool_used_bytes),
    TEXT("mem_cluster_links",                 "0"),
    TEXT("mem_aof_buffer",                    "0"),
    TEXT("mem_allocator",                     "jemalloc"),
    TEXT("active_defrag_running",             "0"),
    NUMBER("lazyfree_pending_objects",        cache.flushed_entries),
    TEXT("lazyfreed_objects",                 "0"),
    NUMBER("ebb_budget_bytes",                governor.budget_bytes),
    NUMBER("ebb_slab_limit_bytes",            governor.slab_limit_bytes),
    NUMBER("ebb_base_bytes",                  governor.base_bytes),
    NUMBER("ebb_reserve_bytes",               governor.reserve_bytes),
    NUMBER("ebb_floor_bytes",                 governor.floor_bytes),
    NUMBER("ebb_floor_above_budget",          governor.floor_above_budget),
    NUMBER("ebb_rebuilding",                  rebuilding),
    NUMBER("ebb_rebuild_remaining_bytes",     remaining_bytes),
    NUMBER("ebb_rebuilds",                    governor.rebuilds),
    NUMBER("ebb_last_rebuild_from_bytes",     governor.rebuild_from_bytes),
    NUMBER("ebb_last_rebuild_to_bytes",       governor.rebuild_to_bytes),
    NUMBER("ebb_last_rebuild_ms",             governor.last_rebuild_ms),
};

/* MEMORY STATS, with the names that Redis gives these there. */
static const struct field memory_stats_fields[] = {
    NUMBER("peak.allocated",                  peak_bytes),
    NUMBER("total.allocated",                 used_bytes),
    NUMBER("startup.allocated",               governor.base_bytes),
    TEXT("replication.backlog",               "0"),
    TEXT("clients.slaves",                    "0"),
    NUMBER("clients.normal",                  pool_used_bytes),
    TEXT("cluster.links",                     "0"),
    TEXT("aof.buffer",                        "0"),
    TEXT("lua.caches",                        "0"),
    TEXT("functions.caches",                  "0"),
    NUMBER("overhead.total",                  overhead_bytes),
    NUMBER("keys.count",                      cache.entries),
    NUMBER("keys.bytes-per-key",              entry_bytes),
    NUMBER("dataset.bytes",                   cache.payload_bytes),
    PERCENT("dataset.percentage",             cache.payload_bytes, used_net_bytes),
    PERCENT("peak.percentage",                used_bytes, peak_bytes),
    NUMBER("allocator.allocated",             allocated_bytes),
    NUMBER("allocator.active",                active_bytes),
    NUMBER("allocator.resident",              backed_bytes),
    RATIO("allocator-fragmentation.ratio",    active_bytes, allocated_bytes),
    EXCESS("allocator-fragmentation.bytes",   active_bytes, allocated_bytes),
    RATIO("allocator-rss.ratio",              backed_bytes, active_bytes),
    EXCESS("allocator-rss.bytes",             backed_bytes, active_bytes),
    RATIO("rss-overhead.ratio",               governor.resident_bytes, backed_bytes),
    EXCESS("rss-overhead.bytes",              governor.resident_bytes, backed_bytes),
    RATIO("fragmentation",                    governor.resident_bytes, used_bytes),
    EXCESS("fragmentation.bytes",             governor.resident_bytes, used_bytes),
};

/* Nothing is saved.  Tools look for these lines to see that no load, save or
 * rewrite is under way. */
static const struct field persistence_fields[] = {
    TEXT("loading",                           "0"),
    TEXT("async_loading",                     "0"),
    TEXT("rdb_changes_since_last_save",       "0"),
    TEXT("rdb_bgsave_in_progress",            "0"),
    TEXT("rdb_last_save_time",                "0"),
    TEXT("rdb_last_bgsave_status",            "ok"),
    TEXT("rdb_last_bgsave_time_sec",          "-1"),
    TEXT("rdb_current_bgsave_time_sec",       "-1"),
    TEXT("rdb_saves",                         "0"),
    TEXT("aof_enabled",                       "0"),
    TEXT("aof_rewrite_in_progress",           "0"),
    TEXT("aof_rewrite_scheduled",             "0"),
    TEXT("aof_last_rewrite_time_sec",         "-1"),
    TEXT("aof_current_rewrite_time_sec",      "-1"),
    TEXT("aof_last_bgrewrite_status",         "ok"),
    TEXT("aof_last_write_status",             "ok"),
    TEXT("module_fork_in_progress",           "0"),
};

static const struct field stats_fields[] = {
    NUMBER("total_connections_received",      workers.connections),
    NUMBER("total_commands_processed",        workers.commands),
    NUMBER("instantaneous_ops_per_sec",       ops_per_s),
    NUMBER("total_net_input_bytes",           workers.read_bytes),
    NUMBER("total_net_output_bytes",          workers.written_bytes),
    TEXT("total_net_repl_input_bytes",        "0"),
    TEXT("total_net_repl_output_bytes",       "0"),
    RATE("instantaneous_input_kbps",          input_kib_per_s),
    RATE("instantaneous_output_kbps",         output_kib_per_s),
    NUMBER("rejected_connections",            rejected_connections),
    TEXT("sync_full",                         "0"),
    TEXT("sync_partial_ok",                   "0"),
    TEXT("sync_partial_err",                  "0"),
    NUMBER("expired_keys",                    cache.expired),
    TEXT("expired_stale_perc",                "0.00"),
    TEXT("expired_time_cap_reached_count",    "0"),
    NUMBER("evicted_keys",                    cache.evicted),
    NUMBER("evicted_clients",                 workers.closed_memory),
    NUMBER("keyspace_hits",                   cache.hits),
    NUMBER("keyspace_misses",                 cache.misses),
    NUMBER("pubsub_channels",                 pubsub_channels),
    NUMBER("pubsub_patterns",                 pubsub_patterns),
    NUMBER("pubsubshard_channels",            pubsub_shard_channels),
    TEXT("latest_fork_usec",                  "0"),
    TEXT("total_forks",                       "0"),
    TEXT("migrate_cached_sockets",            "0"),
    TEXT("slave_expires_tracked_keys",        "0"),
    TEXT("active_defrag_hits",                "0"),
    TEXT("active_defrag_misses",              "0"),
    NUMBER("tracking_total_keys",             tracking.keys),
    NUMBER("tracking_total_items",            tracking.items),
    NUMBER("tracking_total_prefixes",         tracking.prefixes),
    TEXT("unexpected_error_replies",          "0"),
    NUMBER("total_error_replies",             workers.error_replies),
    NUMBER("acl_access_denied_auth",          workers.auth_failures),
    NUMBER("acl_access_denied_cmd",           workers.denied_commands),
    NUMBER("acl_access_denied_key",           workers.denied_keys),
    NUMBER("acl_access_denied_channel",       workers.denied_channels),
    NUMBER("total_reads_processed",           workers.reads),
    NUMBER("total_writes_processed",          workers.writes),
    NUMBER("client_output_buffer_limit_disconnections", workers.closed_output),
};

static const struct field replication_fields[] = {
    TEXT("role",                              "master"),
    TEXT("connected_slaves",                  "0"),
    TEXT("master_failover_state",             "no-failover"),
    TEXT("master_replid2",                    "0000000000000000000000000000000000000000"),
    TEXT("master_repl_offset",                "0"),
    TEXT("second_repl_offset",                "-1"),
    TEXT("repl_backlog_active",               "0"),
    TEXT("repl_backlog_size",                 "0"),
    TEXT("repl_backlog_first_byte_offset",    "0"),
    TEXT("repl_backlog_histlen",              "0"),
};

static const struct field cpu_fields[] = {
    SECONDS("used_cpu_sys",                   cpu_system_s),
    SECONDS("used_cpu_user",                  cpu_user_s),
    TEXT("used_cpu_sys_children",             "0.000000"),
    TEXT("used_cpu_user_children",            "0.000000"),
    SECONDS("used_cpu_sys_main_thread",       main_system_s),
    SECONDS("used_cpu_user_main_thread",      main_user_s),
};

static const struct field cluster_fields[] = {
    TEXT("cluster_enabled",                   "0"),
};

static const struct field ebb_fields[] = {
#define X(row, help) NUMBER("ebb_" #row, cache.row),
    CACHE_COUNTERS(X)
#undef X
#define X(row, help) NUMBER("ebb_cache_" #row, cache.row),
    CACHE_GAUGES(X)
#undef X
    NUMBER("ebb_cache_oldest_idle_ms",        cache.oldest_idle_ms),
#define X(row, help) NUMBER("ebb_client_" #row, workers.row),
    WORKER_COUNTERS(X)
#undef X
};
// clang-format on

#define FIELDS(rows)                                                           \
    {                                                                          \
        rows, sizeof rows / sizeof rows[0]                                     \
    }

const struct fields info_clients = FIELDS(clients_fields);
const struct fields info_memory = FIELDS(memory_fields);
const struct fields info_memory_stats = FIELDS(memory_stats_fields);
const struct fields info_persistence = FIELDS(persistence_fields);
const struct fields info_stats = FIELDS(stats_fields);
const struct fields info_replication = FIELDS(replication_fields);
const struct fields info_cpu = FIELDS(cpu_fields);
const struct fields info_cluster = FIELDS(cluster_fields);
const struct fields info_ebb = FIELDS(ebb_fields);
