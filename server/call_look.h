/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CALL_LOOK_H
#define CALL_LOOK_H

/*
 * Looking at a value as a whole, to count, to hash or to compare: a short one
 * at once, a long one outside of the lock, a slice a turn.
 *
 *   run -> call_look: not seen -> COMMAND_LOOK -> slice ... -> run again
 *                     seen     -> the command goes on
 *
 * For rows whose transaction is opened for them; it is the call's state.
 */

#include "command.h"

enum {
    CALL_LOOK_BYTES = 64 * 1024, /* looked at before others have a turn */
    CALL_LOOK_SUM = 512,         /* longest sum */
};

/* Adds the next bytes to the sum, those at `at` of what is looked at. */
typedef void call_see(const struct call *call, void *sum, size_t at,
                      const char *bytes, size_t len);

struct call_look {
    size_t from, len; /* of the value */
    call_see *see;
    void *sum; /* as it is before anything was seen */
    size_t sum_size;
};

/* With the transaction open: true if all was seen and this is still the value;
 * it is in the sum then.  False: return COMMAND_LOOK. */
bool call_look(struct call *call, const struct cache_view *view,
               const struct call_look *look);

/* For commands that only read: true if what was begun in an earlier run is
 * done, whatever the value is by now. */
bool call_looked(const struct call *call, void *sum, size_t sum_size);

/* Outside the transaction, after COMMAND_LOOK and before a call that has been
 * looking goes on: true if the command may be run. */
bool call_look_on(struct call *call);

#endif
