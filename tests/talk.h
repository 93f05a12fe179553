/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TALK_H
#define TALK_H

/* Tests as a conversation: lines as typed into telnet, replies byte for byte.
 */

#include "tests/live.h"
#include "tests/resp_reader.h"

struct talk {
    int fd;
    struct resp_reader reader;
};

struct says {
    const char *line;
    const char *reply; /* without its last CRLF; NULL: whatever it is */
};

struct talk talk_open(const struct live *live);
void talk_close(struct talk *talk);

/* Sends the line; its reply must be this one, if it is not NULL. */
void talk_says(struct talk *talk, const char *line, const char *reply);
/* The lines in turn; what failed is printed. */
void talk_table(struct talk *talk, const struct says *rows, size_t count);
/* The same on a connection of its own. */
void talk_check(const struct live *live, const struct says *rows, size_t count);
/* Sends the line; its reply is the caller's, for resp_free. */
struct resp *talk_ask(struct talk *talk, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define TALK_TABLE(talk, rows)                                                 \
    talk_table(talk, rows, sizeof(rows) / sizeof *(rows))
#define TALK_CHECK(live, rows)                                                 \
    talk_check(live, rows, sizeof(rows) / sizeof *(rows))

#endif
