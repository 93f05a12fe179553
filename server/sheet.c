/* SPDX-License-Identifier: BSD-3-Clause */
/* Gathers the parts of the resident memory. */

#include "sheet.h"

#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform.h"
#include "pool.h"
#include "server.h"
#include "worker.h"

const char *const sheet_names[SHEET_ALL] = {
#define X(part, help) #part,
    SHEET_PARTS(X)
#undef X
        "unexplained",
};

int64_t sheet_part(const struct memory_sheet *sheet, enum sheet_part part)
{
    const uint64_t parts[] = {
#define X(part, help) sheet->part,
        SHEET_PARTS(X)
#undef X
    };
    return part == SHEET_UNEXPLAINED ? sheet->unexplained
                                     : (int64_t)parts[part];
}

/* ---------------------------------------------------------- adding it up */

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static uint64_t least_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The numbers were not all read at the same moment: what is part of another
 * must not be more than that. */
static void split_slabs(const struct cache_stats *cache,
                        struct memory_sheet *out)
{
    uint64_t left = cache->resident_bytes;
    out->index = least_of(cache->index_bytes, left);
    left -= out->index;
    uint64_t live = least_of(cache->live_bytes, left);
    out->slack = left - live;
    out->payload = least_of(cache->payload_bytes, live);
    out->overhead = live - out->payload;
}

/* Clients are charged for a little more than they take.  Pages beyond what the
 * allocator can have are somebody else's: unexplained. */
static void split_heap(const struct sheet_sources *sources,
                       struct memory_sheet *out)
{
    const struct pages_heap *heap = &sources->heap;
    uint64_t left = sources->heap_pages;
    if (heap->resident > 0)
        left = least_of(left, heap->resident + heap->metadata);
    out->clients = least_of(sources->clients, left);
    left -= out->clients;
    out->server = least_of(less(heap->allocated, out->clients), left);
    out->allocator = left - out->server;
}

void sheet_make(const struct sheet_sources *sources, struct memory_sheet *out)
{
    uint64_t sum = 0;
    *out = (struct memory_sheet){0};
    split_slabs(&sources->cache, out);
    split_heap(sources, out);
    out->tables = sources->tables + sources->cache.scratch_bytes;
    out->binary = sources->binary;
    out->stacks = sources->stacks;
#define X(part, help) sum += out->part;
    SHEET_PARTS(X)
#undef X
    out->resident = sources->resident > 0 ? sources->resident : sum;
    out->unexplained = (int64_t)(out->resident - sum);
}

/* ---------------------------------------------------- counting the pages */

/* What is counted, in bytes. */
struct count {
    const struct server *server;
    struct cache_places places;
    uint64_t files;     /* pages of files, as the system has them */
    uint64_t data, bss; /* of programs and libraries: copied, and no file's */
    uint64_t main_stack, stacks;
    uint64_t anonymous; /* in no file, outside the region of the slabs */
};

static void count_files(struct count *count)
{
    char text[128];
    unsigned long long pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    if (sscanf(text, "%*s %*s %llu", &pages) == 1)
        count->files = pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The file's last page is the file's, though zeros follow in it. */
static int count_object(struct dl_phdr_info *info, size_t size, void *ctx)
{
    struct count *count = ctx;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t from = info->dlpi_addr + segment->p_vaddr;
        uintptr_t file = (from + segment->p_filesz + page - 1) & ~(page - 1);
        uintptr_t end = from + segment->p_memsz;
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W))
            continue;
        count->data += pages_resident((const void *)from, file - from);
        if (end > file)
            count->bss += pages_resident((const void *)file, end - file);
    }
    return 0;
}

static void count_stacks(struct count *count)
{
    const struct server *server = count->server;
    for (unsigned i = 0; i < server->worker_count; i++) {
        const struct worker *worker = &server->workers[i];
        pthread_attr_t attr;
        void *from;
        size_t size;
        if (!worker->started || pthread_getattr_np(worker->thread, &attr) != 0)
            continue;
        if (pthread_attr_getstack(&attr, &from, &size) == 0)
            count->stacks += pages_resident(from, size);
        pthread_attr_destroy(&attr);
    }
}

/* One line of /proc/self/maps: "from-to rights offset device inode name". */
static void count_mapping(struct count *count, const char *line)
{
    uintptr_t from, to, inode;
    char rights[5], name[16] = "";
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %" SCNuPTR " %15s",
               &from, &to, rights, &inode, name) < 4)
        return;
    uintptr_t region = (uintptr_t)count->places.region;
    bool slabs = from >= region && from < region + count->places.region_len;
    if (strcmp(name, "[stack]") == 0)
        count->main_stack += pages_resident((const void *)from, to - from);
    else if (inode == 0 && !slabs && rights[1] == 'w')
        count->anonymous += pages_resident((const void *)from, to - from);
}

static void count_mappings(struct count *count)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    bool begins = true;
    if (!maps)
        return;
    while (fgets(line, sizeof line, maps)) {
        if (begins)
            count_mapping(count, line);
        begins = strchr(line, '\n') != NULL;
    }
    fclose(maps);
}

/* Sanitizers have address space without end, which would take as long. */
static void count_pages(const struct server *server,
                        struct sheet_sources *sources)
{
    struct count count = {.server = server};
    cache_places(server->cache, &count.places);
    sources->tables = count.places.tables;
    if (sources->resident == 0) {
        sources->heap_pages = sources->clients;
        return;
    }
    count_files(&count);
    dl_iterate_phdr(count_object, &count);
    count_stacks(&count);
    count_mappings(&count);
    sources->binary = count.files + count.data + count.bss;
    sources->stacks = count.main_stack + count.stacks;
    sources->heap_pages = less(count.anonymous + count.places.between,
                               count.bss + count.stacks + count.places.tables +
                                   sources->cache.scratch_bytes);
}

void sheet_take(struct server *server, struct memory_sheet *out)
{
    const struct platform *platform = server->platform;
    struct sheet_sources sources = {0};
    cache_stats(server->cache, platform->wall_ms(platform->ctx),
                &sources.cache);
    sources.resident = platform->resident(platform->ctx);
    sources.clients = pool_used(server->pool);
    pages_heap(&sources.heap);
    count_pages(server, &sources);
    sheet_make(&sources, out);
}
