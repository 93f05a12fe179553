/* SPDX-License-Identifier: BSD-3-Clause */

/* Commands about how a value is kept. */

#include "hash.h"

enum {                  /* where Redis changes the encoding's name */
       EMBSTR_MAX = 44, /* bytes of a string */
       LISTPACK_FIELDS_MAX = 128,
       LISTPACK_BYTES_MAX = 64, /* of a name or value */
};

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

static bool hash_is_small(const struct cache_view *view)
{
    char bytes[PACKED_NUMBER_MAX +
               LISTPACK_FIELDS_MAX * (2 + 2 * LISTPACK_BYTES_MAX)];
    if (view->len > sizeof bytes || hash_count(view) > LISTPACK_FIELDS_MAX)
        return false;
    cache_view_copy(view, 0, bytes, view->len);
    struct packed packed = packed_of(bytes, view->len);
    struct packed_walk walk = packed_begin(&packed);
    struct packed_field field;
    while (packed_next(&walk, &field))
        if (field.name_len > LISTPACK_BYTES_MAX ||
            field.value_len > LISTPACK_BYTES_MAX)
            return false;
    return true;
}

const char *call_encoding_name(const struct cache_view *view)
{
    int64_t number;
    if (view->type == CACHE_HASH)
        return hash_is_small(view) ? "listpack" : "hashtable";
    if (view->len < TEXT_INT_MAX &&
        text_to_int(view->bytes, view->len, &number))
        return "int";
    return view->len <= EMBSTR_MAX ? "embstr" : "raw";
}

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
    if (find_object(call, &view))
        reply_bulk_text(&call->reply, call_encoding_name(&view));
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
        "    The kind of value: int, embstr, raw, listpack or hashtable.",
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
