/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ERRORS_H
#define ERRORS_H

/* Errors that many commands share, in Redis's words. */

#define SYNTAX  "-ERR syntax error"
#define NOT_INT "-ERR value is not an integer or out of range"
#define NOAUTH  "-NOAUTH Authentication required."
#define ABORTED "-EXECABORT Transaction discarded because of previous errors."

#endif
