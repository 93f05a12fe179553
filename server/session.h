/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SESSION_H
#define SESSION_H

/* What a connection has told us about itself and how it wants to be served. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct multi;
struct watcher;
struct tracker;

enum { SESSION_NO_COMMAND = UINT16_MAX };

struct acl_user;
struct acl_rules;

enum session_reply { REPLY_ON, REPLY_OFF, REPLY_SKIP_NEXT, REPLY_SKIP };

struct subscriber;

struct session {
    uint8_t resp; /* 2 or 3 */
    uint8_t db;
    uint8_t reply; /* enum session_reply */
    bool authenticated;
    bool no_evict, no_touch;
    uint16_t last_command; /* row in the command table; SESSION_NO_COMMAND */
    size_t text_bytes;     /* of name, lib_name and lib_ver */
    struct subscriber *subscriber; /* see pubsub.h; NULL: none */
    struct multi *multi;           /* owned; from MULTI to its end, else NULL */
    struct watcher *watcher;       /* owned; NULL: watches nothing */
    struct tracker *tracker;       /* owned; NULL: it is not tracked */
    uint64_t acl_pass; /* acl_seen if the rules allow everything, else 0;
                          see acl.h */

    /* What most requests do not look at. */
    int64_t active_ms, created_ms; /* wall clock; last command */
    uint64_t id;
    char *name, *lib_name, *lib_ver; /* owned; NULL: not given */
    struct acl_user *user;
    struct acl_rules *rules;
    uint64_t acl_seen;       /* the version at which the rules were looked at */
    uint64_t channels_since; /* of the rules */
};

void session_init(struct session *session, uint64_t id, bool authenticated,
                  int64_t now_ms);
void session_reset(struct session *session, bool authenticated); /* RESET */
void session_release(struct session *session);

/* Sets its name, lib_name or lib_ver to a copy (len 0: to NULL).  False without
 * memory; then the old one stays. */
bool session_set_text(struct session *session, char **field, const char *text,
                      size_t len);
/* Bytes that it holds: texts, requests between MULTI and EXEC, watched keys,
 * prefixes.  And of the cache, in values of such requests. */
size_t session_bytes(const struct session *session);
size_t session_owned(const struct session *session);

/* It is not answered. */
static inline bool session_is_silent(const struct session *session)
{
    return session->reply == REPLY_OFF || session->reply == REPLY_SKIP;
}

/* EXEC, DISCARD: no transaction, and nothing is watched. */
void session_end_multi(struct session *session);
void session_unwatch(struct session *session);
/* There was an error between MULTI and EXEC; if there is no MULTI, nothing. */
void session_fail_multi(struct session *session);

#endif
