/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

/* Connections that all send the same GETs, and never read an answer. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/wire.h"

struct crowd {
    uint64_t count; /* connected so far */
    int *fds;
    size_t *sent, len; /* bytes of the requests */
    char *requests;
};

/* For up to `most` connections, each of which sends `depth` GETs of random
 * keys among first, first + 1, ... */
void crowd_init(struct crowd *crowd, uint64_t most, enum wire_kind kind,
                uint64_t depth, uint64_t first, uint64_t keys, uint64_t seed);

/* Connects until there are as many; false (with a sentence on stderr) if it
 * cannot. */
bool crowd_join(struct crowd *crowd, int port, uint64_t count);

/* Sends as much of the requests as the server takes now. */
void crowd_ask(struct crowd *crowd);

/* How many the server has not hung up on. */
uint64_t crowd_open(const struct crowd *crowd);

/* Closes and frees all. */
void crowd_leave(struct crowd *crowd);

#endif
