/* SPDX-License-Identifier: BSD-3-Clause */

/* COMMAND: what the rows of the command table say, in Redis's shape. */

#include "call.h"

#include <stdio.h>
#include <string.h>

#include "command_categories.h"
#include "command_info.h"
#include "comparison.h"

/* ------------------------------------------------------------------- rows */

size_t command_top_count(void)
{
    size_t count = 0;
    for (size_t row = 0; row < command_count; row++)
        count += !command_container(&command_table[row]);
    return count;
}

const struct command *command_named(const struct arg *name)
{
    const char *bar = memchr(name->ptr, '|', name->len);
    if (!bar)
        return command_find(name->ptr, name->len);
    size_t len = (size_t)(bar - name->ptr);
    const struct command *container = command_find(name->ptr, len);
    return container ? command_find_sub(container, bar + 1, name->len - len - 1)
                     : NULL;
}

/* ------------------------------------------------------------------ flags */

// clang-format off
static const struct {
    unsigned flag;
    const char *name;
} flags[] = {
    {COMMAND_WRITE,             "write"},
    {COMMAND_READONLY,          "readonly"},
    {COMMAND_DENYOOM,           "denyoom"},
    {COMMAND_ADMIN,             "admin"},
    {COMMAND_PUBSUB,            "pubsub"},
    {COMMAND_NOSCRIPT,          "noscript"},
    {COMMAND_LOADING,           "loading"},
    {COMMAND_STALE,             "stale"},
    {COMMAND_FAST,              "fast"},
    {COMMAND_NO_AUTH,           "no_auth"},
    {COMMAND_NO_ASYNC_LOADING,  "no_async_loading"},
    {COMMAND_NO_MULTI,          "no_multi"},
    {COMMAND_SKIP_MONITOR,      "skip_monitor"},
    {COMMAND_SKIP_SLOWLOG,      "skip_slowlog"},
    {COMMAND_NO_MANDATORY_KEYS, "no_mandatory_keys"},
    {COMMAND_ALLOW_BUSY,        "allow_busy"},
    {COMMAND_MOVABLE,           "movablekeys"},
};
// clang-format on

enum { FLAG_COUNT = sizeof flags / sizeof flags[0] };

static void reply_flags(struct reply *reply, unsigned of)
{
    size_t count = 0;
    for (size_t i = 0; i < FLAG_COUNT; i++)
        count += (of & flags[i].flag) != 0;
    reply_set(reply, count);
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if (of & flags[i].flag)
            reply_status(reply, flags[i].name);
}

static void reply_categories(struct reply *reply, uint32_t in)
{
    size_t count = 0;
    for (size_t i = 0; i < COMMAND_CATEGORIES; i++)
        count += in >> i & 1;
    reply_set(reply, count);
    for (size_t i = 0; i < COMMAND_CATEGORIES; i++) {
        char name[32];
        if (!(in >> i & 1))
            continue;
        snprintf(name, sizeof name, "@%s", command_category_name(i));
        reply_status(reply, name);
    }
}

/* ------------------------------------------------------------------- INFO */

void command_reply_words(struct reply *reply, const char *text, bool statuses)
{
    size_t len = strcspn(text, "|"), count = len > 0;
    for (size_t i = 0; i < len; i++)
        count += text[i] == ' ';
    reply_set(reply, count);
    for (size_t word; count > 0; count--, text += word + 1) {
        word = strcspn(text, " |");
        if (statuses)
            buf_addf(reply->out, "+%.*s\r\n", (int)word, text);
        else
            reply_bulk(reply, text, word);
    }
}

const char *command_key_use(const struct command *command, size_t key)
{
    const char *use = command->keys.use, *bar = strchr(use, '|');
    return key > 0 && bar ? bar + 1 : use;
}

const char *command_use_of(const struct command *command,
                           const struct arg *argv, size_t argc, size_t key)
{
    if (!strstr(command->keys.use, " variable_flags"))
        return command_key_use(command, key);
    if (strcmp(command->name, "delex") == 0)
        return argc > 2 ? "RW access delete" : "RM delete";
    for (size_t i = 3; i < argc; i++)
        if (arg_is(&argv[i], "get") ||
            comparison_word(&argv[i]) != COMPARE_NOTHING)
            return "RW access update";
    return "OW update";
}

static void reply_pair(struct reply *reply, const char *name, int64_t value)
{
    reply_bulk_text(reply, name);
    reply_int(reply, value);
}

/* Where the specification's keys are, beginning at `index`. */
static void reply_find_keys(struct reply *reply, const struct command *command,
                            int last)
{
    int index = command->keys.counted_by;
    reply_bulk_text(reply, "find_keys");
    reply_map(reply, 2);
    reply_bulk_text(reply, "type");
    reply_bulk_text(reply, index ? "keynum" : "range");
    reply_bulk_text(reply, "spec");
    reply_map(reply, 3);
    if (index) {
        reply_pair(reply, "keynumidx", 0);
        reply_pair(reply, "firstkey", command->keys.first - index);
        reply_pair(reply, "keystep", command->keys.step);
    } else {
        reply_pair(reply, "lastkey", last);
        reply_pair(reply, "keystep", command->keys.step);
        reply_pair(reply, "limit", 0);
    }
}

static void reply_key_spec(struct reply *reply, const struct command *command,
                           const char *use, int index, int last)
{
    reply_map(reply, 3);
    reply_bulk_text(reply, "flags");
    command_reply_words(reply, use, true);
    reply_bulk_text(reply, "begin_search");
    reply_map(reply, 2);
    reply_bulk_text(reply, "type");
    reply_bulk_text(reply, "index");
    reply_bulk_text(reply, "spec");
    reply_map(reply, 1);
    reply_pair(reply, "index", index);
    reply_find_keys(reply, command, last);
}

