/* SPDX-License-Identifier: BSD-3-Clause */
/* ACL: what can be asked without changing a user. */

#include "call.h"

#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "acl_admit.h"
#include "acl_check.h"
#include "client.h"
#include "command_categories.h"
#include "command_info.h"
#include "platform.h"

enum { GENPASS_BITS = 256, GENPASS_BITS_MAX = 4096, LOG_SHOWN = 10 };

enum command_result cmd_acl_whoami(struct call *call)
{
    reply_bulk_text(&call->reply, acl_user_name(call->session));
    return COMMAND_DONE;
}

/* --------------------------------------------------------------------- CAT */

static enum command_result list_category(struct call *call, size_t category)
{
    size_t count = 0;
    for (size_t row = 0; row < command_count; row++)
        count += command_in_category(&command_table[row], category);
    reply_array(&call->reply, count);
    for (size_t row = 0; row < command_count; row++)
        if (command_in_category(&command_table[row], category))
            reply_bulk_text(&call->reply, command_table[row].name);
    return COMMAND_DONE;
}

enum command_result cmd_acl_cat(struct call *call)
{
    if (call->argc > 3)
        return call_error_arguments(call);
    if (call->argc == 3) {
        const struct arg *name = &call->argv[2];
        size_t category = command_category_find(name->ptr, name->len);
        if (category < COMMAND_CATEGORIES)
            return list_category(call, category);
        reply_errorf(&call->reply, "ERR Unknown category '%.*s'",
                     arg_shown(name), name->ptr);
        return COMMAND_DONE;
    }
    reply_array(&call->reply, COMMAND_CATEGORIES);
    for (size_t i = 0; i < COMMAND_CATEGORIES; i++)
        reply_bulk_text(&call->reply, command_category_name(i));
    return COMMAND_DONE;
}

/* ----------------------------------------------------------------- GENPASS */

enum command_result cmd_acl_genpass(struct call *call)
{
    static const char digits[] = "0123456789abcdef";
    const struct platform *platform = call->server->platform;
    uint8_t bytes[GENPASS_BITS_MAX / 4];
    char text[GENPASS_BITS_MAX / 4];
    int64_t bits = GENPASS_BITS;
    if (call->argc > 3)
        return call_error_arguments(call);
    if (call->argc == 3 && !call_int(call, 2, &bits))
        return COMMAND_DONE;
    if (bits <= 0 || bits > GENPASS_BITS_MAX) {
        reply_errorf(&call->reply,
                     "ERR ACL GENPASS argument must be the number of bits for "
                     "the output password, a positive number up to %d",
                     GENPASS_BITS_MAX);
        return COMMAND_DONE;
    }
    size_t len = (size_t)(bits + 3) / 4;
    if (!platform->random(platform->ctx, bytes, len))
        return call_error(call, "ERR the system gives no random bytes");
    for (size_t i = 0; i < len; i++)
        text[i] = digits[bytes[i] % 16];
    reply_bulk(&call->reply, text, len);
    explicit_bzero(bytes, sizeof bytes);
    explicit_bzero(text, sizeof text);
    return COMMAND_DONE;
}

/* ------------------------------------------------------------------ DRYRUN */

struct dryrun {
    struct acl_rules *rules;
    const struct command *command;
    struct acl_check check;
};

static void dryrun_free(void *state)
{
    struct dryrun *dryrun = state;
    acl_rules_disown(dryrun->rules);
    free(dryrun);
}

/* The row of the command to be tried; NULL: the error was answered. */
static const struct command *dryrun_row(struct call *call)
{
    const struct arg *argv = call->argv + 3;
    size_t argc = call->argc - 3;
    const struct command *row = command_find(argv[0].ptr, argv[0].len);
    if (row && row->flags & COMMAND_HEAD && argc > 1)
        row = command_find_sub(row, argv[1].ptr, argv[1].len);
    if (!row)
        reply_errorf(&call->reply, "ERR Command '%.*s' not found",
                     arg_shown(argv), argv->ptr);
    else if (!command_arity_fits(row, argc))
        reply_errorf(&call->reply,
                     "ERR wrong number of arguments for '%s' command",
                     row->name);
    else
        return row;
    return NULL;
}

static bool dryrun_begin(struct call *call)
{
    const struct arg *name = &call->argv[2];
    struct acl_rules *rules = acl_rules_of(call->server->acl, *name);
    if (!rules) {
        reply_errorf(&call->reply, "ERR User '%.*s' not found", arg_shown(name),
                     name->ptr);
        return false;
    }
    const struct command *row = dryrun_row(call);
    struct dryrun *dryrun = row ? calloc(1, sizeof *dryrun) : NULL;
    if (!dryrun) {
        if (row)
            reply_error(&call->reply, ERROR_NO_ROOM);
        acl_rules_disown(rules);
        return false;
    }
    dryrun->rules = rules;
    dryrun->command = row;
    call->state = dryrun;
    call->state_free = dryrun_free;
    return true;
}

