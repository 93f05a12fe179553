/* SPDX-License-Identifier: BSD-3-Clause */
/* Types commands and shows replies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/console.h"

enum { PATIENCE_MS = 60000 };

void console_open(struct console *console, const struct live *live)
{
    *console = (struct console){.fd = live_socket(live)};
}

void console_close(struct console *console)
{
    close(console->fd);
    resp_release(&console->reader);
    free(console->shown);
    *console = (struct console){.fd = -1};
}

void console_say(struct console *console, const char *line)
{
    /* In one piece: for a second the system would wait until the first was
     * acknowledged. */
    size_t len = strlen(line);
    char *whole = malloc(len + 3);

    assert_non_null(whole);
    memcpy(whole, line, len);
    memcpy(whole + len, "\r\n", 3);
    live_send(console->fd, whole, len + 2);
    free(whole);
}

const char *console_hear(struct console *console)
{
    struct resp *reply = resp_await(&console->reader, console->fd, PATIENCE_MS);

    if (!reply && !live_is_closed(console->fd))
        fail_msg("what comes is no reply");
    free(console->shown);
    console->shown = resp_show(reply);
    resp_free(reply);
    return console->shown;
}

const char *console_ask(struct console *console, const char *line)
{
    console_say(console, line);
    return console_hear(console);
}

void console_answers(struct console *console, const char *line,
                     const char *answer)
{
    assert_string_equal(console_ask(console, line), answer);
}

void console_tells(struct console *console, const char *reply)
{
    assert_string_equal(console_hear(console), reply);
}

const char *console_begins(const char *answer, const char *with)
{
    if (strncmp(answer, with, strlen(with)) != 0)
        fail_msg("%s does not begin with %s", answer, with);
    return answer;
}

void console_check(const struct live *live, const struct exchange *exchanges,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct console c;
        const char *answer;

        console_open(&c, live);
        answer = console_ask(&c, exchanges[i].line);
        if (strcmp(answer, exchanges[i].answer) != 0)
            fail_msg("%s answers %s, not %s", exchanges[i].line, answer,
                     exchanges[i].answer);
        console_close(&c);
    }
}
