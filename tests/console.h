/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONSOLE_H
#define CONSOLE_H

/*
 * A plain connection on which commands are typed as in telnet and replies are
 * shown as text, in both protocol versions: see resp_show.
 */

#include "tests/live.h"
#include "tests/resp_reader.h"

struct console {
    int fd;
    struct resp_reader reader;
    char *shown; /* the last reply */
};

void console_open(struct console *console, const struct live *live);
void console_close(struct console *console);

/* Sends a line. */
void console_say(struct console *console, const char *line);
/* The next reply, "(no reply)" when the server closed; valid until the next
 * call. */
const char *console_hear(struct console *console);
/* Both. */
const char *console_ask(struct console *console, const char *line);

#endif
