/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HASH_H
#define HASH_H

/* What the commands on hashes share: reading one as it was at one moment. */

#include "call.h"
#include "call_old.h"
#include "hash_names.h"
#include "packed.h"

enum {
    HASH_BYTES_MAX = 64 << 20,     /* of one hash, as it is packed */
    HASH_SLICE_BYTES = 256 * 1024, /* replied before others have a turn */
    HASH_SLICE_FIELDS = 1000,
};

struct hash {
    struct call_old old; /* the value as it was */
    struct call_reader reader;
    struct packed packed;
};

/* Looks at the hash of argument 1, and touches and counts it.  False: the key
 * holds something else, which was replied.  To be closed otherwise. */
bool hash_open(struct call *call, struct hash *hash);
void hash_close(struct hash *hash); /* outside any transaction */
/* After it was moved: where its bytes are. */
void hash_bind(struct hash *hash);

static inline bool hash_exists(const struct hash *hash)
{
    return !hash->old.absent;
}

/* The fields of a hash that is kept. */
struct packed hash_packed(struct call_reader *reader);

/* How much may be replied in this slice, beside the first field. */
size_t hash_room(const struct call *call);
/* Replies with `len` of its bytes from `at` on. */
void hash_reply(struct call *call, struct hash *hash, size_t at, size_t len);

/* How many fields the hash of an entry has; with the transaction open. */
size_t hash_count(const struct cache_view *view);

/*
 * A command's state that goes on in another turn: a copy on the heap, counted
 * as the client's.  state_free frees what it holds and ends with hash_unkeep.
 */
void *hash_keep(struct call *call, const void *state, size_t size,
                void (*state_free)(void *state));
void hash_unkeep(struct call *call, void *state, size_t size);

#endif
