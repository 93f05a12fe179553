/* SPDX-License-Identifier: BSD-3-Clause */
/* CLIENT's subcommands that concern the connection that sends them. */

#include "call.h"
#include "client.h"
#include "conn.h"
#include "pool.h"
#include "pubsub.h"

enum { NAME_SHORT = 64 }; /* bytes; there is always room for them */

/* Printable ASCII without the space, so that names can stand in a line of
 * CLIENT LIST. */
static bool is_name(struct arg text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '!' || text.ptr[i] > '~')
            return false;
    return true;
}

/* Names stay as long as their clients: long ones must leave half of the memory
 * to buffers. */
static bool has_room(const struct call *call, struct arg name)
{
    return name.len <= NAME_SHORT || pool_roomy(call->server->pool);
}

/* Sets a name of the session, or answers why not; `what` begins the error. */
static bool set_name(struct call *call, char **field, struct arg text,
                     struct arg what)
{
    if (!is_name(text)) {
        reply_errorf(&call->reply,
                     "ERR %.*s cannot contain spaces, newlines or special "
                     "characters.",
                     arg_shown(&what), what.ptr);
    } else if (text.len > LIMIT_NAME) {
        reply_errorf(&call->reply,
                     "ERR %.*s cannot be longer than %d characters.",
                     arg_shown(&what), what.ptr, LIMIT_NAME);
    } else if (!has_room(call, text)) {
        reply_errorf(&call->reply, "OOM no memory for so long a name: %.*s",
                     arg_shown(&what), what.ptr);
    } else if (!session_set_text(call->session, field, text.ptr, text.len)) {
        reply_error(&call->reply, ERROR_NO_ROOM);
    } else {
        return true;
    }
    return false;
}

bool client_set_name(struct call *call, struct arg name)
{
    static const char what[] = "Client names";

    return set_name(call, &call->session->name, name,
                    (struct arg){what, sizeof what - 1});
}

bool client_parse_type(struct call *call, struct arg arg,
                       enum client_type *type)
{
    static const char *const others[] = {"slave", "replica", "master"};

    if (text_is(arg.ptr, arg.len, "normal")) {
        *type = CLIENT_NORMAL;
        return true;
    }
    if (text_is(arg.ptr, arg.len, "pubsub")) {
        *type = CLIENT_PUBSUB;
        return true;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (text_is(arg.ptr, arg.len, others[i])) {
            *type = CLIENT_OTHER;
            return true;
        }
    reply_errorf(&call->reply, "ERR Unknown client type '%.*s'",
                 arg_shown(&arg), arg.ptr);
    return false;
}

bool client_is(struct conn *conn, enum client_type type)
{
    bool listens = subscriber_listens(conn_session(conn)->subscriber);

    return type == CLIENT_ANY ||
           type == (listens ? CLIENT_PUBSUB : CLIENT_NORMAL);
}

enum command_result cmd_client_setname(struct call *call)
{
    if (client_set_name(call, call->argv[2]))
        reply_ok(&call->reply);
    return COMMAND_DONE;
}

enum command_result cmd_client_getname(struct call *call)
{
    if (call->session->name == NULL)
        reply_null(&call->reply);
    else
        reply_bulk_text(&call->reply, call->session->name);
    return COMMAND_DONE;
}

enum command_result cmd_client_setinfo(struct call *call)
{
    struct arg what = call->argv[2];
    char **field;

    if (text_is(what.ptr, what.len, "lib-name")) {
        field = &call->session->lib_name;
    } else if (text_is(what.ptr, what.len, "lib-ver")) {
        field = &call->session->lib_ver;
    } else {
        reply_errorf(&call->reply, "ERR Unrecognized option '%.*s'",
                     arg_shown(&what), what.ptr);
        return COMMAND_DONE;
    }
    if (set_name(call, field, call->argv[3], what))
        reply_ok(&call->reply);
    return COMMAND_DONE;
}

enum command_result cmd_client_id(struct call *call)
{
    reply_int(&call->reply, (int64_t)call->session->id);
    return COMMAND_DONE;
}

static enum command_result set_switch(struct call *call, bool *value)
{
    struct arg arg = call->argv[2];

