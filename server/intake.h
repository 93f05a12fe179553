/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INTAKE_H
#define INTAKE_H

/*
 * What one look at the sockets has found is read from all of them before any of
 * it is served:
 *
 *   readable   readable   readable   (no more events)
 *      |          |          |            |
 *     read       read       read          |
 *      '--> parsed, hashed, fetched       '--> run, send; run, send; run, send
 *
 * so that clients with one request each, too, find in the processor's caches
 * what their requests need.  Only connections that hold nothing take part: who
 * is in the middle of something reads for itself.  All that is read lies in the
 * worker's buffer, one client's behind another's.  It is served before those
 * who read for themselves or go on later, mail, and what is done every 100 ms.
 */

#include <stdbool.h>

struct conn;
struct intake;
struct worker;

/* NULL: no memory. */
struct intake *intake_new(struct worker *worker);
void intake_free(struct intake *intake);

/* The connection is readable and has no turn: reads from it.  What was read
 * before may be served first.  The connection may be gone afterwards. */
void intake_read(struct intake *intake, struct conn *conn);

/* Serves what was read.  Before anything else is read into the worker's
 * buffer. */
void intake_serve(struct intake *intake);

/* The connection ends: what was read from it is forgotten. */
void intake_forget(struct intake *intake, const struct conn *conn);

#endif
