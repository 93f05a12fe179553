/* SPDX-License-Identifier: BSD-3-Clause */

/* MSET, MSETNX and MSETEX: several values are stored in one transaction, with
 * the memory set aside before. */

#include "call.h"

#include <assert.h>
#include <stdlib.h>

#include "changes.h"
#include "expire.h"
#include "timing.h"

enum { STACK_PAIRS = 16 };

/* What is asked for beyond the values. */
struct demand {
    size_t first, count; /* the place of the first key; how many there are */
    bool none_exists, all_exist, keep_expiry;
    int64_t expires_at_ms; /* 0: never */
};

struct pair {
    const struct arg *value;
    struct cache_blob *blob;
};

struct pairs {
    const struct demand *demand;
    struct cache_key *keys;
    struct pair *pairs;
    size_t count;
};

static struct cache_write write_of(const struct pair *pair,
                                   int64_t expires_at_ms)
{
    return (struct cache_write){.type = CACHE_STRING,
                                .value = pair->value->ptr,
                                .len = pair->value->len,
                                .blob = pair->blob,
                                .expires_at_ms = expires_at_ms};
}

/* Sets aside what storing them will take.  False: no room. */
static bool provide(struct call *call, struct pairs *pairs)
{
    const struct demand *demand = pairs->demand;
    for (size_t i = 0; i < pairs->count; i++) {
        struct pair *pair = &pairs->pairs[i];
        if (pair->value->len > CACHE_INLINE_MAX) {
            pair->blob = call_blob_of(call, pair->value->ptr, pair->value->len);
            if (!pair->blob)
                return false;
        }
        struct cache_write write = write_of(pair, demand->expires_at_ms);
        if (!cache_provide(&call->tx, pairs->keys[i].len, &write))
            return false;
        /* It may turn out to have one. */
        write.expires_at_ms = 1;
        if (demand->keep_expiry &&
            !cache_provide(&call->tx, pairs->keys[i].len, &write))
            return false;
    }
    return true;
}

/* What is there is as it is wanted. */
static bool allowed(struct call *call, const struct pairs *pairs)
{
    const struct demand *demand = pairs->demand;
    struct cache_view view;
    if (!demand->none_exists && !demand->all_exist)
        return true;
    for (size_t i = 0; i < pairs->count; i++)
        if (call_find_key(call, &pairs->keys[i], 0, &view) != demand->all_exist)
            return false;
    return true;
}

static void put_pair(struct call *call, const struct demand *demand,
                     const struct cache_key *key, struct pair *pair)
{
    int64_t expires_at_ms = demand->expires_at_ms;
    bool expired = expires_at_ms && expires_at_ms <= call->now_ms;
    struct cache_view view;
    bool is_new = call_is_new(call, key);
    if (demand->keep_expiry && call_find_key(call, key, 0, &view))
        expires_at_ms = view.expires_at_ms;
    if (expired) {
        cache_remove(&call->tx, call->session->db, key);
    } else {
        struct cache_write write = write_of(pair, expires_at_ms);
        enum cache_result result =
            cache_put(&call->tx, call->session->db, key, &write);
        assert(result == CACHE_OK);
        (void)result;
        pair->blob = NULL;
    }
    if (is_new)
        call_changed(call, key, CHANGE_NEW, "new");
    call_changed(call, key, CHANGE_STRING, "set");
    if (demand->expires_at_ms)
        call_changed(call, key, CHANGE_GENERIC, "expire");
    if (expired)
        call_changed(call, key, CHANGE_EXPIRED, "expired");
}

/* All or nothing: *stored is false if the keys were not as they are wanted. */
static enum command_result store_pairs(struct call *call, struct pairs *pairs,
                                       bool *stored)
{
    bool done = false;
    *stored = false;
    cache_tx_init(&call->tx, call->server->cache, call->now_ms);
    bool room = provide(call, pairs);
    while (room && !done) {
        cache_begin_again(&call->tx, pairs->keys, pairs->count);
        done = !allowed(call, pairs);
        /* Everything was set aside: with the index ready no put can fail. */
        if (!done &&
            cache_ready(&call->tx, pairs->keys, pairs->count) == CACHE_OK) {
            for (size_t i = 0; i < pairs->count; i++)
                put_pair(call, pairs->demand, &pairs->keys[i],
                         &pairs->pairs[i]);
            done = *stored = true;
        }
        cache_end(&call->tx);
        if (!done)
            room = timing_make_room(call);
    }
    cache_tx_close(&call->tx);
    return room ? COMMAND_DONE : COMMAND_NO_ROOM;
}

