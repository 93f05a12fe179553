/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TICKS_H
#define TICKS_H

/*
 * A clock to time commands with.  Reading the system's twice costs as much as
 * a GET; the processor's counter costs a fifth of that, and where it runs at a
 * constant rate (it says so itself) a tick is one of its counts.  Elsewhere a
 * tick is a nanosecond of the system's clock.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct ticks {
    bool counter;   /* of the processor */
    uint64_t scale; /* nanoseconds of 2^32 ticks */
};

/* Finds out which clock it is; takes some milliseconds to measure its rate. */
void ticks_init(struct ticks *ticks);

static inline uint64_t ticks_clock_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static inline uint64_t ticks_counter(void)
{
#if defined __x86_64__
    return __builtin_ia32_rdtsc();
#elif defined __aarch64__
    uint64_t count;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count;
#else
    return ticks_clock_ns();
#endif
}

static inline uint64_t ticks_now(const struct ticks *ticks)
{
    return ticks->counter ? ticks_counter() : ticks_clock_ns();
}

/* From then to now: 0 if the clock of another core is behind. */
static inline uint64_t ticks_between(uint64_t then, uint64_t now)
{
    return now > then ? now - then : 0;
}

static inline uint64_t ticks_ns(const struct ticks *ticks, uint64_t count)
{
    return (uint64_t)((unsigned __int128)count * ticks->scale >> 32);
}

/* The fewest ticks that are that long; UINT64_MAX: longer than can be. */
uint64_t ticks_of_ns(const struct ticks *ticks, uint64_t ns);

#endif
