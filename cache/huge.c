/* SPDX-License-Identifier: BSD-3-Clause */
/* Which groups of slabs are huge pages. */

#include "huge.h"

#include <assert.h>

#include "slab.h"

enum { REST = 1024 }; /* slabs without another try to get a huge page */

bool huge_wanted(const struct slabs *slabs)
{
    const struct huge *huge = &slabs->huge;
    uint32_t limit = atomic_load_explicit(&slabs->limit, memory_order_relaxed);
    return atomic_load_explicit(&huge->wanted, memory_order_relaxed) &&
           huge->rest == 0 && !huge_is_much(limit);
}

void huge_skipped(struct slabs *slabs, unsigned count)
{
    struct huge *huge = &slabs->huge;
    huge->rest -= count < huge->rest ? count : huge->rest;
}

static void set(struct huge *huge, uint32_t number, enum huge_state state)
{
    _Atomic uint8_t *group = &huge->groups[number / HUGE_GROUP];
    unsigned old = atomic_load_explicit(group, memory_order_relaxed);
    atomic_store_explicit(group, (uint8_t)state, memory_order_relaxed);
    uint32_t count = atomic_load_explicit(&huge->count, memory_order_relaxed);
    count += (uint32_t)(state == HUGE_WHOLE) - (uint32_t)(old == HUGE_WHOLE);
    atomic_store_explicit(&huge->count, count, memory_order_relaxed);
}

enum huge_state huge_state(const struct slabs *slabs, uint32_t number)
{
    return atomic_load_explicit(&slabs->huge.groups[number / HUGE_GROUP],
                                memory_order_relaxed);
}

void huge_made(struct slabs *slabs, uint32_t number, bool is_huge)
{
    assert(number % HUGE_GROUP == 0 && huge_state(slabs, number) == HUGE_NONE);
    if (is_huge)
        set(&slabs->huge, number, HUGE_WHOLE);
    else
        slabs->huge.rest = REST;
}

void huge_leave(struct slabs *slabs, uint32_t number)
{
    assert(huge_state(slabs, number) == HUGE_WHOLE);
    set(&slabs->huge, number, HUGE_BUSY);
}

void huge_left(struct slabs *slabs, uint32_t number)
{
    assert(huge_state(slabs, number) == HUGE_BUSY);
    set(&slabs->huge, number, HUGE_NONE);
}