static enum command_result store_all(struct call *call,
                                     const struct demand *demand, bool *stored)
{
    struct cache_key some_keys[STACK_PAIRS];
    struct pair some_pairs[STACK_PAIRS];
    struct pairs pairs = {demand, some_keys, some_pairs, demand->count};
    void *memory = NULL;
    if (pairs.count > STACK_PAIRS) {
        memory =
            malloc(pairs.count * (sizeof *pairs.keys + sizeof *pairs.pairs));
        if (!memory)
            return COMMAND_NO_ROOM;
        pairs.keys = memory;
        pairs.pairs = (void *)(pairs.keys + pairs.count);
    }
    for (size_t i = 0; i < pairs.count; i++) {
        size_t key = demand->first + 2 * i;
        pairs.keys[i] = call_key_of(call, key);
        pairs.pairs[i] = (struct pair){.value = &call->argv[key + 1]};
    }
    call_prefetch(call, pairs.keys, pairs.count);
    enum command_result result = store_pairs(call, &pairs, stored);
    for (size_t i = 0; i < pairs.count; i++)
        cache_blob_free(pairs.pairs[i].blob);
    free(memory);
    return result;
}

/* ------------------------------------------------------------ the commands */

/* False: an error was replied. */
static bool count_fits(struct call *call, size_t count)
{
    if (count <= CALL_ATOMIC_KEYS)
        return true;
    reply_errorf(&call->reply,
                 "ERR too many keys for one '%s' command, at most %d",
                 call->command->name, CALL_ATOMIC_KEYS);
    return false;
}

static enum command_result store_arguments(struct call *call, bool none_exists,
                                           bool *stored, bool *refused)
{
    const struct demand demand = {
        .first = 1, .count = (call->argc - 1) / 2, .none_exists = none_exists};
    *refused = true;
    if (call->argc % 2 == 0) {
        reply_errorf(&call->reply,
                     "ERR wrong number of arguments for '%s' command",
                     call->command->name);
        return COMMAND_DONE;
    }
    if (!count_fits(call, demand.count))
        return COMMAND_DONE;
    *refused = false;
    return store_all(call, &demand, stored);
}

enum command_result cmd_mset(struct call *call)
{
    bool stored, refused;
    enum command_result result =
        store_arguments(call, false, &stored, &refused);
    if (result == COMMAND_DONE && !refused)
        reply_ok(&call->reply);
    return result;
}

enum command_result cmd_msetnx(struct call *call)
{
    bool stored, refused;
    enum command_result result = store_arguments(call, true, &stored, &refused);
    if (result == COMMAND_DONE && !refused)
        reply_int(&call->reply, stored);
    return result;
}

/* The options behind the pairs of MSETEX.  False: an error was replied. */
static bool parse_options(struct call *call, size_t i, struct demand *demand)
{
    struct expire_option expiry = {0};
    for (; i < call->argc; i++) {
        const struct arg *arg = &call->argv[i];
        if (arg_is(arg, "nx") && !demand->all_exist) {
            demand->none_exists = true;
        } else if (arg_is(arg, "xx") && !demand->none_exists) {
            demand->all_exist = true;
        } else if (arg_is(arg, "keepttl") && !expiry.word) {
            demand->keep_expiry = true;
        } else if (demand->keep_expiry || !expire_option(call, &i, &expiry)) {
            reply_error(&call->reply, ERROR_SYNTAX);
            return false;
        }
    }
    return !expiry.word ||
           expire_option_value(call, &expiry, &demand->expires_at_ms);
}

enum command_result cmd_msetex(struct call *call)
{
    const struct arg *number = &call->argv[1];
    struct demand demand = {.first = 2};
    int64_t count;
    bool stored;
    if (!text_to_int(number->ptr, number->len, &count) || count < 1 ||
        count > INT32_MAX)
        return call_error(call, "ERR invalid numkeys value");
    if ((uint64_t)count > (call->argc - demand.first) / 2)
        return call_error(call, "ERR wrong number of key-value pairs");
    demand.count = (size_t)count;
    if (!count_fits(call, demand.count) ||
        !parse_options(call, demand.first + 2 * demand.count, &demand))
        return COMMAND_DONE;
    enum command_result result = store_all(call, &demand, &stored);
    if (result == COMMAND_DONE)
        reply_int(&call->reply, stored);
    return result;
}
