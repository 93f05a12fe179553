/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ACL_USERS_H
#define ACL_USERS_H

/* A set of users: those in force (acl.h), or what a file says. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "acl_rules.h"

enum {
    ACL_USERS_MAX = 1024,
    ACL_NAME_MAX = 1024,     /* bytes of a user's name */
    ACL_BYTES_MAX = 1 << 20, /* of memory, all users together */
};

struct acl_user {
    unsigned owners; /* the set, and sessions */
    _Atomic bool gone;
    struct acl_rules *rules; /* sealed */
    size_t len;
    char name[];
};

/* Zeroed: nobody. */
struct acl_users {
    struct acl_user **at; /* sorted by name */
    size_t count, bytes;
};

bool acl_name_fits(struct arg name); /* no spaces, not too long */

static inline struct arg acl_name(const struct acl_user *user)
{
    return (struct arg){user->name, user->len};
}

struct acl_user *acl_users_find(const struct acl_users *users, struct arg name);
/* The rules, which must be sealed, are taken over whatever comes of it.  There
 * must be nobody of that name. */
enum acl_error acl_users_add(struct acl_users *users, struct arg name,
                             struct acl_rules *rules);
/* Who is taken out of the set is gone.  False: there is nobody. */
bool acl_users_remove(struct acl_users *users, struct arg name);
void acl_users_release(struct acl_users *users);

/* One owner less; the last one frees it. */
void acl_user_disown(struct acl_user *user);

#endif
