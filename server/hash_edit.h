/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HASH_EDIT_H
#define HASH_EDIT_H

/*
 * A hash that is made from an old one and a request: a row of parts, which are
 * stretches of the old one, names and values of the request, and lengths.
 *
 *   old:      | 2 | a 1 | b 2 |
 *   HSET b 3 c 4
 *   new:      | 3 | a 1 | b 3 | c 4 |
 *   parts:     new  old   new   new
 */

#include "call_make.h"
#include "hash.h"

struct hash_edit;

/* What a command does; its constant part. */
struct hash_verb {
    enum {
        HASH_SET,     /* names and values of the request */
        HASH_SET_NEW, /* the same, of fields that are not there */
        HASH_REMOVE,  /* names of the request */
        HASH_COMPUTE, /* the value of a field from the one it has */
    } what;
    const char *event;
    /* Reads the arguments that are neither names nor values; may be NULL.
     * False: an error was replied. */
    bool (*parse)(struct call *call, struct hash_edit *edit);
    /* HASH_COMPUTE: makes `text` from the old value (NULL: none).  An error,
     * or NULL. */
    const char *(*compute)(struct hash_edit *edit, const char *old, size_t len);
    void (*reply)(struct call *call, const struct hash_edit *edit);
};

enum { HASH_EDIT_FEW = 8 };

struct hash_edit {
    const struct hash_verb *verb;
    struct hash_names names;
    union {
        int64_t integer;
        long double real;
    } step, sum;
    size_t text_len;
    char text[TEXT_FLOAT_MAX]; /* the computed value */

    /* What hash_edit_plan has found. */
    size_t added, removed; /* fields */
    bool changes;          /* false: the old hash stays as it is */
    size_t fields, len;    /* of the new one; 0 fields: there is none */
    size_t part_count, kept, head_len;
    struct call_part *parts; /* NULL: in few_parts, few_heads */
    char *heads;
    size_t charged; /* to the client pool */
    struct call_part few_parts[4 * HASH_EDIT_FEW + 2];
    char few_heads[2 * PACKED_NUMBER_MAX * HASH_EDIT_FEW + PACKED_NUMBER_MAX];
};

/* Reads the request.  False: an error was replied; else to be freed. */
bool hash_edit_init(struct hash_edit *edit, struct call *call,
                    const struct hash_verb *verb);
void hash_edit_free(struct hash_edit *edit);

/* Plans it for an old hash, NULL if there is none.  An error, or NULL.  The
 * edit may not be moved after it. */
const char *hash_edit_plan(struct hash_edit *edit, struct packed *old);

const struct call_part *hash_edit_parts(const struct hash_edit *edit);
/* Puts the new one together; the old one lies in one run.  No argument was
 * diverted. */
void hash_edit_build(const struct hash_edit *edit, const char *old, char *to);

#endif
