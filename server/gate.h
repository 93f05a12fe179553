/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATE_H
#define GATE_H

/*
 * What makes several transactions one: nobody else runs commands meanwhile.
 *
 * A worker enters before it runs the commands at hand and leaves after them,
 * which costs an uncontended lock of its own.  Whoever must be alone closes the
 * gate: it says so, the others pause between two requests, and when all have
 * it goes on.
 *
 *   worker 0  --|enter ...... pause =================== ....... leave|----
 *   worker 1  ------|enter ... close|  alone  |open ... leave|------------
 *   worker 2  ----- waits for sockets ------------- |enter ...... leave|--
 *
 * Locks are taken in this order: that of those who want to be alone, the
 * workers' by number, then the cache's (shard, class, pool) and those that are
 * leaves.  Who closes the gate gives its worker's up first.
 *
 * Behind the gate is what commands do to entries, no more: the main thread
 * evicts and moves them at any time, and what workers ask of each other by mail
 * needs no gate.
 */

#include <stdatomic.h>
#include <stdbool.h>

struct gate;

/* For workers 0 to count - 1.  NULL: no memory. */
struct gate *gate_new(unsigned count);
void gate_free(struct gate *gate); /* NULL is fine */

/* Worker number `worker` begins, and ends, to run commands. */
void gate_enter(struct gate *gate, unsigned worker);
void gate_leave(struct gate *gate, unsigned worker);

/* Between two requests, inside: lets those pass who want to be alone; true if
 * there were any. */
bool gate_pause(struct gate *gate, unsigned worker);

/*
 * From inside: from close to open no other worker is inside.  For a few
 * milliseconds at most.  While it waits for them, others may have been alone.
 */
void gate_close(struct gate *gate, unsigned worker);
void gate_open(struct gate *gate, unsigned worker);

#endif
