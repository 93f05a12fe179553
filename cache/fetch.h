/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FETCH_H
#define FETCH_H

/*
 * Asking for a cache line ahead.  One that will be written is asked for as
 * such: with a copy to read only, the other cores that have one would be waited
 * for when it is written.
 */

enum { FETCH_LINE = 64 }; /* bytes */

static inline void fetch_to_write(const void *at)
{
#if defined __x86_64__
    /* Where a processor does not know it, it does nothing. */
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)at));
#else
    __builtin_prefetch(at, 1);
#endif
}

#endif
