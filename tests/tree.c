/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/tree.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing can be tested without it. */
static void need(int good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

void tree_make(char root[TREE_ROOT_MAX])
{
    strcpy(root, "/tmp/ebb-tree-XXXXXX");
    need(mkdtemp(root) != NULL, root);
}

void tree_put(const char *root, const char *path, const char *text)
{
    char command[PATH_MAX + 64], full[PATH_MAX];
    snprintf(full, sizeof full, "%s%s", root, path);
    snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s')\"", full);
    need(system(command) == 0, command);
    FILE *file = fopen(full, "w");
    need(file != NULL, full);
    need(fputs(text, file) >= 0 && fclose(file) == 0, full);
}

void tree_remove(const char *root)
{
    char command[TREE_ROOT_MAX + 16];
    snprintf(command, sizeof command, "rm -rf %s", root);
    need(system(command) == 0, command);
}
