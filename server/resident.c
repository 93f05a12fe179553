/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the process's resident size. */

#include "resident.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sanitizers keep much memory of their own beside the program's: under them
 * the resident size says nothing. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

size_t resident_read(void)
{
    if (SANITIZED)
        return 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    char text[128];
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    if (len <= 0)
        return 0;
    text[len] = '\0';
    /* "size resident shared ...", in pages. */
    const char *resident = strchr(text, ' ');
    if (!resident)
        return 0;
    return strtoull(resident, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}
