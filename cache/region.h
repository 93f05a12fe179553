/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REGION_H
#define REGION_H

/*
 * The region of addresses under both pages_*.c: reserved without access, made
 * accessible from the bottom up, so that the kernel sees two mappings and no
 * more, whatever is purged in between (but while a huge page is being made).
 */

#include <stdbool.h>
#include <stddef.h>

struct region {
    char *base;
    size_t size, accessible; /* bytes; accessible counts from base */
};

bool region_init(struct region *region, size_t size);
void region_release(struct region *region);
/* The next len bytes, aligned; NULL at the end.  Never given back. */
void *region_extend(struct region *region, size_t len, size_t align);

#endif
