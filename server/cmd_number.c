/* SPDX-License-Identifier: BSD-3-Clause */

/* Commands on values that are numbers. */

#include "call.h"
#include "changes.h"

bool call_int_of(const struct cache_view *view, int64_t *number)
{
    return view->len < TEXT_INT_MAX && !cache_view_is_long(view) &&
           text_to_int(view->bytes, view->len, number);
}

bool call_float_of(const struct cache_view *view, long double *number)
{
    char text[TEXT_FLOAT_MAX];
    if (view->len >= sizeof text)
        return false;
    cache_view_copy(view, 0, text, view->len);
    return text_to_float(text, view->len, number);
}

static enum command_result add(struct call *call, int64_t step)
{
    struct cache_view view;
    struct cache_write write = {.type = CACHE_STRING};
    int64_t number = 0;
    bool found;
    if (!call_find_string(call, 0, &view, &found))
        return COMMAND_DONE;
    if (found) {
        if (!call_int_of(&view, &number))
            return call_error(call, ERROR_NOT_INT);
        write.expires_at_ms = view.expires_at_ms;
    }
    if (__builtin_add_overflow(number, step, &number))
        return call_error(call, "ERR increment or decrement would overflow");
    char digits[TEXT_INT_MAX];
    write.value = digits;
    write.len = text_of_int(number, digits);
    enum command_result result = call_put(call, &write);
    if (result != COMMAND_DONE)
        return result;
    call_changed(call, &call->key, CHANGE_STRING, "incrby");
    reply_int(&call->reply, number);
    return COMMAND_DONE;
}

enum command_result cmd_incr(struct call *call)
{
    return add(call, 1);
}

enum command_result cmd_decr(struct call *call)
{
    return add(call, -1);
}

enum command_result cmd_incrby(struct call *call)
{
    int64_t step;
    return call_int(call, 2, &step) ? add(call, step) : COMMAND_DONE;
}

enum command_result cmd_decrby(struct call *call)
{
    int64_t step;
    if (!call_int(call, 2, &step))
        return COMMAND_DONE;
    if (step == INT64_MIN)
        return call_error(call, "ERR decrement would overflow");
    return add(call, -step);
}
