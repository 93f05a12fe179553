/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOOP_H
#define LOOP_H

/*
 * The main thread's loop: what others post to it, a tick that looks at the
 * budget, the cache's outstanding work a slice at a time, signals, and the end.
 */

#include <stdbool.h>

struct event_base;
struct server;

/* An event base for one thread alone, as workers have too; NULL: no memory. */
struct event_base *loop_base(void);

/* Makes server->base and what is posted with; false: that is not possible. */
bool loop_begin(struct server *server);
/* When all parts are there: what is wrong, or NULL. */
const char *loop_add_events(struct server *server);
void loop_free_events(struct server *server);

/* From any thread: outstanding work of the cache goes on as soon as the main
 * thread can, not at its next tick. */
void loop_hurry(struct server *server);

#endif
