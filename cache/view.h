/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VIEW_H
#define VIEW_H

#include "core.h"

/* Describes an entry of a shard that is locked. */
void view_fill(struct cache *cache, uint32_t loc, int64_t now_ms,
               struct cache_view *view);

#endif
