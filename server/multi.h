/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MULTI_H
#define MULTI_H

/*
 * The requests between MULTI and EXEC.
 *
 *   MULTI -> multi_add ... -> EXEC: multi_first -> run -> multi_drop_first ...
 *                 |
 *                 '- an error: multi_fail, EXEC will refuse
 *
 * They are copied, one behind the other, into blocks that are clients' memory
 * like any other; long values stay the blobs that they were received into.  A
 * connection has one from MULTI to EXEC or DISCARD, and else none.
 */

#include "command.h"

struct multi;

/* One request, where it will stay. */
struct multi_request {
    struct multi_request *next;
    const struct command *command;
    struct cache_blob *blob; /* the argument with ptr NULL, or NULL */
    size_t argc;
    struct arg argv[]; /* their bytes lie behind */
};

/* cmd_multi.c: puts the call's request off to EXEC, and answers. */
void multi_put_off(struct call *call);
/* The call's request was refused, with the error at `replied`: EXEC will be
 * refused too.  If it is EXEC itself, it says why. */
void multi_refuse(struct call *call, size_t replied);

struct multi *multi_new(void); /* NULL: no memory */
void multi_free(struct multi *multi);

/* Bytes that the request would take. */
size_t multi_size(const struct call *call);
/* Memory that adding `size` bytes would take; often none. */
size_t multi_growth(const struct multi *multi, size_t size);
/* Adds a copy of the call's request and takes over its blob.  False: there is
 * no memory. */
bool multi_add(struct multi *multi, struct call *call);

/* NULL: there is none left. */
const struct multi_request *multi_first(const struct multi *multi);
/* Hands over its blob, or NULL. */
struct cache_blob *multi_take_blob(struct multi *multi);
/* It has been run: its blob was taken. */
void multi_drop_first(struct multi *multi);

/* EXEC will be refused: what was added is dropped, what follows is not kept. */
void multi_fail(struct multi *multi);
bool multi_failed(const struct multi *multi);

size_t multi_count(const struct multi *multi);   /* of all that were added */
size_t multi_used(const struct multi *multi);    /* bytes of requests held */
size_t multi_bytes(const struct multi *multi);   /* of memory */
size_t multi_owned(const struct multi *multi);   /* of blobs */
unsigned multi_flags(const struct multi *multi); /* of all rows together */
/* Lets the cells of its values be moved. */
void multi_settle(struct multi *multi);

#endif
