/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WALK_H
#define WALK_H

/*
 * Walks through all slabs in address order, which is what memory is fast at:
 * one drops expired entries, skipping slabs where nothing is due; one drops
 * the entries of databases that were emptied.
 */

#include "core.h"

/* Looks at up to `slabs` slabs; returns how many entries it dropped.  Does
 * nothing before something is due.  Any thread. */
unsigned walk_expired(struct cache *cache, int64_t now_ms, unsigned slabs);

/* Drops entries of dead databases, about `max` of them; true while more may
 * be there.  One thread at a time. */
bool walk_dead(struct cache *cache, unsigned max);

/* With the class of a slab locked, from which entries went: looks what is the
 * earliest expiry in it now. */
void walk_renew_due(struct cache *cache, struct slab *slab);

#endif
