/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ERRORS_H
#define ERRORS_H

/* Errors that many commands share, in Redis's words. */

#define SYNTAX  "-ERR syntax error"
#define NOT_INT "-ERR value is not an integer or out of range"
#define NOAUTH  "-NOAUTH Authentication required."
#define ABORTED "-EXECABORT Transaction discarded because of previous errors."

#define NOPERM_KEY                                                             \
    "-NOPERM this user has no permissions to access one of the keys used as "  \
    "arguments"
#define NOPERM_CHANNEL                                                         \
    "-NOPERM this user has no permissions to access one of the channels used " \
    "as arguments"
#define NOPERM_COMMAND(name)                                                   \
    "-NOPERM this user has no permissions to run the '" name "' command"
#define WRONGPASS                                                              \
    "-WRONGPASS invalid username-password pair or user is disabled."

#endif
