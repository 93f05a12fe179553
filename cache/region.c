/* SPDX-License-Identifier: BSD-3-Clause */
/* Address space, and the three things to do with its pages. */

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include "pages.h"
#include "region.h"

enum { REGION_ALIGN = 2 << 20 };

bool region_init(struct region *region, size_t size)
{
    void *at = mmap(NULL, size + REGION_ALIGN, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return false;
    uintptr_t base =
        ((uintptr_t)at + REGION_ALIGN - 1) & ~(uintptr_t)(REGION_ALIGN - 1);
    size_t before = base - (uintptr_t)at;
    if (before > 0)
        munmap(at, before);
    munmap((char *)base + size, REGION_ALIGN - before);
    *region = (struct region){(char *)base, size, 0};
    /* A huge page would stay in memory after most of it was purged, and not
     * be counted: the resident size would lie. */
    madvise(region->base, size, MADV_NOHUGEPAGE);
    madvise(region->base, size, MADV_DONTDUMP);
    return true;
}

void region_release(struct region *region)
{
    munmap(region->base, region->size);
}

void *region_extend(struct region *region, size_t len, size_t align)
{
    size_t from = (region->accessible + align - 1) & ~(align - 1);
    if (from > region->size || len > region->size - from)
        return NULL;
    if (mprotect(region->base + region->accessible,
                 from + len - region->accessible, PROT_READ | PROT_WRITE) != 0)
        return NULL;
    region->accessible = from + len;
    return region->base + from;
}

bool pages_populate(char *from, size_t len)
{
#ifdef MADV_POPULATE_WRITE
    int failed;
    do
        failed = madvise(from, len, MADV_POPULATE_WRITE);
    while (failed && (errno == EINTR || errno == EAGAIN));
    if (!failed || errno != EINVAL)
        return !failed;
#endif
    /* Kernels before 5.14 do not know that. */
    for (size_t at = 0; at < len; at += 4096)
        *(volatile char *)(from + at) = 0;
    return true;
}

void pages_purge(char *from, size_t len)
{
    madvise(from, len, MADV_DONTNEED);
}