/* One for all keys, or one for each of two. */
static void reply_key_specs(struct reply *reply, const struct command *command)
{
    int first = command->keys.first, last = command->keys.last;
    int counted_by = command->keys.counted_by;
    const char *one = command_key_use(command, 0);
    const char *two = command_key_use(command, 1);
    reply_set(reply, (size_t)(first != 0) + (one != two));
    if (one != two) {
        reply_key_spec(reply, command, one, first, 0);
        reply_key_spec(reply, command, two, last, 0);
    } else if (first != 0) {
        reply_key_spec(reply, command, one, counted_by ? counted_by : first,
                       last < 0 ? last : last - first);
    }
}

static void reply_info(struct reply *reply, const struct command *command)
{
    size_t subs = command_sub_count(command);
    reply_array(reply, 10);
    reply_bulk_text(reply, command->name);
    reply_int(reply, command->arity);
    reply_flags(reply, command->flags);
    /* What this triple cannot tell is not told by it. */
    bool counted = command->keys.counted_by != 0;
    reply_int(reply, counted ? 0 : command->keys.first);
    reply_int(reply, counted ? 0 : command->keys.last);
    reply_int(reply, counted ? 0 : command->keys.step);
    reply_categories(reply, command_categories(command));
    command_reply_words(reply, command->tips, false);
    reply_key_specs(reply, command);
    /* Redis says so: a set if it is empty. */
    if (subs == 0)
        reply_set(reply, 0);
    else
        reply_array(reply, subs);
    for (size_t i = 1; i <= subs; i++)
        reply_info(reply, command + i);
}

static void reply_row(struct call *call, size_t row, void *ctx)
{
    (void)ctx;
    if (!command_container(&command_table[row]))
        reply_info(&call->reply, &command_table[row]);
}

enum command_result cmd_command(struct call *call)
{
    if (!call->state)
        reply_array(&call->reply, command_top_count());
    return call_each(call, command_count, reply_row, NULL);
}

static void reply_named(struct call *call, size_t i, void *ctx)
{
    const struct command *command = command_named(&call->argv[2 + i]);
    (void)ctx;
    if (command)
        reply_info(&call->reply, command);
    else
        reply_null(&call->reply);
}

enum command_result cmd_command_info(struct call *call)
{
    if (call->argc == 2)
        return cmd_command(call);
    if (!call_names_fit(call))
        return COMMAND_DONE;
    if (!call->state)
        reply_array(&call->reply, call->argc - 2);
    return call_each(call, call->argc - 2, reply_named, NULL);
}

enum command_result cmd_command_count(struct call *call)
{
    reply_int(&call->reply, (int64_t)command_top_count());
    return COMMAND_DONE;
}

/* ------------------------------------------------------------------- LIST */

enum filter { FILTER_NONE, FILTER_MODULE, FILTER_CATEGORY, FILTER_PATTERN };

static bool in_category(const struct command *command, const struct arg *name)
{
    size_t category = command_category_find(name->ptr, name->len);
    return category < COMMAND_CATEGORIES &&
           command_in_category(command, category);
}

static bool passes(const struct command *command, enum filter filter,
                   const struct arg *value)
{
    switch (filter) {
    case FILTER_MODULE:
        return false; /* there are no modules */
    case FILTER_CATEGORY:
        return in_category(command, value);
    case FILTER_PATTERN:
        return text_glob(value->ptr, value->len, command->name,
                         strlen(command->name), true);
    default:
        return true;
    }
}

enum command_result cmd_command_list(struct call *call)
{
    const struct arg *argv = call->argv, *value = NULL;
    enum filter filter = FILTER_NONE;
    if (call->argc == 5 && arg_is(&argv[2], "filterby")) {
        value = &argv[4];
        filter = arg_is(&argv[3], "module")    ? FILTER_MODULE
                 : arg_is(&argv[3], "aclcat")  ? FILTER_CATEGORY
                 : arg_is(&argv[3], "pattern") ? FILTER_PATTERN
                                               : FILTER_NONE;
    }
    if (call->argc > 2 && filter == FILTER_NONE)
        return call_error(call, ERROR_SYNTAX);
    if (value && !call_pattern_fits(call, value->len, LIMIT_NAME_PATTERN))
        return COMMAND_DONE;
    size_t count = 0;
    for (size_t row = 0; row < command_count; row++)
        count += passes(&command_table[row], filter, value);
    reply_array(&call->reply, count);
    for (size_t row = 0; row < command_count; row++)
        if (passes(&command_table[row], filter, value))
            reply_bulk_text(&call->reply, command_table[row].name);
    return COMMAND_DONE;
}

/* ------------------------------------------------------------------- HELP */

enum command_result cmd_command_help(struct call *call)
{
    static const char *const lines[] = {
        "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "(no subcommand)",
        "    Describes all commands.",
        "COUNT",
        "    How many commands there are.",
        "DOCS [<command-name> ...]",
        "    Explains commands; without a name all of them.",
        "GETKEYS <full-command>",
        "    The keys in a command line.",
        "GETKEYSANDFLAGS <full-command>",
        "    The same, and what the command does with each.",
        "INFO [<command-name> ...]",
        "    Describes commands; without a name all of them.",
        "LIST [FILTERBY <MODULE name | ACLCAT category | PATTERN pattern>]",
        "    The names of commands.",
        "HELP",
        "    This list.",
    };
    return call_help(call, lines, sizeof lines / sizeof lines[0]);
}
