/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ACL_H
#define ACL_H

/*
 * The users, and which of them a client is.
 *
 *   session --- acl_user --- acl_rules (sealed)
 *      |           |            ^
 *      |           '-- ACL SETUSER puts others in their place
 *      '-- owns the rules that it was shown last, and their version
 *
 * Whoever may do everything pays for it with one comparison a request:
 * session->acl_pass with the version, which rises with every change.  All
 * others look further, and at the rules of now if the version is another; no
 * request takes a lock but the first after a change.
 *
 * All functions are for any thread; a session is its own thread's.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acl_users.h"
#include "session.h"

struct acl;

/* One user, "default", who needs no password and may do everything.  *version
 * is 0 until then, and belongs to it from now on.  NULL: no memory. */
struct acl *acl_new(_Atomic uint64_t *version);
void acl_free(struct acl *acl); /* NULL is fine */

/* ----------------------------------------------------------------- sessions */

/* "default" is on and needs no password: clients are let in as they come. */
bool acl_is_open(const struct acl *acl);
/* "default" needs no password, be it on or off. */
bool acl_is_nopass(const struct acl *acl);

/* The client is "default", authenticated if that is open. */
void acl_enter(struct acl *acl, struct session *session);
void acl_leave(struct acl *acl, struct session *session);

/* The client is that user from now on.  False: there is none with this name
 * and password who is on, and nothing changed; it takes the same time. */
bool acl_login(struct acl *acl, struct session *session, struct arg name,
               struct arg password);
/* The password is that of "default". */
bool acl_password_ok(struct acl *acl, const char *text, size_t len);

/* The rules of now are the session's: to be called when its version is another
 * than that of now.  False: its user was deleted. */
bool acl_look_again(struct acl *acl, struct session *session);

/* The same if that is so; `version` is that of now.  Between requests, too: an
 * idle session lets go of rules that are in force no more. */
static inline bool acl_keep_up(struct acl *acl, struct session *session,
                               uint64_t version)
{
    return session->acl_seen == version || acl_look_again(acl, session);
}

/* Bytes of rules that are in force no more and that sessions have not let go
 * of.  Above ACL_RETIRED_MAX, who changes users has all sessions look again;
 * above ACL_RETIRED_MOST it has to wait. */
enum { ACL_RETIRED_MAX = ACL_BYTES_MAX, ACL_RETIRED_MOST = 2 * ACL_BYTES_MAX };
size_t acl_retired(const struct acl *acl);

const char *acl_user_name(const struct session *session);
/* Its user was deleted: it is to be closed. */
bool acl_user_gone(const struct session *session);
/* Its user is the one of that name, and not another with the same name. */
bool acl_user_is(struct acl *acl, const struct session *session,
                 struct arg name);

/* -------------------------------------------------------------------- users */

/* ACL SETUSER.  NULL, or what is wrong as Redis words it, without its code, in
 * `why` (ACL_WHY_MAX bytes) or static; then nothing changed. */
const char *acl_set_user(struct acl *acl, struct arg name,
                         const struct arg *words, size_t count, char *why);
/* The password of "default", "": none, also for when it is made anew. */
void acl_set_password(struct acl *acl, const char *text);
/* Those of them that were there; "default" must not be among them. */
size_t acl_delete_users(struct acl *acl, const struct arg *names, size_t count);

/* The rules of a user, whose owner the caller becomes, or NULL. */
struct acl_rules *acl_rules_of(struct acl *acl, struct arg name);

/* Visits the users in the order of their names; nobody changes them meanwhile.
 * initial: "default" as requirepass makes it. */
struct acl_visit {
    void (*first)(void *ctx, size_t count); /* NULL is fine */
    void (*each)(void *ctx, struct arg name, const struct acl_rules *rules,
                 bool initial);
    void *ctx;
};
void acl_each(struct acl *acl, const struct acl_visit *visit);

/*
 * Puts a set in force in place of all others and empties it: who is in both
 * keeps its clients, "default" is made anew if it is not among them.  False: no
 * room or memory, and nothing changed.
 */
bool acl_replace(struct acl *acl, struct acl_users *users);

#endif
