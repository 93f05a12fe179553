/* SPDX-License-Identifier: BSD-3-Clause */

/* APPEND. */

#include "call_edit.h"

#include "changes.h"

static bool plan(struct call *call, const struct cache_view *old,
                 struct call_edit *edit)
{
    size_t added = call->argv[2].len;
    if (old && added == 0) { /* Redis tells of it all the same */
        call_changed(call, &call->key, CHANGE_STRING, "append");
        reply_int(&call->reply, (int64_t)old->len);
        return false;
    }
    if (old)
        call_edit_add(edit,
                      (struct call_part){.from = CALL_OLD, .len = old->len});
    call_edit_add(edit,
                  (struct call_part){.from = CALL_ARGUMENT, .len = added});
    return true;
}

static void stored(struct call *call, const struct call_edit *edit)
{
    call_changed(call, &call->key, CHANGE_STRING, "append");
    reply_int(&call->reply, (int64_t)edit->len);
}

enum command_result cmd_append(struct call *call)
{
    static const struct call_editor append = {plan, stored};
    return call_edit(call, &append, NULL);
}
