/* SPDX-License-Identifier: BSD-3-Clause */
/* A set of users, sorted by name. */

#include "acl_users.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool acl_name_fits(struct arg name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!name.ptr[i] || isspace((unsigned char)name.ptr[i]))
            return false;
    return name.len <= ACL_NAME_MAX;
}

static int compare(struct arg a, struct arg b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Where a user of that name is or would be. */
static size_t place_of(const struct acl_users *users, struct arg name)
{
    size_t low = 0, high = users->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(acl_name(users->at[middle]), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct acl_user *acl_users_find(const struct acl_users *users, struct arg name)
{
    size_t at = place_of(users, name);
    return at < users->count && compare(acl_name(users->at[at]), name) == 0
               ? users->at[at]
               : NULL;
}

static size_t bytes_of(const struct acl_user *user)
{
    return sizeof *user + sizeof user + user->len + user->rules->bytes;
}

void acl_user_disown(struct acl_user *user)
{
    if (--user->owners > 0)
        return;
    acl_rules_disown(user->rules);
    free(user);
}

static struct acl_user *user_new(struct arg name, struct acl_rules *rules)
{
    struct acl_user *user = malloc(sizeof *user + name.len + 1);
    if (!user)
        return NULL;
    *user = (struct acl_user){.owners = 1, .rules = rules, .len = name.len};
    if (name.len > 0)
        memcpy(user->name, name.ptr, name.len);
    user->name[name.len] = 0;
    return user;
}

/* Puts the user into the set, if there is room. */
static enum acl_error insert(struct acl_users *users, struct acl_user *user)
{
    if (users->count == ACL_USERS_MAX ||
        users->bytes + bytes_of(user) > ACL_BYTES_MAX)
        return ACL_LIMIT;
    struct acl_user **at = realloc(users->at, (users->count + 1) * sizeof *at);
    if (!at)
        return ACL_NO_MEMORY;
    users->at = at;
    size_t place = place_of(users, acl_name(user));
    memmove(at + place + 1, at + place, (users->count - place) * sizeof *at);
    at[place] = user;
    users->count++;
    users->bytes += bytes_of(user);
    return ACL_FINE;
}

enum acl_error acl_users_add(struct acl_users *users, struct arg name,
                             struct acl_rules *rules)
{
    struct acl_user *user = user_new(name, rules);
    if (!user) {
        acl_rules_disown(rules);
        return ACL_NO_MEMORY;
    }
    enum acl_error error = insert(users, user);
    if (error != ACL_FINE)
        acl_user_disown(user);
    return error;
}

bool acl_users_remove(struct acl_users *users, struct arg name)
{
    size_t at = place_of(users, name);
    struct acl_user *user = acl_users_find(users, name);
    if (!user)
        return false;
    users->count--;
    users->bytes -= bytes_of(user);
    memmove(users->at + at, users->at + at + 1,
            (users->count - at) * sizeof *users->at);
    atomic_store(&user->gone, true);
    acl_user_disown(user);
    return true;
}

void acl_users_release(struct acl_users *users)
{
    for (size_t i = 0; i < users->count; i++)
        acl_user_disown(users->at[i]);
    free(users->at);
    *users = (struct acl_users){0};
}
