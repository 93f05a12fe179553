/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef XXH3_H
#define XXH3_H

/*
 * XXH3 with 64 bits and no seed, as https://xxhash.com specifies it: what
 * DIGEST and IFDEQ compare values by.  It finds differences, not forgers.
 */

#include <stddef.h>
#include <stdint.h>

enum { XXH3_BUFFER = 256, XXH3_LANES = 8 };

struct xxh3 {
    uint64_t lanes[XXH3_LANES];
    uint64_t len;    /* bytes added */
    size_t buffered; /* of these, the last, not yet mixed in */
    unsigned stripe; /* of the block under way */
    uint8_t buffer[XXH3_BUFFER];
};

void xxh3_init(struct xxh3 *hash);
void xxh3_add(struct xxh3 *hash, const void *bytes, size_t len);
/* Of all that was added; more may be added afterwards. */
uint64_t xxh3_value(const struct xxh3 *hash);

#endif
