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
#include <stdio.h>

#include "options.h"

enum {
    CONF_TEXT_MAX = 512,     /* bytes of a text value, with its \0 */
    CONF_LINE_MAX = 4096,    /* bytes of a line of the file */
    CONF_FILE_MAX = 1 << 20, /* bytes of the file */
    CONF_VALUES_MAX = 64,    /* words on one line */
    CONF_IGNORED_MAX = 128,  /* Redis's options that may be ignored */
};

/* Classes of events, in the order in which they are shown. */
#define CONF_EVENTS "g$lshzxetdnKEm"

#define CONF_FIELD_TEXT(field)   char field[CONF_TEXT_MAX];
#define CONF_FIELD_NUMBER(field) int64_t field;
#define CONF_FIELD_OCTAL(field)  int64_t field;
#define CONF_FIELD_SIZE(field)   int64_t field; /* bytes */
#define CONF_FIELD_SHARE(field)  int64_t field; /* bytes, or minus percent */
#define CONF_FIELD_CHOICE(field) int field;     /* index into the row's words */
#define CONF_FIELD_EVENTS(field) int field;     /* bit i: CONF_EVENTS[i] */

enum conf_kind {
    CONF_KIND_TEXT,
    CONF_KIND_NUMBER, /* decimal */
    CONF_KIND_OCTAL,
    CONF_KIND_SIZE,   /* see conf_size */
    CONF_KIND_SHARE,  /* see conf_share */
    CONF_KIND_CHOICE, /* one of the row's words, letters in either case */
    CONF_KIND_EVENTS, /* letters for classes of events */
};

enum conf_id {
#define X(kind, field, name, initial, least, most, unit, change, flags, help)  \
    CONF_##field,
    CONF_OPTIONS(X)
#undef X
        CONF_COUNT
};

struct conf {
#define X(kind, field, name, initial, least, most, unit, change, flags, help)  \
    CONF_FIELD_##kind(field)
    CONF_OPTIONS(X)
#undef X
    char file[CONF_TEXT_MAX]; /* the file it was read from, whole path, or "" */
    bool from_env[CONF_COUNT];      /* the value came from the environment */
    bool ignored[CONF_IGNORED_MAX]; /* see conf_ignored */
    struct conf_user *users;        /* lines `user NAME RULE...`, or NULL */
};

/* What stands behind "user" on a line of the file: the name, then rules, which
 * conf does not know.  The words end with a \0 that len does not count. */
struct conf_word {
    const char *ptr;
    size_t len;
};
struct conf_user {
    struct conf_user *next;
    size_t count;
    struct conf_word words[];
};

/* When an option may change. */
enum conf_change {
    CONF_FIXED,   /* never: there for tools that ask for it */
    CONF_STARTUP, /* by file, flag or environment */
    CONF_RUNTIME, /* by CONFIG SET too */
};

enum conf_flag {
    CONF_SECRET = 1,  /* no flag on the command line, shown as (redacted); may
                         come from the environment as EBB_<NAME> */
    CONF_LIST = 2,    /* several words; kept as one text with spaces between */
    CONF_OR_ZERO = 4, /* 0 is fine too, though below `least` */
};

/* A table row. */
struct conf_option {
    const char *name; /* with hyphens */
    enum conf_kind kind;
    const char *initial;
    int64_t least, most;
    const char *unit;
    enum conf_change change;
    unsigned flags;
    const char *help;
    size_t offset; /* of the field in struct conf */
};

void conf_init(struct conf *conf); /* every option at its initial value */
const struct conf_option *conf_option(enum conf_id id);

/* The option of that name, letters in either case; CONF_COUNT if none. */
enum conf_id conf_find(const char *name, size_t len);

/*
 * Both speak text.  conf_set returns NULL, or why it refused the value, in
 * Redis's words ("argument must be a memory value"); then nothing changed.
 * The reason is static or lies in `why` (CONF_TEXT_MAX bytes).  It takes any
 * option, runtime or not; a FIXED one only as it is.  conf_get writes what
 * conf_set would read back, a secret too.
 */
const char *conf_set(struct conf *conf, enum conf_id id, const char *text,
                     size_t len, char *why);
void conf_get(const struct conf *conf, enum conf_id id,
              char text[CONF_TEXT_MAX]);

/*
 * A size in bytes: digits and one of b, k (1000), kb (1024), m, mb, g, gb or
 * nothing, letters in either case.  False when malformed or beyond int64_t.
 * A share is a size, or "1%" to "100%", given as minus the percent.
 */
bool conf_size(const char *text, size_t len, int64_t *bytes);
bool conf_share(const char *text, size_t len, int64_t *value);

/*
 * Each returns NULL, or a message for the user that names the file and line,
 * the flag or the variable, never a secret; it lies in `why` (CONF_TEXT_MAX
 * bytes), and conf is then good for nothing but conf_init.
 *
 * conf_load_file reads redis.conf's syntax, from regular files only; the last
 * of several lines of one option wins.
 *
 * conf_load_args takes main's arguments as they are: [file] [--name value...].
 * The file is loaded first, then the flags, which win.  The caller
 * looks for -h, --help, -v and --version in argv[1] before; here they are
 * unknown options.
 *
 * conf_load_env comes last: the environment wins over the file.
 */
const char *conf_load_file(struct conf *conf, const char *path, char *why);
const char *conf_load_args(struct conf *conf, int argc, char **argv, char *why);
const char *conf_load_env(struct conf *conf, char *why);

/* Adds a copy of the words at the end of conf->users; NULL: no memory. */
struct conf_user *conf_user_add(struct conf *conf,
                                const struct conf_word *words, size_t count);
/* conf_init forgets users; who does not need them any more frees them. */
void conf_users_free(struct conf *conf);

/*
 * The options of Redis that were given and mean nothing to Ebb, one a call,
 * then NULL; *at is 0 at first.  Those that ask for what Ebb cannot do are
 * refused when they are read.
 */
const char *conf_ignored(const struct conf *conf, size_t *at);

/*
 * Writes the options that differ from their initial value into conf->file:
 * comments, order and unchanged lines stay, changed lines are written anew,
 * repeated ones dropped, new ones added at the end.  All conf->users stand
 * where the first of the old ones was.  A secret that came from the environment
 * stays out.  The file is replaced in one step, by way of a new file beside it,
 * or (NULL not returned) not touched.
 */
const char *conf_rewrite(const struct conf *conf, char *why);

/* The options for --help, docs/options.md and the sample ebb.conf; all made
 * from the table. */
void conf_print_help(FILE *to);
void conf_print_markdown(FILE *to);
void conf_print_sample(FILE *to);

#endif
