/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NOTIFY_H
#define NOTIFY_H

/*
 * Keyspace notifications: what happens to keys, as messages of channels.
 *
 *   __keyspace@0__:<key>     the event
 *   __keyevent@0__:<event>   the key
 *
 *   notify_changed: under the lock of the key's shard, into a queue
 *        |
 *   notify_send: at the end of the turn, in that order, published
 *
 * While nobody is subscribed to anything, or the option asks for nothing,
 * nobody is told and nothing is queued.
 */

#include "server.h"

struct change;
struct conn;
struct notify;

struct notify *notify_new(struct server *server); /* NULL: no memory */
void notify_free(struct notify *notify);          /* NULL is fine */

/* The classes wanted: bit i stands for CONF_EVENTS[i].  Any thread. */
void notify_want(struct server *server, unsigned classes);
/* Somebody may have subscribed, or left.  Any thread, without locks. */
void notify_attend(struct server *server);

/* For changes.c. */
void notify_changed(struct server *server, const struct change *change);
void notify_send(struct server *server, struct conn *by);

/* Many events wait to be sent: who evicts at leisure had better wait a little.
 */
bool notify_behind(const struct server *server);

/* Events that were lost because there was no memory to tell of them. */
uint64_t notify_lost(const struct server *server);

#endif
