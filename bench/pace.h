/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_PACE_H
#define BENCH_PACE_H

/*
 * Load at a pace of its own: a thread sends requests at times that were fixed
 * beforehand, as many clients that know nothing of each other would (intervals
 * are exponential), whether or not answers to earlier ones have come.  A wait
 * counts from the time a request was due, so waiting behind others is in it.
 * The thread never sleeps: it needs a core of its own.
 */

#include <stdbool.h>
#include <stdint.h>

#include "bench/hist.h"
#include "bench/peer.h"

struct pace_plan {
    unsigned connections;
    unsigned sets_percent; /* the others are GETs */
    uint64_t value_bytes, first_key, keys;
    double rate; /* requests a second */
    uint64_t seed;
};

struct pace_result {
    struct hist calm, act; /* waits: before pace_begin, and from then on */
    struct hist late;      /* from when a request was due to when it was sent */
    uint64_t sent, hits, misses, errors;
    char error[WIRE_LINE]; /* the first error */
};

struct pace;

/* Starts the thread; NULL (with a sentence on stderr) if it cannot. */
struct pace *pace_start(const struct peer *peer, const struct pace_plan *plan);
/* What is of interest begins: answers that come from now on count in `act`. */
void pace_begin(struct pace *pace);
/* Sends no more, awaits the answers that are due, ends the thread and frees
 * the pace.  False (with a sentence on stderr) if the peer hung up, stayed
 * silent for a minute, or fell behind for longer than could be noted. */
bool pace_stop(struct pace *pace, struct pace_result *result);

#endif
