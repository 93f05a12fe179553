/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_PEER_COMMAND_H
#define BENCH_PEER_COMMAND_H

/* What is executed to start each of the servers. */

#include "bench/peer.h"

enum { PEER_ARGS_MAX = 24 };

struct peer_command {
    unsigned count;
    char *argv[PEER_ARGS_MAX + 1]; /* owned */
};

struct peer_command peer_command(enum peer_id id, int port,
                                 const struct peer_options *options);
void peer_command_free(struct peer_command *command);

#endif
