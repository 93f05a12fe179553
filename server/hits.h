/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HITS_H
#define HITS_H

/*
 * The keys of some hits: one in HITS_EVERY, by chance, the latest HITS_KEPT of
 * them.  Each worker counts lookups down to the next that it notes, if that is
 * a hit, so that the others cost one subtraction.
 */

#include <stddef.h>
#include <stdint.h>

#include "prefixes.h"

enum { HITS_KEPT = 1024, HITS_EVERY = 128 };

struct hits;

struct hit {
    uint32_t at_s; /* wall clock */
    uint8_t db, len;
    char key[PREFIXES_KEY]; /* how it begins */
};

struct hits *hits_new(void); /* NULL without memory */
void hits_free(struct hits *hits);

/* Never waits: what comes while another thread is at it is lost. */
void hits_note(struct hits *hits, unsigned db, const char *key, size_t len,
               int64_t now_ms);
/* How many lookups pass by before the next is noted; `random` goes on. */
uint32_t hits_until_next(uint32_t *random);

/* Those that are kept, in any order: how many. */
size_t hits_copy(struct hits *hits, struct hit to[HITS_KEPT]);

#endif
