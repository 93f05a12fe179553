/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HASH_NAMES_H
#define HASH_NAMES_H

/*
 * The names of fields that a request has, so that one walk through a hash finds
 * all of them.  A few are compared one by one, more are looked up in a table.
 */

#include "command.h"

enum {
    HASH_FIELDS_MAX = 4096, /* of one hash, and of one request */
    HASH_NAME_MAX = 65536,  /* bytes */
};

struct hash_name {
    size_t arg;
    uint32_t first; /* the first of the same name, or itself */
    uint32_t last;  /* of the first: the last of the same name */
    bool found;     /* of the first: the rest is what the user wants to note */
    size_t at, len;
};

struct hash_names {
    const struct call *call;
    size_t count;
    struct hash_name *names;
    uint16_t *slots; /* 1 + number; 0: free.  NULL: there are few */
    size_t mask;
    size_t charged; /* to the client pool */
    struct hash_name few[8];
};

/*
 * Every `step`-th argument from `first` on.  False: an error was replied.
 * Otherwise to be freed, which a moved one can be: it holds no pointer into
 * itself.
 */
bool hash_names_init(struct hash_names *names, struct call *call, size_t first,
                     size_t step);
void hash_names_free(struct hash_names *names);

static inline struct hash_name *hash_names_at(struct hash_names *names,
                                              size_t i)
{
    return names->names ? &names->names[i] : &names->few[i];
}

/* The first that is this name, or NULL. */
struct hash_name *hash_names_find(struct hash_names *names, const char *ptr,
                                  size_t len);

#endif
