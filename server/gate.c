/* SPDX-License-Identifier: BSD-3-Clause */
/* A lock for each worker, so that passing costs nothing; to be alone is to
 * hold all of them. */

#include "gate.h"

#include <stdlib.h>

#include "cache/lock.h"

struct place {
    _Alignas(64) struct lock lock; /* held while its worker is inside */
};

struct gate {
    /* How many want to be alone; read by all between requests. */
    _Alignas(64) atomic_uint wanted;
    _Alignas(64) struct lock alone;
    unsigned count;
    struct place places[];
};

struct gate *gate_new(unsigned count)
{
    struct gate *gate = aligned_alloc(
        _Alignof(struct gate), sizeof *gate + count * sizeof gate->places[0]);
    if (!gate)
        return NULL;
    atomic_init(&gate->wanted, 0);
    lock_init(&gate->alone);
    gate->count = count;
    for (unsigned i = 0; i < count; i++)
        lock_init(&gate->places[i].lock);
    return gate;
}

void gate_free(struct gate *gate)
{
    free(gate);
}

static bool wanted(const struct gate *gate)
{
    return atomic_load_explicit(&gate->wanted, memory_order_relaxed) > 0;
}

/* A pthread mutex is not fair: who only took its own lock could keep those who
 * want all of them waiting for long.  So it lines up behind them. */
static void enter_behind(struct gate *gate, unsigned worker)
{
    lock_take(&gate->alone);
    lock_take(&gate->places[worker].lock);
    lock_drop(&gate->alone);
}

void gate_enter(struct gate *gate, unsigned worker)
{
    if (wanted(gate))
        enter_behind(gate, worker);
    else
        lock_take(&gate->places[worker].lock);
}

void gate_leave(struct gate *gate, unsigned worker)
{
    lock_drop(&gate->places[worker].lock);
}

bool gate_pause(struct gate *gate, unsigned worker)
{
    if (!wanted(gate))
        return false;
    lock_drop(&gate->places[worker].lock);
    enter_behind(gate, worker);
    return true;
}

void gate_close(struct gate *gate, unsigned worker)
{
    lock_drop(&gate->places[worker].lock);
    atomic_fetch_add(&gate->wanted, 1);
    lock_take_politely(&gate->alone);
    for (unsigned i = 0; i < gate->count; i++)
        lock_take(&gate->places[i].lock);
    atomic_fetch_sub(&gate->wanted, 1);
}

void gate_open(struct gate *gate, unsigned worker)
{
    for (unsigned i = 0; i < gate->count; i++)
        if (i != worker)
            lock_drop(&gate->places[i].lock);
    lock_drop(&gate->alone);
}
