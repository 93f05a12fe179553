/* SPDX-License-Identifier: BSD-3-Clause */
/* DEBUG: what helps to test a client, or this server; nothing that stops or
 * breaks it. */

#include "debug.h"

#include "client.h"
#include "conn.h"
#include "log.h"

static enum command_result debug_error(struct call *call)
{
    const struct arg *text = &call->argv[2];
    reply_errorf(&call->reply, "%.*s", arg_shown(text), text->ptr);
    return COMMAND_DONE;
}

static enum command_result debug_log(struct call *call)
{
    const struct arg *text = &call->argv[2];
    log_write(call->server->log, LOG_WARNING, "DEBUG LOG: %.*s",
              arg_shown(text), text->ptr);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

/* A line that tools take apart; there are no addresses or references to be
 * told. */
static enum command_result debug_object(struct call *call)
{
    struct cache_key key = call_key_of(call, 2);
    struct cache_view view;
    char line[160];
    cache_begin(&call->tx, call->server->cache, call->now_ms, &key, 1);
    bool found =
        key.len <= CACHE_KEY_MAX && call_find_key(call, &key, 0, &view);
    if (found)
        snprintf(line, sizeof line,
                 "Value at:0x0 refcount:1 encoding:%s serializedlength:%zu "
                 "lru:0 lru_seconds_idle:%u",
                 call_encoding_name(&view), view.len, view.idle_ms / 1000);
    cache_end(&call->tx);
    if (!found)
        return call_error(call, "ERR no such key");
    reply_status(&call->reply, line);
    return COMMAND_DONE;
}

/* As Redis takes it: any other word is 0. */
static enum command_result debug_set_active_expire(struct call *call)
{
    int64_t on = 0;
    text_to_int(call->argv[2].ptr, call->argv[2].len, &on);
    cache_set_crawling(call->server->cache, on != 0);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

static enum command_result debug_help(struct call *call)
{
    static const char *const lines[] = {
        "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "ERROR <string>",
        "    Answer with this error.",
        "LOG <message>",
        "    Write it to the log.",
        "OBJECT <key>",
        "    How a value is kept.",
        "POPULATE <count> [<prefix>] [<size>]",
        "    Store so many values, of that size, unless the keys exist.",
        "PROTOCOL <type>",
        "    Answer with a value of this type: string, integer, double,",
        "    bignum, null, array, set, map, attrib, push, verbatim, true,",
        "    false.",
        "SET-ACTIVE-EXPIRE <0|1>",
        "    With 0, expired keys are dropped only when they are met.",
        "SLEEP <seconds>",
        "    Answer after so long; other clients do not wait.",
        "HELP",
        "    Print this help.",
    };
    return call_help(call, lines, sizeof lines / sizeof lines[0]);
}

static const struct {
    const char *name;
    size_t least, most; /* arguments, as in argc */
    enum command_result (*run)(struct call *call);
} subcommands[] = {
    {"error", 3, 3, debug_error},
    {"help", 2, 2, debug_help},
    {"log", 3, 3, debug_log},
    {"object", 3, 3, debug_object},
    {"populate", 3, 5, debug_populate},
    {"protocol", 3, 3, debug_protocol},
    {"set-active-expire", 3, 3, debug_set_active_expire},
    {"sleep", 3, 3, debug_sleep},
};

enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

bool debug_forbids(struct call *call)
{
    enum { NO, YES, LOCAL };
    int allowed = call->server->conf.enable_debug_command;
    if (allowed == YES || (allowed == LOCAL && conn_is_local(call->conn)))
        return false;
    reply_error(
        &call->reply,
        "ERR DEBUG command not allowed. If the enable-debug-command option "
        "is set to \"local\", you can run it from a local connection, "
        "otherwise you need to set this option in the configuration file, "
        "and then restart the server.");
    return true;
}

enum command_result cmd_debug(struct call *call)
{
    if (debug_forbids(call))
        return COMMAND_DONE;
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        if (arg_is(&call->argv[1], subcommands[i].name) &&
            call->argc >= subcommands[i].least &&
            call->argc <= subcommands[i].most)
            return subcommands[i].run(call);
    return call_error_arguments(call);
}
