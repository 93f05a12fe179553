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
#include <stdint.h>

enum {
    PAGES_CHUNK = 64 << 20,
    PAGES_HUGE = 2 << 20, /* a huge page, and how it is aligned */
};

struct pages;

/* NULL if the system grants no such address space. */
struct pages *pages_new(size_t size);
void pages_free(struct pages *pages);
char *pages_base(const struct pages *pages);

/* A chunk, aligned for huge pages, none of it resident; NULL: none is left. */
char *pages_take(struct pages *pages);
void pages_give(struct pages *pages, char *chunk);

/* Makes memory of a chunk resident, so that its cost is paid and counted now;
 * false if the system has none. */
bool pages_populate(char *from, size_t len);
/* Returns memory of a chunk to the system; it reads as zeros afterwards. */
void pages_purge(char *from, size_t len);

/*
 * Both for huge pages: PAGES_HUGE of a chunk, none of it resident, is made so,
 * as one huge page if the system has one at hand (*huge), else as small ones; a
 * part of a huge page is purged.  For that it becomes small ones, which takes
 * some 0.2 ms: else the part would leave the resident size, but not memory,
 * until the system is short of it.  All of the rest must be in use: since Linux
 * 6.12 small pages of zeros lose their memory then, and get it back here.
 */
bool pages_populate_huge(char *from, bool *huge);
void pages_purge_part(char *from, size_t len);

/* Bytes of the pages there that are resident, of memory that no file is behind
 * (pages of files count when the system has them at hand). */
uint64_t pages_resident(const void *from, size_t len);

/* Gives back what the allocator keeps for the calling thread, for threads
 * that will be idle. */
void pages_flush_thread(void);

/* Gives back pages of the heap that have been free for a while; by itself the
 * allocator looks at the time only when somebody allocates.  To be called now
 * and then, by one thread. */
void pages_decay_heap(void);

/*
 * Everything else that the process allocates: the heap.  All are bytes, and 0
 * where the allocator does not tell.
 */
struct pages_heap {
    uint64_t allocated; /* in use by the process */
    uint64_t active;    /* pages with something in use */
    uint64_t resident;  /* those, and free pages that were not yet returned */
    uint64_t metadata;  /* the most that the allocator's own books can take,
                           those of chunks too: not all of it was touched */
    uint64_t retained;  /* address space without memory */
};

void pages_heap(struct pages_heap *out);

/* Gives back the free pages of the heap, and what is kept for the calling
 * thread. */
void pages_purge_heap(void);

/* The allocator's own report, piece by piece; false: it has none. */
bool pages_report_heap(void (*write)(void *ctx, const char *text), void *ctx);

/*
 * What the heap is in use for: a profile, from some allocations and the stacks
 * that made them.  The allocator must be told before main() that it is wanted,
 * by the environment: pages_profile_want puts that there, for the same program
 * to be executed again; false: it is there already, or there is no memory.
 */
enum pages_profile { PAGES_PROFILE_NEVER, PAGES_PROFILE_OFF, PAGES_PROFILE_ON };
enum pages_profile pages_profile(void);
bool pages_profile_want(void);
/* Writes it to a file, for jeprof and pprof to read; false if that failed. */
bool pages_profile_write(const char *path);

#endif
