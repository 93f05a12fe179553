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

#include "command.h"

enum { CALL_SLICE_BYTES = 256 * 1024 }; /* copied before others have a turn */

/* The new value is a row of parts. */
struct call_part {
    enum { CALL_OLD, CALL_ARGUMENT } from; /* the one that may be diverted */
    size_t at, len; /* those of the old in the order they have there */
};

/* With the transaction open: remembers the old value, which may be short. */
void call_make_begin(struct call *call, const struct cache_view *old);
/* True from call_make_begin until it is stored or forgotten. */
bool call_make_begun(const struct call *call);
size_t call_make_old_len(const struct call *call);
/* Copies a slice; false: there is no room. */
bool call_make_slice(struct call *call, const struct call_part *parts,
                     size_t count);
/* All of it has been copied. */
bool call_make_done(const struct call *call);
/* With the transaction open: the old value is the one remembered. */
bool call_make_current(const struct call *call, const struct cache_view *old);
/* The new value, for cache_put; after that has taken it over: stored. */
struct cache_blob *call_make_value(const struct call *call);
void call_make_stored(struct call *call);
/* Outside any transaction: gives it up, so that it can be begun again. */
void call_make_forget(struct call *call);

#endif
