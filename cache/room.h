/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROOM_H
#define ROOM_H

/* Making room: evicting, emptying slabs, taking holes into use. */

#include "core.h"

/* A cell of the class, whatever has to go for it; 0: nothing can.  Outside
 * all locks. */
uint32_t room_take(struct cache *cache, unsigned class, int64_t now_ms);

/* Evicts the entry of the whole cache that was not used for longest; false if
 * there is none. */
bool room_evict_oldest(struct cache *cache, int64_t now_ms);
/* Evicts the tail of one shard; false if it is empty. */
bool room_evict_from(struct cache *cache, struct shard *shard, int64_t now_ms);

/* The class an entry for that write needs; see put.c. */
unsigned put_class(const struct cache *cache, size_t key_len,
                   const struct cache_write *write);

#endif
