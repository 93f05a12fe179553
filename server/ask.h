/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ASK_H
#define ASK_H

/*
 * A command that must ask every worker before it can answer:
 *
 *   1st run   ask_workers ----> visit(worker, ctx) on each worker's thread
 *             COMMAND_WAIT                 |
 *   2nd run   ask_ctx <-- conn_resume <----+ after the last one
 *             COMMAND_DONE
 *
 * The connection may be gone by then; the ctx lives until both are done.
 */

#include <stdbool.h>

#include "command.h"

struct worker;
struct conn;

/* May run on several threads at once: ctx brings its own lock. */
typedef void ask_visit(struct worker *worker, void *ctx);

/* The same for one connection, which it may free.  False: it is to be asked
 * again, after others had a turn. */
typedef bool ask_conn(struct conn *conn, void *ctx);

/* Takes over ctx, to be freed with ctx_free.  The result is run()'s. */
enum command_result ask_workers(struct call *call, ask_visit *visit, void *ctx,
                                void (*ctx_free)(void *ctx));

/* Asks every connection there is, some at a time: one that comes meanwhile is
 * not asked. */
enum command_result ask_conns(struct call *call, ask_conn *visit, void *ctx,
                              void (*ctx_free)(void *ctx));

/* The ctx when the command is run the second time; NULL the first time. */
void *ask_ctx(const struct call *call);

#endif
