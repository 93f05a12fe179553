/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef POOL_H
#define POOL_H

/*
 * The client pool: a fixed share of the budget that all buffers of all clients
 * together stay within.  Bytes are charged before they are taken.  Any thread.
 */

#include <stdbool.h>
#include <stddef.h>

struct pool;

struct pool *pool_new(size_t limit);
void pool_free(struct pool *pool);
void pool_set_limit(struct pool *pool, size_t bytes);
size_t pool_limit(const struct pool *pool);
size_t pool_used(const struct pool *pool);
/* How much of `want` may be taken now; that much is charged. */
size_t pool_take(struct pool *pool, size_t want);
void pool_give(struct pool *pool, size_t bytes);
/* More than three quarters are in use: read no more from clients that hold
 * something. */
bool pool_tight(const struct pool *pool);

#endif
