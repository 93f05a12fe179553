/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROOM_H
#define ROOM_H

/* Making room: evicting, emptying slabs, taking holes into use. */

#include "core.h"

/* A cell of the class, whatever has to go for it; 0: nothing can.  Outside
 * all locks. */
uint32_t room_take(struct cache *cache, unsigned class, int64_t now_ms);

/* True at the limit, when no more slabs are free than shall be kept ready: a
 * new cell is one of a slab in use, or some entry has to go. */
bool room_is_short(const struct cache *cache);

/* After so many bytes of cells were taken: at the limit, or during a cut, does
 * a share of the work by which the next slabs will become free, so that no one
 * has all of it to do.  Outside all locks. */
void room_pay(struct cache *cache, size_t bytes, int64_t now_ms);

/* The same for a cell of that class and with its shard locked: what went for
 * it, or 0 where more has to be looked at. */
size_t room_pay_here(struct cache *cache, struct shard *shard, unsigned class,
                     int64_t now_ms);

/* The class an entry for that write needs; see put.c. */
unsigned put_class(const struct cache *cache, size_t key_len,
                   const struct cache_write *write);

#endif
