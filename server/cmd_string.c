/* SPDX-License-Identifier: BSD-3-Clause */

/* Commands that store a whole value or return one. */

#include "call.h"

#include "changes.h"
#include "comparison.h"
#include "expire.h"

/* What SET and its kind are asked for beyond the value. */
struct demand {
    bool must_be_new, must_exist, get, keep_expiry;
    struct comparison compare;
    int64_t expires_at_ms; /* 0: never */
};

enum stored {
    STORED,
    FORBIDDEN, /* by a condition of the demand */
    REPLIED,   /* stored or not: with the old value, or an error */
};

/* What the demand says of what is there (NULL: nothing is).  COMMAND_DONE: see
 * *stored, which is STORED if it may be. */
static enum command_result judge(struct call *call, const struct demand *demand,
                                 const struct cache_view *view,
                                 enum stored *stored)
{
    bool allowed =
        !(demand->must_be_new && view) && !(demand->must_exist && !view);
    *stored = allowed ? STORED : FORBIDDEN;
    if (demand->compare.kind == COMPARE_NOTHING)
        return COMMAND_DONE;
    if (!view) {
        *stored = comparison_of_nothing(&demand->compare) ? STORED : FORBIDDEN;
        return COMMAND_DONE;
    }
    switch (comparison_of(call, &demand->compare, view)) {
    case COMPARED_LOOK:
        return COMMAND_LOOK;
    case COMPARED_REFUSED:
        *stored = REPLIED;
        return COMMAND_DONE;
    case COMPARED_FAILS:
        *stored = FORBIDDEN;
        return COMMAND_DONE;
    default:
        return COMMAND_DONE;
    }
}

/* Puts it there, and tells who listens. */
static enum command_result put(struct call *call, const struct demand *demand,
                               const struct cache_write *write)
{
    if (write->expires_at_ms && write->expires_at_ms <= call->now_ms) {
        bool is_new = call_is_new(call, &call->key);
        cache_remove(&call->tx, call->session->db, &call->key);
        if (is_new)
            call_changed(call, &call->key, CHANGE_NEW, "new");
        call_changed(call, &call->key, CHANGE_STRING, "set");
        call_changed(call, &call->key, CHANGE_GENERIC, "expire");
        call_changed(call, &call->key, CHANGE_EXPIRED, "expired");
        return COMMAND_DONE;
    }
    enum command_result result = call_put(call, write);
    if (result != COMMAND_DONE)
        return result;
    call_changed(call, &call->key, CHANGE_STRING, "set");
    if (demand->expires_at_ms)
        call_changed(call, &call->key, CHANGE_GENERIC, "expire");
    return COMMAND_DONE;
}

/* Stores the row's value argument.  With `get` the reply is the old value, or
 * null. */
static enum command_result store(struct call *call, const struct demand *demand,
                                 enum stored *stored)
{
    struct cache_write write = {.type = CACHE_STRING,
                                .expires_at_ms = demand->expires_at_ms};
    struct cache_view view;
    struct call_kept kept;
    bool found = false;
    *stored = REPLIED;
    if (demand->get || demand->compare.kind != COMPARE_NOTHING) {
        if (!call_find_string(call, demand->get ? CACHE_COUNT : 0, &view,
                              &found))
            return COMMAND_DONE;
    } else if (demand->must_be_new || demand->must_exist ||
               demand->keep_expiry) {
        found = call_find(call, 0, &view);
    }
    enum command_result result =
        judge(call, demand, found ? &view : NULL, stored);
    if (result != COMMAND_DONE || *stored == REPLIED)
        return result;
    if (*stored == STORED && !call_value(call, &write))
        return COMMAND_LONG;
    if (demand->keep_expiry && found)
        write.expires_at_ms = view.expires_at_ms;
    if (demand->get && found)
        call_keep_value(call, &view, &kept);
    else if (demand->get)
        reply_null(&call->reply);
    if (*stored == STORED)
        result = put(call, demand, &write);
    if (result != COMMAND_DONE || !demand->get)
        return result;
    call_send_kept(call, &kept);
    *stored = REPLIED;
    return COMMAND_DONE;
}

static enum command_result store_ok(struct call *call,
                                    const struct demand *demand)
{
    enum stored stored;
    enum command_result result = store(call, demand, &stored);
    if (result == COMMAND_DONE && stored == STORED)
        reply_ok(&call->reply);
    else if (result == COMMAND_DONE && stored == FORBIDDEN)
        reply_null(&call->reply);
    return result;
}

