/* SPDX-License-Identifier: BSD-3-Clause */
/* Which categories a command is in, from the flags and group of its row. */

#include "command_categories.h"

#include <string.h>

#include "protocol/text.h"

/* A command is in a category if it has one of the flags or is in the group. */
// clang-format off
static const struct {
    const char *name;
    unsigned flags;
    const char *group;
} categories[COMMAND_CATEGORIES] = {
    {"keyspace",    COMMAND_KEYSPACE,                  "generic"},
    {"read",        COMMAND_READONLY,                  NULL},
    {"write",       COMMAND_WRITE,                     NULL},
    {"set",         0,                                 "set"},
    {"sortedset",   0,                                 "sorted-set"},
    {"list",        0,                                 "list"},
    {"hash",        0,                                 "hash"},
    {"string",      0,                                 "string"},
    {"bitmap",      0,                                 "bitmap"},
    {"hyperloglog", 0,                                 "hyperloglog"},
    {"geo",         0,                                 "geo"},
    {"stream",      0,                                 "stream"},
    {"pubsub",      COMMAND_PUBSUB,                    NULL},
    {"admin",       COMMAND_ADMIN | COMMAND_OF_ADMIN,  NULL},
    {"fast",        COMMAND_FAST,                      NULL},
    {"slow",        0 /* what is not fast */,          NULL},
    {"blocking",    0,                                 NULL},
    {"dangerous",   COMMAND_ADMIN | COMMAND_DANGEROUS, NULL},
    {"connection",  COMMAND_CONNECTION,                "connection"},
    {"transaction", 0,                                 "transactions"},
    {"scripting",   0,                                 "scripting"},
};
// clang-format on

enum { KEYSPACE = 0, READ = 1, ADMIN = 13, FAST = 14, SLOW = 15 };

/* Redis has these among them, though not with the flag. */
static const char *const administration[] = {"lastsave", "role"};

const char *command_category_name(size_t category)
{
    return categories[category].name;
}

size_t command_category_find(const char *name, size_t len)
{
    size_t i = 0;
    while (i < COMMAND_CATEGORIES && !text_is(name, len, categories[i].name))
        i++;
    return i;
}

bool command_in_category(const struct command *command, size_t category)
{
    const char *group = categories[category].group;
    if (category == FAST || category == SLOW)
        return !(command->flags & COMMAND_FAST) == (category == SLOW);
    /* WAIT is generic, but about a connection. */
    if (category == KEYSPACE && command->flags & COMMAND_CONNECTION)
        return false;
    /* Not a command itself, only the head of its subcommands. */
    if (!command->run)
        return false;
    for (size_t i = 0; category == ADMIN && i < 2; i++)
        if (strcmp(command->name, administration[i]) == 0)
            return true;
    /* What a script reads is up to the script. */
    if (category == READ && strcmp(command->group, "scripting") == 0)
        return false;
    return command->flags & categories[category].flags ||
           (group && strcmp(command->group, group) == 0);
}

uint32_t command_categories(const struct command *command)
{
    uint32_t in = 0;
    for (size_t i = 0; i < COMMAND_CATEGORIES; i++)
        if (command_in_category(command, i))
            in |= 1u << i;
    return in;
}
