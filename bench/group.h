/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_GROUP_H
#define BENCH_GROUP_H

/* A control group with a limit of memory, of version 1 or 2. */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct group {
    bool unified; /* version 2 */
    char path[PATH_MAX / 2];
};

/* False (with a sentence on stderr) if this machine does not allow it. */
bool group_make(struct group *group, uint64_t limit_bytes);
/* For nobody in it any more. */
void group_remove(const struct group *group);

/* How many were killed for want of memory; the most bytes that it used; how
 * often it was at its limit. */
uint64_t group_kills(const struct group *group);
uint64_t group_peak(const struct group *group);
uint64_t group_limited(const struct group *group);
/* The most bytes for TCP, which version 1 counts and limits by themselves; 0
 * in version 2, where they are part of the peak. */
uint64_t group_tcp_peak(const struct group *group);

#endif
