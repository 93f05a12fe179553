/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * MSET, MSETNX and MSETEX: several values are stored in one transaction.  The
 * memory for them is set aside before, of many in slices:
 *
 *   set aside -> others have a turn -> set aside ... -> begin, put all, end
 */

#include "call.h"

#include <assert.h>
#include <stdlib.h>

#include "changes.h"
#include "conn.h"
#include "expire.h"
#include "pool.h"
#include "timing.h"

enum {
    STACK_PAIRS = 16,
    SLICE_PAIRS = 128, /* that memory is set aside for at a time */
    SLICE_BYTES = 256 * 1024,
    ARG_FRAME = 16, /* bytes of an argument in a request but its own */
};

/* What is asked for beyond the values. */
struct demand {
    size_t first, count; /* the place of the first key; how many there are */
    bool none_exists, all_exist, keep_expiry;
    int64_t expires_at_ms; /* 0: never */
};

/* What is to be stored. */
struct store {
    struct call *call;
    struct demand demand;
    struct cache_blob *
        *blobs;     /* of long values, by pair; NULL: there is none */
    size_t ready;   /* pairs that memory was set aside for */
    size_t charged; /* to the client pool, for the above */
};

static const struct arg *key_of(const struct store *store, size_t i)
{
    return &store->call->argv[store->demand.first + 2 * i];
}

static struct cache_write write_of(const struct store *store, size_t i,
                                   int64_t expires_at_ms)
{
    const struct arg *value = key_of(store, i) + 1;
    return (struct cache_write){.type = CACHE_STRING,
                                .value = value->ptr,
                                .len = value->len,
                                .blob = store->blobs ? store->blobs[i] : NULL,
                                .expires_at_ms = expires_at_ms};
}

/* ---------------------------------------------------------- setting aside */

/* False: no room. */
static bool make_blob(struct store *store, size_t i)
{
    struct call *call = store->call;
    const struct arg *value = key_of(store, i) + 1;
    if (!store->blobs) {
        store->charged = store->demand.count * sizeof *store->blobs;
        pool_charge(call->server->pool, store->charged);
        store->blobs = calloc(store->demand.count, sizeof *store->blobs);
    }
    if (store->blobs)
        store->blobs[i] = call_blob_of(call, value->ptr, value->len);
    return store->blobs && store->blobs[i];
}

static bool provide(struct store *store, size_t i)
{
    struct call *call = store->call;
    const struct arg *key = key_of(store, i);
    if (key[1].len > CACHE_INLINE_MAX && !make_blob(store, i))
        return false;
    struct cache_write write = write_of(store, i, store->demand.expires_at_ms);
    if (!cache_provide(&call->tx, key->len, &write))
        return false;
    call->owned_bytes += key[1].len;
    /* It may turn out to have one. */
    write.expires_at_ms = 1;
    return !store->demand.keep_expiry ||
           cache_provide(&call->tx, key->len, &write);
}

/* Of so many at most.  COMMAND_DONE: all are ready. */
static enum command_result provide_some(struct store *store, size_t most)
{
    size_t bytes = 0, end = store->ready + most;
    for (; store->ready < store->demand.count; store->ready++) {
        if (store->ready == end || bytes > SLICE_BYTES)
            return COMMAND_AGAIN;
        if (!provide(store, store->ready))
            return COMMAND_NO_ROOM;
        bytes += key_of(store, store->ready)[1].len;
    }
    return COMMAND_DONE;
}

/* ---------------------------------------------------------------- storing */

/* What is there is as it is wanted. */
static bool allowed(const struct store *store, const struct cache_key *keys)
{
    const struct demand *demand = &store->demand;
    struct cache_view view;
    if (!demand->none_exists && !demand->all_exist)
        return true;
    for (size_t i = 0; i < demand->count; i++)
        if (call_find_key(store->call, &keys[i], 0, &view) != demand->all_exist)
            return false;
    return true;
}

