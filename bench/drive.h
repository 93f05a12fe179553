/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_DRIVE_H
#define BENCH_DRIVE_H

/*
 * The load generator: one thread, one epoll loop, connections that each send
 * `depth` requests at once, read all replies, and send the next.
 */

#include <stdbool.h>
#include <stdint.h>

#include "bench/hist.h"
#include "bench/keys.h"
#include "bench/wire.h"

struct drive_plan {
    int port;
    enum wire_kind wire;
    unsigned connections, depth;
    bool deletes;          /* all are DELs */
    unsigned sets_percent; /* the others are GETs */
    uint64_t value_bytes;
    /* Every so many-th request is a SET of this size instead, of the keys
     * big_first, big_first + 1, ...; 0: none. */
    uint64_t big_every, big_bytes, big_first;
    unsigned ttl_s; /* of what is set; 0: none */
    enum keys_order order;
    unsigned theta_percent;      /* see keys_init */
    uint64_t first_key, keys;    /* the keys asked for */
    uint64_t operations, for_ns; /* it ends with either; 0: no such end */
    uint64_t seed;
};

struct drive_result {
    uint64_t operations, hits, misses, errors, took_ns;
    char error[WIRE_LINE]; /* the first error */
    struct hist waits;     /* from sending a request to having its reply */
};

/* False (with a sentence on stderr) if the server hung up or stayed silent
 * for a minute; what was counted until then is in the result. */
bool drive_run(const struct drive_plan *plan, struct drive_result *result);

/* A sentence on stderr, of the server with that name, if any request was for a
 * key that is not there or was answered with an error. */
void drive_tell(const struct drive_result *result, const char *name);

#endif
