/* SPDX-License-Identifier: BSD-3-Clause */
/* TIME and SHUTDOWN. */

#include "commands.h"

#include <time.h>

#include "conn.h"
#include "protocol/text.h"
#include "server.h"

enum command_result cmd_time(struct call *call)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    reply_array(&call->reply, 2);
    reply_bulk_int(&call->reply, now.tv_sec);
    reply_bulk_int(&call->reply, now.tv_nsec / 1000);
    return COMMAND_DONE;
}

/*
 * Nothing is saved, so that all ways of shutting down are one: replies under
 * way are sent, then the process ends.  As there is nothing to wait for, there
 * is never a shutdown to be aborted.
 */
enum command_result cmd_shutdown(struct call *call)
{
    bool abort = false, save = false, nosave = false, how = false;
    bool bad = false;

    for (size_t i = 1; i < call->argc; i++) {
        const char *word = call->argv[i].ptr;
        size_t len = call->argv[i].len;

        if (text_is(word, len, "abort"))
            abort = true;
        else if (text_is(word, len, "save"))
            save = true;
        else if (text_is(word, len, "nosave"))
            nosave = true;
        else if (text_is(word, len, "now") || text_is(word, len, "force"))
            how = true;
        else
            bad = true;
    }
    if (bad || (save && nosave) || (abort && (save || nosave || how))) {
        reply_error(&call->reply, "ERR syntax error");
    } else if (abort) {
        reply_error(&call->reply, "ERR No shutdown in progress.");
    } else {
        server_stop(call->server);
        conn_close_after_reply(call->conn);
    }
    return COMMAND_DONE;
}
