/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests, their rows and keys, ahead of when they are run. */

#include "batch.h"

#include <stdlib.h>

#include "command.h"
#include "server.h"

struct batch *batch_new(void)
{
    return calloc(1, sizeof(struct batch));
}

void batch_free(struct batch *batch)
{
    free(batch);
}

enum { LETTERS = 7 };

/* A name of up to so many letters as a number, behind how many there are. */
static inline uint64_t letters_of(const struct arg *name)
{
    uint64_t letters = name->len;
    for (size_t i = 0; i < name->len; i++)
        letters = letters << 8 | (unsigned char)name->ptr[i];
    return letters;
}

/* Clients repeat themselves. */
static inline const struct command *find_row(struct batch *batch,
                                             const struct arg *name)
{
    if (name->len > LETTERS)
        return command_find(name->ptr, name->len);
    uint64_t letters = letters_of(name);
    struct batch_recent *recent =
        &batch->recent[letters * UINT64_C(0x9E3779B97F4A7C15) >>
                       (64 - BATCH_RECENT_BITS)];
    if (recent->letters != letters) {
        recent->row = command_find(name->ptr, name->len);
        recent->letters = letters;
    }
    return recent->row;
}

/* Rows with several keys fetch them by themselves. */
static inline bool has_one_key(const struct command *row, size_t argc)
{
    return row && row->keys.first && row->keys.first == row->keys.last &&
           argc > (size_t)row->keys.first && !row->keys.counted_by;
}

static inline void prepare(struct batch *batch, const struct server *server,
                           unsigned db, size_t i)
{
    const struct skim_request *found = &batch->skim.requests[i];
    struct batch_request *request = &batch->requests[i];
    const struct command *row = find_row(batch, &found->argv[0]);
    request->row = row;
    request->key.ptr = NULL;
    if (!has_one_key(row, found->argc))
        return;
    const struct arg *key = &found->argv[row->keys.first];
    if (key->len > CACHE_KEY_MAX)
        return;
    request->key = cache_key_of(server->cache, key->ptr, key->len);
    request->db = db;
}

size_t batch_add(struct batch *batch, const struct server *server, unsigned db,
                 const char *in, size_t len, const struct parse_limits *limits)
{
    size_t first = batch->skim.count;
    skim_run(&batch->skim, in, len, limits);
    for (size_t i = first; i < batch->skim.count; i++)
        prepare(batch, server, db, i);
    return batch->skim.count - first;
}

void batch_fetch(const struct batch *batch, const struct server *server)
{
    size_t count = batch->skim.count;
    uint32_t ahead[SKIM_REQUESTS];
    if (count < 2)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct batch_request *request = &batch->requests[i];
        if (request->key.ptr)
            cache_prefetch(server->cache, request->db, &request->key);
    }
    for (size_t i = 0; i < count; i++) {
        const struct batch_request *request = &batch->requests[i];
        ahead[i] = request->key.ptr
                       ? cache_prefetch_entry(server->cache, request->db,
                                              &request->key)
                       : 0;
    }
    for (size_t i = 0; i < count; i++)
        cache_prefetch_use(server->cache, ahead[i]);
}
