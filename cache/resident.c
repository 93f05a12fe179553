/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts resident pages. */

#include <sys/mman.h>

#include "pages.h"

enum { PAGE = 4096, AT_ONCE = 4096 }; /* pages */

/* Where nothing is mapped the system refuses the whole piece. */
uint64_t pages_resident(const void *from, size_t len)
{
    unsigned char there[AT_ONCE];
    uintptr_t at = (uintptr_t)from & ~(uintptr_t)(PAGE - 1);
    uintptr_t end = ((uintptr_t)from + len + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
    uint64_t pages = 0;
    while (at < end) {
        size_t count = (end - at) / PAGE;
        if (count > AT_ONCE)
            count = AT_ONCE;
        if (mincore((void *)at, count * PAGE, there) == 0)
            for (size_t i = 0; i < count; i++)
                pages += there[i] & 1;
        at += count * PAGE;
    }
    return pages * PAGE;
}
