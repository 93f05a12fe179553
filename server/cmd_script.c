/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Scripts and functions, of which there are none: what would add or run one is
 * refused with a sentence that names what does the same without; what lists or
 * removes them finds none.
 *
 * Libraries send EVALSHA first, and EVAL when the answer begins with NOSCRIPT.
 * It does, so that they end where they would with a script that Redis does not
 * know yet, and the sentence is what their users see.
 */

#include "call.h"

#include "client.h"

#define NO_SCRIPTS                                                             \
    "Ebb runs no scripts. Instead of one, use SET with IFEQ (compare and "     \
    "set), DELIFEQ (compare and delete), INCREX (count with expiry), or MULTI"

enum command_result cmd_eval(struct call *call)
{
    return call_error(call, "ERR " NO_SCRIPTS);
}

enum command_result cmd_evalsha(struct call *call)
{
    return call_error(call, "NOSCRIPT " NO_SCRIPTS);
}

/* The optional last argument. */
static bool is_flush_mode(const struct arg *arg)
{
    return arg_is(arg, "async") || arg_is(arg, "sync");
}

static enum command_result nothing_to_kill(struct call *call)
{
    return call_error(call, "NOTBUSY No scripts in execution right now.");
}

/* ---------------------------------------------------------------- SCRIPT */

static void not_there(struct call *call, size_t i, void *ctx)
{
    (void)i, (void)ctx;
    reply_int(&call->reply, 0);
}

enum command_result cmd_script_exists(struct call *call)
{
    if (!call->state)
        reply_array(&call->reply, call->argc - 2);
    return call_each(call, call->argc - 2, not_there, NULL);
}

enum command_result cmd_script_flush(struct call *call)
{
    if (call->argc > 3 || (call->argc == 3 && !is_flush_mode(&call->argv[2])))
        return call_error(call,
                          "ERR SCRIPT FLUSH only support SYNC|ASYNC option");
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

enum command_result cmd_script_debug(struct call *call)
{
    const struct arg *how = &call->argv[2];
    if (arg_is(how, "yes") || arg_is(how, "sync"))
        return cmd_eval(call);
    if (!arg_is(how, "no"))
        return call_error(call, "ERR Use SCRIPT DEBUG YES/SYNC/NO");
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

enum command_result cmd_script_kill(struct call *call)
{
    return nothing_to_kill(call);
}

enum command_result cmd_script_help(struct call *call)
{
    static const char *const lines[] = {
        "SCRIPT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "EXISTS <sha1> [<sha1> ...]",
        "    Always 0: there are no scripts.",
        "FLUSH [ASYNC|SYNC]",
        "    Nothing: there are no scripts.",
        "HELP",
        "    Print this help.",
    };
    return call_help(call, lines, sizeof lines / sizeof lines[0]);
}

/* -------------------------------------------------------------- FUNCTION */

enum command_result cmd_function_delete(struct call *call)
{
    return call_error(call, "ERR Library not found");
}

enum command_result cmd_function_flush(struct call *call)
{
    if (call->argc > 3)
        return call_error_arguments(call);
    if (call->argc == 3 && !is_flush_mode(&call->argv[2]))
        return call_error(call,
                          "ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

enum command_result cmd_function_kill(struct call *call)
{
    return nothing_to_kill(call);
}

enum command_result cmd_function_list(struct call *call)
{
    bool code = false, name = false;
    for (size_t i = 2; i < call->argc; i++) {
        const struct arg *arg = &call->argv[i];
        if (!code && arg_is(arg, "withcode")) {
            code = true;
        } else if (!name && arg_is(arg, "libraryname")) {
            if (++i == call->argc)
                return call_error(call,
                                  "ERR library name argument was not given");
            name = true;
        } else {
            reply_errorf(&call->reply, "ERR Unknown argument %.*s",
                         arg_shown(arg), arg->ptr);
            return COMMAND_DONE;
        }
    }
    reply_array(&call->reply, 0);
    return COMMAND_DONE;
}

enum command_result cmd_function_stats(struct call *call)
{
    reply_map(&call->reply, 2);
    reply_bulk_text(&call->reply, "running_script");
    reply_null(&call->reply);
    reply_bulk_text(&call->reply, "engines");
    reply_map(&call->reply, 0);
    return COMMAND_DONE;
}

enum command_result cmd_function_help(struct call *call)
{
    static const char *const lines[] = {
        "FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "FLUSH [ASYNC|SYNC]",
        "    Nothing: there are no functions.",
        "LIST [LIBRARYNAME <pattern>] [WITHCODE]",
        "    None.",
        "STATS",
        "    Nothing runs, and there are no engines.",
        "HELP",
        "    Print this help.",
    };
    return call_help(call, lines, sizeof lines / sizeof lines[0]);
}
