/* SPDX-License-Identifier: BSD-3-Clause */
/* CLIENT KILL: closes connections by what they are. */

#include "commands.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "ask.h"
#include "client.h"
#include "conn.h"
#include "protocol/text.h"
#include "server.h"
#include "worker.h"

struct kill {
    int64_t now_ms;
    uint64_t self;            /* the client that asks */
    char addr[64], laddr[64]; /* "": any */
    bool by_addr, by_laddr;
    int64_t id;    /* 0: any */
    int64_t age_s; /* 0: any */
    enum client_type type;
    struct acl *acl;
    char user[ACL_NAME_MAX]; /* of this one only, if by_user */
    size_t user_len;
    bool by_user;
    bool skip_me;
    _Atomic uint64_t killed;
    atomic_bool killed_self;
};

static bool to_be_killed(const struct kill *kill, struct conn *conn)
{
    uint64_t id = conn_session(conn)->id;
    struct conn_info info;

    if ((kill->id != 0 && (uint64_t)kill->id != id) ||
        (kill->skip_me && id == kill->self) || !client_is(conn, kill->type))
        return false;
    if (kill->by_user && !acl_user_is(kill->acl, conn_session(conn),
                                      (struct arg){kill->user, kill->user_len}))
        return false;
    conn_describe(conn, kill->now_ms, &info);
    return (!kill->by_addr || strcmp(info.addr, kill->addr) == 0) &&
           (!kill->by_laddr || strcmp(info.laddr, kill->laddr) == 0) &&
           info.age_s >= kill->age_s;
}

static bool kill_visit(struct conn *conn, void *ctx)
{
    struct kill *kill = ctx;

    if (!to_be_killed(kill, conn))
        return true;
    kill->killed++;
    if (conn_session(conn)->id == kill->self)
        kill->killed_self = true;
    else
        conn_free(conn);
    return true;
}

static void kill_reply(struct call *call, const struct kill *kill)
{
    if (call->argc > 3)
        reply_int(&call->reply, (int64_t)kill->killed);
    else if (kill->killed > 0)
        reply_ok(&call->reply);
    else
        reply_error(&call->reply, "ERR No such client");
    if (kill->killed_self)
        conn_close_after_reply(call->conn);
}

/* An address that is too long is nobody's. */
static void set_addr(char to[64], bool *by, struct arg arg)
{
    size_t len = arg.len < 64 ? arg.len : 0;

    memcpy(to, arg.ptr, len);
    to[len] = '\0';
    *by = true;
}

static bool parse_positive(struct call *call, struct arg arg, int64_t *value,
                           const char *no_number, const char *too_small)
{
    const char *why = NULL;

    if (!text_to_int(arg.ptr, arg.len, value))
        why = no_number;
    else if (*value < 1)
        why = too_small;
    if (why != NULL)
        reply_error(&call->reply, why);
    return why == NULL;
}

static bool parse_user(struct call *call, struct kill *kill, struct arg arg)
{
    struct acl_rules *rules = acl_rules_of(kill->acl, arg);

    if (rules == NULL) {
        reply_errorf(&call->reply, "ERR No such user '%.*s'", arg_shown(&arg),
                     arg.ptr);
        return false;
    }
    acl_rules_disown(rules);
    memcpy(kill->user, arg.ptr, arg.len);
    kill->user_len = arg.len;
    kill->by_user = true;
    return true;
}

/* One option and its value.  False: an error was answered. */
static bool parse_filter(struct call *call, struct kill *kill, struct arg name,
                         struct arg value)
{
    const char *what = name.ptr;
    size_t len = name.len;

    if (text_is(what, len, "id"))
        return parse_positive(call, value, &kill->id,
                              "ERR client-id should be greater than 0",
                              "ERR client-id should be greater than 0");
    if (text_is(what, len, "maxage"))
        return parse_positive(call, value, &kill->age_s,
                              "ERR maxage is not an integer or out of range",
                              "ERR maxage should be greater than 0");
    if (text_is(what, len, "type"))
        return client_parse_type(call, value, &kill->type);
    if (text_is(what, len, "user"))
        return parse_user(call, kill, value);
    if (text_is(what, len, "addr")) {
        set_addr(kill->addr, &kill->by_addr, value);
        return true;
    }
    if (text_is(what, len, "laddr")) {
        set_addr(kill->laddr, &kill->by_laddr, value);
        return true;
    }
    if (text_is(what, len, "skipme") && text_is(value.ptr, value.len, "yes")) {
        kill->skip_me = true;
        return true;
    }
    if (text_is(what, len, "skipme") && text_is(value.ptr, value.len, "no")) {
        kill->skip_me = false;
        return true;
    }
    reply_error(&call->reply, "ERR syntax error");
    return false;
}

static bool parse_kill(struct call *call, struct kill *kill)
{
    if (call->argc == 3) {
        set_addr(kill->addr, &kill->by_addr, call->argv[2]);
        return true;
    }
    kill->skip_me = true;
    for (size_t i = 2; i < call->argc; i += 2) {
        if (i + 1 == call->argc) {
            reply_error(&call->reply, "ERR syntax error");
            return false;
        }
        if (!parse_filter(call, kill, call->argv[i], call->argv[i + 1]))
            return false;
    }
    return true;
}

enum command_result cmd_client_kill(struct call *call)
{
    struct kill *kill = ask_ctx(call);

    if (kill != NULL) {
        kill_reply(call, kill);
        return COMMAND_DONE;
    }
    kill = calloc(1, sizeof *kill);
    if (kill == NULL) {
        reply_error(&call->reply, ERROR_NO_ROOM);
        return COMMAND_DONE;
    }
    kill->now_ms = call->now_ms;
    kill->self = call->session->id;
    kill->acl = call->server->acl;
    if (parse_kill(call, kill))
        return ask_conns(call, kill_visit, kill, free);
    free(kill);
    return COMMAND_DONE;
}
