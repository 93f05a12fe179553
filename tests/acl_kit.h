/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ACL_KIT_H
#define ACL_KIT_H

/* Rules and users for a test, from words that spaces are between. */

#include "server/acl.h"
#include "server/acl_rules.h"

enum { ACL_KIT_WORDS = 1100 }; /* in one text, at most */

struct arg acl_kit_arg(const char *text);
/* Into as many words; how many there are. */
size_t acl_kit_split(const char *text, struct arg *words);
/* Applies the words: the error, or "". */
const char *acl_kit_apply(struct acl_rules *rules, const char *text);
/* New rules, of which the test disowns itself. */
struct acl_rules *acl_kit_rules(const char *text);

/* Users, and a place for a file of them. */
struct acl_kit {
    _Atomic uint64_t version;
    struct acl *acl;
    char folder[32], path[64];
};

/* For cmocka: *state is one. */
int acl_kit_begin(void **state);
int acl_kit_end(void **state);

/* ACL SETUSER: the error, or "". */
const char *acl_kit_set(struct acl_kit *f, const char *name, const char *words);
/* All users, one a line; what is there at first. */
const char *acl_kit_all(struct acl_kit *f);
#define ACL_KIT_DEFAULT "user default on nopass ~* &* +@all (initial)\n"

#endif
