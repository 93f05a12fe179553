/* SPDX-License-Identifier: BSD-3-Clause */
/* Medians. */

#include "bench/rounds.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

void rounds_add(struct rounds *rounds, double value)
{
    assert(rounds->count < ROUNDS_MAX);
    rounds->values[rounds->count++] = value;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

double rounds_median(const struct rounds *rounds)
{
    struct rounds sorted = *rounds;
    uint64_t count = sorted.count;
    assert(count > 0);
    qsort(sorted.values, count, sizeof *sorted.values, compare);
    return (sorted.values[(count - 1) / 2] + sorted.values[count / 2]) / 2;
}

double rounds_least(const struct rounds *rounds)
{
    double least = rounds->values[0];
    for (uint64_t i = 1; i < rounds->count; i++)
        least = fmin(least, rounds->values[i]);
    return least;
}

double rounds_most(const struct rounds *rounds)
{
    double most = rounds->values[0];
    for (uint64_t i = 1; i < rounds->count; i++)
        most = fmax(most, rounds->values[i]);
    return most;
}
