/* SPDX-License-Identifier: BSD-3-Clause */
/* SLOWLOG. */

#include "call.h"

#include "slowlog.h"

enum { SHOWN = 10 }; /* entries of SLOWLOG GET without a number */

enum command_result cmd_slowlog_get(struct call *call)
{
    int64_t most = SHOWN;
    if (call->argc > 3)
        return call_error_arguments(call);
    if (call->argc == 3 &&
        (!text_to_int(call->argv[2].ptr, call->argv[2].len, &most) ||
         most < -1))
        return call_error(call,
                          "ERR count should be greater than or equal to -1");
    slowlog_reply(call->server->slowlog, most < 0 ? UINT64_MAX : (uint64_t)most,
                  &call->reply);
    return COMMAND_DONE;
}

enum command_result cmd_slowlog_len(struct call *call)
{
    reply_int(&call->reply, (int64_t)slowlog_len(call->server->slowlog));
    return COMMAND_DONE;
}

enum command_result cmd_slowlog_reset(struct call *call)
{
    slowlog_reset(call->server->slowlog);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

enum command_result cmd_slowlog_help(struct call *call)
{
    static const char *const lines[] = {
        "SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "GET [<count>]",
        "    The newest entries (default: 10; -1: all). Each has an id, the",
        "    time, the microseconds it took, the command, and the client's",
        "    address and name.",
        "LEN",
        "    How many entries there are.",
        "RESET",
        "    Forget them.",
        "HELP",
        "    Print this help.",
    };
    return call_help(call, lines, sizeof lines / sizeof lines[0]);
}
