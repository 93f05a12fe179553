/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_KEYS_H
#define BENCH_KEYS_H

/* Which key comes next: numbers below a count, in one of four orders, the
 * same for the same seed. */

#include <stdint.h>

enum keys_order {
    KEYS_SEQUENTIAL, /* 0, 1, 2, ... and again */
    KEYS_SHUFFLED,   /* every number once in random order, and again */
    KEYS_UNIFORM,
    KEYS_ZIPF, /* a few are asked for most; which ones is random */
};

struct keys {
    enum keys_order order;
    uint64_t count, next, state, seed;
    unsigned half_bits;             /* of a shuffled number */
    double theta, zeta, alpha, eta; /* of Zipf's law */
};

/* theta: the skew of KEYS_ZIPF, in hundredths and below 100. */
void keys_init(struct keys *keys, enum keys_order order, uint64_t count,
               unsigned theta_percent, uint64_t seed);
uint64_t keys_next(struct keys *keys);

/* A step of a random sequence, for other uses of the seed. */
uint64_t keys_random(uint64_t *state);
/* A random number below n. */
uint64_t keys_below(uint64_t *state, uint64_t n);

#endif
