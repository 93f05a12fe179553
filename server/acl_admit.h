/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ACL_ADMIT_H
#define ACL_ADMIT_H

/* What users may do, asked for the calls that they make. */

#include "acl_log.h"
#include "command.h"

enum admission {
    ADMITTED,
    DENIED,         /* the error was answered */
    ADMITTED_LATER, /* it takes long: ask again after others had a turn */
};

/* Whether the client's user may make this request, whose row is known.  To be
 * asked when session->acl_pass is not server->acl_version. */
enum admission acl_admit(struct call *call);

/* As far as it can be told from the first arguments, by the rules of now. */
bool acl_would_admit(const struct server *server, struct session *session,
                     const struct command *command, const struct arg *argv,
                     size_t argc);

/* Notes in ACL LOG what was denied to the call's client; user NULL: its own. */
void acl_note(struct call *call, enum acl_reason reason, struct arg object,
              const struct arg *user);

#endif
