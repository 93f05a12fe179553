/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OPTIONS_H
#define OPTIONS_H

/*
 * The option table.  A row's columns:
 *
 *   kind      how its value is written: see enum conf_kind in conf.h
 *   field     in struct conf; the id is CONF_<field>
 *   name      the field with hyphens, as files, flags and CONFIG spell it
 *   initial   as text, like any other value
 *   least     bounds of a number or size, both inclusive; of a text `most` is
 *   most      the longest length, 0: as long as fits
 *   unit      of a number, for the reader.  Of a CHOICE its words, separated
 *             by '|'.  Of a SHARE the word in "argument must be a ... value".
 *   change    when it may change: see enum conf_change
 *   flags     see enum conf_flag
 *   help      one sentence, for --help, the docs and the sample file
 */

#define CONF_KB 1024LL
#define CONF_MB (1024LL * CONF_KB)
#define CONF_GB (1024LL * CONF_MB)

// clang-format off
/*    kind    field                name                   initial            least       most          unit                              change   flags         help */
#define CONF_OPTIONS(X) \
    X(TEXT,   bind,                "bind",                "127.0.0.1 -::1",  0,          0,            "addresses",                      STARTUP, CONF_LIST,    "Addresses to listen on; one after '-' may be missing") \
    X(NUMBER, port,                "port",                "6379",            0,          65535,        "",                               STARTUP, 0,            "Port for clients; 0: the system chooses one, which is printed") \
    X(TEXT,   unixsocket,          "unixsocket",          "",                0,          107,          "path",                           STARTUP, 0,            "Unix socket to listen on as well; empty: none") \
    X(OCTAL,  unixsocketperm,      "unixsocketperm",      "700",             0,          0777,         "mode",                           STARTUP, 0,            "Mode of the Unix socket") \
    X(NUMBER, threads,             "threads",             "0",               0,          64,           "threads",                        STARTUP, 0,            "Worker threads; 0: one a core") \
    X(NUMBER, databases,           "databases",           "16",              1,          32,           "",                               STARTUP, 0,            "Databases for SELECT") \
    X(SHARE,  maxmemory,           "maxmemory",           "0",               1,          20*CONF_GB,   "memory",                         RUNTIME, CONF_OR_ZERO, "The budget: resident memory of the whole process; a percentage is one of the machine's or container's memory; 0: 80%") \
    X(CHOICE, maxmemory_policy,    "maxmemory-policy",    "allkeys-lru",     0,          0,            "volatile-lru|volatile-random|volatile-ttl|allkeys-lru|allkeys-random|noeviction", RUNTIME, 0, "What to drop when the budget is reached: what was not used longest, expires soonest, or any; of all keys, or only of the volatile ones, which have a time to live.  If nothing may be dropped (any more), writes are refused") \
    X(SHARE,  maxmemory_clients,   "maxmemory-clients",   "5%",              CONF_MB,    20*CONF_GB,   "memory or percent",              RUNTIME, 0,            "Part of the budget that all clients' buffers together may use; a percentage is one of maxmemory") \
    X(CHOICE, huge_pages,          "huge-pages",          "yes",             0,          0,            "yes|no",                         RUNTIME, 0,            "Keep entries in huge pages of 2 MiB where the system has some for who asks: look-ups are faster, and what is given back is split off before; no: no more are made") \
    X(NUMBER, tracking_table_max_keys, "tracking-table-max-keys", "1000000", 0,       1000000000,   "keys",                           RUNTIME, 0,            "Keys that are remembered for clients that cache; fewer when a quarter of maxmemory-clients does not hold so many; 0: as many as that holds") \
    X(NUMBER, maxclients,          "maxclients",          "10000",           1,          1000000,      "clients",                        RUNTIME, 0,            "Connections at one time") \
    X(NUMBER, timeout,             "timeout",             "0",               0,          31536000,     "s",                              RUNTIME, 0,            "Close a client that is idle this long; 0: never") \
    X(NUMBER, request_timeout,     "request-timeout",     "60",              1,          86400,        "s",                              RUNTIME, 0,            "Close a client whose request stays unfinished this long") \
    X(NUMBER, stall_timeout,       "stall-timeout",       "30",              1,          86400,        "s",                              RUNTIME, 0,            "Close a client that reads nothing of its replies this long") \
    X(NUMBER, auth_timeout,        "auth-timeout",        "10",              1,          86400,        "s",                              RUNTIME, 0,            "Close a client that has not given the password after this long") \
    X(NUMBER, stop_timeout,        "stop-timeout",        "5",               0,          3600,         "s",                              RUNTIME, 0,            "When stopping, wait this long for replies to be read") \
    X(NUMBER, tcp_keepalive,       "tcp-keepalive",       "300",             0,          86400,        "s",                              RUNTIME, 0,            "Probe silent peers after this long; 0: never") \
    X(NUMBER, tcp_backlog,         "tcp-backlog",         "4096",            1,          65535,        "",                               STARTUP, 0,            "Connections that may wait to be accepted") \
    X(SIZE,   proto_max_bulk_len,  "proto-max-bulk-len",  "512mb",           CONF_MB,    512*CONF_MB,  "bytes",                          RUNTIME, 0,            "Longest argument of a request, and longest value") \
    X(NUMBER, request_args_max,    "request-args-max",    "1048576",         16,         1048576,      "",                               RUNTIME, 0,            "Arguments of one request") \
    X(SIZE,   request_bytes_max,   "request-bytes-max",   "64mb",            CONF_MB,    CONF_GB,      "bytes",                          RUNTIME, 0,            "Bytes of one request that must be held before it runs; values that SET and its kind store do not count") \
    X(SIZE,   inline_max,          "inline-max",          "64kb",            CONF_KB,    CONF_MB,      "bytes",                          RUNTIME, 0,            "Bytes of an inline command") \
    X(SIZE,   output_mark,         "output-mark",         "256kb",           16*CONF_KB, CONF_GB,      "bytes",                          RUNTIME, 0,            "Run no more commands of a client with this much unsent output") \
    X(SIZE,   output_limit,        "output-limit",        "64mb",            CONF_MB,    CONF_GB,      "bytes",                          RUNTIME, 0,            "Close a client with this much unsent output") \
    X(NUMBER, metrics_port,        "metrics-port",        "9379",            0,          65535,        "",                               STARTUP, 0,            "Port for /metrics, /healthz and /budget; 0: off") \
    X(TEXT,   metrics_bind,        "metrics-bind",        "127.0.0.1",       0,          0,            "address",                        STARTUP, 0,            "Address for metrics-port") \
    X(NUMBER, metrics_connections, "metrics-connections", "32",              1,          1024,         "",                               STARTUP, 0,            "Connections to metrics-port at one time") \
    X(NUMBER, metrics_timeout,     "metrics-timeout",     "5",               1,          60,           "s",                              STARTUP, 0,            "Time for one request to metrics-port") \
    X(CHOICE, http_admin,          "http-admin",          "no",              0,          0,            "yes|no",                         STARTUP, 0,            "Let POST /budget on metrics-port change maxmemory, for who gives the password") \
    X(CHOICE, heap_profile,        "heap-profile",        "no",              0,          0,            "yes|no",                         STARTUP, 0,            "Answer GET /pprof/heap on metrics-port with a profile of the process's own allocations") \
    X(CHOICE, protected_mode,      "protected-mode",      "yes",             0,          0,            "yes|no",                         RUNTIME, 0,            "While there is no password, refuse clients of other machines") \
    X(TEXT,   requirepass,         "requirepass",         "",                0,          0,            "password",                       RUNTIME, CONF_SECRET,  "Password that clients must give; empty: none") \
    X(NUMBER, slowlog_log_slower_than, "slowlog-log-slower-than", "10000",   -1,         INT64_MAX,    "us",                             RUNTIME, 0,            "Commands that take as long are kept for SLOWLOG; 0: all, -1: none") \
    X(NUMBER, slowlog_max_len,     "slowlog-max-len",     "128",             0,          INT64_MAX,    "",                               RUNTIME, 0,            "Entries of SLOWLOG, which have 256 KiB at most, and an eighth of maxmemory-clients") \
    X(NUMBER, latency_monitor_threshold, "latency-monitor-threshold", "0",  0,          INT64_MAX,    "ms",                             RUNTIME, 0,            "Events that take as long are kept for LATENCY; 0: none") \
    X(TEXT,   aclfile,             "aclfile",             "",                0,          0,            "path",                           STARTUP, 0,            "File of users, read at the start; empty: they are lines of this one, if any") \
    X(NUMBER, acllog_max_len,      "acllog-max-len",      "128",             0,          1024,         "entries",                        RUNTIME, 0,            "Denied requests that ACL LOG remembers") \
    X(CHOICE, enable_debug_command, "enable-debug-command", "no",            0,          0,            "no|yes|local",                   STARTUP, 0,            "Let clients use DEBUG; local: those of this machine") \
    X(CHOICE, loglevel,            "loglevel",            "notice",          0,          0,            "debug|verbose|notice|warning",   RUNTIME, 0,            "What to log") \
    X(EVENTS, notify_keyspace_events,"notify-keyspace-events","",        0,          0,            "letters of Ag$lshzxeKEtmdn",     RUNTIME, 0,            "What happens to keys is published: K to __keyspace@<db>__, E to __keyevent@<db>__; of these kinds: g any type, $ strings, h hashes, x expired, e evicted, n new, m missed; A stands for g$lshzxetd") \
    X(TEXT,   logfile,             "logfile",             "",                0,          0,            "path",                           STARTUP, 0,            "Where to log; empty: standard output") \
    X(TEXT,   pidfile,             "pidfile",             "",                0,          0,            "path",                           STARTUP, 0,            "Where to write the process's number; empty: nowhere") \
    X(TEXT,   reported_version,    "reported-version",    "7.2.4",           0,          31,           "version",                        STARTUP, 0,            "Version of Redis that clients are told, by which some choose what they send; digits and dots") \
    X(CHOICE, daemonize,           "daemonize",           "no",              0,          0,            "no",                             FIXED,   0,            "Always no: a supervisor starts it") \
    X(TEXT,   save,                "save",                "",                0,          0,            "",                               FIXED,   CONF_LIST,    "Always empty: nothing is saved") \
    X(CHOICE, appendonly,          "appendonly",          "no",              0,          0,            "no",                             FIXED,   0,            "Always no: nothing is saved") \
    X(CHOICE, replica_read_only,   "replica-read-only",   "yes",             0,          0,            "yes",                            FIXED,   0,            "Always yes: there are no replicas")
// clang-format on

#endif
