/* SPDX-License-Identifier: BSD-3-Clause */
/* WATCH, UNWATCH. */

#include "call.h"

#include "conn.h"
#include "watch.h"

static bool watch_argument(struct call *call, size_t arg)
{
    struct session *session = call->session;
    struct cache_key key = call_key_of(call, arg);
    if (!conn_hold(call->conn, watch_size(&key)))
        return call_error(call, "OOM the keys do not fit into the memory that "
                                "clients may use") != COMMAND_DONE;
    switch (watch_key(session->watcher, session->db, &key, call->now_ms)) {
    case WATCH_OK:
        return true;
    case WATCH_MANY:
        reply_errorf(&call->reply, "ERR too many watched keys, at most %d",
                     LIMIT_WATCHED);
        return false;
    case WATCH_FULL:
        reply_errorf(&call->reply,
                     "ERR too many keys are watched by all clients together, "
                     "at most %d",
                     LIMIT_WATCHED_ALL);
        return false;
    case WATCH_NO_MEMORY:
        break;
    }
    reply_error(&call->reply, ERROR_NO_ROOM);
    return false;
}

enum command_result cmd_watch(struct call *call)
{
    struct session *session = call->session;
    if (session->multi)
        return call_error(call, "ERR WATCH inside MULTI is not allowed");
    if (!session->watcher)
        session->watcher = watcher_new(call->server->watches);
    if (!session->watcher)
        return call_error(call, ERROR_NO_ROOM);
    for (size_t i = 1; i < call->argc; i++)
        if (!watch_argument(call, i))
            return COMMAND_DONE;
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

enum command_result cmd_unwatch(struct call *call)
{
    session_unwatch(call->session);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}
