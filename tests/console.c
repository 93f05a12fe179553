/* SPDX-License-Identifier: BSD-3-Clause */
/* Types commands and shows replies. */
#include "tests/console.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    live_send(console->fd, line, strlen(line));
    live_send(console->fd, "\r\n", 2);
}

const char *console_hear(struct console *console)
{
    struct resp *reply = resp_await(&console->reader, console->fd, PATIENCE_MS);

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
