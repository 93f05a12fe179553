/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LINES_H
#define LINES_H

/*
 * The lines of an option file and the words on them; for conf/ alone.
 *
 *   bind 127.0.0.1 "::1"   # is a word    -> "bind" "127.0.0.1" "::1" "#" ...
 *   # a comment, as is an empty line      -> no words
 */

#include "conf.h"

struct lines {
    FILE *file;
    const char *path;
    unsigned number; /* of the line, from 1 */
    size_t total;    /* bytes read */
    size_t len;      /* of the line, without its \n */
    bool ended;      /* it had a \n */
    char line[CONF_LINE_MAX + 1];
};

/* NULL, or a message in `why`.  Never waits: regular files only. */
const char *lines_open(struct lines *lines, const char *path, char *why);
void lines_close(struct lines *lines);

/* True: the next line is there.  False: the end, or *error is a message. */
bool lines_next(struct lines *lines, const char **error, char *why);

struct word {
    const char *ptr;
    size_t len;
};

struct words {
    size_t count;
    struct word at[CONF_VALUES_MAX];
};

/*
 * Splits a line as Redis's sdssplitargs, in place: "\x41\n" in double quotes,
 * \' in single ones.  The words point into it.  NULL, or why not.
 */
const char *words_split(struct words *words, char *line, size_t len);

/* Sets an option to the words given; NULL or why not, as conf_set. */
const char *words_set(struct conf *conf, enum conf_id id,
                      const struct word *values, size_t count, char *why);

enum { WORDS_SHOWN = 48 };

/* A word fit to be shown: unprintable bytes escaped, cut short. */
void words_show(struct word word, char text[4 * WORDS_SHOWN + 4]);

#endif
