/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HASH_H
#define HASH_H

/*
 * SipHash-1-3 (Aumasson and Bernstein, 2012): a hash under a secret key, so
 * that keys which collide cannot be chosen from outside.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t k0, k1;
};

enum { HASH_LANES = 4 };

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len);

/* The same of HASH_LANES at once, all of as many whole words (len / 8).  Only
 * if the processor has the registers for it: hash_has_lanes. */
bool hash_has_lanes(void);
void hash_lanes(const struct hash_key *key, const void *const bytes[HASH_LANES],
                const size_t len[HASH_LANES], uint64_t hashes[HASH_LANES]);

#endif
