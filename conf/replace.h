/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPLACE_H
#define REPLACE_H

/*
 * A file replaced in one step: a new one is written beside it and takes its
 * name when all of it is on the disk.  Who could read the old one can read the
 * new one; where there was none, the owner alone can.
 */

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "conf.h"

struct replace {
    FILE *to; /* to be written by the caller */
    const char *path;
    bool old; /* there is one */
    struct stat st;
    char temporary[CONF_TEXT_MAX + 8];
};

/* Both: NULL, or why not, static or in `why` (CONF_TEXT_MAX bytes).  The path
 * has fewer than CONF_TEXT_MAX bytes. */
const char *replace_begin(struct replace *replace, const char *path, char *why);
/* message: NULL, or why the old file is to stay; returned then. */
const char *replace_end(struct replace *replace, const char *message,
                        char *why);

#endif
