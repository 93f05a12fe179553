/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What tools ask a server that could have replicas, a cluster, modules or
 * files.  Ebb is alone and has none of them: questions have their answer, and
 * what cannot be done is refused, in Redis's words where it has some.
 */

#include "call.h"

#include "version.h"

/* --------------------------------------------------------------- a cluster */

enum command_result cmd_readonly(struct call *call)
{
    return call_error(call, "ERR This instance has cluster support disabled");
}

/* ---------------------------------------------------------------- replicas */

#define NO_REPLICAS "ERR Ebb neither has replicas nor is one"

enum command_result cmd_role(struct call *call)
{
    reply_array(&call->reply, 3);
    reply_bulk_text(&call->reply, "master");
    reply_int(&call->reply, 0);
    reply_array(&call->reply, 0);
    return COMMAND_DONE;
}

/* Waiting for replicas that are not there would be in vain. */
enum command_result cmd_wait(struct call *call)
{
    int64_t replicas, timeout_ms;
    if (!call_int(call, 1, &replicas) || !call_timeout(call, 2, &timeout_ms))
        return COMMAND_DONE;
    reply_int(&call->reply, 0);
    return COMMAND_DONE;
}

enum command_result cmd_replicaof(struct call *call)
{
    if (!arg_is(&call->argv[1], "no") || !arg_is(&call->argv[2], "one"))
        return call_error(call, NO_REPLICAS);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

enum command_result cmd_sync(struct call *call)
{
    return call_error(call, NO_REPLICAS);
}

enum command_result cmd_failover(struct call *call)
{
    if (call->argc == 2 && arg_is(&call->argv[1], "abort"))
        return call_error(call, "ERR No failover in progress.");
    return call_error(call, "ERR FAILOVER requires connected replicas.");
}

/* ------------------------------------------------------------------- files */

enum command_result cmd_save(struct call *call)
{
    return call_error(call, "ERR Ebb saves nothing: it is a cache");
}

/* As a Redis that never saved: when it was started. */
enum command_result cmd_lastsave(struct call *call)
{
    reply_int(&call->reply, call->server->started_ms / 1000);
    return COMMAND_DONE;
}

/* ----------------------------------------------------------------- modules */

enum command_result cmd_module_list(struct call *call)
{
    reply_array(&call->reply, 0);
    return COMMAND_DONE;
}

enum command_result cmd_module_load(struct call *call)
{
    return call_error(call, "ERR MODULE command not allowed. Ebb has none and "
                            "loads none");
}

enum command_result cmd_module_help(struct call *call)
{
    static const char *const lines[] = {
        "MODULE <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "LIST",
        "    None: there are no modules, and none can be loaded.",
        "HELP",
        "    Print this help.",
    };
    return call_help(call, lines, sizeof lines / sizeof lines[0]);
}

/* -------------------------------------------------------------------- art */

enum command_result cmd_lolwut(struct call *call)
{
    static const char text[] = "~~~~~~~~~.        .~~~~~~~~~\n"
                               "          '~~~~~~'\n"
                               "Ebb ver. " EBB_VERSION "\n";
    reply_verbatim(&call->reply, text, sizeof text - 1);
    return COMMAND_DONE;
}
