/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PREFIXES_H
#define PREFIXES_H

/*
 * What a random sample of keys, and one of hits, tells about prefixes of keys.
 * A table of bounded size: what comes when it is full is counted together.
 *
 * A prefix is what a key begins with, up to and with its first separator (or
 * its second, ..., as deep as is asked, or the last before that).  Only the
 * first PREFIXES_KEY bytes of a key are looked at; without a separator in them
 * its prefix is empty.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PREFIXES_KEY = 58,   /* bytes of a key that are looked at */
    PREFIXES_MAX = 4096, /* different ones in a table */
};

/* What the sample has of one, or of all. */
struct prefix {
    uint8_t db, len;
    char text[PREFIXES_KEY];
    uint32_t keys, hits;
    double bytes, squares; /* of the keys' entries; the sum of their squares */
};

struct prefixes;

/* `sep` stays the caller's.  `random` keeps others from choosing collisions.
 * NULL without memory. */
struct prefixes *prefixes_new(const char *sep, size_t sep_len, unsigned depth,
                              uint64_t random);
void prefixes_free(struct prefixes *prefixes); /* NULL is fine */

void prefixes_add_key(struct prefixes *prefixes, unsigned db, const char *key,
                      size_t len, size_t bytes);
void prefixes_add_hit(struct prefixes *prefixes, unsigned db, const char *key,
                      size_t len);

/* Bytes of memory that it has. */
size_t prefixes_held(const struct prefixes *prefixes);
/* The sums of everything added. */
const struct prefix *prefixes_all(const struct prefixes *prefixes);
/* Those in the table, most bytes first; void when more is added. */
const struct prefix *prefixes_sorted(struct prefixes *prefixes, size_t *count);

/*
 * How far an estimate from a sample may be off: 19 of 20 are not further, if
 * the sample is random.  A share is some / sampled; a sum is that of numbers
 * of which the sample has `sum`, and `squares` of their squares, times whole /
 * sampled.
 */
double prefixes_share_margin(uint64_t some, uint64_t sampled, uint64_t whole);
double prefixes_sum_margin(double sum, double squares, uint64_t sampled,
                           uint64_t whole);

#endif
