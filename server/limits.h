/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LIMITS_H
#define LIMITS_H

/*
 * Every limit that connections check, in one place.  Those that are options
 * are atomics, pushed by options.c; the rest are constants.
 */

#include <stdatomic.h>
#include <stdint.h>

enum {
    /* Clients that have not given the password. */
    LIMIT_ANONYMOUS_ARGS = 10,
    LIMIT_ANONYMOUS_BULK = 16384,
    LIMIT_ANONYMOUS_INPUT = 1 << 20,
    LIMIT_ANONYMOUS_OUTPUT = 16384,
    /* What one connection may do before others have a turn. */
    LIMIT_COMMANDS_PER_TURN = 1000,
    LIMIT_BYTES_PER_TURN = 256 * 1024, /* in and out */
    /* Accepts in one turn of the main loop. */
    LIMIT_ACCEPTS_PER_TURN = 64,
    /* A worker's read buffer. */
    LIMIT_READ_BUFFER = 64 * 1024,
    LIMIT_ERROR_ECHO = 128,    /* bytes of a name or of arguments in an error */
    LIMIT_PATTERN = 65536,     /* bytes of a pattern for keys */
    LIMIT_NAME_PATTERN = 4096, /* for names of options and commands */
    LIMIT_CHANNEL = 65536 + 32,  /* bytes of a channel or pattern */
    LIMIT_SUBSCRIPTIONS = 65536, /* of one client */
    LIMIT_NAME = 1024,           /* bytes of a client's or library's name */
    /* What a worker keeps between turns, and a reply of a client that holds
     * nothing may always use. */
    LIMIT_SPARE_OUTPUT = 128 * 1024,
    /* Output that is sent before a batch is done. */
    LIMIT_FLUSH_OUTPUT = 64 * 1024,
    /* Unsent bytes that the kernel takes for one client. */
    LIMIT_KERNEL_UNSENT = 128 * 1024,
    /* What a refused client may still send, so that it reads why. */
    LIMIT_LINGER_BYTES = 16 << 20,
    LIMIT_LINGER_MS = 2000,
    /* Keys that one client, and all together, may watch. */
    LIMIT_WATCHED = 1024,
    LIMIT_WATCHED_ALL = 65536,
    LIMIT_SLOWLOG_BYTES = 256 * 1024, /* of all its entries */
    /* Descriptors that are not clients'. */
    LIMIT_OWN_FDS = 96,
};

struct limits {
    _Atomic int64_t clients, bulk_bytes, request_args, request_bytes,
        inline_bytes, output_mark_bytes, output_limit_bytes, idle_ms,
        request_ms, stall_ms, auth_ms, keepalive_s, stop_ms, protected_mode,
        slowlog_us, latency_ms, acl_log_entries;
    /* Commands that take as long are told to the slow log or the latency
     * monitor, whichever wants to know first. */
    _Atomic uint64_t slow_ticks;
};

#endif
