/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines to a live server and replies from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/talk.h"

enum { LINE_MAX_BYTES = 4096, PATIENCE_MS = 60000 };

struct talk talk_open(const struct live *live)
{
    return (struct talk){.fd = live_socket(live)};
}

void talk_close(struct talk *talk)
{
    close(talk->fd);
    resp_release(&talk->reader);
}

struct resp *talk_ask(struct talk *talk, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line - 2, format, args);
    va_end(args);
    assert_in_range(len, 1, sizeof line - 3);
    memcpy(line + len, "\r\n", 2);
    assert_true(live_send(talk->fd, line, (size_t)len + 2));
    struct resp *reply = resp_await(&talk->reader, talk->fd, PATIENCE_MS);
    assert_non_null(reply);
    return reply;
}

void talk_says(struct talk *talk, const char *line, const char *reply)
{
    struct resp *got = talk_ask(talk, "%s", line);
    size_t len = reply ? strlen(reply) : 0;
    if (reply &&
        (got->raw_len != len + 2 || memcmp(got->raw, reply, len) != 0)) {
        print_error("> %s\nexpected %s\ngot      %.*s\n", line, reply,
                    (int)got->raw_len, got->raw);
        fail();
    }
    resp_free(got);
}

void talk_table(struct talk *talk, const struct says *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        talk_says(talk, rows[i].line, rows[i].reply);
}

void talk_check(const struct live *live, const struct says *rows, size_t count)
{
    struct talk talk = talk_open(live);
    talk_table(&talk, rows, count);
    talk_close(&talk);
}
