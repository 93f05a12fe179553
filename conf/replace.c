/* SPDX-License-Identifier: BSD-3-Clause */
/* A file replaced in one step or not at all. */
#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "value.h"

/* Makes the new name last: the folder itself is written. */
static void sync_folder(const char *path)
{
    char copy[CONF_TEXT_MAX];
    int fd;

    strcpy(copy, path);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

/* Who may read the new file: whoever could read the old one. */
static bool copy_mode(int fd, const struct stat *old)
{
    mode_t mode = old->st_mode & 07777;

    if (fchown(fd, old->st_uid, old->st_gid) != 0)
        mode &= 0700;
    return fchmod(fd, mode) == 0;
}

const char *replace_begin(struct replace *replace, const char *path, char *why)
{
    int fd;

    *replace = (struct replace){.path = path};
    replace->old = stat(path, &replace->st) == 0;
    if (!replace->old && errno != ENOENT)
        return value_say(why, "can't read '%.300s': %s", path, strerror(errno));
    snprintf(replace->temporary, sizeof replace->temporary, "%s.XXXXXX", path);
    fd = mkostemp(replace->temporary, O_CLOEXEC);
    if (fd < 0)
        return value_say(why, "can't write beside '%.300s': %s", path,
                         strerror(errno));
    replace->to = fdopen(fd, "w");
    if (replace->to == NULL) {
        close(fd);
        unlink(replace->temporary);
        return "out of memory";
    }
    return NULL;
}

const char *replace_end(struct replace *replace, const char *message, char *why)
{
    int fd = fileno(replace->to);
    bool written = (!replace->old || copy_mode(fd, &replace->st)) &&
                   fflush(replace->to) == 0 && !ferror(replace->to) &&
                   fsync(fd) == 0;

    written = fclose(replace->to) == 0 && written;
    if (message == NULL &&
        (!written || rename(replace->temporary, replace->path) != 0))
        message = value_say(why, "can't write '%.300s': %s", replace->path,
                            strerror(errno));
    if (message != NULL)
        unlink(replace->temporary);
    else
        sync_folder(replace->path);
    return message;
}
