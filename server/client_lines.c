/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines by ids, sorted as a heap is. */

#include "client_lines.h"

#include <stdlib.h>
#include <string.h>

#include "pool.h"

enum { TEXT_BYTES = 8 * 1024, LINES_LEAST = 64 };

struct client_text {
    struct client_text *next;
    size_t len, cap;
    char bytes[];
};

void client_lines_init(struct client_lines *lines, struct pool *pool)
{
    *lines = (struct client_lines){.pool = pool};
}

void client_lines_release(struct client_lines *lines)
{
    while (lines->texts) {
        struct client_text *next = lines->texts->next;
        free(lines->texts);
        lines->texts = next;
    }
    free(lines->lines);
    pool_give(lines->pool, lines->charged);
    client_lines_init(lines, lines->pool);
}

static bool pay(struct client_lines *lines, size_t bytes)
{
    if (!pool_demand(lines->pool, bytes))
        return false;
    lines->charged += bytes;
    return true;
}

/* NULL: there is no memory for it. */
static const char *keep(struct client_lines *lines, const char *bytes,
                        size_t len)
{
    struct client_text *text = lines->texts;
    if (!text || len > text->cap - text->len) {
        size_t cap = len > TEXT_BYTES ? len : TEXT_BYTES;
        if (!pay(lines, sizeof *text + cap))
            return NULL;
        text = malloc(sizeof *text + cap);
        if (!text)
            return NULL;
        text->next = lines->texts;
        text->len = 0;
        text->cap = cap;
        lines->texts = text;
    }
    char *to = text->bytes + text->len;
    memcpy(to, bytes, len);
    text->len += len;
    return to;
}

static bool grow(struct client_lines *lines)
{
    size_t more = lines->cap ? lines->cap : LINES_LEAST;
    if (lines->count < lines->cap)
        return true;
    if (!pay(lines, more * sizeof *lines->lines))
        return false;
    struct client_line *grown =
        realloc(lines->lines, (lines->cap + more) * sizeof *grown);
    if (!grown)
        return false;
    lines->lines = grown;
    lines->cap += more;
    return true;
}

bool client_lines_add(struct client_lines *lines, uint64_t id, const char *text,
                      size_t len)
{
    if (!grow(lines) || !(text = keep(lines, text, len)))
        return false;
    size_t at = lines->count++;
    for (size_t above; at > 0; at = above) {
        above = (at - 1) / 2;
        if (lines->lines[above].id > id)
            break;
        lines->lines[at] = lines->lines[above];
    }
    lines->lines[at] = (struct client_line){id, text, len};
    lines->unsorted = lines->count;
    return true;
}

/* Puts the line where it belongs in a heap that has none at its top. */
static void sink(struct client_line *heap, size_t count,
                 struct client_line line)
{
    size_t at = 0;
    for (size_t below; (below = 2 * at + 1) < count; at = below) {
        if (below + 1 < count && heap[below + 1].id > heap[below].id)
            below++;
        if (heap[below].id < line.id)
            break;
        heap[at] = heap[below];
    }
    heap[at] = line;
}

void client_lines_sort(struct client_lines *lines, size_t *steps)
{
    for (; lines->unsorted > 1 && *steps > 0; (*steps)--) {
        size_t last = --lines->unsorted;
        struct client_line line = lines->lines[last];
        lines->lines[last] = lines->lines[0];
        sink(lines->lines, last, line);
    }
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = ((const struct client_line *)a)->id;
    uint64_t y = ((const struct client_line *)b)->id;
    return x < y ? -1 : x > y;
}

const struct client_line *client_lines_find(const struct client_lines *lines,
                                            uint64_t id)
{
    struct client_line key = {.id = id};
    return lines->count == 0
               ? NULL
               : bsearch(&key, lines->lines, lines->count, sizeof key, by_id);
}
