/* SPDX-License-Identifier: BSD-3-Clause */
/* Changing hashes. */

#include "hash_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "timing.h"

/* How one transaction ended. */
enum outcome {
    STORED,  /* or there was nothing to change */
    REFUSED, /* an error was replied */
    NO_ROOM,
    MAKING, /* the new hash is to be made */
    STALE,  /* it was, and the old one has changed since */
};

/* ----------------------------------------------------------- transactions */

/* Without fields there is no hash. */
static enum outcome remove_key(struct call *call, const struct hash_edit *edit)
{
    cache_remove(&call->tx, call->session->db, &call->key);
    call_changed(call, &call->key, CHANGE_HASH, edit->verb->event);
    call_changed(call, &call->key, CHANGE_GENERIC, "del");
    return STORED;
}

static enum outcome put(struct call *call, const struct hash_edit *edit,
                        const struct cache_write *write)
{
    if (call_put(call, write) != COMMAND_DONE)
        return NO_ROOM;
    call_changed(call, &call->key, CHANGE_HASH, edit->verb->event);
    return STORED;
}

static enum outcome put_short(struct call *call, const struct hash_edit *edit,
                              const struct cache_view *old)
{
    char value[CACHE_INLINE_MAX];
    hash_edit_build(edit, old->bytes, value);
    struct cache_write write = {.type = CACHE_HASH,
                                .value = value,
                                .len = edit->len,
                                .expires_at_ms = old->expires_at_ms};
    return put(call, edit, &write);
}

/* With the transaction open. */
static enum outcome attempt(struct call *call, struct hash_edit *edit)
{
    struct cache_view view = {0};
    bool found;
    if (!call_find_typed(call, &call->key, CACHE_HASH, 0, &view, &found))
        return REFUSED;
    if (found && cache_view_is_long(&view)) {
        call_make_begin(call, &view, NULL, 0);
        return MAKING;
    }
    struct packed old = packed_of(view.bytes, view.len);
    const char *error = hash_edit_plan(edit, found ? &old : NULL);
    if (error) {
        reply_error(&call->reply, error);
        return REFUSED;
    }
    if (!edit->changes)
        return STORED;
    if (edit->fields == 0)
        return remove_key(call, edit);
    if (edit->len <= CACHE_INLINE_MAX)
        return put_short(call, edit, &view);
    call_make_begin(call, found ? &view : NULL, NULL, 0);
    return MAKING;
}

/* With the transaction open, after all of it was made. */
static enum outcome put_made(struct call *call, const struct hash_edit *edit)
{
    struct cache_view view = {0};
    bool found = call_find(call, 0, &view);
    if ((found && view.type != CACHE_HASH) ||
        !call_make_current(call, found ? &view : NULL))
        return STALE;
    if (edit->fields == 0)
        return remove_key(call, edit);
    struct cache_write write = {.type = CACHE_HASH,
                                .blob = call_make_value(call),
                                .expires_at_ms = view.expires_at_ms};
    enum outcome outcome = put(call, edit, &write);
    if (outcome == STORED)
        call_make_stored(call);
    return outcome;
}

static enum outcome transact(struct call *call, struct hash_edit *edit,
                             bool made)
{
    enum outcome outcome;
    call->key = call_key_of(call, 1);
    cache_begin(&call->tx, call->server->cache, call->now_ms, &call->key, 1);
    for (;;) {
        outcome = made ? put_made(call, edit) : attempt(call, edit);
        cache_end(&call->tx);
        if (outcome != NO_ROOM || !timing_make_room(call))
            break;
        cache_begin_again(&call->tx, &call->key, 1);
    }
    cache_tx_close(&call->tx);
    return outcome;
}

/* ----------------------------------------------------------------- making */

static void free_plan(void *plan)
{
    hash_edit_free(plan);
    free(plan);
}

/* From the old hash as it was.  False: that was an error, which was replied, or
 * nothing is to be changed. */
static bool plan(struct call *call, struct hash_edit *edit)
{
    struct call_reader reader = call_reader(call_make_old(call));
    struct packed old = hash_packed(&reader);
    const char *error = hash_edit_plan(edit, reader.old->absent ? NULL : &old);
    if (error)
        reply_error(&call->reply, error);
    else if (!edit->changes)
        edit->verb->reply(call, edit);
    else
        call_make_parts(call, hash_edit_parts(edit), edit->part_count);
    return !error && edit->changes;
}

static enum command_result make(struct call *call)
{
    struct hash_edit *edit = call_make_planned(call);
    if (edit->fields > 0) {
        enum command_result result = call_make_go_on(call);
        if (result != COMMAND_DONE)
            return result;
    }
    switch (transact(call, edit, true)) {
    case STORED:
        edit->verb->reply(call, edit);
        return COMMAND_DONE;
    case STALE:
        call_make_forget(call);
        return COMMAND_AGAIN;
    default:
        return COMMAND_NO_ROOM;
    }
}

static enum command_result begin_making(struct call *call,
                                        struct hash_edit *edit)
{
    struct hash_edit *kept = malloc(sizeof *kept);
    if (!kept)
        abort();
    *kept = *edit;
    call_make_plan(call, kept, free_plan);
    return plan(call, kept) ? make(call) : COMMAND_DONE;
}

enum command_result hash_store(struct call *call, const struct hash_verb *verb)
{
    struct hash_edit edit;
    if (call_make_begun(call))
        return make(call);
    if (!hash_edit_init(&edit, call, verb))
        return COMMAND_DONE;
    enum outcome outcome = transact(call, &edit, false);
    if (outcome == MAKING)
        return begin_making(call, &edit);
    if (outcome == STORED)
        verb->reply(call, &edit);
    hash_edit_free(&edit);
    return outcome == NO_ROOM ? COMMAND_NO_ROOM : COMMAND_DONE;
}
