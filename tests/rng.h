/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RNG_H
#define RNG_H

/*
 * Repeatable random numbers for tests, and the seeds they start from: given
 * by TEST_SEED, or else taken from the kernel; the test prints it either way.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

struct rng {
    uint64_t state;
};

/* A well mixed word for any word. */
static inline uint64_t rng_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t rng_next(struct rng *rng)
{
    rng->state += 0x9e3779b97f4a7c15u;
    return rng_mix(rng->state);
}

/* 0 to n - 1; n is not 0. */
static inline uint64_t rng_below(struct rng *rng, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)rng_next(rng) * n) >> 64);
}

/* True `permille` times out of a thousand. */
static inline int rng_chance(struct rng *rng, unsigned permille)
{
    return rng_below(rng, 1000) < permille;
}

/* As many small numbers as large ones: below 2^k for a random k. */
static inline uint64_t rng_skewed(struct rng *rng, uint64_t n)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(n | 1);
    uint64_t value = rng_next(rng) >> (64 - 1 - rng_below(rng, bits));
    return value % n;
}

/* The length's own bytes, to be freed: no part of one such value fits
 * another. */
static inline char *rng_bytes(size_t len)
{
    struct rng rng = {len};
    char *bytes = malloc(len + 1);
    if (!bytes)
        abort();
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)rng_next(&rng);
    return bytes;
}

/* A number of the environment, or what it is without. */
static inline uint64_t test_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static inline uint64_t test_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        seed = 1;
    seed = test_number("TEST_SEED", seed >> 32);
    printf("TEST_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

#endif
