/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OPTIONS_KIT_H
#define OPTIONS_KIT_H

/* A server that has options, a cache and what they are applied to, but serves
 * nobody. */

#include "conf/conf.h"
#include "server/server.h"
#include "tests/tree.h"

#define MB (1 << 20)

/* For cmocka: *state is the server. */
int options_kit_start(void **state);
int options_kit_stop(void **state);
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, options_kit_start, options_kit_stop)

/* The machine's files are below it, if it is not "". */
extern char options_kit_root[TREE_ROOT_MAX];

/* CONFIG SET with words up to a NULL: the error, or "". */
const char *options_kit_set(struct server *server, const char *const *words);
#define SET(...)                                                               \
    options_kit_set(server, (const char *const[]){__VA_ARGS__, NULL})

const char *options_kit_get(struct server *server, enum conf_id id);

#endif
