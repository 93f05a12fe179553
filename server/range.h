/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RANGE_H
#define RANGE_H

/* Ranges as commands take them: both ends belong to them, and negative numbers
 * count from the end. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
    size_t start, len;
};

/* What of `len` is between the two; false: nothing is. */
bool range_of(struct range *range, int64_t start, int64_t end, size_t len);

#endif
