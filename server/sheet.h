/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHEET_H
#define SHEET_H

/*
 * The memory sheet: what the resident memory of the process consists of.
 *
 *   resident = slabs     payload + overhead + slack + index
 *            + tables    beside the slabs
 *            + heap      clients + server + allocator
 *            + binary + stacks
 *            + unexplained
 *
 * Slabs and clients' buffers are as the books have them, all else is counted
 * page by page.
 */

#include <stddef.h>
#include <stdint.h>

#include "cache/cache.h"
#include "cache/pages.h"

struct server;

// clang-format off
/* One row is one part: a field, a line of MEMORY STATS, a label. */
#define SHEET_PARTS(X)                                                        \
    X(payload,   "keys and values")                                           \
    X(overhead,  "headers of entries, padding, values that come or go")       \
    X(slack,     "free cells of slabs, their headers, free slabs")            \
    X(index,     "slabs of the index")                                        \
    X(tables,    "tables beside the slabs, marks of a rebuild")               \
    X(clients,   "clients' buffers")                                          \
    X(server,    "all else that the server has allocated")                    \
    X(allocator, "free pages and books of the allocator")                     \
    X(binary,    "program and libraries with their data")                     \
    X(stacks,    "stacks of threads")
// clang-format on

struct memory_sheet {
    uint64_t resident;
#define X(part, help) uint64_t part;
    SHEET_PARTS(X)
#undef X
    int64_t unexplained; /* below 0: what the parts have too much */
};

/* The parts in the order of the table, and "unexplained" behind them. */
enum sheet_part {
#define X(part, help) SHEET_##part,
    SHEET_PARTS(X)
#undef X
        SHEET_UNEXPLAINED,
    SHEET_ALL
};

extern const char *const sheet_names[SHEET_ALL];
int64_t sheet_part(const struct memory_sheet *sheet, enum sheet_part part);

/* What a sheet is made from. */
struct sheet_sources {
    struct cache_stats cache;
    struct pages_heap heap; /* all 0: the allocator does not tell */
    uint64_t heap_pages;    /* of it, counted: never more than it tells */
    uint64_t clients;       /* of it, as the books have it */
    uint64_t tables, binary, stacks;
    uint64_t resident; /* 0: nobody can tell; it is what the parts add up to */
};

void sheet_make(const struct sheet_sources *sources, struct memory_sheet *out);

/* The sheet of now.  Any thread; about 0.2 ms, whatever the size. */
void sheet_take(struct server *server, struct memory_sheet *out);

#endif
