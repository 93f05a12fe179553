/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Commands on many keys, which nobody sees half done:
 *
 *   up to CALL_SLICE_KEYS    one transaction
 *   up to CALL_ATOMIC_KEYS   several, with the gate closed
 *   more                     several, and others have a turn between
 *
 * Those that store take CALL_ATOMIC_KEYS at most, in one transaction, with the
 * memory set aside before.
 */

#include "call.h"

#include <assert.h>
#include <stdlib.h>

#include "changes.h"
#include "conn.h"
#include "timing.h"
#include "tracking.h"

enum {
    SLICE_BYTES = 256 * 1024, /* of replies in one slice of MGET */
    STACK_PAIRS = 16,
};

/* Their look-ups miss the processor's caches side by side. */
static void prefetch(const struct call *call, const struct cache_key *keys,
                     size_t count)
{
    if (count < 2)
        return;
    for (size_t i = 0; i < count; i++)
        cache_prefetch(call->server->cache, call->session->db, &keys[i]);
    for (size_t i = 0; i < count; i++)
        cache_prefetch_entry(call->server->cache, call->session->db, &keys[i]);
}

/* ------------------------------------------------------------- in slices */

struct progress {
    size_t next;   /* argument */
    size_t seen;   /* it was there before: its hits are counted */
    int64_t count; /* keys there were */
};

/* Serves one key under the transaction; true counts it. */
typedef bool serve_key(struct call *call, const struct cache_key *key);

static size_t less_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* One slice.  Stops before its end when it has replied much. */
static void serve_slice(struct call *call, struct progress *progress,
                        serve_key *serve)
{
    struct cache_key keys[CALL_SLICE_KEYS];
    size_t most = less_of(SLICE_BYTES, conn_room(call->conn));
    size_t count = 0, before = call_replied(call);
    do {
        keys[count] = call_key_of(call, progress->next + count);
        count++;
    } while (progress->next + count < call->argc && count < CALL_SLICE_KEYS);
    prefetch(call, keys, count);
    cache_begin(&call->tx, call->server->cache, call->now_ms, keys, count);
    for (size_t i = 0; i < count; i++) {
        call->rerun = progress->next < progress->seen;
        progress->count += serve(call, &keys[i]);
        progress->next++;
        if (call_replied(call) > before + most)
            break;
    }
    cache_end(&call->tx);
}

/* As far as the reply may grow. */
static void serve_alone(struct call *call, struct progress *progress,
                        serve_key *serve)
{
    size_t before = call_replied(call);
    call_close_gate(call);
    do
        serve_slice(call, progress, serve);
    while (progress->next < call->argc &&
           (call_replied(call) == before || conn_room(call->conn) > 0));
    call_open_gate(call);
}

/* If a transaction was not enough, it is as if it had not been. */
static void serve_first(struct call *call, struct progress *progress,
                        serve_key *serve)
{
    size_t count = call->argc - progress->next;
    struct progress before = *progress;
    struct output_mark mark = conn_mark(call->conn);
    if (count <= CALL_SLICE_KEYS || count > CALL_ATOMIC_KEYS)
        serve_slice(call, progress, serve);
    if (progress->next == call->argc || count > CALL_ATOMIC_KEYS)
        return;
    before.seen = progress->next;
    *progress = before;
    conn_rewind(call->conn, mark);
    serve_alone(call, progress, serve);
}

static enum command_result
serve_keys(struct call *call, struct progress *progress, serve_key *serve)
{
    struct progress *kept = call->state;
    if (kept) {
        *progress = *kept;
        serve_slice(call, progress, serve);
    } else {
        serve_first(call, progress, serve);
    }
    if (progress->next == call->argc)
        return COMMAND_DONE;
    if (!kept) {
        call->state = kept = malloc(sizeof *kept);
        call->state_free = free;
        if (!kept)
            abort();
    }
    *kept = *progress;
    return COMMAND_AGAIN;
}

static enum command_result count_keys(struct call *call, serve_key *serve)
{
    struct progress progress = {.next = 1};
    enum command_result result = serve_keys(call, &progress, serve);
    if (result == COMMAND_DONE)
        reply_int(&call->reply, progress.count);
    return result;
}

static bool get(struct call *call, const struct cache_key *key)
{
    struct cache_view view;
    bool found = call_find_key(call, key, CACHE_TOUCH | CACHE_COUNT, &view);
    if (found && view.type == CACHE_STRING)
        call_reply_value(call, &view);
    else
        reply_null(&call->reply);
    return found;
}

static bool exists(struct call *call, const struct cache_key *key)
{
    struct cache_view view;
    return call_find_key(call, key, CACHE_COUNT, &view);
}

/* CLIENT NO-TOUCH does not hold for the command whose purpose it is. */
static bool touch(struct call *call, const struct cache_key *key)
{
    struct cache_view view;
    if (call->session->tracker)
        tracking_remember(call, key);
    return cache_find(&call->tx, call->session->db, key,
                      CACHE_TOUCH | CACHE_COUNT, &view);
}

