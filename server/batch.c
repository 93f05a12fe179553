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

/* Clients repeat themselves. */
static inline const struct command *find_row(struct batch *batch,
                                             const struct arg *name)
{
    if (name->len == 0)
        return NULL;
    unsigned first = (unsigned char)name->ptr[0] & 31;
    const struct command **recent =
        &batch->recent[(first + name->len * 7) % BATCH_RECENT];
    if (!*recent || !command_is_named(*recent, name->ptr, name->len)) {
        const struct command *row = command_find(name->ptr, name->len);
        if (!row)
            return NULL;
        *recent = row;
    }
    return *recent;
}

/* Rows with several keys fetch them by themselves. */
static inline bool has_one_key(const struct command *row, size_t argc)
{
    return row && row->keys.first && row->keys.first == row->keys.last &&
           argc > (size_t)row->keys.first && !row->keys.counted_by;
}

bool batch_fill(struct batch *batch, const struct server *server,
                const struct session *session, const char *in, size_t len,
                const struct parse_limits *limits)
{
    struct cache_key keys[SKIM_REQUESTS];
    size_t key_count = 0;
    batch->at = 0;
    skim_run(&batch->skim, in, len, limits);
    for (size_t i = 0; i < batch->skim.count; i++) {
        const struct skim_request *found = &batch->skim.requests[i];
        struct batch_request *request = &batch->requests[i];
        request->row = find_row(batch, &found->argv[0]);
        request->key.ptr = NULL;
        if (!has_one_key(request->row, found->argc))
            continue;
        const struct arg *key = &found->argv[request->row->keys.first];
        if (key->len > CACHE_KEY_MAX)
            continue;
        request->key = cache_key_of(server->cache, key->ptr, key->len);
        keys[key_count++] = request->key;
    }
    if (key_count > 1 && session->authenticated)
        cache_prefetch(server->cache, session->db, keys, key_count);
    return batch->skim.count > 0;
}
