/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

/* How many clients the process may have: each of them is a descriptor. */

#include <stdbool.h>
#include <stdint.h>

struct server;

/* Has the system allow as many as `clients` need, or as it will.  Returns
 * `clients`, or to how many that is enough. */
int64_t descriptors_raise(int64_t clients);

/* At the start: for all clients, or for fewer, which the log is told.  False
 * with a sentence in `why` (512 bytes) if not even the server has enough. */
bool descriptors_suffice(struct server *server, char *why);

#endif