static void dryrun_reply(struct call *call, const struct dryrun *dryrun,
                         enum acl_verdict verdict)
{
    const struct arg *object = &call->argv[3 + dryrun->check.at];
    struct buf text = {0};
    if (verdict == ACL_ALLOWED) {
        reply_ok(&call->reply);
        return;
    }
    if (verdict == ACL_NO_COMMAND) {
        buf_addf(&text, "This user has no permissions to run the '%s' command",
                 dryrun->command->name);
    } else {
        buf_addf(&text, "This user has no permissions to access the '%.*s' %s",
                 arg_shown(object), object->ptr,
                 verdict == ACL_NO_KEY ? "key" : "channel");
    }
    reply_bulk(&call->reply, text.data + text.start, buf_len(&text));
    buf_release(&text);
}

enum command_result cmd_acl_dryrun(struct call *call)
{
    size_t steps = ACL_SLICE_STEPS;
    if (!call->state && !dryrun_begin(call))
        return COMMAND_DONE;
    struct dryrun *dryrun = call->state;
    enum acl_verdict verdict =
        acl_check(dryrun->rules, dryrun->command, call->argv + 3,
                  call->argc - 3, &dryrun->check, &steps);
    if (verdict == ACL_MORE)
        return COMMAND_AGAIN;
    dryrun_reply(call, dryrun, verdict);
    return COMMAND_DONE;
}

/* --------------------------------------------------------------------- LOG */

static void reply_count(void *ctx, size_t count)
{
    struct call *call = ctx;
    reply_array(&call->reply, count);
}

static void reply_text(struct reply *reply, const char *name, struct arg text)
{
    reply_bulk_text(reply, name);
    reply_bulk(reply, text.ptr, text.len);
}

static void reply_number(struct reply *reply, const char *name, uint64_t value)
{
    reply_bulk_text(reply, name);
    reply_int(reply, (int64_t)value);
}

static void reply_entry(void *ctx, const struct acl_entry *entry)
{
    static const char *const reasons[] = {
        [ACL_REASON_COMMAND] = "command",
        [ACL_REASON_KEY] = "key",
        [ACL_REASON_CHANNEL] = "channel",
        [ACL_REASON_AUTH] = "auth",
    };
    struct call *call = ctx;
    struct reply *reply = &call->reply;
    const struct acl_event *event = &entry->event;
    reply_map(reply, 10);
    reply_number(reply, "count", entry->count);
    reply_bulk_text(reply, "reason");
    reply_bulk_text(reply, reasons[event->reason]);
    reply_bulk_text(reply, "context");
    reply_bulk_text(reply, event->context == ACL_MULTI ? "multi" : "toplevel");
    reply_text(reply, "object", event->object);
    reply_text(reply, "username", event->user);
    reply_bulk_text(reply, "age-seconds");
    reply_double(reply, (double)(call->now_ms - event->at_ms) / 1000);
    reply_text(reply, "client-info", event->client);
    reply_number(reply, "entry-id", entry->id);
    reply_number(reply, "timestamp-created", (uint64_t)entry->created_ms);
    reply_number(reply, "timestamp-last-updated", (uint64_t)event->at_ms);
}

enum command_result cmd_acl_log(struct call *call)
{
    struct acl_log *log = call->server->acl_log;
    int64_t count = LOG_SHOWN;
    if (call->argc > 3)
        return call_error_arguments(call);
    if (call->argc == 3 && arg_is(&call->argv[2], "reset")) {
        acl_log_reset(log);
        reply_ok(&call->reply);
        return COMMAND_DONE;
    }
    if (call->argc == 3 && !call_int(call, 2, &count))
        return COMMAND_DONE;
    const struct acl_log_visit visit = {reply_count, reply_entry, call};
    acl_log_each(log, count > 0 ? (size_t)count : 0, &visit);
    return COMMAND_DONE;
}

/* -------------------------------------------------------------------- HELP */

enum command_result cmd_acl_help(struct call *call)
{
    static const char *const lines[] = {
        "ACL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CAT [<category>]",
        "    The categories of commands, or the commands of one.",
        "DELUSER <username> [<username> ...]",
        "    Delete users and close their connections.",
        "DRYRUN <username> <command> [<arg> ...]",
        "    Whether the user may run the command, which is not run.",
        "GENPASS [<bits>]",
        "    A random password, of 256 bits or as many as asked for.",
        "GETUSER <username>",
        "    What a user may do.",
        "LIST",
        "    All users, as lines of the ACL file.",
        "LOAD",
        "    Read the users from the ACL file.",
        "LOG [<count> | RESET]",
        "    What was denied to whom, newest first; or forget it.",
        "SAVE",
        "    Write the users into the ACL file.",
        "SETUSER <username> <rule> [<rule> ...]",
        "    Make or change a user.",
        "USERS",
        "    The names of all users.",
        "WHOAMI",
        "    The user of this connection.",
        "HELP",
        "    Print this help.",
    };
    return call_help(call, lines, sizeof lines / sizeof lines[0]);
}
