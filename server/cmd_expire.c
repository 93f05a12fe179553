/* SPDX-License-Identifier: BSD-3-Clause */

/* Commands about when keys expire. */

#include "call.h"

#include "changes.h"
#include "expire.h"

/* --------------------------------------------------------------- options */

// clang-format off
static const struct expire_option words[] = {
    {"ex",   EXPIRE_SECONDS,      false, 0},
    {"px",   EXPIRE_MILLISECONDS, false, 0},
    {"exat", EXPIRE_SECONDS,      true,  0},
    {"pxat", EXPIRE_MILLISECONDS, true,  0},
};
// clang-format on

bool expire_option(struct call *call, size_t *i, struct expire_option *option)
{
    if (*i + 1 >= call->argc)
        return false;
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (!arg_is(&call->argv[*i], words[k].word))
            continue;
        if (option->word && option->word != words[k].word)
            return false;
        *option = words[k];
        option->arg = ++*i;
        return true;
    }
    return false;
}

bool expire_option_value(struct call *call, const struct expire_option *option,
                         int64_t *expires_at_ms)
{
    int64_t value;
    if (!call_int(call, option->arg, &value))
        return false;
    bool seconds = option->unit == EXPIRE_SECONDS;
    int64_t base_ms = option->absolute ? 0 : call->now_ms;
    if (value <= 0 || (seconds && value > INT64_MAX / 1000) ||
        (seconds ? value * 1000 : value) > INT64_MAX - base_ms) {
        call_error_expire(call);
        return false;
    }
    *expires_at_ms = base_ms + (seconds ? value * 1000 : value);
    return true;
}

/* --------------------------------------------------------------- EXPIRE */

struct condition {
    bool is_new, exists, greater, less;
};

/* False: an error was replied. */
static bool parse_condition(struct call *call, struct condition *when)
{
    for (size_t i = 3; i < call->argc; i++) {
        const struct arg *arg = &call->argv[i];
        if (arg_is(arg, "nx")) {
            when->is_new = true;
        } else if (arg_is(arg, "xx")) {
            when->exists = true;
        } else if (arg_is(arg, "gt")) {
            when->greater = true;
        } else if (arg_is(arg, "lt")) {
            when->less = true;
        } else {
            reply_errorf(&call->reply, "ERR Unsupported option %.*s",
                         (int)(arg->len < LIMIT_ERROR_ECHO ? arg->len
                                                           : LIMIT_ERROR_ECHO),
                         arg->ptr);
            return false;
        }
    }
    if (when->is_new && (when->exists || when->greater || when->less)) {
        reply_error(&call->reply, "ERR NX and XX, GT or LT options at the same "
                                  "time are not compatible");
        return false;
    }
    if (when->greater && when->less) {
        reply_error(&call->reply, "ERR GT and LT options at the same time are "
                                  "not compatible");
        return false;
    }
    return true;
}

/* A key that never expires counts as one that expires last of all. */
static bool holds(const struct condition *when, int64_t old_ms, int64_t new_ms)
{
    if ((when->is_new && old_ms) || (when->exists && !old_ms))
        return false;
    if (when->greater && (!old_ms || new_ms <= old_ms))
        return false;
    return !(when->less && old_ms && new_ms >= old_ms);
}

static enum command_result set(struct call *call, int64_t base_ms,
                               enum expire_unit unit)
{
    struct condition when = {0};
    int64_t at_ms;
    if (!parse_condition(call, &when) || !call_int(call, 2, &at_ms))
        return COMMAND_DONE;
    if (unit == EXPIRE_SECONDS) {
        if (at_ms > INT64_MAX / 1000 || at_ms < INT64_MIN / 1000)
            return call_error_expire(call);
        at_ms *= 1000;
    }
    if (at_ms > INT64_MAX - base_ms)
        return call_error_expire(call);
    at_ms += base_ms;

    struct cache_view view;
    bool done = call_find(call, CACHE_TOUCH, &view) &&
                holds(&when, view.expires_at_ms, at_ms);
    if (done && at_ms <= call->now_ms) {
        cache_remove(&call->tx, call->session->db, &call->key);
        call_changed(call, &call->key, CHANGE_GENERIC, "del");
    } else if (done) {
        if (cache_set_expiry(&call->tx, call->session->db, &call->key, at_ms) ==
            CACHE_NO_ROOM)
            return COMMAND_NO_ROOM;
        call_changed(call, &call->key, CHANGE_GENERIC, "expire");
    }
    reply_int(&call->reply, done);
    return COMMAND_DONE;
}

enum command_result cmd_persist(struct call *call)
{
    struct cache_view view;
    bool done = call_find(call, CACHE_TOUCH, &view) && view.expires_at_ms != 0;
    if (done && cache_set_expiry(&call->tx, call->session->db, &call->key, 0) ==
                    CACHE_NO_ROOM)
        return COMMAND_NO_ROOM;
    if (done)
        call_changed(call, &call->key, CHANGE_GENERIC, "persist");
    reply_int(&call->reply, done);
    return COMMAND_DONE;
}

/* ------------------------------------------------------------------- TTL */

static enum command_result tell(struct call *call, int64_t base_ms,
                                enum expire_unit unit)
{
    enum { NO_KEY = -2, NEVER = -1 };
    struct cache_view view;
    int64_t answer;
    if (!call_find(call, CACHE_COUNT, &view)) {
        answer = NO_KEY;
    } else if (!view.expires_at_ms) {
        answer = NEVER;
    } else {
        int64_t ms = view.expires_at_ms - base_ms;
        answer = unit == EXPIRE_SECONDS ? ms / 1000 + (ms % 1000 >= 500) : ms;
    }
    reply_int(&call->reply, answer);
    return COMMAND_DONE;
}

/* ------------------------------------------------------------ the commands */

// clang-format off
/* Times are from now on, or of the clock; in seconds or milliseconds. */
#define TIMES(X)                                                              \
    X(expire,      set,  call->now_ms, EXPIRE_SECONDS)                        \
    X(pexpire,     set,  call->now_ms, EXPIRE_MILLISECONDS)                   \
    X(expireat,    set,  0,            EXPIRE_SECONDS)                        \
    X(pexpireat,   set,  0,            EXPIRE_MILLISECONDS)                   \
    X(ttl,         tell, call->now_ms, EXPIRE_SECONDS)                        \
    X(pttl,        tell, call->now_ms, EXPIRE_MILLISECONDS)                   \
    X(expiretime,  tell, 0,            EXPIRE_SECONDS)                        \
    X(pexpiretime, tell, 0,            EXPIRE_MILLISECONDS)
// clang-format on

#define X(name, run, base_ms, unit)                                            \
    enum command_result cmd_##name(struct call *call)                          \
    {                                                                          \
        return run(call, base_ms, unit);                                       \
    }
TIMES(X)
#undef X
