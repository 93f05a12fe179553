/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequences of key numbers. */

#include "bench/keys.h"

#include <assert.h>
#include <math.h>

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

uint64_t keys_random(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15ULL;
    return mix(*state);
}

uint64_t keys_below(uint64_t *state, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)keys_random(state) * n) >> 64);
}

/* Sums 1/i^theta for i up to count; past the first million by its integral,
 * which is exact enough there. */
static double zeta_of(uint64_t count, double theta)
{
    uint64_t head = count < 1000000 ? count : 1000000;
    double sum = 0;
    for (uint64_t i = 1; i <= head; i++)
        sum += pow((double)i, -theta);
    return sum +
           (pow((double)count, 1 - theta) - pow((double)head, 1 - theta)) /
               (1 - theta);
}

void keys_init(struct keys *keys, enum keys_order order, uint64_t count,
               unsigned theta_percent, uint64_t seed)
{
    assert(count > 0 && theta_percent < 100);
    *keys = (struct keys){.order = order, .count = count, .seed = mix(seed)};
    keys->state = keys->seed;
    keys->half_bits = 1;
    while (1ULL << 2 * keys->half_bits < count)
        keys->half_bits++;
    if (order != KEYS_ZIPF)
        return;
    double theta = theta_percent / 100.0;
    keys->theta = theta;
    keys->zeta = zeta_of(count, theta);
    keys->alpha = 1 / (1 - theta);
    keys->eta = (1 - pow(2.0 / (double)count, 1 - theta)) /
                (1 - zeta_of(2, theta) / keys->zeta);
}

/* A Feistel network permutes the numbers of 2 * half_bits bits; those at or
 * above the count are permuted on until they fall below it. */
static uint64_t shuffled(const struct keys *keys, uint64_t number)
{
    uint64_t mask = (1ULL << keys->half_bits) - 1;
    do {
        uint64_t left = number >> keys->half_bits, right = number & mask;
        for (unsigned round = 0; round < 4; round++) {
            uint64_t fresh = left ^ (mix(right + keys->seed + round) & mask);
            left = right;
            right = fresh;
        }
        number = left << keys->half_bits | right;
    } while (number >= keys->count);
    return number;
}

/* The rank by Gray's method (Quickly generating billion-record synthetic
 * databases, 1994), scattered over the keys. */
static uint64_t zipf(struct keys *keys)
{
    double u = (double)(keys_random(&keys->state) >> 11) * 0x1p-53;
    double uz = u * keys->zeta;
    uint64_t rank = 0;
    if (uz >= 1 + pow(0.5, keys->theta))
        rank = (uint64_t)((double)keys->count *
                          pow(keys->eta * u - keys->eta + 1, keys->alpha));
    else if (uz >= 1)
        rank = 1;
    return mix(rank + keys->seed) % keys->count;
}

uint64_t keys_next(struct keys *keys)
{
    if (keys->order == KEYS_UNIFORM)
        return keys_below(&keys->state, keys->count);
    if (keys->order == KEYS_ZIPF)
        return zipf(keys);
    uint64_t number = keys->next++;
    if (keys->next == keys->count)
        keys->next = 0;
    return keys->order == KEYS_SHUFFLED ? shuffled(keys, number) : number;
}
