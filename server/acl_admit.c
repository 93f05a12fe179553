/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks the rules of the client's user before a command is run. */

#include "acl_admit.h"

#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "acl_check.h"
#include "client.h"
#include "conn.h"
#include "server.h"
#include "worker.h"

void acl_note(struct call *call, enum acl_reason reason, struct arg object,
              const struct arg *user)
{
    struct server *server = call->server;
    struct buf client = {.max = 2 * ACL_LOG_CLIENT_MAX};
    const char *name = acl_user_name(call->session);
    client_describe(&client, call->conn, call->now_ms);
    const struct acl_event event = {
        .reason = reason,
        .context = call->session->multi ? ACL_MULTI : ACL_TOPLEVEL,
        .object = object,
        .user = user ? *user : (struct arg){name, strlen(name)},
        .client = {client.data ? client.data + client.start : "",
                   buf_len(&client)},
        .at_ms = call->now_ms,
    };
    acl_log_add(server->acl_log, &event,
                (size_t)atomic_load(&server->limits.acl_log_entries));
    buf_release(&client);
}

/* What is told of it, and how EXEC puts it. */
static const struct denial {
    enum acl_reason reason;
    const char *text, *in_exec;
} denials[] = {
    [ACL_NO_COMMAND] = {ACL_REASON_COMMAND, NULL,
                        "no permission to execute the command or subcommand"},
    [ACL_NO_KEY] = {ACL_REASON_KEY,
                    "NOPERM this user has no permissions to access one of the "
                    "keys used as arguments",
                    "no permission to touch the specified keys"},
    [ACL_NO_CHANNEL] = {ACL_REASON_CHANNEL,
                        "NOPERM this user has no permissions to access one of "
                        "the channels used as arguments",
                        "no permission to access one of the channels used as "
                        "arguments"},
};

static void deny(struct call *call, const struct acl_check *check)
{
    const struct denial *denial = &denials[check->worst];
    const char *name = call->command->name;
    struct arg object = call->argv[check->at];
    if (check->worst == ACL_NO_COMMAND)
        object = (struct arg){name, strlen(name)};
    switch (denial->reason) {
    case ACL_REASON_KEY:
        worker_count(call->worker, denied_keys, 1);
        break;
    case ACL_REASON_CHANNEL:
        worker_count(call->worker, denied_channels, 1);
        break;
    default:
        worker_count(call->worker, denied_commands, 1);
    }
    acl_note(call, denial->reason, object, NULL);
    if (call->in_exec)
        reply_errorf(&call->reply,
                     "NOPERM ACLs rules changed between the moment the "
                     "transaction was accumulated and the EXEC call. This "
                     "command is no longer allowed for the following reason: "
                     "%s",
                     denial->in_exec);
    else if (denial->text)
        reply_error(&call->reply, denial->text);
    else
        reply_errorf(&call->reply,
                     "NOPERM this user has no permissions to run the '%s' "
                     "command",
                     name);
}

/* Its user was deleted, and the connection is about to be closed for it. */
static enum admission deny_the_deleted(struct call *call)
{
    call->session->authenticated = false;
    reply_error(&call->reply, "NOAUTH Authentication required.");
    conn_close_after_reply(call->conn);
    return DENIED;
}

/* A check that goes on later, by the rules that it was begun with: they may be
 * others by then, whoever looked. */
struct pending {
    uint64_t seen; /* session->acl_seen */
    struct acl_check check;
};

static void forget(struct call *call)
{
    free(call->state);
    call->state = NULL;
    call->state_free = NULL;
}

/* Keeps where the check is for the next turn. */
static enum admission go_on_later(struct call *call,
                                  const struct acl_check *check)
{
    struct pending *pending = call->state;
    if (!pending) {
        pending = call->state = malloc(sizeof *pending);
        call->state_free = free;
    }
    if (!pending) {
        reply_error(&call->reply, ERROR_NO_ROOM);
        return DENIED;
    }
    *pending = (struct pending){call->session->acl_seen, *check};
    return ADMITTED_LATER;
}

enum admission acl_admit(struct call *call)
{
    struct session *session = call->session;
    const struct pending *pending = call->state;
    struct acl_check check = {0};
    size_t steps = ACL_SLICE_STEPS;
    if (!acl_keep_up(call->server->acl, session, call->server->acl_version)) {
        forget(call);
        return deny_the_deleted(call);
    }
    if (pending && pending->seen == session->acl_seen)
        check = pending->check;
    enum acl_verdict verdict =
        session->acl_pass != 0
            ? ACL_ALLOWED
            : acl_check(session->rules, call->command, call->argv, call->argc,
                        &check, &steps);
    if (verdict == ACL_MORE)
        return go_on_later(call, &check);
    forget(call);
    if (verdict == ACL_ALLOWED)
        return ADMITTED;
    deny(call, &check);
    return DENIED;
}

bool acl_would_admit(const struct server *server, struct session *session,
                     const struct command *command, const struct arg *argv,
                     size_t argc)
{
    struct acl_check check = {0};
    size_t steps = ACL_SLICE_STEPS;
    if (!acl_keep_up(server->acl, session, server->acl_version))
        return false;
    if (!session->rules || session->acl_pass != 0)
        return true;
    return acl_check(session->rules, command, argv, argc, &check, &steps) <=
           ACL_ALLOWED;
}
