/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACK_PREFIXES_H
#define TRACK_PREFIXES_H

/*
 * The prefixes of keys that clients with BCAST want to hear of, and on which
 * workers these clients are.
 *
 *   sorted:    ""    "item:"    "item:1"    "user:"
 *               ^-------'  ^-------'           |
 *               '---------- parent ------------'
 *
 * All that a key begins with are the last one that sorts not behind it, if the
 * key begins with it, and that one's parents: so a look costs a binary search,
 * however many there are.
 *
 * Any thread; few write, and those who read do not wait for each other.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TRACK_PREFIX_MAX = 1024,      /* bytes of one */
    TRACK_PREFIXES_CLIENT = 128,  /* of one client */
    TRACK_PREFIXES_MAX = 4 * 1024 /* different ones */
};

struct track_prefixes;

struct track_prefix {
    struct track_prefix *parent; /* the longest other that it begins with */
    uint64_t workers;            /* a bit for each that has such clients */
    uint32_t *clients;           /* how many each has */
    size_t len;
    char bytes[];
};

/* NULL without memory; NULL is fine. */
struct track_prefixes *track_prefixes_new(unsigned workers);
void track_prefixes_free(struct track_prefixes *prefixes);

/* For one more client of that worker.  NULL: there are too many, or there is
 * no memory.  It stays where it is until as many dropped it. */
struct track_prefix *track_prefix_add(struct track_prefixes *prefixes,
                                      const char *bytes, size_t len,
                                      unsigned worker);
void track_prefix_drop(struct track_prefixes *prefixes,
                       struct track_prefix *prefix, unsigned worker);
/* Memory of one. */
size_t track_prefix_size(const struct track_prefixes *prefixes, size_t len);

/* The workers that have clients to be told of that key. */
uint64_t track_prefixes_match(struct track_prefixes *prefixes, const char *key,
                              size_t len);
size_t track_prefixes_count(const struct track_prefixes *prefixes);

/* As memcmp, of strings of different lengths. */
int track_compare(const char *a, size_t a_len, const char *b, size_t b_len);
/* One of both begins with the other. */
bool track_overlap(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
