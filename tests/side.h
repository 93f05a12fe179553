/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIDE_H
#define SIDE_H

/*
 * One of two servers that are compared: a process that listens on a Unix
 * socket in a directory of its own, and a few connections to it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "tests/resp_reader.h"

enum { SIDE_CONNS = 3 };

struct side {
    const char *name, *command; /* command: a shell's; the socket is added */
    char directory[32];
    pid_t pid;
    int fds[SIDE_CONNS];
    struct resp_reader readers[SIDE_CONNS];
};

/* The command line that a variable of the environment names, or this one. */
const char *side_command(const char *variable, const char *otherwise);

/* Starts it and connects; false if it does not answer. */
bool side_start(struct side *side, const char *name, const char *command);
void side_stop(struct side *side);
/* Stops what is left of it and starts it anew. */
bool side_restart(struct side *side);

/*
 * Sends the bytes and reads until `count` replies are there, both at once, so
 * that neither side waits for the other.  They are the caller's, for
 * resp_free.  False if the connection was closed, what came is malformed, or
 * nothing came for a minute; replies that are missing then are NULL.
 */
bool side_exchange(struct side *side, unsigned conn, const char *bytes,
                   size_t len, struct resp **replies, size_t count);

#endif
