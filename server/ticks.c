/* SPDX-License-Identifier: BSD-3-Clause */
/* Which clock commands are timed with, and its rate. */

#include "ticks.h"

#if defined __x86_64__
#include <cpuid.h>
#endif

enum {
    MEASURE_NS = 2000000,
    READINGS = 8, /* of both clocks; the one with least between them counts */
};

/* The counter goes at the same rate whatever the processor does. */
static bool is_constant(void)
{
#if defined __x86_64__
    enum { POWER = 0x80000007, INVARIANT = 1 << 8 };
    unsigned a, b, c, d;
    return __get_cpuid(POWER, &a, &b, &c, &d) && (d & INVARIANT);
#elif defined __aarch64__
    return true;
#else
    return false;
#endif
}

struct reading {
    uint64_t count, ns;
};

static struct reading read_both(void)
{
    struct reading best = {0};
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < READINGS; i++) {
        uint64_t before = ticks_counter(), ns = ticks_clock_ns();
        uint64_t took = ticks_counter() - before;
        if (took < least) {
            least = took;
            best = (struct reading){before + took / 2, ns};
        }
    }
    return best;
}

void ticks_init(struct ticks *ticks)
{
    *ticks = (struct ticks){.scale = UINT64_C(1) << 32};
    if (!is_constant())
        return;
    struct reading from = read_both(), to;
    do
        to = read_both();
    while (to.ns - from.ns < MEASURE_NS);
    if (to.count <= from.count)
        return;
    ticks->counter = true;
    ticks->scale = (uint64_t)(((unsigned __int128)(to.ns - from.ns) << 32) /
                              (to.count - from.count));
}

uint64_t ticks_of_ns(const struct ticks *ticks, uint64_t ns)
{
    unsigned __int128 count =
        (((unsigned __int128)ns << 32) + ticks->scale - 1) / ticks->scale;
    return count > UINT64_MAX ? UINT64_MAX : (uint64_t)count;
}
