/* SPDX-License-Identifier: BSD-3-Clause */
/* Replies byte by byte, or as far as they can be the same. */

#include "tests/agree.h"

#include <stdlib.h>
#include <string.h>

static int by_order(const void *a, const void *b)
{
    return resp_order(a, b);
}

static bool same(const struct resp *a, const struct resp *b)
{
    return resp_order(a, b) == 0;
}

static bool near(const struct resp *a, const struct resp *b, int64_t most)
{
    if (a->kind != ':' || b->kind != ':')
        return same(a, b);
    return a->integer - b->integer <= most && b->integer - a->integer <= most;
}

static bool is_array(const struct resp *reply)
{
    return reply->items && strchr("*~%>", reply->kind);
}

/* The items in any order; `each` of them stay together. */
static bool same_sorted(struct resp *a, struct resp *b, size_t each)
{
    if (a->kind != b->kind || a->count != b->count || !is_array(a) ||
        a->count % each != 0)
        return same(a, b);
    /* Each begins with a name, or all are of one kind: two alike are the
     * same. */
    qsort(a->items, a->count / each, each * sizeof *a->items, by_order);
    qsort(b->items, b->count / each, each * sizeof *b->items, by_order);
    for (size_t i = 0; i < a->count; i++)
        if (!same(&a->items[i], &b->items[i]))
            return false;
    return true;
}

static bool same_kind(const struct resp *a, const struct resp *b)
{
    return a->kind == '-' || b->kind == '-' ? same(a, b) : a->kind == b->kind;
}

static bool same_shape(const struct resp *a, const struct resp *b)
{
    if (!same_kind(a, b) || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!same_shape(&a->items[i], &b->items[i]))
            return false;
    return true;
}

/* Both showed everything, or each a part in an order of its own. */
static bool same_scan(const struct request *request, size_t cursor,
                      struct resp *a, struct resp *b, size_t each)
{
    if (a->kind != '*' || b->kind != '*' || a->count != 2 || b->count != 2)
        return same(a, b);
    bool whole = resp_is(&a->items[0], '$', "0") &&
                 resp_is(&b->items[0], '$', "0") && request->argc > cursor &&
                 strcmp(request->argv[cursor].ptr, "0") == 0;
    if (whole)
        return same_sorted(&a->items[1], &b->items[1], each);
    return a->items[0].kind == '$' && b->items[0].kind == '$' &&
           a->items[1].kind == '*' && b->items[1].kind == '*';
}

bool agree(const struct request *request, struct resp *a, struct resp *b)
{
    switch (request->compare) {
    case COMPARE_SAME:
        return same(a, b);
    case COMPARE_SECONDS:
        return near(a, b, 1);
    case COMPARE_MS:
        return near(a, b, 5000);
    case COMPARE_SORTED:
        return same_sorted(a, b, 1);
    case COMPARE_PAIRS:
        return same_sorted(a, b, 2);
    case COMPARE_SCAN:
        return same_scan(request, 1, a, b, 1);
    case COMPARE_HSCAN:
        return same_scan(request, 2, a, b, 2);
    case COMPARE_SHAPE:
        return same_shape(a, b);
    case COMPARE_KIND:
        return same_kind(a, b);
    }
    return false;
}
