/* SPDX-License-Identifier: BSD-3-Clause */
/* /proc/self/pagemap tells which physical page is where, /proc/kpageflags what
 * that is. */

#include "tests/frames.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "cache/pages.h"
#include "cache/region.h"

enum { PAGE = 4096 };

/* Bits of the words that they hold for each page. */
#define PRESENT   (UINT64_C(1) << 63)
#define EXCLUSIVE (UINT64_C(1) << 56) /* no other mapping, and not of zeros */
#define NUMBER    ((UINT64_C(1) << 55) - 1)
#define COMPOUND  (UINT64_C(3) << 15) /* its head, or its tail */
#define ZERO      (UINT64_C(1) << 24)

static uint64_t word_at(int fd, uint64_t index)
{
    uint64_t word = 0;
    ssize_t got = pread(fd, &word, sizeof word, (off_t)(index * sizeof word));
    return got == sizeof word ? word : 0;
}

static uint64_t page_at(const struct frames *frames, const char *at)
{
    return word_at(frames->pagemap, (uintptr_t)at / PAGE);
}

void frames_open(struct frames *frames)
{
    frames->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    frames->flags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
    if (frames->flags < 0 ||
        (page_at(frames, (const char *)&frames) & NUMBER) != 0)
        return;
    close(frames->flags);
    frames->flags = -1;
}

void frames_close(struct frames *frames)
{
    close(frames->pagemap);
    if (frames->flags >= 0)
        close(frames->flags);
}

size_t frames_own(const struct frames *frames, const char *from, size_t len)
{
    const uint64_t own = PRESENT | EXCLUSIVE;
    size_t bytes = 0;
    for (size_t at = 0; at < len; at += PAGE)
        if ((page_at(frames, from + at) & own) == own)
            bytes += PAGE;
    return bytes;
}

static size_t count(const struct frames *frames, const char *from, size_t len,
                    uint64_t flags)
{
    size_t bytes = 0;
    for (size_t at = 0; at < len; at += PAGE) {
        uint64_t page = page_at(frames, from + at);
        if ((page & PRESENT) != 0 &&
            (word_at(frames->flags, page & NUMBER) & flags) != 0)
            bytes += PAGE;
    }
    return bytes;
}

size_t frames_zero(const struct frames *frames, const char *from, size_t len)
{
    return count(frames, from, len, ZERO);
}

size_t frames_compound(const struct frames *frames, const char *from,
                       size_t len)
{
    return count(frames, from, len, COMPOUND);
}

bool frames_tell(const struct frames *frames)
{
    if (frames->flags < 0)
        printf("SKIPPED: physical pages, the kernel tells root only\n");
    return frames->flags >= 0;
}

bool frames_are_huge(void)
{
    struct region region;
    bool huge = false;
    if (region_init(&region, PAGES_HUGE)) {
        char *from = region_extend(&region, PAGES_HUGE, PAGES_HUGE);
        if (from)
            pages_populate_huge(from, &huge);
        region_release(&region);
    }
    if (!huge)
        printf("SKIPPED: huge pages, the system gives none\n");
    return huge;
}
