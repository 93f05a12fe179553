/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PASSWORD_H
#define PASSWORD_H

/* The password that clients must give.  Any thread. */

#include <stdbool.h>
#include <stddef.h>

struct password;

struct password *password_new(void); /* none is set; NULL: no memory */
void password_free(struct password *password);

/* Takes a copy; "": none. */
void password_set(struct password *password, const char *text);
bool password_is_set(struct password *password);

/* The time it takes depends on nothing but len. */
bool password_matches(struct password *password, const char *text, size_t len);

#endif
