/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INTAKE_H
#define INTAKE_H

/*
 * What one look at the sockets has found is done for all of them, one step
 * after the other:
 *
 *   found, found, found ...
 *   read, read, read ...     into the worker's buffer, one behind another
 *   parse, hash              all of them
 *   run, run, run ...        what those behind need comes meanwhile; short
 *                            replies are put aside
 *   send, send, send ...
 *
 * so that clients with one request each, too, find in the processor's caches
 * what their requests need, and each step its own code and the kernel's; and a
 * client's thread that sleeps is woken once for all that is sent, not for each,
 * which under a hypervisor costs as much as many requests.
 *
 * Only connections that hold nothing take part: who is in the middle of
 * something reads for itself.  What was read is served before those, before who
 * goes on later, before mail, and before what is done every 100 ms.  A reply
 * that was put aside is owed: what is pushed meanwhile comes behind it.
 */

#include <stdbool.h>

struct conn;
struct intake;
struct worker;

/* NULL: no memory. */
struct intake *intake_new(struct worker *worker);
void intake_free(struct intake *intake);
/* Between looks, now and then: takes as much memory for replies as the limit of
 * the client pool suggests by now. */
void intake_fit(struct intake *intake);

/* The connection is readable and has no turn: it is read from and served soon,
 * or now with those before it.  It may be gone afterwards. */
void intake_add(struct intake *intake, struct conn *conn);

/* Reads from those who are in it, and serves them.  Before anything else is
 * read into the worker's buffer. */
void intake_serve(struct intake *intake);

/* The connection ends: it is forgotten, and what was read from it. */
void intake_forget(struct intake *intake, const struct conn *conn);

#endif
