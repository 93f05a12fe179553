/* SPDX-License-Identifier: BSD-3-Clause */
/* Chunks from a jemalloc arena whose extents lie in the region. */

#include <jemalloc/jemalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages.h"
#include "region.h"

/*
 * For everything else that the process allocates (connections, buffers,
 * tables): few arenas, memory back to the system at once when large and soon
 * when small, no huge pages.  Read by jemalloc before main().
 */
extern const char *malloc_conf;
const char *malloc_conf = "narenas:2,dirty_decay_ms:200,muzzy_decay_ms:0,"
                          "oversize_threshold:262144,tcache_max:4096,"
                          "lg_tcache_nslots_mul:-1,thp:never";

enum { PAGE = 4096 }; /* of the allocator's counts */

struct pages {
    extent_hooks_t hooks; /* first: the hooks are given its address */
    struct region region;
    unsigned arena;
};

static void *extend(extent_hooks_t *hooks, void *new_addr, size_t size,
                    size_t alignment, bool *zero, bool *commit, unsigned arena)
{
    (void)arena;
    struct pages *pages = (struct pages *)(void *)hooks;
    if (new_addr)
        return NULL;
    void *at = region_extend(&pages->region, size, alignment);
    if (at)
        *zero = *commit = true;
    return at;
}

/* Addresses are never given up: jemalloc keeps them and hands them out again
 * after purging them. */
static bool keep(extent_hooks_t *hooks, void *addr, size_t size, bool committed,
                 unsigned arena)
{
    (void)hooks, (void)addr, (void)size, (void)committed, (void)arena;
    return true;
}

static bool purge(extent_hooks_t *hooks, void *addr, size_t size, size_t offset,
                  size_t length, unsigned arena)
{
    (void)hooks, (void)size, (void)arena;
    pages_purge((char *)addr + offset, length);
    return false;
}

static bool split(extent_hooks_t *hooks, void *addr, size_t size, size_t size_a,
                  size_t size_b, bool committed, unsigned arena)
{
    (void)hooks, (void)addr, (void)size, (void)size_a, (void)size_b;
    (void)committed, (void)arena;
    return false;
}

static bool merge(extent_hooks_t *hooks, void *addr_a, size_t size_a,
                  void *addr_b, size_t size_b, bool committed, unsigned arena)
{
    (void)hooks, (void)size_b, (void)committed, (void)arena;
    return (char *)addr_a + size_a != (char *)addr_b;
}

static void set_decay(unsigned arena, const char *which)
{
    char name[64];
    ssize_t now = 0;
    snprintf(name, sizeof name, "arena.%u.%s", arena, which);
    mallctl(name, NULL, NULL, &now, sizeof now);
}

struct pages *pages_new(size_t size)
{
    struct pages *pages = calloc(1, sizeof *pages);
    if (!pages)
        return NULL;
    if (!region_init(&pages->region, size)) {
        free(pages);
        return NULL;
    }
    pages->hooks = (extent_hooks_t){
        .alloc = extend,
        .dalloc = keep,
        .purge_forced = purge,
        .split = split,
        .merge = merge,
    };
    extent_hooks_t *hooks = &pages->hooks;
    size_t len = sizeof pages->arena;
    if (mallctl("arenas.create", &pages->arena, &len, &hooks, sizeof hooks)) {
        region_release(&pages->region);
        free(pages);
        return NULL;
    }
    set_decay(pages->arena, "dirty_decay_ms");
    set_decay(pages->arena, "muzzy_decay_ms");
    return pages;
}

void pages_free(struct pages *pages)
{
    char name[64];
    snprintf(name, sizeof name, "arena.%u.destroy", pages->arena);
    mallctl(name, NULL, NULL, NULL, 0);
    /* The addresses stay reserved: jemalloc keeps some of its bookkeeping of
     * the arena there. */
}

char *pages_base(const struct pages *pages)
{
    return pages->region.base;
}

/* Of this thread; what it was before.  Without profiling there is no such thing
 * to set. */
static bool set_profiled(bool profiled)
{
    bool before = false;
    size_t len = sizeof before;
    mallctl("thread.prof.active", &before, &len, &profiled, sizeof profiled);
    return before;
}