static void put(struct store *store, size_t i, const struct cache_key *key)
{
    const struct demand *demand = &store->demand;
    struct call *call = store->call;
    int64_t expires_at_ms = demand->expires_at_ms;
    bool expired = expires_at_ms && expires_at_ms <= call->now_ms;
    struct cache_view view;
    bool is_new = call_is_new(call, key);
    if (demand->keep_expiry && call_find_key(call, key, 0, &view))
        expires_at_ms = view.expires_at_ms;
    if (expired) {
        cache_remove(&call->tx, call->session->db, key);
    } else {
        struct cache_write write = write_of(store, i, expires_at_ms);
        enum cache_result result =
            cache_put(&call->tx, call->session->db, key, &write);
        assert(result == CACHE_OK);
        (void)result;
        if (store->blobs)
            store->blobs[i] = NULL;
    }
    if (is_new)
        call_changed(call, key, CHANGE_NEW, "new");
    call_changed(call, key, CHANGE_STRING, "set");
    if (demand->expires_at_ms)
        call_changed(call, key, CHANGE_GENERIC, "expire");
    if (expired)
        call_changed(call, key, CHANGE_EXPIRED, "expired");
}

static void put_all(struct store *store, const struct cache_key *keys)
{
    size_t count = store->demand.count;
    for (size_t i = 0; i < count; i++) {
        if (i % CALL_AHEAD == 0)
            call_prefetch(store->call, keys + i,
                          less_of(count - i, CALL_AHEAD));
        put(store, i, &keys[i]);
    }
}

/* All or nothing: *stored is false if the keys were not as they are wanted. */
static enum command_result
put_or_not(struct store *store, const struct cache_key *keys, bool *stored)
{
    struct call *call = store->call;
    size_t count = store->demand.count;
    bool done = false, room = true;
    *stored = false;
    while (room && !done) {
        cache_begin_again(&call->tx, keys, count);
        done = !allowed(store, keys);
        /* Everything was set aside: with the index ready no put can fail. */
        if (!done && cache_ready(&call->tx, keys, count) == CACHE_OK) {
            put_all(store, keys);
            done = *stored = true;
        }
        cache_end(&call->tx);
        if (!done)
            room = timing_make_room(call);
    }
    return room ? COMMAND_DONE : COMMAND_NO_ROOM;
}

static enum command_result finish(struct store *store, bool *stored)
{
    struct cache_key some_keys[STACK_PAIRS], *keys = some_keys;
    size_t count = store->demand.count;
    if (count > STACK_PAIRS)
        keys = malloc(count * sizeof *keys);
    if (!keys)
        return COMMAND_NO_ROOM;
    for (size_t i = 0; i < count; i++)
        keys[i] = call_key_of(store->call, store->demand.first + 2 * i);
    enum command_result result = put_or_not(store, keys, stored);
    if (keys != some_keys)
        free(keys);
    return result;
}

/* ----------------------------------------------------------- begin and end */

static struct store begin(struct call *call, const struct demand *demand)
{
    cache_tx_init(&call->tx, call->server->cache, call->now_ms);
    return (struct store){.call = call, .demand = *demand};
}

static void end(struct store *store)
{
    struct call *call = store->call;
    cache_tx_close(&call->tx);
    for (size_t i = 0; store->blobs && i < store->demand.count; i++)
        cache_blob_free(store->blobs[i]);
    free(store->blobs);
    pool_give(call->server->pool, store->charged);
    call->owned_bytes = 0;
}

static enum command_result
store_at_once(struct call *call, const struct demand *demand, bool *stored)
{
    struct store store = begin(call, demand);
    enum command_result result;
    do
        result = provide_some(&store, SIZE_MAX - demand->count);
    while (result == COMMAND_AGAIN);
    if (result == COMMAND_DONE)
        result = finish(&store, stored);
    end(&store);
    return result;
}

static void store_free(void *state)
{
    end(state);
    free(state);
}

/* The request must be held meanwhile.  NULL: clients' buffers have no room for
 * it; then all is done at once. */
static struct store *store_new(struct call *call, const struct demand *demand)
{
    size_t held = LIMIT_READ_BUFFER;
    for (size_t i = 0; i < call->argc; i++)
        held += sizeof *call->argv + ARG_FRAME + call->argv[i].len;
    if (!call->in_exec && !conn_hold(call->conn, held))
        return NULL;
    struct store *store = malloc(sizeof *store);
    if (!store)
        return NULL;
    *store = begin(call, demand);
    call->state = store;
    call->state_free = store_free;
    return store;
}

static enum command_result store_all(struct call *call,
                                     const struct demand *demand, bool *stored)
{
    struct store *store = call->state;
    if (!store && demand->count > SLICE_PAIRS)
        store = store_new(call, demand);
    if (!store)
        return store_at_once(call, demand, stored);
    call->tx.now_ms = call->now_ms;
    enum command_result result = provide_some(store, SLICE_PAIRS);
    return result == COMMAND_DONE ? finish(store, stored) : result;
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
