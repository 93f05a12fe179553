/* SPDX-License-Identifier: BSD-3-Clause */
/* CONFIG: the options, seen and changed while the server runs. */

#include "call.h"

#include <string.h>

#include "ask.h"
#include "options.h"
#include "stats.h"

enum { PATTERNS_MAX = 1024 }; /* patterns in one CONFIG GET */

static bool matches(const struct call *call, const char *name)
{
    for (size_t i = 2; i < call->argc; i++)
        if (text_glob(call->argv[i].ptr, call->argv[i].len, name, strlen(name),
                      true))
            return true;
    return false;
}

/* False: an error was answered. */
static bool check_patterns(struct call *call)
{
    size_t len = 0;

    if (call->argc - 2 > PATTERNS_MAX) {
        reply_errorf(&call->reply, "ERR more than %d patterns", PATTERNS_MAX);
        return false;
    }
    for (size_t i = 2; i < call->argc; i++)
        len += call->argv[i].len;
    return call_pattern_fits(call, len, LIMIT_NAME_PATTERN);
}

enum command_result cmd_config_get(struct call *call)
{
    bool wanted[CONF_COUNT];
    char text[CONF_TEXT_MAX];
    size_t count = 0;

    if (!check_patterns(call))
        return COMMAND_DONE;
    for (int id = 0; id < CONF_COUNT; id++) {
        wanted[id] = matches(call, conf_option(id)->name);
        count += wanted[id];
    }
    reply_map(&call->reply, count);
    for (int id = 0; id < CONF_COUNT; id++) {
        if (!wanted[id])
            continue;
        options_get(call->server, id, text);
        reply_bulk_text(&call->reply, conf_option(id)->name);
        reply_bulk_text(&call->reply, text);
    }
    return COMMAND_DONE;
}

enum command_result cmd_config_set(struct call *call)
{
    char why[OPTIONS_WHY_MAX];
    const char *error = "ERR syntax error";

    if (call->argc % 2 == 0)
        error =
            options_set(call->server, call->argv + 2, call->argc / 2 - 1, why);
    if (error == NULL)
        reply_ok(&call->reply);
    else
        reply_error(&call->reply, error);
    return COMMAND_DONE;
}

enum command_result cmd_config_rewrite(struct call *call)
{
    char why[CONF_TEXT_MAX];
    const char *error;

    if (call->server->conf.file[0] == '\0') {
        reply_error(&call->reply,
                    "ERR The server is running without a config file");
        return COMMAND_DONE;
    }
    error = options_rewrite(call->server, why);
    if (error == NULL)
        reply_ok(&call->reply);
    else
        reply_errorf(&call->reply, "ERR Rewriting config file: %s", error);
    return COMMAND_DONE;
}

static void reset_visit(struct worker *worker, void *ctx)
{
    (void)ctx;
    stats_reset_worker(worker);
}

static void reset_free(void *ctx)
{
    (void)ctx;
}

/* Counters are written by their worker alone, so each clears its own. */
enum command_result cmd_config_resetstat(struct call *call)
{
    if (ask_ctx(call) != NULL) {
        reply_ok(&call->reply);
        return COMMAND_DONE;
    }
    stats_reset(call->server);
    return ask_workers(call, reset_visit, call->server, reset_free);
}

enum command_result cmd_config_help(struct call *call)
{
    static const char *const lines[] = {
        "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "GET <pattern> [<pattern> ...]",
        "    The options whose names match one of the patterns.",
        "SET <option> <value> [<option> <value> ...]",
        "    Change options, all of them or none.",
        "RESETSTAT",
        "    Set the counters of INFO back to zero.",
        "REWRITE",
        "    Write the options into the configuration file.",
        "HELP",
        "    Print this help.",
    };

    return call_help(call, lines, sizeof lines / sizeof lines[0]);
}
