/* SPDX-License-Identifier: BSD-3-Clause */
/* Control groups that limit memory. */

#include "bench/group.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { REMOVE_TRIES = 200, REMOVE_PAUSE_NS = 10000000 };

static bool put(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    bool good = fputs(text, file) >= 0;
    return fclose(file) == 0 && good;
}

/* The number in a file, or behind a word in it; 0 if there is none. */
static uint64_t number(const char *folder, const char *name, const char *word)
{
    char path[PATH_MAX], line[256];
    uint64_t value = 0;
    size_t len = strlen(word);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, word, len) == 0)
            value = strtoull(line + len, NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    return value;
}

/* Where groups that limit memory are mounted. */
static bool find_root(struct group *group, char *root, size_t size)
{
    bool found = false;
    FILE *mounts = setmntent("/proc/self/mounts", "r");
    const struct mntent *mount;
    while (!found && mounts != NULL && (mount = getmntent(mounts)) != NULL) {
        snprintf(root, size, "%s", mount->mnt_dir);
        group->unified = strcmp(mount->mnt_type, "cgroup2") == 0;
        if (group->unified)
            found = put(root, "cgroup.subtree_control", "+memory");
        else
            found = strcmp(mount->mnt_type, "cgroup") == 0 &&
                    hasmntopt(mount, "memory") != NULL;
    }
    if (mounts != NULL)
        endmntent(mounts);
    return found;
}

bool group_make(struct group *group, uint64_t limit_bytes)
{
    char root[PATH_MAX / 4], limit[32];
    memset(group, 0, sizeof *group);
    snprintf(limit, sizeof limit, "%llu", (unsigned long long)limit_bytes);
    if (!find_root(group, root, sizeof root)) {
        fprintf(stderr, "no control groups that limit memory are mounted\n");
        return false;
    }
    snprintf(group->path, sizeof group->path, "%s/ebb-bench-%d", root,
             (int)getpid());
    bool made = mkdir(group->path, 0755) == 0;
    bool limited =
        made &&
        put(group->path,
            group->unified ? "memory.max" : "memory.limit_in_bytes", limit);
    if (!limited) {
        fprintf(stderr, "%s: %s\n", group->path, strerror(errno));
        if (made)
            rmdir(group->path);
        return false;
    }
    /* Nothing may go to swap instead; where there is none, there is no file. */
    if (group->unified)
        put(group->path, "memory.swap.max", "0");
    else
        put(group->path, "memory.memsw.limit_in_bytes", limit);
    /* Without a limit version 1 does not even count them. */
    if (!group->unified)
        put(group->path, "memory.kmem.tcp.limit_in_bytes", limit);
    return true;
}

/* Who was in it may take a moment to be gone. */
void group_remove(const struct group *group)
{
    const struct timespec pause = {0, REMOVE_PAUSE_NS};
    for (int i = 0; i < REMOVE_TRIES && rmdir(group->path) != 0; i++)
        nanosleep(&pause, NULL);
}

uint64_t group_kills(const struct group *group)
{
    return number(group->path,
                  group->unified ? "memory.events" : "memory.oom_control",
                  "oom_kill ");
}

uint64_t group_peak(const struct group *group)
{
    return number(group->path,
                  group->unified ? "memory.peak" : "memory.max_usage_in_bytes",
                  "");
}

uint64_t group_limited(const struct group *group)
{
    return group->unified ? number(group->path, "memory.events", "max ")
                          : number(group->path, "memory.failcnt", "");
}

uint64_t group_tcp_peak(const struct group *group)
{
    return number(group->path, "memory.kmem.tcp.max_usage_in_bytes", "");
}
