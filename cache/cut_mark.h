/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CUT_MARK_H
#define CUT_MARK_H

/* Who survives a cut, for cut.c; with the cut locked. */

#include "cut.h"

enum { CUT_DENSE = 9 }; /* entries a bucket of a swept index */

/* From now on what is stored or touched is marked; or is not, any more. */
void cut_begin_marks(struct cache *cache);
void cut_end_marks(struct cache *cache);

/*
 * One round through the shards; false: all is marked that should be.  The
 * cursors stay about equally old: those that are older than the average wait.
 * When enough is marked they are levelled at the oldest that was marked, so
 * that no entry is cut that was used after one that stays; what that marks too
 * much is evicted in order later.
 */
bool cut_mark_round(struct cache *cache, int64_t now_ms);

/* Entries of databases that were not flushed, without a mark; with the shard
 * locked. */
uint64_t cut_count_left(const struct cache *cache, const struct shard *shard);

#endif
