/* SPDX-License-Identifier: BSD-3-Clause */
/* Chunks straight from the region, for builds without jemalloc. */

#include <stdlib.h>

#include "pages.h"
#include "region.h"

struct pages {
    struct region region;
    char **given; /* chunks that came back */
    size_t given_count;
};

struct pages *pages_new(size_t size)
{
    struct pages *pages = calloc(1, sizeof *pages);
    if (!pages)
        return NULL;
    pages->given = calloc(size / PAGES_CHUNK + 1, sizeof *pages->given);
    if (!pages->given || !region_init(&pages->region, size)) {
        free(pages->given);
        free(pages);
        return NULL;
    }
    return pages;
}

void pages_free(struct pages *pages)
{
    region_release(&pages->region);
    free(pages->given);
    free(pages);
}

char *pages_base(const struct pages *pages)
{
    return pages->region.base;
}

char *pages_take(struct pages *pages)
{
    if (pages->given_count > 0)
        return pages->given[--pages->given_count];
    return region_extend(&pages->region, PAGES_CHUNK, PAGES_HUGE);
}

void pages_give(struct pages *pages, char *chunk)
{
    pages_purge(chunk, PAGES_CHUNK);
    pages->given[pages->given_count++] = chunk;
}

void pages_flush_thread(void)
{
}

void pages_decay_heap(void)
{
}

void pages_heap(struct pages_heap *out)
{
    *out = (struct pages_heap){0};
}

void pages_purge_heap(void)
{
}

bool pages_report_heap(void (*write)(void *ctx, const char *text), void *ctx)
{
    (void)write, (void)ctx;
    return false;
}

enum pages_profile pages_profile(void)
{
    return PAGES_PROFILE_NEVER;
}

bool pages_profile_want(void)
{
    return false;
}

bool pages_profile_write(const char *path)
{
    (void)path;
    return false;
}
