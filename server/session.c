/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of a session, new, reset and gone. */

#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "multi.h"
#include "tracking.h"
#include "watch.h"

void session_init(struct session *session, uint64_t id, bool authenticated,
                  int64_t now_ms)
{
    *session = (struct session){
        .id = id,
        .resp = 2,
        .authenticated = authenticated,
        .created_ms = now_ms,
        .active_ms = now_ms,
        .last_command = SESSION_NO_COMMAND,
    };
}

void session_reset(struct session *session, bool authenticated)
{
    session_set_text(session, &session->name, NULL, 0);
    struct session old = *session;
    session_end_multi(session);
    tracking_off(&session->tracker);
    session_init(session, old.id, authenticated, old.created_ms);
    session->active_ms = old.active_ms;
    session->last_command = old.last_command;
    session->lib_name = old.lib_name;
    session->lib_ver = old.lib_ver;
    session->text_bytes = old.text_bytes;
    session->user = old.user;
    session->rules = old.rules;
    session->acl_seen = old.acl_seen;
    session->acl_pass = old.acl_pass;
    session->channels_since = old.channels_since;
}

void session_release(struct session *session)
{
    session_end_multi(session);
    tracking_off(&session->tracker);
    free(session->name);
    free(session->lib_name);
    free(session->lib_ver);
    session->name = session->lib_name = session->lib_ver = NULL;
    session->text_bytes = 0;
}

static size_t text_bytes(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

bool session_set_text(struct session *session, char **field, const char *text,
                      size_t len)
{
    char *copy = NULL;
    if (len > 0) {
        copy = malloc(len + 1);
        if (!copy)
            return false;
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    session->text_bytes += text_bytes(copy) - text_bytes(*field);
    free(*field);
    *field = copy;
    return true;
}

size_t session_bytes(const struct session *session)
{
    return session->text_bytes +
           (session->multi ? multi_bytes(session->multi) : 0) +
           (session->watcher ? watcher_bytes(session->watcher) : 0) +
           (session->tracker ? tracker_bytes(session->tracker) : 0);
}

size_t session_owned(const struct session *session)
{
    return session->multi ? multi_owned(session->multi) : 0;
}

/* ----------------------------------------------------------- transactions */

void session_unwatch(struct session *session)
{
    if (session->watcher)
        watcher_free(session->watcher);
    session->watcher = NULL;
}

void session_end_multi(struct session *session)
{
    if (session->multi)
        multi_free(session->multi);
    session->multi = NULL;
    session_unwatch(session);
}

void session_fail_multi(struct session *session)
{
    if (session->multi)
        multi_fail(session->multi);
}
