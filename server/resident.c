/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the process's resident size. */

#include "resident.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t resident_read(void)
{
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
