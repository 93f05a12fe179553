/* SPDX-License-Identifier: BSD-3-Clause */

/* INCRBYFLOAT. */

#include "call_edit.h"

#include <math.h>

#include "changes.h"

static bool plan(struct call *call, const struct cache_view *old,
                 struct call_edit *edit)
{
    long double value = 0, step;
    const struct arg *arg = &call->argv[2];
    if ((old && !call_float_of(old, &value)) ||
        !text_to_float(arg->ptr, arg->len, &step)) {
        call_error(call, ERROR_NOT_FLOAT);
        return false;
    }
    value += step;
    if (isnan(value) || isinf(value)) {
        call_error(call, "ERR increment would produce NaN or Infinity");
        return false;
    }
    call_edit_add(edit,
                  (struct call_part){.from = CALL_TEXT,
                                     .text = edit->text,
                                     .len = text_of_float(value, edit->text)});
    return true;
}

static void stored(struct call *call, const struct call_edit *edit)
{
    call_changed(call, &call->key, CHANGE_STRING, "incrbyfloat");
    reply_bulk(&call->reply, edit->text, edit->len);
}

enum command_result cmd_incrbyfloat(struct call *call)
{
    static const struct call_editor incrbyfloat = {plan, stored};
    return call_edit(call, &incrbyfloat, NULL);
}
