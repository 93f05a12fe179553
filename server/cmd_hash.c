/* SPDX-License-Identifier: BSD-3-Clause */

/* Commands that ask for fields of a hash by their names. */

#include "hash.h"

/* The field that argument 2 names; false: there is none. */
static bool find(const struct call *call, struct hash *hash,
                 struct packed_field *field)
{
    const struct arg *name = &call->argv[2];
    return hash_exists(hash) &&
           packed_find(&hash->packed, name->ptr, name->len, field);
}

enum command_result cmd_hget(struct call *call)
{
    struct hash hash;
    struct packed_field field;
    if (!hash_open(call, &hash))
        return COMMAND_DONE;
    if (find(call, &hash, &field))
        hash_reply(call, &hash, field.value, field.value_len);
    else
        reply_null(&call->reply);
    hash_close(&hash);
    return COMMAND_DONE;
}

enum command_result cmd_hexists(struct call *call)
{
    struct hash hash;
    struct packed_field field;
    if (!hash_open(call, &hash))
        return COMMAND_DONE;
    reply_int(&call->reply, find(call, &hash, &field));
    hash_close(&hash);
    return COMMAND_DONE;
}

enum command_result cmd_hstrlen(struct call *call)
{
    struct hash hash;
    struct packed_field field;
    if (!hash_open(call, &hash))
        return COMMAND_DONE;
    bool found = find(call, &hash, &field);
    reply_int(&call->reply, found ? (int64_t)field.value_len : 0);
    hash_close(&hash);
    return COMMAND_DONE;
}

enum command_result cmd_hlen(struct call *call)
{
    struct cache_view view;
    bool found;
    if (call_find_typed(call, &call->key, CACHE_HASH, CACHE_TOUCH | CACHE_COUNT,
                        &view, &found))
        reply_int(&call->reply, found ? (int64_t)hash_count(&view) : 0);
    return COMMAND_DONE;
}

/* ----------------------------------------------------------------- HMGET */

struct several {
    struct call *call;
    struct hash hash;
    struct hash_names names;
    size_t next; /* of the names, to be replied */
};

static void several_close(struct several *several)
{
    hash_names_free(&several->names);
    hash_close(&several->hash);
}

static void several_free(void *state)
{
    struct several *several = state;
    several_close(several);
    hash_unkeep(several->call, several, sizeof *several);
}

/* Notes where the values are, in one walk. */
static void find_some(struct several *several, char *scratch)
{
    struct packed *packed = &several->hash.packed;
    struct packed_walk walk = packed_begin(packed);
    struct packed_field field;
    while (packed_next(&walk, &field)) {
        const char *name =
            packed_bytes(packed, field.name, field.name_len, scratch);
        struct hash_name *wanted =
            hash_names_find(&several->names, name, field.name_len);
        if (!wanted)
            continue;
        wanted->found = true;
        wanted->at = field.value;
        wanted->len = field.value_len;
    }
}

/* Kept apart for the sake of its stack. */
__attribute__((noinline)) static void
find_some_in_pieces(struct several *several)
{
    char scratch[HASH_NAME_MAX];
    find_some(several, scratch);
}

/* False: an error was replied. */
static bool several_open(struct several *several, struct call *call)
{
    several->call = call;
    several->next = 0;
    if (!hash_names_init(&several->names, call, 2, 1))
        return false;
    if (!hash_open(call, &several->hash)) {
        hash_names_free(&several->names);
        return false;
    }
    if (several->hash.packed.bytes == NULL)
        find_some_in_pieces(several);
    else if (hash_exists(&several->hash))
        find_some(several, NULL);
    reply_array(&call->reply, several->names.count);
    return true;
}

/* Replies with a slice; true: that was all. */
static bool several_reply(struct several *several, struct call *call)
{
    struct hash_names *names = &several->names;
    size_t enough = call_replied(call) + hash_room(call);
    for (size_t i = 0; several->next < names->count; i++, several->next++) {
        if (i == HASH_SLICE_FIELDS || call_replied(call) > enough)
            return false;
        const struct hash_name *name = hash_names_at(names, several->next);
        name = hash_names_at(names, name->first);
        if (name->found)
            hash_reply(call, &several->hash, name->at, name->len);
        else
            reply_null(&call->reply);
    }
    return true;
}

enum command_result cmd_hmget(struct call *call)
{
    struct several fresh;
    if (call->state)
        return several_reply(call->state, call) ? COMMAND_DONE : COMMAND_AGAIN;
    if (!several_open(&fresh, call))
        return COMMAND_DONE;
    if (several_reply(&fresh, call)) {
        several_close(&fresh);
        return COMMAND_DONE;
    }
    struct several *kept = hash_keep(call, &fresh, sizeof fresh, several_free);
    hash_bind(&kept->hash);
    call->owned_bytes = call_old_pinned(&kept->hash.old);
    return COMMAND_AGAIN;
}
