/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_ROUNDS_H
#define BENCH_ROUNDS_H

/* One number of several rounds: its median and how far rounds were apart. */

#include <stdint.h>

enum { ROUNDS_MAX = 99 };

struct rounds {
    uint64_t count;
    double values[ROUNDS_MAX];
};

void rounds_add(struct rounds *rounds, double value);
/* Of at least one round. */
double rounds_median(const struct rounds *rounds);
double rounds_least(const struct rounds *rounds);
double rounds_most(const struct rounds *rounds);

#endif
