/* SPDX-License-Identifier: BSD-3-Clause */

/* Parts of values: GETRANGE, SETRANGE. */

#include "call_edit.h"

#include "changes.h"
#include "range.h"

/* -------------------------------------------------------------- GETRANGE */

bool range_of(struct range *range, int64_t start, int64_t end, size_t len)
{
    int64_t count = (int64_t)len;
    if (start < 0 && end < 0 && start > end)
        return false;
    if (start < 0)
        start += count;
    if (end < 0)
        end += count;
    if (start < 0)
        start = 0;
    if (end < 0)
        end = 0;
    if (end >= count)
        end = count - 1;
    if (start > end)
        return false;
    *range = (struct range){(size_t)start, (size_t)(end - start) + 1};
    return true;
}

enum command_result cmd_getrange(struct call *call)
{
    int64_t start, end;
    struct cache_view view;
    struct range range;
    bool found;
    if (!call_int(call, 2, &start) || !call_int(call, 3, &end) ||
        !call_find_typed(call, &call->key, CACHE_STRING,
                         CACHE_TOUCH | CACHE_COUNT, &view, &found))
        return COMMAND_DONE;
    if (found && range_of(&range, start, end, view.len))
        call_reply_part(call, &view, range.start, range.len);
    else
        reply_bulk(&call->reply, "", 0);
    return COMMAND_DONE;
}

/* -------------------------------------------------------------- SETRANGE */

static bool plan(struct call *call, const struct cache_view *old,
                 struct call_edit *edit)
{
    size_t offset = (size_t) * (const int64_t *)edit->ctx;
    size_t written = call->argv[3].len;
    size_t len = old ? old->len : 0;
    if (written == 0) {
        reply_int(&call->reply, (int64_t)len);
        return false;
    }
    if (old && cache_view_is_long(old) && written <= CACHE_INLINE_MAX &&
        offset + written <= len &&
        cache_patch(old, offset, call->argv[3].ptr, written)) {
        call_changed(call, &call->key, CHANGE_STRING, "setrange");
        reply_int(&call->reply, (int64_t)len);
        return false;
    }
    if (len > 0)
        call_edit_add(edit,
                      (struct call_part){.from = CALL_OLD,
                                         .len = offset < len ? offset : len});
    if (offset > len)
        call_edit_add(
            edit, (struct call_part){.from = CALL_ZEROS, .len = offset - len});
    call_edit_add(edit,
                  (struct call_part){.from = CALL_ARGUMENT, .len = written});
    if (len > offset + written)
        call_edit_add(edit, (struct call_part){.from = CALL_OLD,
                                               .at = offset + written,
                                               .len = len - offset - written});
    return true;
}

static void stored(struct call *call, const struct call_edit *edit)
{
    call_changed(call, &call->key, CHANGE_STRING, "setrange");
    reply_int(&call->reply, (int64_t)edit->len);
}

enum command_result cmd_setrange(struct call *call)
{
    static const struct call_editor setrange = {plan, stored};
    int64_t offset;
    if (!call_int(call, 2, &offset))
        return COMMAND_DONE;
    if (offset < 0)
        return call_error(call, "ERR offset is out of range");
    return call_edit(call, &setrange, &offset);
}
