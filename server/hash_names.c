/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of fields, looked up. */

#include "hash_names.h"

#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "pool.h"

enum { FEW = sizeof((struct hash_names *)0)->few / sizeof(struct hash_name) };

static bool is(const struct hash_names *names, const struct hash_name *name,
               const char *ptr, size_t len)
{
    const struct arg *arg = &names->call->argv[name->arg];
    return arg->len == len && (len == 0 || memcmp(arg->ptr, ptr, len) == 0);
}

/* Where the name is in the table, or would be.  The hash is keyed, so that
 * nobody can choose names that meet. */
static uint16_t *slot_of(struct hash_names *names, const char *ptr, size_t len)
{
    size_t i = cache_key_of(names->call->server->cache, ptr, len).hash;
    for (;; i++) {
        uint16_t *slot = &names->slots[i & names->mask];
        if (*slot == 0 || is(names, &names->names[*slot - 1], ptr, len))
            return slot;
    }
}

struct hash_name *hash_names_find(struct hash_names *names, const char *ptr,
                                  size_t len)
{
    if (names->slots) {
        uint16_t number = *slot_of(names, ptr, len);
        return number ? &names->names[number - 1] : NULL;
    }
    for (size_t i = 0; i < names->count; i++)
        if (is(names, &names->few[i], ptr, len))
            return &names->few[i];
    return NULL;
}

/* Room for that many.  False: an error was replied. */
static bool make_room(struct hash_names *names, struct call *call, size_t count)
{
    size_t slots = 1;
    while (slots < 2 * count)
        slots *= 2;
    size_t bytes = count * sizeof *names->names + slots * sizeof *names->slots;
    struct pool *pool = call->server->pool;
    if (pool_used(pool) + bytes <= pool_limit(pool))
        names->names = calloc(1, bytes);
    if (!names->names) {
        reply_error(&call->reply, ERROR_NO_ROOM);
        return false;
    }
    pool_charge(pool, bytes);
    names->charged = bytes;
    names->slots = (uint16_t *)(names->names + count);
    names->mask = slots - 1;
    return true;
}

static void add(struct hash_names *names, size_t arg)
{
    const struct arg *at = &names->call->argv[arg];
    uint32_t number = (uint32_t)names->count;
    struct hash_name *name = hash_names_at(names, number), *same;
    if (names->slots) {
        uint16_t *slot = slot_of(names, at->ptr, at->len);
        same = *slot ? &names->names[*slot - 1] : NULL;
        if (!same)
            *slot = (uint16_t)(number + 1);
    } else {
        same = hash_names_find(names, at->ptr, at->len);
    }
    *name = (struct hash_name){.arg = arg, .first = number, .last = number};
    if (same) {
        name->first = same->first;
        same->last = number;
    }
    names->count++;
}

bool hash_names_init(struct hash_names *names, struct call *call, size_t first,
                     size_t step)
{
    size_t count = (call->argc - first + step - 1) / step;
    names->call = call;
    names->count = names->charged = 0;
    names->names = NULL;
    names->slots = NULL;
    if (count > HASH_FIELDS_MAX) {
        reply_errorf(&call->reply,
                     "ERR too many fields for one '%s' command, at most %d",
                     call->command->name, HASH_FIELDS_MAX);
        return false;
    }
    if (count > FEW && !make_room(names, call, count))
        return false;
    for (size_t i = first; i < call->argc; i += step)
        add(names, i);
    return true;
}

void hash_names_free(struct hash_names *names)
{
    if (names->charged)
        pool_give(names->call->server->pool, names->charged);
    free(names->names);
    names->names = NULL;
    names->slots = NULL;
    names->charged = names->count = 0;
}
