/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HOME_H
#define HOME_H

/* Options, and the folder with the file that they come from. */

#include <stddef.h>

#include "conf/conf.h"

struct home {
    struct conf conf;
    char folder[32], path[64]; /* of the file */
    char why[CONF_TEXT_MAX];
};

/* For cmocka: a home in *state, its folder empty, and its end. */
int home_open(void **state);
int home_close(void **state);
/* The same around each test: initial options, no password in the environment,
 * and no file left behind. */
int home_begin(void **state);
int home_end(void **state);

#define HOME_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, home_begin, home_end)

void home_write(const struct home *home, const char *bytes, size_t len);
/* The file must be that. */
void home_file_is(const struct home *home, const char *text);
/* Writes the file and loads it: what conf_load_file says. */
const char *home_load_bytes(struct home *home, const char *bytes, size_t len);
const char *home_load(struct home *home, const char *text);

#endif
