/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_LEGS_H
#define BENCH_LEGS_H

/*
 * Sequences of legs, for benches of changing sizes.  A leg writes new keys,
 * on top of what the legs before it left; a sequence is one that servers are
 * known to take badly.
 */

#include <stdbool.h>
#include <stdint.h>

#include "bench/keys.h"
#include "bench/peer.h"

enum { LEGS_MAX = 5, LEGS_RANGES = 128 };

struct leg {
    const char *name;
    uint64_t bytes;     /* of a value; 0: no leg */
    uint64_t to_bytes;  /* it drifts there; 0: it does not */
    uint64_t big_bytes; /* half of all bytes are in values as long; 0: none */
    enum keys_order order; /* KEYS_SEQUENTIAL: every key once */
};

struct legs {
    const char *name;
    struct leg legs[LEGS_MAX + 1];
};

/* All sequences; the last one has no name. */
extern const struct legs legs_all[];

/* A leg is one part, or many if it drifts. */
struct legs_part {
    uint64_t count, bytes;    /* keys, and the length of their values */
    uint64_t bigs, big_every; /* long values among them, and how often */
};

/* Part i; false: there is none. */
bool legs_part(const struct leg *leg, unsigned i, uint64_t budget_bytes,
               struct legs_part *part);

/* Keys that were written with values of one size. */
struct legs_range {
    unsigned leg;
    uint64_t first, count, bytes;
};

struct legs_log {
    unsigned count;
    uint64_t next_key, refused;
    uint64_t until_ns; /* nothing is written after that; 0: all is */
    struct legs_range ranges[LEGS_RANGES];
};

/* The ranges that legs_run will note for a whole sequence. */
void legs_plan(const struct legs *legs, uint64_t budget_bytes,
               struct legs_log *log);

/* Writes a leg, which is number `number` in the log; false (with a sentence on
 * stderr) if the server broke down.  What it refuses is counted. */
bool legs_run(const struct peer *peer, const struct leg *leg, unsigned number,
              uint64_t budget_bytes, struct legs_log *log);

struct legs_held {
    double entries, newest; /* newest: of the last leg */
    double bytes;           /* of keys and values */
};

/* What is held of all that was written, by asking for some keys of each range;
 * the server says how many entries there are in all. */
bool legs_estimate(struct peer *peer, const struct legs_log *log, uint64_t seed,
                   struct legs_held *held);

#endif
