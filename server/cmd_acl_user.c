/* SPDX-License-Identifier: BSD-3-Clause */
/* ACL: users, shown, made, changed and deleted; kept in a file. */

#include "call.h"

#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "acl_check.h"
#include "acl_file.h"
#include "ask.h"
#include "conn.h"
#include "log.h"
#include "pubsub.h"
#include "vet.h"
#include "worker.h"

/* ------------------------------------------------------------- LIST, USERS */

static void reply_count(void *ctx, size_t count)
{
    struct call *call = ctx;
    reply_array(&call->reply, count);
}

static void reply_name(void *ctx, struct arg name,
                       const struct acl_rules *rules, bool initial)
{
    struct call *call = ctx;
    (void)rules;
    (void)initial;
    reply_bulk(&call->reply, name.ptr, name.len);
}

static void reply_line(void *ctx, struct arg name,
                       const struct acl_rules *rules, bool initial)
{
    struct call *call = ctx;
    struct buf *out = call->reply.out;
    (void)initial;
    reply_bulk_begin(&call->reply,
                     strlen("user ") + name.len + 1 + buf_len(&rules->text));
    acl_file_line(out, name, rules);
    buf_add_text(out, "\r\n");
}

enum command_result cmd_acl_users(struct call *call)
{
    const struct acl_visit visit = {reply_count, reply_name, call};
    acl_each(call->server->acl, &visit);
    return COMMAND_DONE;
}

enum command_result cmd_acl_list(struct call *call)
{
    const struct acl_visit visit = {reply_count, reply_line, call};
    acl_each(call->server->acl, &visit);
    return COMMAND_DONE;
}

/* ----------------------------------------------------------------- GETUSER */

static void reply_printed(struct reply *reply, const char *name,
                          const struct acl_selector *selector,
                          void (*print)(const struct acl_selector *selector,
                                        struct buf *out))
{
    struct buf text = {0};
    print(selector, &text);
    reply_bulk_text(reply, name);
    reply_bulk(reply, text.data ? text.data + text.start : "", buf_len(&text));
    buf_release(&text);
}

static void reply_selector(struct reply *reply,
                           const struct acl_selector *selector)
{
    reply_printed(reply, "commands", selector, acl_print_commands);
    reply_printed(reply, "keys", selector, acl_print_keys);
    reply_printed(reply, "channels", selector, acl_print_channels);
}

static void reply_flags(struct reply *reply, const struct acl_rules *rules)
{
    bool said = rules->sanitize != ACL_SANITIZE_UNSAID;
    reply_bulk_text(reply, "flags");
    reply_set(reply, 1 + (size_t)rules->nopass + (size_t)said);
    reply_bulk_text(reply, rules->enabled ? "on" : "off");
    if (rules->nopass)
        reply_bulk_text(reply, "nopass");
    if (said)
        reply_bulk_text(reply, rules->sanitize == ACL_SANITIZE
                                   ? "sanitize-payload"
                                   : "skip-sanitize-payload");
}

static void reply_passwords(struct reply *reply, const struct acl_rules *rules)
{
    reply_bulk_text(reply, "passwords");
    reply_array(reply, rules->password_count);
    for (size_t i = 0; i < rules->password_count; i++) {
        char hex[SHA256_HEX + 1];
        sha256_hex(rules->passwords[i], hex);
        reply_bulk(reply, hex, SHA256_HEX);
    }
}

enum command_result cmd_acl_getuser(struct call *call)
{
    struct reply *reply = &call->reply;
    struct acl_rules *rules = acl_rules_of(call->server->acl, call->argv[2]);
    if (!rules) {
        reply_null(reply);
        return COMMAND_DONE;
    }
    reply_map(reply, 6);
    reply_flags(reply, rules);
    reply_passwords(reply, rules);
    reply_selector(reply, &rules->selectors[0]);
    reply_bulk_text(reply, "selectors");
    reply_array(reply, rules->selector_count - 1);
    for (size_t i = 1; i < rules->selector_count; i++) {
        reply_map(reply, 3);
        reply_selector(reply, &rules->selectors[i]);
    }
    acl_rules_disown(rules);
    return COMMAND_DONE;
}

/* ------------------------------------------------- who must not stay: closed
 */

/*
 * Clients whose user was deleted, and subscribers whose user may not listen to
 * all of their channels any more.  Each worker closes its own; then the answer
 * is sent.
 */
struct closing {
    struct acl *acl;
    const _Atomic uint64_t *version;
    uint64_t self;         /* who asks: closed after the answer */
    _Atomic bool self_too; /* it is to be */
    int64_t deleted;       /* to be answered */
    bool everybody;        /* subscribers of every user, or of this one: */
    size_t name_len;
    char name[];
};

/* Deleted, or may not listen to all that it is subscribed to. */
static enum vetting may_stay(const struct closing *closing, struct conn *conn,
                             size_t *steps)
{
    struct session *session = conn_session(conn);
    struct arg name = {closing->name, closing->name_len};
    if (acl_user_gone(session))
        return VET_FORBIDDEN;
    acl_keep_up(closing->acl, session, atomic_load(closing->version));
    if (!session->subscriber ||
        !(closing->everybody || acl_user_is(closing->acl, session, name)))
        return VET_ALLOWED;
    return subscriber_vet(conn, steps);
}