static bool del(struct call *call, const struct cache_key *key)
{
    if (!cache_remove(&call->tx, call->session->db, key))
        return false;
    call_changed(call, key, CHANGE_GENERIC, "del");
    return true;
}

enum command_result cmd_mget(struct call *call)
{
    struct progress progress = {.next = 1};
    if (!call->state)
        reply_array(&call->reply, call->argc - 1);
    return serve_keys(call, &progress, get);
}

enum command_result cmd_exists(struct call *call)
{
    return count_keys(call, exists);
}

enum command_result cmd_touch(struct call *call)
{
    return count_keys(call, touch);
}

enum command_result cmd_del(struct call *call)
{
    return count_keys(call, del);
}

/* ----------------------------------------------------------- all at once */

struct pair {
    const struct arg *value;
    struct cache_blob *blob;
};

struct pairs {
    struct cache_key *keys;
    struct pair *pairs;
    size_t count;
};

static struct cache_write write_of(const struct pair *pair)
{
    return (struct cache_write){.type = CACHE_STRING,
                                .value = pair->value->ptr,
                                .len = pair->value->len,
                                .blob = pair->blob};
}

/* Sets aside what storing them will take.  False: no room. */
static bool provide(struct call *call, struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        struct pair *pair = &pairs->pairs[i];
        if (pair->value->len > CACHE_INLINE_MAX) {
            pair->blob = call_blob_of(call, pair->value->ptr, pair->value->len);
            if (!pair->blob)
                return false;
        }
        struct cache_write write = write_of(pair);
        if (!cache_provide(&call->tx, pairs->keys[i].len, &write))
            return false;
    }
    return true;
}

static bool none_exists(struct call *call, const struct pairs *pairs)
{
    struct cache_view view;
    for (size_t i = 0; i < pairs->count; i++)
        if (call_find_key(call, &pairs->keys[i], 0, &view))
            return false;
    return true;
}

/* Everything was set aside and the index is ready, so no put can fail. */
static void put_pairs(struct call *call, struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        struct cache_write write = write_of(&pairs->pairs[i]);
        enum cache_result result =
            cache_put(&call->tx, call->session->db, &pairs->keys[i], &write);
        assert(result == CACHE_OK);
        (void)result;
        pairs->pairs[i].blob = NULL;
        call_changed(call, &pairs->keys[i], CHANGE_STRING, "set");
    }
}

/* All or nothing: *stored is false if a key existed and that was not wanted. */
static enum command_result store_pairs(struct call *call, struct pairs *pairs,
                                       bool must_be_new, bool *stored)
{
    bool done = false;
    *stored = false;
    cache_tx_init(&call->tx, call->server->cache, call->now_ms);
    bool room = provide(call, pairs);
    while (room && !done) {
        cache_begin_again(&call->tx, pairs->keys, pairs->count);
        done = must_be_new && !none_exists(call, pairs);
        if (!done &&
            cache_ready(&call->tx, pairs->keys, pairs->count) == CACHE_OK) {
            put_pairs(call, pairs);
            done = *stored = true;
        }
        cache_end(&call->tx);
        if (!done)
            room = timing_make_room(call);
    }
    cache_tx_close(&call->tx);
    return room ? COMMAND_DONE : COMMAND_NO_ROOM;
}

static enum command_result store_all(struct call *call, bool must_be_new,
                                     bool *stored)
{
    struct cache_key some_keys[STACK_PAIRS];
    struct pair some_pairs[STACK_PAIRS];
    struct pairs pairs = {some_keys, some_pairs, (call->argc - 1) / 2};
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
        pairs.keys[i] = call_key_of(call, 1 + 2 * i);
        pairs.pairs[i] = (struct pair){.value = &call->argv[2 + 2 * i]};
    }
    prefetch(call, pairs.keys, pairs.count);
    enum command_result result = store_pairs(call, &pairs, must_be_new, stored);
    for (size_t i = 0; i < pairs.count; i++)
        cache_blob_free(pairs.pairs[i].blob);
    free(memory);
    return result;
}

/* False: an error was replied. */
static bool check_pairs(struct call *call)
{
    if (call->argc % 2 == 0) {
        reply_errorf(&call->reply,
                     "ERR wrong number of arguments for '%s' command",
                     call->command->name);
        return false;
    }
    if (call->argc / 2 > CALL_ATOMIC_KEYS) {
        reply_errorf(&call->reply,
                     "ERR too many keys for one '%s' command, at most %d",
                     call->command->name, CALL_ATOMIC_KEYS);
        return false;
    }
    return true;
}

enum command_result cmd_mset(struct call *call)
{
    bool stored;
    if (!check_pairs(call))
        return COMMAND_DONE;
    enum command_result result = store_all(call, false, &stored);
    if (result == COMMAND_DONE)
        reply_ok(&call->reply);
    return result;
}

enum command_result cmd_msetnx(struct call *call)
{
    bool stored;
    if (!check_pairs(call))
        return COMMAND_DONE;
    enum command_result result = store_all(call, true, &stored);
    if (result == COMMAND_DONE)
        reply_int(&call->reply, stored);
    return result;
}
