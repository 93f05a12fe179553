/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LISTEN_H
#define LISTEN_H

/*
 * The sockets that clients connect to.  Accepting is done on the main thread;
 * accepted sockets are handed to the worker with the fewest connections.
 */

#include <stddef.h>

struct server;
struct listeners;

/*
 * Opens every address of `bind` and the Unix socket, and sets server->port.
 * NULL with a sentence in `why` (512 bytes) if one that must be there cannot
 * be opened.  Accepts nothing before listeners_start.
 */
struct listeners *listeners_new(struct server *server, char *why);
void listeners_start(struct listeners *listeners);
/* Closes the sockets and removes the Unix socket.  NULL is fine. */
void listeners_free(struct listeners *listeners);
/* "127.0.0.1:6379, [::1]:6379, /run/ebb.sock" */
void listeners_describe(const struct listeners *listeners, char *text,
                        size_t size);

#endif
