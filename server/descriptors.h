/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

/* How many clients the process may have: each of them is a descriptor. */

#include <stdint.h>

/* With fewer the server does not start. */
enum { DESCRIPTORS_LEAST = 32 };

/* Descriptors that the process may have now. */
uint64_t descriptors_limit(void);

/* Has the system allow as many as `clients` need, or as it will.  Returns
 * `clients`, or to how many that is enough. */
int64_t descriptors_raise(int64_t clients);

#endif
