/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much memory there is: the machine's, or less if a control group bounds
 * it.  A group's limit counts, and those of all groups above it:
 *
 *   /sys/fs/cgroup/a/b/memory.max                     version 2
 *   /sys/fs/cgroup/memory/a/b/memory.limit_in_bytes   version 1
 */

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "governor.h"

struct look {
    const char *root;
    uint64_t least; /* the least limit met; UINT64_MAX: none */
    bool failed;    /* what is there could not be read */
};

static void meet(struct look *look, uint64_t limit)
{
    look->least = limit < look->least ? limit : look->least;
}

/* A file that is not there, or not for us, sets no limit.  One that cannot be
 * opened for want of descriptors or memory may. */
static FILE *open_file(struct look *look, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file && (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
                  errno == EINTR))
        look->failed = true;
    return file;
}

/* The number that a file begins with; "max" is none. */
static void read_limit(struct look *look, const char *path)
{
    char text[32] = "";
    FILE *file = open_file(look, path);
    if (!file)
        return;
    if (fgets(text, sizeof text, file) && text[0] >= '0' && text[0] <= '9')
        meet(look, strtoull(text, NULL, 10));
    fclose(file);
}

static void read_total(struct look *look)
{
    char path[PATH_MAX], line[128];
    snprintf(path, sizeof path, "%s/proc/meminfo", look->root);
    FILE *file = open_file(look, path);
    if (!file)
        return;
    while (fgets(line, sizeof line, file)) {
        uint64_t kib = 0;
        if (strncmp(line, "MemTotal:", 9) == 0)
            kib = strtoull(line + 9, NULL, 10);
        if (kib > 0)
            meet(look, kib * 1024);
    }
    fclose(file);
}

/* A group and those above it.  In a container the group may be called as the
 * host sees it; then its own folder is not there and the top one is the
 * container's. */
static void read_groups(struct look *look, const char *mount, char *group,
                        const char *name)
{
    for (;;) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s%s%s/%s", look->root, mount, group,
                 name);
        read_limit(look, path);
        char *slash = strrchr(group, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
}

/* "number:controllers:path" */
static void read_membership(struct look *look, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
        return;
    *controllers++ = '\0';
    *group++ = '\0';
    if (strcmp(line, "0") == 0 && *controllers == '\0') {
        read_groups(look, "/sys/fs/cgroup", group, "memory.max");
        return;
    }
    char *save = NULL;
    for (char *name = strtok_r(controllers, ",", &save); name;
         name = strtok_r(NULL, ",", &save))
        if (strcmp(name, "memory") == 0) {
            read_groups(look, "/sys/fs/cgroup/memory", group,
                        "memory.limit_in_bytes");
            return;
        }
}

uint64_t governor_machine_bytes(const char *root)
{
    struct look look = {.root = root, .least = UINT64_MAX};
    char path[PATH_MAX], line[PATH_MAX];
    read_total(&look);
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = open_file(&look, path);
    while (file && fgets(line, sizeof line, file))
        read_membership(&look, line);
    if (file)
        fclose(file);
    return look.failed || look.least == UINT64_MAX ? 0 : look.least;
}
