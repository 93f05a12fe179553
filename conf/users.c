/* SPDX-License-Identifier: BSD-3-Clause */
/* The `user` lines of the file, kept for who knows what they mean. */
#include <stdlib.h>
#include <string.h>

#include "users.h"
#include "value.h"

struct conf_user *conf_user_add(struct conf *conf,
                                const struct conf_word *words, size_t count)
{
    size_t bytes = 0;
    struct conf_user *user, **end = &conf->users;
    char *to;

    for (size_t i = 0; i < count; i++)
        bytes += words[i].len + 1;
    user = malloc(sizeof *user + count * sizeof *words + bytes);
    if (user == NULL)
        return NULL;
    *user = (struct conf_user){.count = count};
    to = (char *)&user->words[count];
    for (size_t i = 0; i < count; i++) {
        memcpy(to, words[i].ptr, words[i].len);
        to[words[i].len] = '\0';
        user->words[i] = (struct conf_word){to, words[i].len};
        to += words[i].len + 1;
    }
    while (*end != NULL)
        end = &(*end)->next;
    *end = user;
    return user;
}

void conf_users_free(struct conf *conf)
{
    while (conf->users != NULL) {
        struct conf_user *next = conf->users->next;
        free(conf->users);
        conf->users = next;
    }
}

static bool same(struct conf_word a, struct word b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

const char *users_take(struct conf *conf, const struct word *values,
                       size_t count)
{
    struct conf_word words[CONF_VALUES_MAX];

    if (count == 0)
        return "wants a name and rules";
    for (const struct conf_user *user = conf->users; user; user = user->next)
        if (same(user->words[0], values[0]))
            return "Duplicate user found. A user can only be defined once in "
                   "config files";
    for (size_t i = 0; i < count; i++)
        words[i] = (struct conf_word){values[i].ptr, values[i].len};
    return conf_user_add(conf, words, count) ? NULL : "out of memory";
}
