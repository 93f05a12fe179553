/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCRAPE_H
#define SCRAPE_H

/* A server with a metrics port, and what that answers. */

#include <stddef.h>

#include "tests/live.h"

struct scrape {
    struct live *live;
    redisContext *redis;
    int port, reserved;
};

/* For cmocka: *state is a server whose requests may take a minute, so that no
 * test depends on it, or a second, or a second with http-admin, or a minute
 * with heap-profile; and the end of each. */
int scrape_setup(void **state);
int scrape_setup_hasty(void **state);
int scrape_setup_admin(void **state);
int scrape_setup_profile(void **state);
int scrape_teardown(void **state);

/* A connection to the metrics port. */
int scrape_dial(const struct scrape *scrape);
/* The whole answer, to be freed, until the server closes; then so do we. */
char *scrape_hear(int fd, size_t *len);
/* The answer to a request, to be freed. */
char *scrape_ask(const struct scrape *scrape, const char *request);

int scrape_status(const char *answer);
const char *scrape_body(const char *answer);

#endif
