/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CALL_MAKE_H
#define CALL_MAKE_H

/*
 * A long value that a command makes from the old one of its key: outside any
 * lock, a slice a turn, and stored only if the old one is still there.
 *
 *   look -> begin -> unlock -> slice ... -> lock -> current? -> store -> stored
 *     ^                                                | no
 *     '--------------------- forget -------------------'
 *
 * It is the call's state: freed when the command ends or its client goes.
 * What it keeps from being evicted is counted in call->owned_bytes.
 */

#include "call_old.h"
#include "command.h"

enum {
    CALL_SLICE_BYTES = 256 * 1024, /* copied before others have a turn, or as
                                      little as this, if much goes for it */
    CALL_SLICE_LEAST = 32 * 1024,
    CALL_PARTS = 4,
};

/* The new value is a row of parts. */
struct call_part {
    enum {
        CALL_OLD, /* of the old value, parts in the order they have there */
        CALL_ARGUMENT, /* of number `arg`, 0: of the row's value */
        CALL_ZEROS,
        CALL_TEXT, /* of `text`, in the first slice only */
    } from;
    size_t at, len;
    size_t arg;
    const char *text;
    uint8_t clear, set; /* bits of each of its bytes that are changed */
};

/* With the transaction open: remembers the old value, which may be short, or
 * (NULL) not there, and what is to be made of it. */
void call_make_begin(struct call *call, const struct cache_view *old,
                     const struct call_part *parts, size_t count);
/* True from call_make_begin until it is stored or forgotten. */
bool call_make_begun(const struct call *call);
/*
 * For values of more parts, and those that are planned outside the lock: begin
 * with none, look at the old value, and say what is to be made of it.  The
 * parts lie in the plan, which is freed with plan_free.
 */
const struct call_old *call_make_old(const struct call *call);
void call_make_plan(struct call *call, void *plan, void (*plan_free)(void *));
void *call_make_planned(const struct call *call); /* or NULL */
void call_make_parts(struct call *call, const struct call_part *parts,
                     size_t count);
/* Goes on with what is being copied.  COMMAND_DONE: nothing is, any more. */
enum command_result call_make_go_on(struct call *call);
/* Copies a slice; false: there is no room. */
bool call_make_slice(struct call *call);
/* All of it has been copied. */
bool call_make_done(const struct call *call);
/* With the transaction open: the old value is the one remembered. */
bool call_make_current(const struct call *call, const struct cache_view *old);
/* The new value, for cache_put; after that has taken it over: stored. */
struct cache_blob *call_make_value(const struct call *call);
void call_make_stored(struct call *call);
/* Outside any transaction: gives it up, so that it can be begun again. */
void call_make_forget(struct call *call);

/* Bytes of an argument, 0: the row's value, that may have been diverted. */
void call_argument_copy(const struct call *call, size_t arg, size_t at,
                        char *to, size_t len);
/* A run of them that begins at `at`, which is not the end. */
struct cache_span call_argument_span(const struct call *call, size_t arg,
                                     size_t at);
/* Changes those bits. */
void call_change_bits(char *bytes, size_t len, uint8_t clear, uint8_t set);

#endif
