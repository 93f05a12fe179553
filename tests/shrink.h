/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHRINK_H
#define SHRINK_H

/* What a failure takes of the steps that led to it. */

#include <stdbool.h>
#include <stddef.h>

/* Whether it fails without the steps that are left out. */
typedef bool shrink_fails(void *ctx, const bool *left_out, size_t count);

/* Leaves out what the failure does not need of `count` steps, larger parts
 * first, but never the last; in so many attempts at most. */
void shrink(bool *left_out, size_t count, unsigned attempts,
            shrink_fails *fails, void *ctx);

#endif
