/* SPDX-License-Identifier: BSD-3-Clause */
/* A queue of requests, in blocks. */

#include "multi.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_FIRST = 1024, /* bytes; the next is twice as large, up to */
    BLOCK_MOST = 64 * 1024,
};

struct block {
    struct block *next;
    size_t used, cap; /* of the bytes behind */
    _Alignas(16) char bytes[];
};

struct multi {
    struct block *blocks; /* the last one is first */
    struct multi_request *first, **end;
    size_t count, used, memory, owned;
    unsigned flags;
    bool failed;
};

struct multi *multi_new(void)
{
    struct multi *multi = calloc(1, sizeof *multi);
    if (multi)
        multi->end = &multi->first;
    return multi;
}

static void empty(struct multi *multi)
{
    while (multi->first) {
        cache_blob_free(multi->first->blob);
        multi->first = multi->first->next;
    }
    multi->end = &multi->first;
    while (multi->blocks) {
        struct block *next = multi->blocks->next;
        free(multi->blocks);
        multi->blocks = next;
    }
    multi->used = multi->memory = multi->owned = 0;
}

void multi_free(struct multi *multi)
{
    empty(multi);
    free(multi);
}

/* ----------------------------------------------------------------- adding */

static size_t round_up(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

size_t multi_size(const struct call *call)
{
    size_t size =
        sizeof(struct multi_request) + call->argc * sizeof(struct arg);
    for (size_t i = 0; i < call->argc; i++)
        if (call->argv[i].ptr)
            size += call->argv[i].len;
    return round_up(size);
}

size_t multi_growth(const struct multi *multi, size_t size)
{
    const struct block *last = multi->blocks;
    if (last && last->cap - last->used >= size)
        return 0;
    size_t cap = last ? last->cap * 2 : BLOCK_FIRST - sizeof *last;
    if (cap > BLOCK_MOST - sizeof *last)
        cap = BLOCK_MOST - sizeof *last;
    return sizeof *last + (size > cap ? size : cap);
}

static void *room(struct multi *multi, size_t size)
{
    size_t growth = multi_growth(multi, size);
    if (growth > 0) {
        struct block *block = malloc(growth);
        if (!block)
            return NULL;
        *block = (struct block){.next = multi->blocks,
                                .cap = growth - sizeof *block};
        multi->blocks = block;
        multi->memory += growth;
    }
    void *at = multi->blocks->bytes + multi->blocks->used;
    multi->blocks->used += size;
    multi->used += size;
    return at;
}

bool multi_add(struct multi *multi, struct call *call)
{
    struct multi_request *request = room(multi, multi_size(call));
    if (!request)
        return false;
    *request = (struct multi_request){
        .command = call->command, .blob = call->blob, .argc = call->argc};
    char *at = (char *)(request->argv + call->argc);
    for (size_t i = 0; i < call->argc; i++) {
        const struct arg *arg = &call->argv[i];
        request->argv[i] = (struct arg){arg->ptr ? at : NULL, arg->len};
        if (!arg->ptr)
            continue;
        memcpy(at, arg->ptr, arg->len);
        at += arg->len;
    }
    call->blob = NULL;
    if (request->blob)
        multi->owned += cache_blob_len(request->blob);
    *multi->end = request;
    multi->end = &request->next;
    multi->count++;
    multi->flags |= call->command->flags;
    return true;
}

/* ----------------------------------------------------------------- running */

const struct multi_request *multi_first(const struct multi *multi)
{
    return multi->first;
}

struct cache_blob *multi_take_blob(struct multi *multi)
{
    struct cache_blob *blob = multi->first->blob;
    multi->first->blob = NULL;
    if (blob)
        multi->owned -= cache_blob_len(blob);
    return blob;
}

void multi_drop_first(struct multi *multi)
{
    struct multi_request *request = multi->first;
    assert(!request->blob);
    multi->first = request->next;
    if (!multi->first)
        multi->end = &multi->first;
}

void multi_fail(struct multi *multi)
{
    empty(multi);
    multi->failed = true;
}

bool multi_failed(const struct multi *multi)
{
    return multi->failed;
}

/* ---------------------------------------------------------------- telling */

size_t multi_count(const struct multi *multi)
{
    return multi->count;
}

size_t multi_used(const struct multi *multi)
{
    return multi->used;
}

size_t multi_bytes(const struct multi *multi)
{
    return sizeof *multi + multi->memory;
}

size_t multi_owned(const struct multi *multi)
{
    return multi->owned;
}

unsigned multi_flags(const struct multi *multi)
{
    return multi->flags;
}

void multi_settle(struct multi *multi)
{
    for (struct multi_request *at = multi->first; at; at = at->next)
        if (at->blob)
            cache_blob_settle(at->blob);
}
