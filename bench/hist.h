/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_HIST_H
#define BENCH_HIST_H

/* A histogram of times, exact to 3 %; the longest is kept exactly. */

#include <stdint.h>

enum { HIST_STEPS = 32, HIST_BUCKETS = 60 * HIST_STEPS };

struct hist {
    uint64_t total, longest_ns;
    uint64_t counts[HIST_BUCKETS];
};

void hist_add(struct hist *hist, uint64_t ns, uint64_t times);
void hist_merge(struct hist *into, const struct hist *from);
/* The time that `share` (0 to 1) of all stay within; 1: the longest. */
uint64_t hist_quantile_ns(const struct hist *hist, double share);

#endif
