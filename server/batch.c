/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests, their rows and keys, ahead of when they are run. */

#include "batch.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

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

/* A name of up to so many letters as a number, behind how many there are.  In
 * front of it are two counts, so that the word that ends with it is there. */
static inline uint64_t letters_of(const struct arg *name)
{
    uint64_t word;
    memcpy(&word, name->ptr + name->len - sizeof word, sizeof word);
    word = le64toh(word) >> 8 >> 8 * (LETTERS - name->len);
    return word | (uint64_t)name->len << 8 * LETTERS;
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

/* Its row and its key. */
static inline void prepare(struct batch *batch, size_t i, unsigned db)
{
    const struct skim_request *found = &batch->skim.requests[i];
    struct batch_request *request = &batch->requests[i];
    const struct command *row = find_row(batch, &found->argv[0]);
    request->row = row;
    request->db = (uint8_t)db;
    request->key.ptr = NULL;
    if (!has_one_key(row, found->argc))
        return;
    const struct arg *key = &found->argv[row->keys.first];
    if (key->len > CACHE_KEY_MAX)
        return;
    /* Not the struct as a whole: it would be loaded in other pieces than it
     * was just stored in, which waits for the stores. */
    request->key.ptr = key->ptr;
    request->key.len = key->len;
}

size_t batch_add(struct batch *batch, unsigned db, const char *in, size_t len,
                 const struct parse_limits *limits)
{
    size_t first = batch->skim.count;
    skim_run(&batch->skim, in, len, limits);
    for (size_t i = first; i < batch->skim.count; i++)
        prepare(batch, i, db);
    return batch->skim.count - first;
}

void batch_hash(struct batch *batch, const struct server *server)
{
    struct cache_key *keys[SKIM_REQUESTS];
    size_t count = 0;
    for (size_t i = 0; i < batch->skim.count; i++)
        if (batch->requests[i].key.ptr)
            keys[count++] = &batch->requests[i].key;
    cache_hash_keys(server->cache, keys, count);
    for (size_t i = 0; i < batch->skim.count; i++) {
        const struct batch_request *request = &batch->requests[i];
        batch->ahead[i] = (struct cache_ahead){0};
        if (request->key.ptr)
            batch->ahead[i] =
                cache_ahead(server->cache, request->db, &request->key);
    }
}

static void step(struct batch *batch, const struct server *server, size_t count)
{
    size_t left = batch->skim.count - batch->at;
    cache_ahead_steps(server->cache, &batch->ahead[batch->at],
                      count < left ? count : left);
}

void batch_look_ahead(struct batch *batch, const struct server *server)
{
    if (batch->at < batch->looked || batch->skim.count < 2)
        return;
    /* Whoever comes nearer by a burst takes a step. */
    step(batch, server, CACHE_AHEAD_STEPS * BATCH_BURST);
    if (batch->looked == 0)
        for (size_t steps = CACHE_AHEAD_STEPS - 1; steps > 0; steps--)
            step(batch, server, steps * BATCH_BURST);
    batch->looked = batch->at + BATCH_BURST;
}
