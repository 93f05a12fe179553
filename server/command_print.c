/* SPDX-License-Identifier: BSD-3-Clause */
/* docs/commands.md, made from the command table. */

#include "command_info.h"

#include <ctype.h>
#include <string.h>

/* The groups, in the order of the page: each with its title. */
static const struct {
    const char *name, *title;
} groups[] = {
    {"string", "Strings"},
    {"bitmap", "Bits"},
    {"hash", "Hashes"},
    {"generic", "Keys"},
    {"transactions", "Transactions"},
    {"pubsub", "Publish and subscribe"},
    {"connection", "Connections"},
    {"server", "The server"},
    {"cluster", "Clusters"},
    {"scripting", "Scripts"},
};

enum { GROUPS = sizeof groups / sizeof groups[0] };

static size_t group_of(const struct command *command)
{
    size_t i = 0;
    while (i < GROUPS && strcmp(groups[i].name, command->group) != 0)
        i++;
    return i;
}

/* A '|' would end the table's cell. */
static void print_cell(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', to);
        fputc(*text, to);
    }
}

static void print_row(FILE *to, const struct command *command)
{
    fputs("| `", to);
    for (const char *c = command->name; *c; c++)
        fputc(*c == '|' ? ' ' : toupper((unsigned char)*c), to);
    if (*command->syntax) {
        fputc(' ', to);
        print_cell(to, command->syntax);
    }
    fprintf(to, "` | %s | %s |\n", command->summary, command->since);
}

/* A command whose subcommands are rows has none of its own, unless it runs. */
static void print_group(FILE *to, size_t group)
{
    bool any = false;
    for (size_t row = 0; row < command_count; row++) {
        const struct command *command = &command_table[row];
        if (group_of(command) != group || !command->run)
            continue;
        if (!any)
            fprintf(to,
                    "\n## %s\n\n| command | what it does | since |\n"
                    "| --- | --- | --- |\n",
                    group < GROUPS ? groups[group].title : "Others");
        any = true;
        print_row(to, command);
    }
}

void command_print_markdown(FILE *to)
{
    fputs("# Commands\n\n"
          "Made from the command table by `make docs`; `COMMAND DOCS` tells "
          "the same.\n*Since* is the version of Redis whose command it is.  "
          "Where Ebb answers otherwise\nthan Redis, "
          "[differences.md](differences.md) says so.\n",
          to);
    for (size_t group = 0; group <= GROUPS; group++)
        print_group(to, group);
}
