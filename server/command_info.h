/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMMAND_INFO_H
#define COMMAND_INFO_H

/* What COMMAND's subcommands share. */

#include <stdio.h>

#include "command.h"

/* Commands without subcommands of others. */
size_t command_top_count(void);
/* A row by its name as the table has it, "config|get" too. */
const struct command *command_named(const struct arg *name);
/* The words of a text as a set, of statuses or of bulks. */
void command_reply_words(struct reply *reply, const char *text, bool statuses);
/* What it does with the first key, or with those behind it: such words. */
const char *command_key_use(const struct command *command, size_t key);
/* The same for the arguments of a request: what SET and DELEX do depends on
 * them. */
const char *command_use_of(const struct command *command,
                           const struct arg *argv, size_t argc, size_t key);
/* docs/commands.md: all rows, by their groups. */
void command_print_markdown(FILE *to);

#endif
