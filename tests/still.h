/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STILL_H
#define STILL_H

/* A server that stands still while many send, and finds all of it at once; and
 * pipelines in short. */

#include "tests/live.h"

void still_begin(const struct live *live);
void still_end(const struct live *live);

/* "SET a 1; SET b x*9000" as requests, x*9000 being as many x, '' nothing; to
 * be freed. */
char *still_requests(const char *text, size_t *len);

#endif
