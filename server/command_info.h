/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMMAND_INFO_H
#define COMMAND_INFO_H

/* What COMMAND's subcommands share. */

#include "command.h"

/* Commands without subcommands of others. */
size_t command_top_count(void);
/* A row by its name as the table has it, "config|get" too. */
const struct command *command_named(const struct arg *name);

#endif
