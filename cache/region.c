/* SPDX-License-Identifier: BSD-3-Clause */
/* Address space, and what to do with its pages. */

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "pages.h"
#include "region.h"

enum { REGION_ALIGN = PAGES_HUGE, PAGE = 4096 };

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
    /* The system makes no huge page by itself: it would fill holes. */
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

/* True if all of it is resident now, what is written there is as it was; errno
 * is EINVAL in kernels before 5.14. */
static bool populate(char *from, size_t len)
{
#ifdef MADV_POPULATE_WRITE
    int failed;
    do
        failed = madvise(from, len, MADV_POPULATE_WRITE);
    while (failed && (errno == EINTR || errno == EAGAIN));
    return !failed;
#else
    (void)from, (void)len;
    errno = EINVAL;
    return false;
#endif
}

bool pages_populate(char *from, size_t len)
{
    if (populate(from, len))
        return true;
    if (errno != EINVAL)
        return false;
    for (size_t at = 0; at < len; at += PAGE)
        *(volatile char *)(from + at) = 0;
    return true;
}

void pages_purge(char *from, size_t len)
{
    madvise(from, len, MADV_DONTNEED);
}

/* ------------------------------------------------------------- huge pages */

static long faults(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_minflt : 0;
}

/* Purged as a whole first: since Linux 6.14 that gives the table of small pages
 * back, too, where one was, and without it there can be a huge one. */
bool pages_populate_huge(char *from, bool *huge)
{
    pages_purge(from, PAGES_HUGE);
    bool asked = madvise(from, PAGES_HUGE, MADV_HUGEPAGE) == 0;
    long before = faults();
    bool resident = pages_populate(from, PAGES_HUGE);
    *huge = asked && resident && faults() == before + 1;
    if (asked)
        madvise(from, PAGES_HUGE, MADV_NOHUGEPAGE);
    return resident;
}

/* What is no longer used lately: that can be said of a part of a huge page only
 * when the kernel has split it. */
static void split(char *from)
{
#ifdef MADV_COLD
    madvise(from, PAGE, MADV_COLD);
#else
    (void)from;
#endif
}

void pages_purge_part(char *from, size_t len)
{
    size_t before = (uintptr_t)from % PAGES_HUGE;
    char *page = from - before, *behind = from + len;
    split(from);
    pages_purge(from, len);
    populate(page, before);
    populate(behind, PAGES_HUGE - before - len);
}
