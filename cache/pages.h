/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PAGES_H
#define PAGES_H

/*
 * Where slabs come from: one region of address space, handed out in chunks of
 * 64 MiB.  Addresses cost nothing; a page is resident once it was populated
 * or touched and until it is purged.
 *
 *   base                                              base + size
 *   | chunk (accessible) | chunk | ... | not yet accessible        |
 *
 * Two files implement this: pages_jemalloc.c, where a jemalloc arena with
 * hooks over the region keeps the chunks, and pages_mmap.c for builds whose
 * sanitizers bring an allocator of their own.  No other file knows which.
 */

#include <stdbool.h>
#include <stddef.h>

enum { PAGES_CHUNK = 64 << 20 };

struct pages;

/* NULL if the system grants no such address space. */
struct pages *pages_new(size_t size);
void pages_free(struct pages *pages);
char *pages_base(const struct pages *pages);

/* A chunk, aligned to 64 KiB, none of it resident; NULL: none is left. */
char *pages_take(struct pages *pages);
void pages_give(struct pages *pages, char *chunk);

/* Makes memory of a chunk resident, so that its cost is paid and counted now;
 * false if the system has none. */
bool pages_populate(char *from, size_t len);
/* Returns memory of a chunk to the system; it reads as zeros afterwards. */
void pages_purge(char *from, size_t len);

/* Gives back what the allocator keeps for the calling thread, for threads
 * that will be idle. */
void pages_flush_thread(void);

#endif
