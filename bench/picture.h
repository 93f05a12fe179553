/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_PICTURE_H
#define BENCH_PICTURE_H

/* What bench/plot draws: one function for each kind of samples. */

#include <stdbool.h>
#include <stdint.h>

enum { PICTURE_SERVERS = 2 };

extern const char *const picture_servers[PICTURE_SERVERS];

/* Each reads the samples of a file and writes an SVG; false (with a sentence on
 * stderr) if there are none, or it cannot be written. */
bool picture_shrink(const char *csv, const char *svg, uint64_t value_bytes,
                    uint64_t seconds);
bool picture_churn(const char *csv, const char *svg, const char *sequence);
bool picture_load(const char *csv, const char *svg);

#endif
