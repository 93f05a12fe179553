/* SPDX-License-Identifier: BSD-3-Clause */
/* INFO: what the server tells of itself. */

#include "commands.h"

#include "info.h"

enum { SECTIONS_MAX = 1024 }; /* sections named in one INFO */

enum command_result cmd_info(struct call *call)
{
    info_sections wanted = 0;
    struct buf text = {0};

    if (call->argc - 1 > SECTIONS_MAX) {
        reply_errorf(&call->reply, "ERR more than %d sections", SECTIONS_MAX);
        return COMMAND_DONE;
    }
    if (call->argc == 1)
        wanted = info_find("default", 7);
    for (size_t i = 1; i < call->argc; i++)
        wanted |= info_find(call->argv[i].ptr, call->argv[i].len);
    if (wanted != 0)
        info_write(call->server, call->now_ms, wanted, &text);
    if (text.failed)
        reply_error(&call->reply, ERROR_NO_ROOM);
    else
        reply_verbatim(&call->reply, wanted == 0 ? "" : text.data + text.start,
                       buf_len(&text));
    buf_release(&text);
    return COMMAND_DONE;
}
