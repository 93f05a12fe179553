/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The profile goes by way of a file without a name, because the allocator
 * writes it to a path:
 *
 *   allocator -> /proc/self/fd/N -> memory file N -> answer
 */

#include "heap_profile.h"

#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/pages.h"
#include "conf/conf.h"
#include "http.h"
#include "server.h"

bool heap_profile_wanted(const struct conf *conf)
{
    enum { YES, NO };
    return conf->heap_profile != NO;
}

const char *heap_profile_begin(const struct conf *conf, char **argv)
{
    if (!heap_profile_wanted(conf) || pages_profile() == PAGES_PROFILE_ON)
        return NULL;
    if (pages_profile() == PAGES_PROFILE_NEVER)
        return "heap-profile: the allocator was built without profiling";
    if (pages_profile_want())
        execv("/proc/self/exe", argv);
    return "heap-profile: profiling cannot be switched on";
}

/* All of a file, to be freed, with a zero behind it; NULL if that fails. */
static char *read_all(int fd)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0)
        return NULL;
    size_t len = (size_t)stat.st_size;
    char *text = malloc(len + 1);
    if (text && pread(fd, text, len, 0) == stat.st_size) {
        text[len] = 0;
        return text;
    }
    free(text);
    return NULL;
}

static char *profile(void)
{
    char path[64];
    int fd = memfd_create("heap-profile", MFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    char *text = pages_profile_write(path) ? read_all(fd) : NULL;
    close(fd);
    return text;
}

void heap_profile_serve(struct server *server, struct evhttp_request *req)
{
    if (!heap_profile_wanted(&server->conf)) {
        http_answer_text(req, 403, "Forbidden", "heap-profile is no\n");
        return;
    }
    char *text = profile();
    if (text)
        http_answer_text(req, HTTP_OK, "OK", text);
    else
        http_answer_text(req, HTTP_SERVUNAVAIL, "Service Unavailable",
                         "no memory or descriptors\n");
    free(text);
}
