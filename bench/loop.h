/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_LOOP_H
#define BENCH_LOOP_H

/* The network of the servers that others are compared with: one thread, one
 * epoll set, as few system calls as can be. */

#include <stdbool.h>
#include <stddef.h>

/* A client's connection; what else a server keeps of it comes after this. */
struct loop_link {
    int fd;
};

/* Something can be read; false: the connection is to be closed. */
typedef bool loop_serve(struct loop_link *link, void *ctx);

/* Serves for ever on 127.0.0.1; false, with errno: it cannot.  Each connection
 * has link_bytes, which are zeros but for the link in front. */
bool loop_run(int port, size_t link_bytes, loop_serve *serve, void *ctx);

/* All of it, in one go if the socket takes it. */
bool loop_send(const struct loop_link *link, const char *out, size_t left);

#endif
