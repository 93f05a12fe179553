/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_H
#define CONF_H

/*
 * The options: what they are called, what they may be, what they are.  One
 * row in conf/options.h is one option: a field of struct conf, a line of the
 * file, a flag, a CONFIG parameter, a line of --help and of docs/options.md.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"

enum { CONF_TEXT_MAX = 512 }; /* bytes of a text value, with \0 */

#define CONF_FIELD_TEXT(name)   char name[CONF_TEXT_MAX];
#define CONF_FIELD_NUMBER(name) int64_t name;
#define CONF_FIELD_OCTAL(name)  int64_t name;
#define CONF_FIELD_SIZE(name)   int64_t name; /* bytes */
#define CONF_FIELD_SHARE(name)  int64_t name; /* bytes, or minus percent */
#define CONF_FIELD_BOOL(name)   bool name;
#define CONF_FIELD_CHOICE(name) int name; /* index into the row's words */

struct conf {
#define X(kind, name, initial, least, most, unit, change, flags, help)         \
    CONF_FIELD_##kind(name)
    CONF_OPTIONS(X)
#undef X
    char file[CONF_TEXT_MAX]; /* the file it was read from, or "" */
};

enum conf_id {
#define X(kind, name, initial, least, most, unit, change, flags, help)         \
    CONF_##name,
    CONF_OPTIONS(X)
#undef X
        CONF_COUNT
};

/* When an option may change. */
enum conf_change {
    CONF_FIXED,   /* never: there for tools that ask for it */
    CONF_STARTUP, /* by file, flag or environment */
    CONF_RUNTIME, /* by CONFIG SET too */
};

enum conf_flag {
    CONF_SECRET = 1, /* no flag on the command line, shown as (redacted); may
                        come from the environment as EBB_<NAME> */
};

/* A table row, for those who list all options. */
struct conf_option {
    const char *name; /* with hyphens */
    const char *initial;
    int64_t least, most;
    const char *unit;
    enum conf_change change;
    unsigned flags;
    const char *help;
};

void conf_init(struct conf *conf); /* every option at its initial value */
const struct conf_option *conf_option(enum conf_id id);

/* The option of that name, letters in either case; CONF_COUNT if none. */
enum conf_id conf_find(const char *name, size_t len);

/*
 * Both speak text.  conf_set returns NULL, or why it refused the value, in
 * Redis's words ("argument must be a memory value"); then nothing changed.
 * The reason is static or lies in `why` (CONF_TEXT_MAX bytes).  conf_get
 * writes what conf_set would read back; at most CONF_TEXT_MAX bytes.
 */
const char *conf_set(struct conf *conf, enum conf_id id, const char *text,
                     size_t len, char *why);
void conf_get(const struct conf *conf, enum conf_id id,
              char text[CONF_TEXT_MAX]);

/*
 * A size: "100", "64mb", "10k"; false when malformed or when it would wrap.
 * A share is a size or "50%", given as minus the percent.
 */
bool conf_size(const char *text, size_t len, int64_t *bytes);
bool conf_share(const char *text, size_t len, int64_t *value);

/*
 * Each returns NULL, or a message for the user that names the file and line,
 * the flag or the variable; it lies in `why` (CONF_TEXT_MAX bytes).
 * conf_load_args: [file] [--name value ...]; a file is loaded first.
 */
const char *conf_load_file(struct conf *conf, const char *path, char *why);
const char *conf_load_args(struct conf *conf, int argc, char **argv,
                           char *why);
const char *conf_load_env(struct conf *conf, char *why);

/*
 * Writes the options that differ from their initial value into conf->file,
 * keeping its comments and order, by way of a new file and rename().
 */
const char *conf_rewrite(const struct conf *conf, char *why);

/* The text of --help, and docs/options.md; both made from the table. */
#include <stdio.h>
void conf_print_help(FILE *to);
void conf_print_markdown(FILE *to);

#endif
