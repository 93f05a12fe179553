/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

/* Pieces of work that several benches give to a peer.  Each is done when it
 * returns, with its connections closed; false (with a sentence on stderr) if
 * the peer broke down or refused something it should not. */

#include <stdbool.h>
#include <stdint.h>

#include "bench/drive.h"
#include "bench/peer.h"

/* A plan with connections and a depth that suit the values: SETs of the keys
 * first, first + 1, ... once each, unless more is put into it. */
struct drive_plan work_plan(const struct peer *peer, uint64_t first,
                            uint64_t count, uint64_t value_bytes);

/* Sets the keys first, first + 1, ... once each. */
bool work_fill(const struct peer *peer, uint64_t first, uint64_t count,
               uint64_t value_bytes, unsigned ttl_s);

/* Gets every key once in random order, so that the order of use has nothing
 * to do with the order in memory. */
bool work_shuffle(const struct peer *peer, uint64_t first, uint64_t count,
                  uint64_t seed);

/* Deletes `deletes` of the keys, anywhere among them. */
bool work_delete(const struct peer *peer, uint64_t first, uint64_t count,
                 uint64_t deletes, uint64_t seed);

/* Gets some of the keys, none twice if there are enough; the share that was
 * there. */
bool work_sample(const struct peer *peer, uint64_t first, uint64_t count,
                 uint64_t samples, uint64_t seed, double *share);

/* How many keys fill a budget for certain: as many as would fit if keys and
 * values were all there is. */
uint64_t work_keys_for(uint64_t bytes, uint64_t value_bytes);

/* Starts a peer with that budget and fills it with new keys only: how many
 * entries it holds; 0 if that did not work. */
uint64_t work_fresh_entries(enum peer_id id, const struct peer_options *options,
                            uint64_t value_bytes);

#endif
