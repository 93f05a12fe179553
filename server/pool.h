/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef POOL_H
#define POOL_H

/*
 * The client pool: a fixed share of the budget that all buffers of all clients
 * together stay within.  Bytes are charged before they are taken.  Any thread.
 */

#include <stdbool.h>
#include <stddef.h>

/* What a connection costs beside its buffers, charged while it is open. */
enum { POOL_CONNECTION = 640 };

struct pool;

struct pool *pool_new(size_t limit);
void pool_free(struct pool *pool);
void pool_set_limit(struct pool *pool, size_t bytes);
size_t pool_limit(const struct pool *pool);
size_t pool_used(const struct pool *pool);
/* How much of `want` may be taken now; that much is charged. */
size_t pool_take(struct pool *pool, size_t want);
/* Charges all of it, or nothing: false.  While the pool is not tight it counts
 * what others have borrowed as free. */
bool pool_demand(struct pool *pool, size_t bytes);
/*
 * As pool_take, for bytes that are not used yet but must be there when they
 * are: a worker keeps some for replies, whose size nobody knows before.  They
 * do not count as use.  pool_keep: `bytes` of them are in use now; pool_repay:
 * they are not needed.
 */
size_t pool_borrow(struct pool *pool, size_t want);
void pool_keep(struct pool *pool, size_t bytes);
void pool_repay(struct pool *pool, size_t bytes);
/* Charges all of it, whatever the limit: for what is held already. */
void pool_charge(struct pool *pool, size_t bytes);
void pool_give(struct pool *pool, size_t bytes);
/*
 * Values that are sent from where they lie in the cache take no memory of
 * their own, but cannot be evicted or moved meanwhile: so they are counted
 * apart, by as many bytes more (or less).  Too many is four times the limit.
 */
void pool_pin(struct pool *pool, ptrdiff_t more);
size_t pool_pinned(const struct pool *pool);
bool pool_pins_tight(const struct pool *pool);

/* More than three quarters are in use: read no more from clients that hold
 * something. */
bool pool_tight(const struct pool *pool);
/* Less than half are: what is sent unasked for does not make it tight. */
bool pool_roomy(const struct pool *pool);
/* True if one more connection leaves half of the pool to buffers. */
bool pool_admits(const struct pool *pool, size_t connections);

#endif
