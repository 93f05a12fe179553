/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLIENT_H
#define CLIENT_H

/* What the CLIENT commands and HELLO share. */

#include <stdbool.h>

#include "command.h"
#include "limits.h"

/* Sets the client's name; an empty one takes it away.  False: it is not a
 * name, and the error was answered. */
bool client_set_name(struct call *call, struct arg name);

/* There are no replicas and masters. */
enum client_type { CLIENT_ANY, CLIENT_NORMAL, CLIENT_PUBSUB, CLIENT_OTHER };

/* False: not a type, and the error was answered. */
bool client_parse_type(struct call *call, struct arg arg,
                       enum client_type *type);

/* On its thread. */
bool client_is(struct conn *conn, enum client_type type);
/* Appends the connection's line of CLIENT LIST, without its end. */
void client_describe(struct buf *out, struct conn *conn, int64_t now_ms);

/* How much of an argument an error shows: for "%.*s". */
static inline int arg_shown(const struct arg *arg)
{
    return arg->len < LIMIT_ERROR_ECHO ? (int)arg->len : LIMIT_ERROR_ECHO;
}

#endif
