/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * RENAME, RENAMENX, MOVE and COPY: an entry gets another key, or a copy of it
 * does, perhaps in another database.  Both keys are locked.  A long value that
 * is renamed keeps its pieces; of one that is copied a new one is made, as
 * call_make.h tells.
 */

#include "call.h"

#include <string.h>

#include "call_make.h"
#include "changes.h"
#include "timing.h"

enum outcome {
    FINISHED,
    NO_SOURCE,
    TARGET_EXISTS,
    NO_ROOM,
    MAKING, /* a copy is to be made */
    STALE,  /* it was, and the source has changed since */
};

struct transfer {
    struct cache_key from, to;
    unsigned from_db, to_db;
    bool copies, replaces;
};

static bool is_same(const struct transfer *t)
{
    return t->from_db == t->to_db && t->from.len == t->to.len &&
           memcmp(t->from.ptr, t->to.ptr, t->to.len) == 0;
}

/* ----------------------------------------------------------- transactions */

static enum outcome store_copy(struct call *call, const struct transfer *t,
                               const struct cache_view *view)
{
    struct cache_write write = {.type = view->type,
                                .value = view->bytes,
                                .len = view->len,
                                .expires_at_ms = view->expires_at_ms};
    if (cache_view_is_long(view)) {
        if (!call_make_begun(call)) {
            struct call_part whole = {.from = CALL_OLD, .len = view->len};
            call_make_begin(call, view, &whole, 1);
            return MAKING;
        }
        if (!call_make_current(call, view))
            return STALE;
        write.blob = call_make_value(call);
    }
    if (cache_put(&call->tx, t->to_db, &t->to, &write) != CACHE_OK)
        return NO_ROOM;
    if (write.blob)
        call_make_stored(call);
    return FINISHED;
}

/* With both keys locked. */
static enum outcome attempt(struct call *call, const struct transfer *t)
{
    struct cache_view view, target;
    if (!cache_find(&call->tx, t->from_db, &t->from, 0, &view)) {
        if (t->copies)
            call_changed_in(call, t->from_db, &t->from, CHANGE_MISSED,
                            "keymiss");
        return NO_SOURCE;
    }
    if (is_same(t))
        return TARGET_EXISTS;
    if (cache_find(&call->tx, t->to_db, &t->to, 0, &target) && !t->replaces)
        return TARGET_EXISTS;
    /* That look may have dropped an entry, but not this one. */
    if (t->copies)
        return store_copy(call, t, &view);
    enum cache_result result =
        cache_rename(&call->tx, t->from_db, &t->from, t->to_db, &t->to);
    return result == CACHE_OK ? FINISHED : NO_ROOM;
}

/* Tells who listens; `events` of the source and of the target. */
static void tell(struct call *call, const struct transfer *t,
                 const char *const events[2])
{
    call_changed_in(call, t->to_db, &t->to, CHANGE_NEW, "new");
    if (events[0])
        call_changed_in(call, t->from_db, &t->from, CHANGE_GENERIC, events[0]);
    call_changed_in(call, t->to_db, &t->to, CHANGE_GENERIC, events[1]);
}

static enum outcome transact(struct call *call, const struct transfer *t,
                             const char *const events[2])
{
    const struct cache_key keys[] = {t->from, t->to};
    enum outcome outcome;
    cache_begin(&call->tx, call->server->cache, call->now_ms, keys, 2);
    for (;;) {
        outcome = attempt(call, t);
        if (outcome == FINISHED)
            tell(call, t, events);
        cache_end(&call->tx);
        if (outcome == NO_ROOM && !timing_make_room(call))
            break;
        if (outcome == MAKING && !call_make_slice(call))
            outcome = NO_ROOM;
        if (outcome != NO_ROOM && !(outcome == MAKING && call_make_done(call)))
            break;
        cache_begin_again(&call->tx, keys, 2);
    }
    cache_tx_close(&call->tx);
    return outcome;
}

/* COMMAND_DONE: *outcome is one of the first three. */
static enum command_result transfer(struct call *call, const struct transfer *t,
                                    const char *const events[2],
                                    enum outcome *outcome)
{
    enum command_result result = call_make_go_on(call);
    if (result != COMMAND_DONE)
        return result;
    *outcome = transact(call, t, events);
    switch (*outcome) {
    case NO_ROOM:
        return COMMAND_NO_ROOM;
    case STALE:
        call_make_forget(call);
        return COMMAND_AGAIN;
    case MAKING:
        return COMMAND_AGAIN;
    default:
        return COMMAND_DONE;
    }
}

/* ------------------------------------------------------------ the commands */

/* RENAME has no answer of its own if the target is the source. */
static enum command_result rename_key(struct call *call, bool replaces)
{
    static const char *const events[] = {"rename_from", "rename_to"};
    struct transfer t = {.from = call_key_of(call, 1),
                         .to = call_key_of(call, 2),
                         .from_db = call->session->db,
                         .to_db = call->session->db,
                         .replaces = replaces};
    enum outcome outcome;
    enum command_result result = transfer(call, &t, events, &outcome);
    if (result != COMMAND_DONE)
        return result;
    if (outcome == NO_SOURCE)
        return call_error(call, "ERR no such key");
    if (replaces)
        reply_ok(&call->reply);
    else
        reply_int(&call->reply, outcome == FINISHED);
    return COMMAND_DONE;
}

enum command_result cmd_rename(struct call *call)
{
    return rename_key(call, true);
}

enum command_result cmd_renamenx(struct call *call)
{
    return rename_key(call, false);
}

static enum command_result transfer_or_not(struct call *call,
                                           const struct transfer *t,
                                           const char *const events[2])
{
    enum outcome outcome;
    if (is_same(t))
        return call_error(call,
                          "ERR source and destination objects are the same");
    enum command_result result = transfer(call, t, events, &outcome);
    if (result == COMMAND_DONE)
        reply_int(&call->reply, outcome == FINISHED);
    return result;
}

enum command_result cmd_move(struct call *call)
{
    static const char *const events[] = {"move_from", "move_to"};
    struct transfer t = {.from = call_key_of(call, 1),
                         .to = call_key_of(call, 1),
                         .from_db = call->session->db};
    if (!call_database(call, 2, &t.to_db))
        return COMMAND_DONE;
    return transfer_or_not(call, &t, events);
}

enum command_result cmd_copy(struct call *call)
{
    static const char *const events[] = {NULL, "copy_to"};
    struct transfer t = {.from = call_key_of(call, 1),
                         .to = call_key_of(call, 2),
                         .from_db = call->session->db,
                         .to_db = call->session->db,
                         .copies = true};
    for (size_t i = 3; i < call->argc; i++) {
        if (arg_is(&call->argv[i], "replace"))
            t.replaces = true;
        else if (!arg_is(&call->argv[i], "db") || i + 1 == call->argc)
            return call_error(call, ERROR_SYNTAX);
        else if (!call_database(call, ++i, &t.to_db))
            return COMMAND_DONE;
    }
    return transfer_or_not(call, &t, events);
}
