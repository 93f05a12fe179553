/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ACL_RULES_H
#define ACL_RULES_H

/*
 * What a user may do, and the words that say it:
 *
 *   on >secret ~cached:* %R~stats:* &news +@read +set -getdel (+ping)
 *
 * They are taken from left to right, and a later one wins over those before.
 * The words in parentheses are a selector: a request is allowed if all of it
 * is allowed by the root, which the words outside make, or by one selector.
 *
 * Rules are built and then sealed.  Sealed ones never change: whoever counts
 * among their owners reads them without a lock.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "protocol/buf.h"
#include "sha256.h"

enum {
    ACL_PASSWORDS_MAX = 32,
    ACL_SELECTORS_MAX = 32, /* the root is one of them */
    ACL_PATTERNS_MAX = 256, /* of keys and of channels, in one selector */
    ACL_FIRSTS_MAX = 64,    /* "+select|0", in one selector */
    ACL_WORD_MAX = 4096,    /* bytes of one word */
    ACL_WORDS_MAX = 1024,   /* in one ACL SETUSER, and that describe a user */
    ACL_LINE_MAX = 65536,   /* bytes of them, with spaces between */
    ACL_ROWS_MAX = 512,     /* of the command table */
    ACL_WHY_MAX = 512,      /* of a text that says what is wrong */
};

enum acl_access { ACL_READ = 1, ACL_WRITE = 2 };

struct acl_text {
    char *ptr;
    uint32_t len;
    union {
        uint8_t access; /* of a pattern for keys: enum acl_access */
        uint16_t row;   /* of a first argument: its command's */
    };
};

struct acl_texts {
    struct acl_text *at;
    size_t count;
};

struct acl_selector {
    uint64_t commands[ACL_ROWS_MAX / 64]; /* a bit for each row */
    bool future; /* began with +@all: what is added to the table, too */
    bool all_keys, all_channels;
    struct acl_texts keys, channels; /* patterns */
    struct acl_texts firsts;         /* first arguments that make up for a bit
                                        that is not set */
};

struct acl_rules {
    _Atomic unsigned owners;
    bool enabled, nopass;
    enum { ACL_SANITIZE_UNSAID, ACL_SANITIZE, ACL_SANITIZE_SKIP } sanitize;
    uint8_t (*passwords)[SHA256_BYTES];
    size_t password_count;
    struct acl_selector *selectors; /* [0] is the root */
    size_t selector_count;

    /* From sealing on. */
    struct buf text; /* the words that make these rules, as ACL LIST has them */
    bool everything; /* nothing is forbidden */
    size_t bytes;    /* of memory */

    /* When they were put in force, or those before them whose channels they
     * keep: a version, see acl.h. */
    uint64_t channels_since;

    _Atomic size_t *retired; /* counts those bytes from when others are in
                                force until the last owner has gone; or NULL */
};

enum acl_error {
    ACL_FINE,
    ACL_UNKNOWN,            /* command or category */
    ACL_SYNTAX,             /* or a pattern with spaces */
    ACL_KEYS_AFTER_ALL,     /* a pattern behind allkeys */
    ACL_CHANNELS_AFTER_ALL, /* the same of channels */
    ACL_NO_SUCH_PASSWORD,   /* to be taken away */
    ACL_BAD_HASH,
    ACL_FIRST_OF_SUB, /* "+config|get|x" */
    ACL_LIMIT,        /* one of those above */
    ACL_NO_MEMORY,
};
/* As Redis words it. */
const char *acl_error_text(enum acl_error error);

/* As a new user has them: off, without a password, nothing allowed.  Each has
 * one owner, the caller; NULL: no memory. */
struct acl_rules *acl_rules_new(void);
struct acl_rules *acl_rules_copy(const struct acl_rules *rules); /* unsealed */
/* All is allowed, without a password. */
enum acl_error acl_rules_allow_all(struct acl_rules *rules);

struct acl_rules *acl_rules_own(struct acl_rules *rules); /* one owner more */
void acl_rules_disown(struct acl_rules *rules);           /* NULL is fine */
/* They are in force no more: their bytes count until the last owner goes. */
void acl_rules_retire(struct acl_rules *rules, _Atomic size_t *retired);

/* Applies one word; a selector is one word: "(+get ~a)".  After an error the
 * rules may have changed a little. */
enum acl_error acl_rules_word(struct acl_rules *rules, struct arg word);
/* The only password is this one; "": none is needed. */
enum acl_error acl_rules_password(struct acl_rules *rules, const char *text,
                                  size_t len);

/* Makes text and the like; ACL_LIMIT: it is longer than it may be. */
enum acl_error acl_rules_seal(struct acl_rules *rules);

/*
 * The password is right.  How long it takes depends on the length of what is
 * given and on nothing else; rules NULL: of nobody, never right.
 */
bool acl_rules_admit(const struct acl_rules *rules, const char *password,
                     size_t len);

/*
 * Applies words as they come in a request, then seals.  NULL, or what is wrong
 * as Redis words it, without its code, static or in `why` (ACL_WHY_MAX bytes);
 * the rules are of no use then.
 */
const char *acl_rules_words(struct acl_rules *rules, const struct arg *words,
                            size_t count, char *why);

/*
 * What "(" begins goes on to the word that ends with ")" and becomes one word.
 * False: out->unmatched is the index of one that is not closed, or it is count
 * and out->error tells.
 */
struct acl_words {
    struct arg *at;
    size_t count;
    char *bytes; /* where they lie */
    size_t unmatched;
    enum acl_error error; /* ACL_LIMIT or ACL_NO_MEMORY */
};
bool acl_words_merge(const struct arg *words, size_t count,
                     struct acl_words *out);
void acl_words_release(struct acl_words *words);

/* acl_selector.c, for acl_rules.c and acl_print.c. */
enum acl_error acl_selector_word(struct acl_selector *selector,
                                 struct arg word);
enum acl_error acl_selector_copy(struct acl_selector *to,
                                 const struct acl_selector *from);
void acl_selector_release(struct acl_selector *selector);
void acl_selector_allow(struct acl_selector *selector,
                        const struct command *command, bool allow);
void acl_selector_category(struct acl_selector *selector, size_t category,
                           bool allow);
static inline bool acl_selector_has(const struct acl_selector *selector,
                                    size_t row)
{
    return selector->commands[row / 64] >> (row % 64) & 1;
}

/* acl_print.c: the words for commands, "+@all -get", as ACL GETUSER has them;
 * and those for patterns of keys and of channels, with spaces between. */
void acl_print_commands(const struct acl_selector *selector, struct buf *out);
void acl_print_keys(const struct acl_selector *selector, struct buf *out);
void acl_print_channels(const struct acl_selector *selector, struct buf *out);
/* All of the rules. */
void acl_print(const struct acl_rules *rules, struct buf *out);

#endif
