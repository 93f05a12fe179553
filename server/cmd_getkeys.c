/* SPDX-License-Identifier: BSD-3-Clause */

/* COMMAND GETKEYS and GETKEYSANDFLAGS: which arguments of a command line are
 * keys. */

#include "call.h"

#include <string.h>

#include "command_info.h"

enum { LINE = 2 }; /* where the command line begins */

/* The command line's command; NULL: there is none of that name. */
static const struct command *line_command(const struct call *call)
{
    const struct arg *argv = call->argv + LINE;
    const struct command *command = command_find(argv[0].ptr, argv[0].len);
    if (command && command_sub_count(command) > 0 && call->argc > LINE + 1)
        return command_find_sub(command, argv[1].ptr, argv[1].len);
    return command;
}

/* Why there are no keys to be shown; NULL: there are. */
static const char *find_keys(const struct call *call,
                             const struct command *command,
                             struct command_keys *keys)
{
    size_t argc = call->argc - LINE;
    if (!command)
        return "ERR Invalid command specified";
    if (command->keys.first == 0 || strstr(command->keys.use, "not_key"))
        return "ERR The command has no key arguments";
    if (!command_arity_fits(command, argc))
        return "ERR Invalid number of arguments specified for command";
    if (command_keys(command, call->argv + LINE, argc, keys) ||
        command->flags & COMMAND_NO_MANDATORY_KEYS)
        return NULL;
    return "ERR Invalid arguments specified for command";
}

struct shown {
    struct command_keys keys;
    const struct command *of; /* NULL: what it does with them is not shown */
};

static void reply_key(struct call *call, size_t i, void *ctx)
{
    const struct shown *shown = ctx;
    const struct arg *key =
        &call->argv[LINE + shown->keys.first + i * shown->keys.step];
    if (shown->of)
        reply_array(&call->reply, 2);
    reply_bulk(&call->reply, key->ptr, key->len);
    if (shown->of)
        command_reply_words(
            &call->reply,
            command_use_of(shown->of, call->argv + LINE, call->argc - LINE, i),
            true);
}

static enum command_result reply_keys(struct call *call, bool with_use)
{
    const struct command *command = line_command(call);
    struct shown shown = {0};
    const char *error = find_keys(call, command, &shown.keys);
    if (error)
        return call_error(call, error);
    shown.of = with_use ? command : NULL;
    if (!call->state)
        reply_array(&call->reply, shown.keys.count);
    return call_each(call, shown.keys.count, reply_key, &shown);
}

enum command_result cmd_command_getkeys(struct call *call)
{
    return reply_keys(call, false);
}

enum command_result cmd_command_getkeysandflags(struct call *call)
{
    return reply_keys(call, true);
}
