/* SPDX-License-Identifier: BSD-3-Clause */

/* DUMP: a value with what RESTORE needs to make a key of it. */

#include "call.h"

#include <string.h>

#include "call_look.h"
#include "crc64.h"
#include "dump.h"

static void add_to_crc(const struct call *call, void *sum, size_t at,
                       const char *bytes, size_t len)
{
    uint64_t *crc = sum;
    (void)call;
    (void)at;
    *crc = crc64(*crc, bytes, len);
}

enum command_result cmd_dump(struct call *call)
{
    struct cache_view view;
    char head[DUMP_HEAD], foot[DUMP_FOOT];
    int64_t number;
    size_t head_len = 0, len;
    if (!call_find(call, CACHE_TOUCH | CACHE_COUNT, &view)) {
        reply_null(&call->reply);
        return COMMAND_DONE;
    }
    if (view.type != CACHE_STRING)
        return call_error(call, "ERR DUMP knows strings only");
    len = view.len;
    if (call_int_of(&view, &number))
        head_len = dump_number(number, head);
    if (head_len > 0)
        len = 0; /* the number is all of it */
    else
        head_len = dump_head(len, head);
    uint64_t crc = crc64(0, head, head_len);
    const struct call_look look = {0, len, add_to_crc, &crc, sizeof crc};
    if (len > 0 && !call_look(call, &view, &look))
        return COMMAND_LOOK;
    dump_foot(0, foot);
    dump_foot(crc64(crc, foot, 2), foot);
    call_reply_framed(call, &view, len, (struct arg){head, head_len},
                      (struct arg){foot, DUMP_FOOT});
    return COMMAND_DONE;
}
