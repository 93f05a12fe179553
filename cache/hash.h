/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HASH_H
#define HASH_H

/*
 * SipHash-1-3 (Aumasson and Bernstein, 2012): a hash under a secret key, so
 * that keys which collide cannot be chosen from outside.
 */

#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t k0, k1;
};

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len);

#endif
