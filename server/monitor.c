/* SPDX-License-Identifier: BSD-3-Clause */
/* The lines of MONITOR, and the command. */

#include "monitor.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "call.h"
#include "conn.h"
#include "publish.h"
#include "secrets.h"

/* What is longer is cut, and how much is missing told. */
enum { ARG_MAX = CACHE_INLINE_MAX, LINE_MAX = 64 * 1024 };

static void add_escaped(struct buf *line, const char *bytes, size_t len)
{
    static const char names[][3] = {"\n\\n", "\r\\r",  "\t\\t", "\a\\a",
                                    "\b\\b", "\"\\\"", "\\\\\\"};
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        size_t n = 0, count = sizeof names / sizeof *names;
        while (n < count && names[n][0] != (char)c)
            n++;
        if (n < count)
            buf_add(line, names[n] + 1, 2);
        else if (c >= ' ' && c <= '~')
            buf_add(line, bytes + i, 1);
        else
            buf_addf(line, "\\x%02x", c);
    }
}

/* A value that was received to where it stays is not looked at any more. */
static void add_arg(struct buf *line, const struct arg *arg)
{
    size_t shown = arg->len < ARG_MAX ? arg->len : ARG_MAX;
    if (!arg->ptr)
        shown = 0;
    buf_add_text(line, " \"");
    add_escaped(line, arg->ptr, shown);
    if (shown < arg->len)
        buf_addf(line, "... (%zu more bytes)", arg->len - shown);
    buf_add_text(line, "\"");
}

static void add_args(struct buf *line, const struct call *call)
{
    for (size_t i = 0; i < call->argc; i++) {
        if (buf_len(line) > LINE_MAX) {
            buf_addf(line, " \"... (%zu more arguments)\"", call->argc - i);
            return;
        }
        if (secret_arg(call->command, call->argv, i))
            buf_add_text(line, " \"" SECRET_SHOWN "\"");
        else
            add_arg(line, &call->argv[i]);
    }
}

static void add_line(struct buf *line, const struct call *call)
{
    char peer[128];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    conn_peer(call->conn, peer, sizeof peer);
    buf_addf(line, "+%" PRId64 ".%06ld [%u %s]", (int64_t)now.tv_sec,
             now.tv_nsec / 1000, call->session->db, peer);
    add_args(line, call);
    buf_add_text(line, "\r\n");
}

void monitor_tell(struct call *call)
{
    struct server *server = call->server;
    struct buf line = {0};
    if (call->command->flags & COMMAND_ADMIN || !call->conn)
        return;
    add_line(&line, call);
    struct push *push = line.failed ? NULL : push_new(server, buf_len(&line));
    if (push) {
        memcpy(push->bytes, line.data + line.start, buf_len(&line));
        publish_bytes(server, TOPIC_MONITOR, push);
    }
    buf_release(&line);
    if (push_crowded(server))
        conn_hold_back(call->conn);
}

enum command_result cmd_monitor(struct call *call)
{
    const struct arg unnamed = {"", 0};
    if (call->in_exec)
        return call_error(call,
                          "ERR MONITOR isn't allowed for DENY BLOCKING client");
    if (subscriber_count(call->session->subscriber, TOPIC_MONITOR) > 0)
        return COMMAND_DONE; /* without a reply, as in Redis */
    if (subscribe(call->conn, TOPIC_MONITOR, &unnamed) != SUBSCRIBE_DONE)
        return call_error(call, ERROR_NO_ROOM);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}