/* The options behind `SET key value`.  False: an error was replied. */
static bool parse_set(struct call *call, struct demand *demand)
{
    struct expire_option expiry = {0};
    for (size_t i = 3; i < call->argc; i++) {
        const struct arg *arg = &call->argv[i];
        bool compares = demand->compare.kind != COMPARE_NOTHING;
        if (arg_is(arg, "nx") && !demand->must_exist && !compares) {
            demand->must_be_new = true;
        } else if (arg_is(arg, "xx") && !demand->must_be_new && !compares) {
            demand->must_exist = true;
        } else if (arg_is(arg, "get")) {
            demand->get = true;
        } else if (arg_is(arg, "keepttl") && !expiry.word) {
            demand->keep_expiry = true;
        } else if (!demand->must_be_new && !demand->must_exist &&
                   comparison_option(call, &i, &demand->compare)) {
            continue;
        } else if (demand->keep_expiry || !expire_option(call, &i, &expiry)) {
            reply_error(&call->reply, ERROR_SYNTAX);
            return false;
        }
    }
    return !expiry.word ||
           expire_option_value(call, &expiry, &demand->expires_at_ms);
}

enum command_result cmd_set(struct call *call)
{
    struct demand demand = {0};
    if (call->argc > 3 && !parse_set(call, &demand))
        return COMMAND_DONE;
    return store_ok(call, &demand);
}

enum command_result cmd_setnx(struct call *call)
{
    struct demand demand = {.must_be_new = true};
    enum stored stored;
    enum command_result result = store(call, &demand, &stored);
    if (result == COMMAND_DONE)
        reply_int(&call->reply, stored == STORED);
    return result;
}

static enum command_result store_for(struct call *call, enum expire_unit unit)
{
    struct demand demand = {0};
    struct expire_option expiry = {.word = "ex", .unit = unit, .arg = 2};
    if (!expire_option_value(call, &expiry, &demand.expires_at_ms))
        return COMMAND_DONE;
    return store_ok(call, &demand);
}

enum command_result cmd_setex(struct call *call)
{
    return store_for(call, EXPIRE_SECONDS);
}

enum command_result cmd_psetex(struct call *call)
{
    return store_for(call, EXPIRE_MILLISECONDS);
}

enum command_result cmd_getset(struct call *call)
{
    struct demand demand = {.get = true};
    return store_ok(call, &demand);
}

/* --------------------------------------------------------------- reading */

enum command_result cmd_get(struct call *call)
{
    struct cache_view view;
    if (call_need_string(call, CACHE_TOUCH | CACHE_COUNT, &view))
        call_reply_value(call, &view);
    return COMMAND_DONE;
}

enum command_result cmd_getdel(struct call *call)
{
    struct cache_view view;
    if (!call_need_string(call, CACHE_COUNT, &view))
        return COMMAND_DONE;
    call_reply_value(call, &view);
    cache_remove(&call->tx, call->session->db, &call->key);
    call_changed(call, &call->key, CHANGE_GENERIC, "del");
    return COMMAND_DONE;
}

enum command_result cmd_strlen(struct call *call)
{
    struct cache_view view;
    bool found;
    if (call_find_string(call, CACHE_TOUCH | CACHE_COUNT, &view, &found))
        reply_int(&call->reply, found ? (int64_t)view.len : 0);
    return COMMAND_DONE;
}

/* The options behind `GETEX key`.  False: an error was replied. */
static bool parse_getex(struct call *call, struct expire_option *expiry,
                        bool *persist)
{
    for (size_t i = 2; i < call->argc; i++) {
        if (arg_is(&call->argv[i], "persist") && !expiry->word) {
            *persist = true;
        } else if (*persist || !expire_option(call, &i, expiry)) {
            reply_error(&call->reply, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

enum command_result cmd_getex(struct call *call)
{
    struct expire_option expiry = {0};
    bool persist = false;
    if (!parse_getex(call, &expiry, &persist))
        return COMMAND_DONE;
    struct cache_view view;
    if (!call_need_string(call, CACHE_TOUCH | CACHE_COUNT, &view))
        return COMMAND_DONE;
    int64_t expires_at_ms = 0;
    if (expiry.word && !expire_option_value(call, &expiry, &expires_at_ms))
        return COMMAND_DONE;
    struct call_kept kept;
    call_keep_value(call, &view, &kept);
    if (expires_at_ms && expires_at_ms <= call->now_ms) {
        cache_remove(&call->tx, call->session->db, &call->key);
        call_changed(call, &call->key, CHANGE_GENERIC, "del");
    } else if (expiry.word || (persist && view.expires_at_ms)) {
        if (cache_set_expiry(&call->tx, call->session->db, &call->key,
                             expires_at_ms) == CACHE_NO_ROOM)
            return COMMAND_NO_ROOM;
        call_changed(call, &call->key, CHANGE_GENERIC,
                     expiry.word ? "expire" : "persist");
    }
    call_send_kept(call, &kept);
    return COMMAND_DONE;
}
