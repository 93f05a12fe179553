/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Commands that read or remove many keys, which nobody sees half done:
 *
 *   up to CALL_SLICE_KEYS    one transaction
 *   up to CALL_ATOMIC_KEYS   several, with the gate closed
 *   more                     several, and others have a turn between
 *
 * Those that store are in cmd_mset.c.
 */

#include "call.h"

#include <assert.h>
#include <stdlib.h>

#include "changes.h"
#include "conn.h"
#include "timing.h"
#include "tracking.h"

enum { SLICE_BYTES = 256 * 1024 }; /* of replies in one slice of MGET */

/* ------------------------------------------------------------- in slices */

struct progress {
    size_t next;   /* argument */
    size_t seen;   /* it was there before: its hits are counted */
    int64_t count; /* keys there were */
};

/* Serves one key under the transaction; true counts it. */
typedef bool serve_key(struct call *call, const struct cache_key *key);

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
    cache_begin(&call->tx, call->server->cache, call->now_ms, keys, count);
    for (size_t i = 0; i < count; i++) {
        if (i % CALL_AHEAD == 0)
            call_prefetch(call, keys + i, less_of(count - i, CALL_AHEAD));
        call->rerun = progress->next < progress->seen;
        progress->count += serve(call, &keys[i]);
        progress->next++;
        if (call_replied(call) > before + most)
            break;
    }
    cache_end(&call->tx);
}

/* As far as the reply may grow.  Pinned values hardly take room. */
static void serve_alone(struct call *call, struct progress *progress,
                        serve_key *serve)
{
    size_t before = call_replied(call), room = conn_room(call->conn);
    size_t least = room > CALL_ATOMIC_BYTES ? room - CALL_ATOMIC_BYTES : 0;
    call_close_gate(call);
    do
        serve_slice(call, progress, serve);
    while (progress->next < call->argc &&
           (call_replied(call) == before || conn_room(call->conn) > least));
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
    bool found = cache_find(&call->tx, call->session->db, key,
                            CACHE_TOUCH | CACHE_COUNT, &view);
    if (call->session->tracker)
        tracking_remember(call, key);
    if (!found)
        call_changed(call, key, CHANGE_MISSED, "keymiss");
    return found;
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
