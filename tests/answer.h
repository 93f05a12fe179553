/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ANSWER_H
#define ANSWER_H

/* What a command must have been answered with.  Each frees the reply. */

#include <hiredis/hiredis.h>
#include <stddef.h>

void answer_is_ok(redisReply *reply);
void answer_is_bytes(redisReply *reply, const char *bytes, size_t len);
/* The text without the dash before it. */
void answer_is_error(redisReply *reply, const char *text);

/* So many commands were appended: reads their replies, all OK. */
void answers_are_ok(redisContext *redis, size_t count);

#endif
