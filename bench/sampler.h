/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_SAMPLER_H
#define BENCH_SAMPLER_H

/*
 * What happens to a peer during a time of interest: a thread reads its
 * resident memory at regular times, another one asks it for random keys, one
 * at a time, and notes how long each answer takes.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/peer.h"

enum { SAMPLER_STEP_MS = 10, SAMPLER_MAX = 60000 };

struct sampler_options {
    uint64_t keys; /* those that are asked for */
    uint64_t seed;
    /* SETs of that size instead of GETs; the keys begin with `first`. */
    bool sets;
    uint64_t first, value_bytes;
    unsigned pause_us; /* after each answer */
};

struct sampler_result {
    uint32_t count;                 /* of samples, the first at the start */
    uint64_t resident[SAMPLER_MAX]; /* bytes */
    uint64_t at_ns[SAMPLER_MAX];    /* since the start */
    /* The longest waits, and those that 99 % stay within: before it began, and
     * after. */
    uint64_t calm_wait_ns, longest_wait_ns, calm_p99_ns, p99_ns, p999_ns;
};

struct sampler;

/* Starts both threads; NULL (with a sentence on stderr) if it cannot. */
struct sampler *sampler_start(const struct peer *peer,
                              const struct sampler_options *options);
uint64_t sampler_started_ns(const struct sampler *sampler);
/* What is of interest begins: waits until now count as those of calm. */
void sampler_begin(struct sampler *sampler);
/* Bytes resident at the newest sample. */
uint64_t sampler_resident(const struct sampler *sampler);

/* Ends both and frees the sampler.  False if the peer broke down meanwhile. */
bool sampler_stop(struct sampler *sampler, struct sampler_result *result);

#endif
