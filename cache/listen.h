/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LISTEN_H
#define LISTEN_H

/* Entries that go by themselves are counted here, and told to who listens. */

#include "core.h"

/* With the shard locked: an entry goes, evicted or expired.  Of a flushed
 * database it is neither. */
void listen_lost(struct cache *cache, struct shard *shard, uint32_t loc,
                 enum cache_why why);

/* Without any lock: entries were cut off. */
void listen_cut(struct cache *cache);

#endif
