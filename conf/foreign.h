/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FOREIGN_H
#define FOREIGN_H

/* Lines of redis.conf about what Ebb does not have. */

#include "lines.h"

/*
 * Takes a line that asks for nothing Ebb would have to do, and notes it for
 * conf_ignored.  False: *refusal says what cannot be had (in `why` or static),
 * or is NULL, and nobody knows the name.
 */
bool foreign_take(struct conf *conf, struct word name,
                  const struct word *values, size_t count, const char **refusal,
                  char *why);

#endif
