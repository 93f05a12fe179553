/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLIENT_LINES_H
#define CLIENT_LINES_H

/*
 * Lines that clients are told of, by their ids: gathered in any order, then
 * sorted some at a time, since there may be many.
 *
 *   lines   | a heap, highest id first ... | sorted, the lower ones to come |
 *               |                             |
 *   texts   [ ... line line line ... ] -> [ ... line line ]   never moved
 *
 * All memory is charged to the client pool.  One thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool;

struct client_line {
    uint64_t id;
    const char *text;
    size_t len;
};

struct client_lines {
    struct pool *pool;
    size_t charged;
    struct client_text *texts; /* the one that is filled is first */
    struct client_line *lines;
    size_t count, cap;
    size_t unsorted; /* of them, at the beginning */
};

void client_lines_init(struct client_lines *lines, struct pool *pool);
void client_lines_release(struct client_lines *lines);

/* Before they are sorted, each id once.  False: there is no memory for it. */
bool client_lines_add(struct client_lines *lines, uint64_t id, const char *text,
                      size_t len);

/* Sorts by ids, taking at most that many steps, which it counts down; 0: there
 * may be more to do. */
void client_lines_sort(struct client_lines *lines, size_t *steps);

/* Of sorted ones; NULL: none. */
const struct client_line *client_lines_find(const struct client_lines *lines,
                                            uint64_t id);

#endif
