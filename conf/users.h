/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef USERS_H
#define USERS_H

/* The `user` lines of the file; for conf/ alone. */

#include "lines.h"

/* Takes the words behind "user"; NULL, or why not. */
const char *users_take(struct conf *conf, const struct word *values,
                       size_t count);

#endif
