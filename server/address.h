/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ADDRESS_H
#define ADDRESS_H

/* Addresses as `bind` writes them, and sockets that listen on them. */

#include <stdbool.h>
#include <sys/socket.h>

/*
 * A socket that listens and does not block; -1 with errno and a sentence in
 * `why` (512 bytes).  The address is numeric, "*" (all of IPv4) or "::*" (all
 * of IPv6).  *port 0: the system chooses one, which is written there.  `name`
 * (140 bytes) gets "127.0.0.1:6379" or "[::1]:6379".
 */
int address_listen(const char *address, int *port, int backlog, char *name,
                   char *why);

/*
 * The same for a Unix socket, which has its mode before anybody can connect.
 * A socket that nobody listens on any more is replaced.
 */
int address_listen_unix(const char *path, unsigned mode, int backlog,
                        char *why);

/* True for loopback addresses, IPv4 ones written as IPv6 included. */
bool address_is_local(const struct sockaddr_storage *addr);

#endif
