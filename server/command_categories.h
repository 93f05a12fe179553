/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMMAND_CATEGORIES_H
#define COMMAND_CATEGORIES_H

/* The categories of commands ("@read", "@admin"), which COMMAND and the rules
 * of users name; which a command is in follows from its row. */

#include "command.h"

enum { COMMAND_CATEGORIES = 21 };

/* Without the '@', in Redis's order. */
const char *command_category_name(size_t category);
/* The category of a name, letters in either case; COMMAND_CATEGORIES: none. */
size_t command_category_find(const char *name, size_t len);

bool command_in_category(const struct command *command, size_t category);
/* All that it is in: bit 1 << category. */
uint32_t command_categories(const struct command *command);

#endif
