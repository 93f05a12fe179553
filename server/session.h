/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SESSION_H
#define SESSION_H

/* What a connection has told us about itself and how it wants to be served. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SESSION_NO_COMMAND = UINT16_MAX };

enum session_reply { REPLY_ON, REPLY_OFF, REPLY_SKIP_NEXT, REPLY_SKIP };

struct session {
    uint64_t id;
    uint8_t resp; /* 2 or 3 */
    uint8_t db;
    uint8_t reply; /* enum session_reply */
    bool authenticated;
    bool no_evict, no_touch;
    char *name, *lib_name, *lib_ver; /* owned; NULL: not given */
    int64_t created_ms, active_ms;   /* wall clock; last command */
    uint16_t last_command; /* row in the command table; SESSION_NO_COMMAND */
};

void session_init(struct session *session, uint64_t id, bool authenticated,
                  int64_t now_ms);
void session_reset(struct session *session, bool authenticated); /* RESET */
void session_release(struct session *session);

/* Sets name, lib_name or lib_ver to a copy (len 0: to NULL).  False without
 * memory; then the old one stays. */
bool session_set_text(char **field, const char *text, size_t len);
/* Bytes of the texts. */
size_t session_text_bytes(const struct session *session);

#endif