/* Chunks are address space, and not for a profile of the heap. */
char *pages_take(struct pages *pages)
{
    bool profiled = set_profiled(false);
    char *chunk =
        mallocx(PAGES_CHUNK, MALLOCX_ARENA(pages->arena) | MALLOCX_TCACHE_NONE |
                                 MALLOCX_ALIGN(PAGES_HUGE));
    set_profiled(profiled);
    return chunk;
}

void pages_give(struct pages *pages, char *chunk)
{
    (void)pages;
    dallocx(chunk, MALLOCX_TCACHE_NONE);
}

static void tell_arenas(const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "arena.%u.%s", MALLCTL_ARENAS_ALL, what);
    mallctl(name, NULL, NULL, NULL, 0);
}

void pages_flush_thread(void)
{
    mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
}

void pages_decay_heap(void)
{
    tell_arenas("decay");
}

/* ------------------------------------------------------------------- heap */

static uint64_t read_size(const char *name)
{
    size_t value = 0, len = sizeof value;
    return mallctl(name, &value, &len, NULL, 0) == 0 ? value : 0;
}

static uint64_t read_arena(unsigned arena, const char *which)
{
    char name[64];
    snprintf(name, sizeof name, "stats.arenas.%u.%s", arena, which);
    return read_size(name);
}

static bool holds_chunks(unsigned arena)
{
    char name[64];
    extent_hooks_t *hooks = NULL;
    size_t len = sizeof hooks;
    snprintf(name, sizeof name, "arena.%u.extent_hooks", arena);
    return mallctl(name, &hooks, &len, NULL, 0) == 0 && hooks &&
           hooks->alloc == extend;
}

/* Of an arena of chunks only the allocator's books count: its pages are slabs,
 * or not resident. */
void pages_heap(struct pages_heap *out)
{
    unsigned arenas = 0;
    size_t len = sizeof arenas;
    uint64_t epoch = 1;
    *out = (struct pages_heap){0};
    mallctl("epoch", NULL, NULL, &epoch, sizeof epoch);
    mallctl("arenas.narenas", &arenas, &len, NULL, 0);
    for (unsigned i = 0; i < arenas; i++) {
        uint64_t active = read_arena(i, "pactive") * PAGE;
        uint64_t with_free = active + read_arena(i, "pdirty") * PAGE;
        out->metadata += read_arena(i, "resident") - with_free;
        if (holds_chunks(i))
            continue;
        out->resident += with_free;
        out->active += active;
        out->allocated +=
            read_arena(i, "small.allocated") + read_arena(i, "large.allocated");
        out->retained += read_arena(i, "retained");
    }
}

void pages_purge_heap(void)
{
    pages_flush_thread();
    tell_arenas("purge");
}

bool pages_report_heap(void (*write)(void *ctx, const char *text), void *ctx)
{
    malloc_stats_print(write, ctx, NULL);
    return true;
}

/* ---------------------------------------------------------------- profile */

static bool is_set(const char *name)
{
    bool value = false;
    size_t len = sizeof value;
    return mallctl(name, &value, &len, NULL, 0) == 0 && value;
}

enum pages_profile pages_profile(void)
{
    if (!is_set("config.prof"))
        return PAGES_PROFILE_NEVER;
    return is_set("opt.prof") ? PAGES_PROFILE_ON : PAGES_PROFILE_OFF;
}

bool pages_profile_want(void)
{
    static const char variable[] = "MALLOC_CONF";
    static const char wanted[] = "prof:true,lg_prof_sample:16";
    const char *old = getenv(variable);
    if (old && strstr(old, wanted))
        return false;
    size_t size = (old ? strlen(old) : 0) + sizeof wanted + 1;
    char *text = malloc(size);
    if (!text)
        return false;
    snprintf(text, size, "%s%s%s", old ? old : "", old ? "," : "", wanted);
    bool set = setenv(variable, text, 1) == 0;
    free(text);
    return set;
}

bool pages_profile_write(const char *path)
{
    return mallctl("prof.dump", NULL, NULL, &path, sizeof path) == 0;
}
