/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

/*
 * The servers that are compared: started on a free port of this machine,
 * asked and ordered over one connection, stopped.  A peer that the bench
 * started dies with it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/wire.h"

enum peer_id {
    PEER_EBB,
    PEER_REDIS,
    PEER_MEMCACHED,
    PEER_FLOOR,
    PEER_OTHER, /* any that speaks RESP */
    PEER_COUNT
};

enum { PEER_ANY_CORE = -1, PEER_CORE = 0, GENERATOR_CORE = 1 };

struct peer_options {
    uint64_t budget_bytes; /* whole MiB */
    unsigned threads;      /* that serve clients; 0: its default */
    unsigned connections;  /* at one time; 0: its default */
    int core;              /* where it stays, or PEER_ANY_CORE */
    uint64_t value_bytes;  /* the longest; what the floor answers */
    uint64_t values;       /* of the floor, which differ; 0: one, copied */
    const char *group;     /* control group it joins; NULL: none */
    const char *ebb;       /* the program; NULL: the one built with the bench */
    const char *other;     /* what the shell runs as PEER_OTHER, with %p for
                              the port and %m for the budget in bytes */
};

struct peer {
    enum peer_id id;
    char name[32];
    enum wire_kind wire;
    pid_t pid;
    int pidfd, port, control;
};

const char *peer_name(enum peer_id id);

/* Complains and exits 1 unless `only` is NULL or the name of a peer before
 * `end`. */
void peer_check_only(const char *only, enum peer_id end);

/* True if its program is there and nobody wants only another one; if it is not
 * there, a sentence on stderr says so.  Of PEER_OTHER that is not known.  ebb
 * as in the options; only: the name of a peer, NULL: all. */
bool peer_present(enum peer_id id, const char *ebb, const char *only);

/* For who measures a server that has a core for itself, once, before it starts
 * one: keeps the calling thread, and what it starts, on GENERATOR_CORE.
 * Returns the core of the servers: PEER_CORE, or PEER_ANY_CORE if there is only
 * one, which a sentence on stderr says. */
int peer_take_cores(void);

/* Starts it and waits until it accepts; false (with a sentence on stderr) if
 * it does not start. */
bool peer_start(struct peer *peer, enum peer_id id,
                const struct peer_options *options);

/* True while it has not ended. */
bool peer_alive(const struct peer *peer);

/* Stops it; false (with a sentence on stderr) if it had died before. */
bool peer_stop(struct peer *peer);

/* How many entries it says it holds. */
uint64_t peer_entries(struct peer *peer);

/* Orders a new budget; the answer has come when it returns.  False (with a
 * sentence on stderr) if it was refused. */
bool peer_set_budget(struct peer *peer, uint64_t bytes);

/* Empties it; the answer has come when it returns. */
bool peer_flush(struct peer *peer);

/* Entries it dropped to stay within its budget, as it counts them. */
uint64_t peer_evicted(struct peer *peer);

#endif
