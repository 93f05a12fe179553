/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much memory there is: the machine's, or less if a control group bounds
 * it.  A group's limit counts, and those of all groups above it:
 *
 *   /sys/fs/cgroup/a/b/memory.max                     version 2
 *   /sys/fs/cgroup/memory/a/b/memory.limit_in_bytes   version 1
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "governor.h"

/* The number that a file begins with; UINT64_MAX for "max" or no such file. */
static uint64_t read_limit(const char *path)
{
    char text[32] = "";
    FILE *file = fopen(path, "re");
    if (!file)
        return UINT64_MAX;
    char *line = fgets(text, sizeof text, file);
    fclose(file);
    if (!line || text[0] < '0' || text[0] > '9')
        return UINT64_MAX;
    return strtoull(text, NULL, 10);
}

static uint64_t read_total(const char *root)
{
    char path[PATH_MAX], line[128];
    uint64_t kib = 0;
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    FILE *file = fopen(path, "re");
    if (!file)
        return UINT64_MAX;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "MemTotal:", 9) == 0)
            kib = strtoull(line + 9, NULL, 10);
    fclose(file);
    return kib > 0 ? kib * 1024 : UINT64_MAX;
}

/* The least limit of a group and those above it.  In a container the group may
 * be called as the host sees it; then its own folder is not there and the top
 * one is the container's. */
static uint64_t read_groups(const char *root, const char *mount, char *group,
                            const char *name)
{
    uint64_t least = UINT64_MAX;
    for (;;) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s%s%s/%s", root, mount, group, name);
        uint64_t limit = read_limit(path);
        least = limit < least ? limit : least;
        char *slash = strrchr(group, '/');
        if (!slash)
            return least;
        *slash = '\0';
    }
}

/* "number:controllers:path" */
static uint64_t read_membership(const char *root, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
        return UINT64_MAX;
    *controllers++ = '\0';
    *group++ = '\0';
    if (strcmp(line, "0") == 0 && *controllers == '\0')
        return read_groups(root, "/sys/fs/cgroup", group, "memory.max");
    char *save = NULL;
    for (char *name = strtok_r(controllers, ",", &save); name;
         name = strtok_r(NULL, ",", &save))
        if (strcmp(name, "memory") == 0)
            return read_groups(root, "/sys/fs/cgroup/memory", group,
                               "memory.limit_in_bytes");
    return UINT64_MAX;
}

uint64_t governor_machine_bytes(const char *root)
{
    uint64_t least = read_total(root);
    char path[PATH_MAX], line[PATH_MAX];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        uint64_t limit = read_membership(root, line);
        least = limit < least ? limit : least;
    }
    if (file)
        fclose(file);
    return least == UINT64_MAX ? 0 : least;
}