    if (text_is(arg.ptr, arg.len, "on")) {
        *value = true;
        reply_ok(&call->reply);
    } else if (text_is(arg.ptr, arg.len, "off")) {
        *value = false;
        reply_ok(&call->reply);
    } else {
        reply_error(&call->reply, "ERR syntax error");
    }
    return COMMAND_DONE;
}

enum command_result cmd_client_no_evict(struct call *call)
{
    return set_switch(call, &call->session->no_evict);
}

enum command_result cmd_client_no_touch(struct call *call)
{
    return set_switch(call, &call->session->no_touch);
}

enum command_result cmd_client_reply(struct call *call)
{
    struct session *session = call->session;
    struct arg arg = call->argv[2];

    if (text_is(arg.ptr, arg.len, "on")) {
        session->reply = REPLY_ON;
        reply_ok(&call->reply);
    } else if (text_is(arg.ptr, arg.len, "off")) {
        session->reply = REPLY_OFF;
    } else if (text_is(arg.ptr, arg.len, "skip")) {
        if (session->reply != REPLY_OFF)
            session->reply = REPLY_SKIP_NEXT;
    } else {
        reply_error(&call->reply, "ERR syntax error");
    }
    return COMMAND_DONE;
}

enum command_result cmd_client_help(struct call *call)
{
    static const char *const lines[] = {
        "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CACHING (YES|NO)",
        "    Whether the keys that the next command reads are tracked, if that",
        "    was opted for.",
        "GETNAME",
        "    The name of this connection.",
        "GETREDIR",
        "    The ID of the connection that is told instead of this one.",
        "    0: none, -1: this one is not tracked.",
        "ID",
        "    The ID of this connection.",
        "INFO",
        "    The line of CLIENT LIST for this connection.",
        "KILL <ip:port>",
        "    Close the connection from <ip:port>.",
        "KILL <option> <value> [<option> <value> [...]]",
        "    Close all connections to which every option applies:",
        "    * ADDR (<ip:port>|<unixsocket>:0)",
        "      It comes from this address.",
        "    * ID <client-id>",
        "      It has this ID.",
        "    * LADDR (<ip:port>|<unixsocket>:0)",
        "      It goes to this address.",
        "    * MAXAGE <seconds>",
        "      It is at least this old.",
        "    * SKIPME (YES|NO)",
        "      It is not this one (default: yes).",
        "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
        "      It is of this type.",
        "    * USER <username>",
        "      It belongs to this user.",
        "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)|ID <client-id> [...]]",
        "    A line for every connection, or for those named.",
        "NO-EVICT (ON|OFF)",
        "    A wish, shown by LIST; clients' memory is bounded anyway.",
        "NO-TOUCH (ON|OFF)",
        "    Commands of this connection do not make keys recently used.",
        "PAUSE <timeout> [WRITE|ALL]",
        "    Hold the commands of clients, or those that write, so many ms.",
        "REPLY (ON|OFF|SKIP)",
        "    Answer this connection's commands, or do not, or not the next.",
        "SETINFO (LIB-NAME|LIB-VER) <value>",
        "    Say which library is at the other end.",
        "SETNAME <name>",
        "    Give this connection a name.",
        "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
        "         [OPTIN] [OPTOUT] [NOLOOP]",
        "    Tell this connection when keys change that it has read.",
        "TRACKINGINFO",
        "    How this connection is tracked.",
        "UNBLOCK <client-id> [TIMEOUT|ERROR]",
        "    End the waiting of a client, as if it had lasted long enough or",
        "    with an error.",
        "UNPAUSE",
        "    Go on with the commands that PAUSE holds.",
        "HELP",
        "    Print this help.",
    };

    return call_help(call, lines, sizeof lines / sizeof lines[0]);
}
