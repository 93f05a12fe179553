/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OPTION_RULES_H
#define OPTION_RULES_H

/* Private to options.c and option_rules.c. */

#include <pthread.h>
#include <stdint.h>

#include "conf/conf.h"

struct server;

/*
 * The lock guards the runtime fields of server->conf; the others do not change
 * after start and are read without it.  What conf holds and what was applied
 * change together under it, so that the last CONFIG SET wins in both.
 */
struct options {
    pthread_mutex_t lock;
    pthread_mutex_t file_lock; /* one rewrite at a time */
};

/*
 * apply pushes the value to the part that uses it; NULL: the option cannot
 * change.  check says why the value cannot be had here and now, in `why`
 * (CONF_TEXT_MAX bytes) or static; NULL: all that conf_set takes is fine.
 * Both are called with the lock held.
 */
struct option_rule {
    void (*apply)(struct server *server, const struct conf *conf);
    const char *(*check)(struct server *server, const struct conf *conf,
                         char *why);
};

extern const struct option_rule option_rules[CONF_COUNT];

#endif
