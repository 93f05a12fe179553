/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands about the connection: who it is, which protocol, which database. */

#include "call.h"

#include <string.h>

#include "acl.h"
#include "acl_admit.h"
#include "client.h"
#include "conn.h"
#include "protocol/text.h"
#include "pubsub.h"
#include "worker.h"

/* Looks like a message, which is what a subscriber reads. */
static void ping_subscriber(struct call *call)
{
    const struct arg none = {"", 0};
    const struct arg *arg = call->argc == 2 ? &call->argv[1] : &none;

    reply_array(&call->reply, 2);
    reply_bulk_text(&call->reply, "pong");
    reply_bulk(&call->reply, arg->ptr, arg->len);
}

enum command_result cmd_ping(struct call *call)
{
    if (call->argc > 2)
        reply_error(&call->reply,
                    "ERR wrong number of arguments for 'ping' command");
    else if (call->session->resp == 2 &&
             subscriber_listens(call->session->subscriber))
        ping_subscriber(call);
    else if (call->argc == 2)
        return call_reply_argument(call, 1);
    else
        reply_status(&call->reply, "PONG");
    return COMMAND_DONE;
}

enum command_result cmd_echo(struct call *call)
{
    return call_reply_argument(call, 1);
}

enum command_result cmd_quit(struct call *call)
{
    reply_ok(&call->reply);
    conn_close_after_reply(call->conn);
    return COMMAND_DONE;
}

enum command_result cmd_select(struct call *call)
{
    unsigned db;
    if (!call_database(call, 1, &db))
        return COMMAND_DONE;
    call->session->db = (uint8_t)db;
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

static bool log_in(struct call *call, struct arg user, struct arg password)
{
    if (acl_login(call->server->acl, call->session, user, password))
        return true;
    worker_count(call->worker, auth_failures, 1);
    acl_note(call, ACL_REASON_AUTH, call->argv[0], &user);
    reply_error(&call->reply,
                "WRONGPASS invalid username-password pair or user is "
                "disabled.");
    return false;
}

enum command_result cmd_auth(struct call *call)
{
    struct arg user = {"default", 7};

    if (call->argc > 3) {
        reply_error(&call->reply, "ERR syntax error");
        return COMMAND_DONE;
    }
    if (call->argc == 3)
        user = call->argv[1];
    else if (acl_is_nopass(call->server->acl)) {
        reply_error(&call->reply,
                    "ERR AUTH <password> called without any password "
                    "configured for the default user. Are you sure your "
                    "configuration is correct?");
        return COMMAND_DONE;
    }
    if (log_in(call, user, call->argv[call->argc - 1]))
        reply_ok(&call->reply);
    return COMMAND_DONE;
}

/* HELLO's options from argv[at] on.  False: an error was answered. */
static bool hello_options(struct call *call, size_t at)
{
    while (at < call->argc) {
        const struct arg *opt = &call->argv[at];
        size_t more = call->argc - 1 - at;

        if (text_is(opt->ptr, opt->len, "auth") && more >= 2) {
            if (!log_in(call, opt[1], opt[2]))
                return false;
            at += 3;
        } else if (text_is(opt->ptr, opt->len, "setname") && more >= 1) {
            if (!client_set_name(call, opt[1]))
                return false;
            at += 2;
        } else {
            reply_errorf(&call->reply,
                         "ERR Syntax error in HELLO option '%.*s'",
                         arg_shown(opt), opt->ptr);
            return false;
        }
    }
    return true;
}

static void hello_reply(struct call *call)
{
    struct reply *r = &call->reply;

    reply_map(r, 7);
    reply_bulk_text(r, "server");
    reply_bulk_text(r, "redis");
    reply_bulk_text(r, "version");
    reply_bulk_text(r, call->server->conf.reported_version);
    reply_bulk_text(r, "proto");
    reply_int(r, r->resp);
    reply_bulk_text(r, "id");
    reply_int(r, (int64_t)call->session->id);
    reply_bulk_text(r, "mode");
    reply_bulk_text(r, "standalone");
    reply_bulk_text(r, "role");
    reply_bulk_text(r, "master");
    reply_bulk_text(r, "modules");
    reply_array(r, 0);
}

enum command_result cmd_hello(struct call *call)
{
    int64_t version = call->session->resp;

    if (call->argc >= 2) {
        if (!text_to_int(call->argv[1].ptr, call->argv[1].len, &version)) {
            reply_error(&call->reply, "ERR Protocol version is not an integer "
                                      "or out of range");
            return COMMAND_DONE;
        }
        if (version != 2 && version != 3) {
            reply_error(&call->reply, "NOPROTO unsupported protocol version");
            return COMMAND_DONE;
        }
    }
    if (!hello_options(call, 2))
        return COMMAND_DONE;
    if (!call->session->authenticated && !acl_is_open(call->server->acl)) {
        reply_error(&call->reply,
                    "NOAUTH HELLO must be called with the client already "
                    "authenticated, otherwise the HELLO AUTH <user> <pass> "
                    "option can be used to authenticate the client and select "
                    "the RESP protocol version at the same time");
        return COMMAND_DONE;
    }
    call->session->resp = (uint8_t)version;
    call->reply.resp = (int)version;
    hello_reply(call);
    return COMMAND_DONE;
}

enum command_result cmd_reset(struct call *call)
{
    subscriber_leave(call->conn);
    session_reset(call->session, false);
    acl_enter(call->server->acl, call->session);
    call->reply.resp = call->session->resp;
    reply_status(&call->reply, "RESET");
    return COMMAND_DONE;
}
