/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMMANDS_H
#define COMMANDS_H

/* The function of every row of the command table, by the file it is in. */

#include "command.h"

// clang-format off
#define COMMANDS(X)                                                           \
    /* cmd_string.c */                                                        \
    X(get) X(set) X(setnx) X(setex) X(psetex) X(getset) X(getdel) X(getex)    \
    X(strlen)                                                                 \
    /* cmd_append.c */                                                        \
    X(append)                                                                 \
    /* cmd_range.c */                                                         \
    X(getrange) X(setrange)                                                   \
    /* cmd_bits.c */                                                          \
    X(bitcount) X(getbit) X(setbit)                                           \
    /* cmd_rename.c */                                                        \
    X(copy) X(move) X(rename) X(renamenx)                                     \
    /* cmd_dump.c, cmd_restore.c */                                           \
    X(dump) X(restore)                                                        \
    /* cmd_increx.c */                                                        \
    X(increx)                                                                 \
    /* cmd_compare.c */                                                       \
    X(delex) X(delifeq) X(digest)                                             \
    /* cmd_float.c */                                                         \
    X(incrbyfloat)                                                            \
    /* cmd_number.c */                                                        \
    X(incr) X(decr) X(incrby) X(decrby)                                       \
    /* cmd_hash.c */                                                          \
    X(hget) X(hexists) X(hstrlen) X(hlen) X(hmget)                            \
    /* cmd_hash_list.c */                                                     \
    X(hgetall) X(hkeys) X(hvals) X(hscan) X(hrandfield)                       \
    /* cmd_hash_store.c */                                                    \
    X(hset) X(hmset) X(hsetnx) X(hdel) X(hincrby) X(hincrbyfloat)             \
    /* cmd_many.c */                                                          \
    X(mget) X(del) X(exists) X(touch)                                         \
    /* cmd_mset.c */                                                          \
    X(mset) X(msetex) X(msetnx)                                               \
    /* cmd_expire.c */                                                        \
    X(expire) X(pexpire) X(expireat) X(pexpireat) X(ttl) X(pttl)              \
    X(expiretime) X(pexpiretime) X(persist)                                   \
    /* cmd_scan.c */                                                          \
    X(scan) X(keys) X(randomkey) X(dbsize) X(flushdb) X(flushall) X(swapdb)   \
    /* cmd_object.c */                                                        \
    X(type) X(object_encoding) X(object_freq) X(object_help)                  \
    X(object_idletime) X(object_refcount)                                     \
    /* cmd_memory.c */                                                        \
    X(memory_doctor) X(memory_help) X(memory_malloc_stats) X(memory_purge)    \
    X(memory_stats) X(memory_usage)                                           \
    /* cmd_memory_wait.c */                                                   \
    X(memory_wait)                                                            \
    /* cmd_prefixes.c */                                                      \
    X(memory_prefixes)                                                        \
    /* command_info.c */                                                      \
    X(command) X(command_count) X(command_docs) X(command_help)               \
    X(command_info) X(command_list)                                           \
    /* cmd_getkeys.c */                                                       \
    X(command_getkeys) X(command_getkeysandflags)                             \
    /* cmd_acl.c */                                                           \
    X(acl_cat) X(acl_dryrun) X(acl_genpass) X(acl_help) X(acl_log)            \
    X(acl_whoami)                                                             \
    /* cmd_acl_user.c */                                                      \
    X(acl_deluser) X(acl_getuser) X(acl_list) X(acl_load) X(acl_save)         \
    X(acl_setuser) X(acl_users)                                               \
    /* cmd_conn.c */                                                          \
    X(hello) X(auth) X(ping) X(echo) X(select) X(quit) X(reset)               \
    /* cmd_client.c */                                                        \
    X(client_getname) X(client_help) X(client_id) X(client_info)              \
    X(client_kill) X(client_list) X(client_no_evict) X(client_no_touch)       \
    X(client_reply) X(client_setinfo) X(client_setname)                       \
    /* cmd_multi.c */                                                         \
    X(multi) X(exec) X(discard)                                               \
    /* cmd_watch.c */                                                         \
    X(watch) X(unwatch)                                                       \
    /* cmd_tracking.c */                                                      \
    X(client_caching) X(client_getredir) X(client_tracking)                   \
    X(client_trackinginfo)                                                    \
    /* cmd_pubsub.c */                                                        \
    X(subscribe) X(unsubscribe) X(psubscribe) X(punsubscribe) X(publish)      \
    X(ssubscribe) X(sunsubscribe) X(spublish)                                 \
    /* cmd_pubsub_info.c */                                                   \
    X(pubsub_channels) X(pubsub_help) X(pubsub_numpat) X(pubsub_numsub)       \
    X(pubsub_shardchannels) X(pubsub_shardnumsub)                             \
    /* monitor.c */                                                           \
    X(monitor)                                                                \
    /* cmd_client_pause.c */                                                  \
    X(client_pause) X(client_unblock) X(client_unpause)                       \
    /* cmd_config.c */                                                        \
    X(config_get) X(config_help) X(config_resetstat) X(config_rewrite)        \
    X(config_set)                                                             \
    /* cmd_info.c */                                                          \
    X(info)                                                                   \
    /* cmd_debug.c */                                                         \
    X(debug)                                                                  \
    /* cmd_slowlog.c */                                                       \
    X(slowlog_get) X(slowlog_help) X(slowlog_len) X(slowlog_reset)            \
    /* cmd_latency.c */                                                       \
    X(latency_doctor) X(latency_help) X(latency_histogram)                    \
    X(latency_history) X(latency_latest) X(latency_reset)                     \
    /* cmd_script.c */                                                        \
    X(eval) X(evalsha) X(script_debug) X(script_exists) X(script_flush)       \
    X(script_help) X(script_kill) X(function_delete) X(function_flush)        \
    X(function_help) X(function_kill) X(function_list) X(function_stats)      \
    /* cmd_alone.c */                                                         \
    X(readonly) X(role) X(wait) X(replicaof) X(sync) X(failover)   \
    X(save) X(lastsave) X(module_list) X(module_load) X(module_help)          \
    X(lolwut)                                                                 \
    /* cmd_server.c */                                                        \
    X(shutdown) X(time)
// clang-format on

#define X(name) enum command_result cmd_##name(struct call *call);
COMMANDS(X)
#undef X

#endif