/* Who took long ends the slice. */
static bool close_visit(struct conn *conn, void *ctx)
{
    struct closing *closing = ctx;
    size_t steps = ACL_SLICE_STEPS;
    enum vetting vetting = may_stay(closing, conn, &steps);
    if (vetting != VET_FORBIDDEN)
        return vetting == VET_ALLOWED && steps > ACL_SLICE_STEPS / 2;
    if (conn_session(conn)->id == closing->self)
        atomic_store(&closing->self_too, true);
    else
        conn_free(conn);
    return true;
}

/* user NULL: everybody. */
static enum command_result close_those(struct call *call, int64_t deleted,
                                       const struct arg *user)
{
    size_t len = user ? user->len : 0;
    struct closing *closing = calloc(1, sizeof *closing + len);
    if (!closing)
        return call_error(call, ERROR_NO_ROOM);
    closing->acl = call->server->acl;
    closing->version = &call->server->acl_version;
    closing->self = call->session->id;
    closing->deleted = deleted;
    closing->everybody = !user;
    closing->name_len = len;
    if (len > 0)
        memcpy(closing->name, user->ptr, len);
    return ask_conns(call, close_visit, closing, free);
}

static void close_self(struct call *call, const struct closing *closing)
{
    if (atomic_load(&closing->self_too))
        conn_close_after_reply(call->conn);
}

static enum command_result end_ok(struct call *call,
                                  const struct closing *closing)
{
    reply_ok(&call->reply);
    close_self(call, closing);
    return COMMAND_DONE;
}

/* -------------------------------------------------------- SETUSER, DELUSER */

enum command_result cmd_acl_setuser(struct call *call)
{
    char why[ACL_WHY_MAX];
    const struct closing *closing = ask_ctx(call);
    if (closing)
        return end_ok(call, closing);
    struct acl *acl = call->server->acl;
    if (acl_retired(acl) > ACL_RETIRED_MOST)
        return call_error(call, "ERR too many users were changed just now, try "
                                "again");
    const char *error =
        acl_set_user(acl, call->argv[2], call->argv + 3, call->argc - 3, why);
    if (error) {
        reply_errorf(&call->reply, "ERR %s", error);
        return COMMAND_DONE;
    }
    if (pubsub_clients(call->server->pubsub) > 0 ||
        acl_retired(acl) > ACL_RETIRED_MAX)
        return close_those(call, 0, &call->argv[2]);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

enum command_result cmd_acl_deluser(struct call *call)
{
    const struct arg *names = call->argv + 2, none = {"", 0};
    size_t count = call->argc - 2;
    const struct closing *closing = ask_ctx(call);
    if (closing) {
        reply_int(&call->reply, closing->deleted);
        close_self(call, closing);
        return COMMAND_DONE;
    }
    if (!call_names_fit(call))
        return COMMAND_DONE;
    for (size_t i = 0; i < count; i++)
        if (names[i].len == 7 && memcmp(names[i].ptr, "default", 7) == 0)
            return call_error(call, "ERR The 'default' user cannot be removed");
    return close_those(
        call, (int64_t)acl_delete_users(call->server->acl, names, count),
        &none);
}

/* --------------------------------------------------------------- LOAD, SAVE */

/* False: the error was answered. */
static bool has_file(struct call *call)
{
    if (call->server->conf.aclfile[0])
        return true;
    reply_error(&call->reply,
                "ERR This Redis instance is not configured to use an ACL file. "
                "You may want to specify users via the ACL SETUSER command and "
                "then issue a CONFIG REWRITE (assuming you have a Redis "
                "configuration file set) in order to store users in the Redis "
                "configuration.");
    return false;
}

enum command_result cmd_acl_load(struct call *call)
{
    char why[ACL_FILE_WHY_MAX];
    const struct closing *closing = ask_ctx(call);
    if (closing)
        return end_ok(call, closing);
    if (!has_file(call))
        return COMMAND_DONE;
    const char *error =
        acl_file_load(call->server->acl, call->server->conf.aclfile, why);
    if (!error)
        return close_those(call, 0, NULL);
    reply_errorf(&call->reply, "ERR %s", error);
    return COMMAND_DONE;
}

enum command_result cmd_acl_save(struct call *call)
{
    char why[CONF_TEXT_MAX];
    if (!has_file(call))
        return COMMAND_DONE;
    const char *error =
        acl_file_save(call->server->acl, call->server->conf.aclfile, why);
    if (!error) {
        reply_ok(&call->reply);
        return COMMAND_DONE;
    }
    log_write(call->server->log, LOG_WARNING, "The users cannot be saved: %s",
              error);
    return call_error(call, "ERR There was an error trying to save the ACLs. "
                            "Please check the server logs for more "
                            "information");
}
