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

/* What must be answered to a line, and what must be heard next. */
void console_answers(struct console *console, const char *line,
                     const char *answer);
void console_tells(struct console *console, const char *reply);

/* What a client that caches keys hears of some, and of all. */
#define INVALID(keys) ">[\"invalidate\" [" keys "]]"
#define ALL_INVALID   ">[\"invalidate\" nil]"

/* The answer, which must begin with that. */
const char *console_begins(const char *answer, const char *with);

/* Lines and what must be answered to them, each on a connection of its own:
 * CONSOLE_CHECK({"PING", "+PONG"}, ...) in a test whose *state is the live
 * server. */
struct exchange {
    const char *line, *answer;
};
void console_check(const struct live *live, const struct exchange *exchanges,
                   size_t count);

#define CONSOLE_CHECK(...)                                                     \
    console_check(*state, (const struct exchange[]){__VA_ARGS__},              \
                  sizeof((const struct exchange[]){__VA_ARGS__}) /             \
                      sizeof(struct exchange))

#endif
