/* SPDX-License-Identifier: BSD-3-Clause */
/* The client pool: two atomics. */

#include "pool.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

struct pool {
    _Alignas(64) _Atomic size_t taken; /* in use or borrowed */
    _Atomic size_t borrowed;
    _Atomic size_t pinned;
    _Alignas(64) _Atomic size_t limit;
};

struct pool *pool_new(size_t limit)
{
    struct pool *pool = aligned_alloc(64, sizeof *pool);
    if (!pool)
        return NULL;
    atomic_init(&pool->taken, 0);
    atomic_init(&pool->borrowed, 0);
    atomic_init(&pool->pinned, 0);
    atomic_init(&pool->limit, limit);
    return pool;
}

void pool_free(struct pool *pool)
{
    free(pool);
}

void pool_set_limit(struct pool *pool, size_t bytes)
{
    atomic_store_explicit(&pool->limit, bytes, memory_order_relaxed);
}

size_t pool_limit(const struct pool *pool)
{
    return atomic_load_explicit(&pool->limit, memory_order_relaxed);
}

size_t pool_used(const struct pool *pool)
{
    size_t taken = atomic_load_explicit(&pool->taken, memory_order_relaxed);
    size_t borrowed =
        atomic_load_explicit(&pool->borrowed, memory_order_relaxed);
    return taken > borrowed ? taken - borrowed : 0;
}

size_t pool_take(struct pool *pool, size_t want)
{
    size_t limit = pool_limit(pool), got;
    size_t taken = atomic_load_explicit(&pool->taken, memory_order_relaxed);
    do {
        size_t left = taken < limit ? limit - taken : 0;
        got = want < left ? want : left;
        if (got == 0)
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(
        &pool->taken, &taken, taken + got, memory_order_relaxed,
        memory_order_relaxed));
    return got;
}

bool pool_demand(struct pool *pool, size_t bytes)
{
    size_t got = pool_take(pool, bytes);
    if (got == bytes)
        return true;
    size_t limit = pool_limit(pool);
    if (pool_used(pool) - got + bytes <= limit - limit / 4) {
        pool_charge(pool, bytes - got);
        return true;
    }
    pool_give(pool, got);
    return false;
}

void pool_charge(struct pool *pool, size_t bytes)
{
    atomic_fetch_add_explicit(&pool->taken, bytes, memory_order_relaxed);
}

void pool_give(struct pool *pool, size_t bytes)
{
    size_t taken =
        atomic_fetch_sub_explicit(&pool->taken, bytes, memory_order_relaxed);
    assert(taken >= bytes);
    (void)taken;
}

size_t pool_borrow(struct pool *pool, size_t want)
{
    size_t got = pool_take(pool, want);
    atomic_fetch_add_explicit(&pool->borrowed, got, memory_order_relaxed);
    return got;
}

void pool_keep(struct pool *pool, size_t bytes)
{
    size_t borrowed =
        atomic_fetch_sub_explicit(&pool->borrowed, bytes, memory_order_relaxed);
    assert(borrowed >= bytes);
    (void)borrowed;
}

void pool_repay(struct pool *pool, size_t bytes)
{
    pool_keep(pool, bytes);
    pool_give(pool, bytes);
}

void pool_pin(struct pool *pool, ptrdiff_t more)
{
    if (more != 0)
        atomic_fetch_add_explicit(&pool->pinned, (size_t)more,
                                  memory_order_relaxed);
}

size_t pool_pinned(const struct pool *pool)
{
    return atomic_load_explicit(&pool->pinned, memory_order_relaxed);
}

bool pool_pins_tight(const struct pool *pool)
{
    return pool_pinned(pool) / 4 > pool_limit(pool);
}

bool pool_tight(const struct pool *pool)
{
    size_t limit = pool_limit(pool);
    return pool_used(pool) > limit - limit / 4;
}

bool pool_roomy(const struct pool *pool)
{
    return pool_used(pool) < pool_limit(pool) / 2;
}

bool pool_admits(const struct pool *pool, size_t connections)
{
    return connections + 1 <= pool_limit(pool) / 2 / POOL_CONNECTION;
}
