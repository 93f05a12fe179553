/* SPDX-License-Identifier: BSD-3-Clause */

/* Commands about how a value is kept. */

#include "call.h"

enum { EMBSTR_MAX = 44 }; /* bytes; where Redis changes the encoding's name */

const char *call_type_name(enum cache_type type)
{
    return type == CACHE_HASH ? "hash" : "string";
}

enum command_result cmd_type(struct call *call)
{
    struct cache_view view;
    bool found = call_find(call, CACHE_COUNT, &view);
    reply_status(&call->reply, found ? call_type_name(view.type) : "none");
    return COMMAND_DONE;
}

/* ---------------------------------------------------------------- OBJECT */

/* False: there is no such key, and null was replied. */
static bool find_object(struct call *call, struct cache_view *view)
{
    if (call_find(call, CACHE_COUNT, view))
        return true;
    reply_null(&call->reply);
    return false;
}

enum command_result cmd_object_encoding(struct call *call)
{
    struct cache_view view;
    int64_t number;
    if (!find_object(call, &view))
        return COMMAND_DONE;
    if (view.len < TEXT_INT_MAX && text_to_int(view.bytes, view.len, &number))
        reply_bulk_text(&call->reply, "int");
    else
        reply_bulk_text(&call->reply,
                        view.len <= EMBSTR_MAX ? "embstr" : "raw");
    return COMMAND_DONE;
}

enum command_result cmd_object_freq(struct call *call)
{
    struct cache_view view;
    if (!find_object(call, &view))
        return COMMAND_DONE;
    return call_error(
        call, "ERR An LFU maxmemory policy is not selected, access frequency "
              "not tracked. Please note that when switching between policies "
              "at runtime LRU and LFU data will take some time to adjust.");
}

enum command_result cmd_object_idletime(struct call *call)
{
    struct cache_view view;
    if (find_object(call, &view))
        reply_int(&call->reply, view.idle_ms / 1000);
    return COMMAND_DONE;
}

enum command_result cmd_object_refcount(struct call *call)
{
    struct cache_view view;
    if (find_object(call, &view))
        reply_int(&call->reply, 1);
    return COMMAND_DONE;
}

enum command_result cmd_object_help(struct call *call)
{
    static const char *const lines[] = {
        "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "ENCODING <key>",
        "    The kind of value: int, embstr or raw.",
        "FREQ <key>",
        "    An error: how often a key is used is not counted.",
        "IDLETIME <key>",
        "    Seconds since the key was last used.",
        "REFCOUNT <key>",
        "    Always 1: values are not shared.",
        "HELP",
        "    This list.",
    };
    return call_help(call, lines, sizeof lines / sizeof lines[0]);
}
