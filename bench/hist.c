/* SPDX-License-Identifier: BSD-3-Clause */
/* Histograms of times: 32 steps to each power of two. */

#include "bench/hist.h"

static unsigned bucket_of(uint64_t ns)
{
    if (ns < HIST_STEPS)
        return (unsigned)ns;
    unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - 5;
    return shift * HIST_STEPS + (unsigned)(ns >> shift);
}

/* The largest time of a bucket. */
static uint64_t bucket_end_ns(unsigned bucket)
{
    if (bucket < 2 * HIST_STEPS)
        return bucket;
    unsigned shift = bucket / HIST_STEPS - 1;
    uint64_t step = bucket % HIST_STEPS + HIST_STEPS;
    return ((step + 1) << shift) - 1;
}

void hist_add(struct hist *hist, uint64_t ns, uint64_t times)
{
    hist->counts[bucket_of(ns)] += times;
    hist->total += times;
    if (ns > hist->longest_ns)
        hist->longest_ns = ns;
}

void hist_merge(struct hist *into, const struct hist *from)
{
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        into->counts[i] += from->counts[i];
    into->total += from->total;
    if (from->longest_ns > into->longest_ns)
        into->longest_ns = from->longest_ns;
}

uint64_t hist_quantile_ns(const struct hist *hist, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)hist->total);
    uint64_t seen = 0;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += hist->counts[i];
        if (seen > wanted && bucket_end_ns(i) < hist->longest_ns)
            return bucket_end_ns(i);
    }
    return hist->longest_ns;
}
