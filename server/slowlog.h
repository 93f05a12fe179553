/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SLOWLOG_H
#define SLOWLOG_H

/*
 * The slow log: the newest slowlog-max-len commands that took as long as
 * slowlog-log-slower-than.  An entry keeps as much of its command as Redis's:
 * 32 arguments, 128 bytes of each.  All together have LIMIT_SLOWLOG_BYTES, or
 * an eighth of what clients' buffers have, to which they are charged; the
 * oldest leave for it.  Any thread.
 */

#include <stdint.h>

#include "command.h"

struct pool;
struct slowlog;

struct slowlog *slowlog_new(struct pool *pool); /* NULL: no memory */
void slowlog_free(struct slowlog *log);

void slowlog_set_max(struct slowlog *log, uint64_t entries);

/* Adds the call, which took that long; secrets are left out.  Does nothing
 * without memory for it. */
void slowlog_note(struct slowlog *log, const struct call *call, int64_t us);

uint64_t slowlog_len(struct slowlog *log);
void slowlog_reset(struct slowlog *log);

/* Replies with the newest entries, at most so many, as SLOWLOG GET does. */
void slowlog_reply(struct slowlog *log, uint64_t most, struct reply *reply);

#endif
