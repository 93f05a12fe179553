/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests for which clients have no memory: they get an error, and the
 * connection goes on.
 *
 *   is there as a whole    charged for, or refused instead of being run
 *   has come in part       refused; what is to come of it is skipped
 */

#include "limits.h"
#include "turn.h"

enum { REQUEST_SMALL = 16 * 1024 }; /* is not charged for before it is run */

void conn_book_request(struct conn *conn)
{
    struct turn *turn = conn->turn;
    const struct parser *parser = &turn->parser;
    if (parser->used + parser->argc * sizeof(struct arg) <= REQUEST_SMALL)
        return;
    if (turn_book(conn))
        turn_allow(conn);
    else
        turn->refused = true;
}

bool conn_refuse_unfinished(struct conn *conn)
{
    struct turn *turn = conn->turn;
    struct session *session = &conn->session;
    if (turn->running || !session->authenticated ||
        !parser_give_up(&turn->parser, turn->at))
        return false;
    cache_blob_free(turn->blob);
    turn->blob = NULL;
    turn->refused = false;
    conn_begin_call(conn, turn->parser.argv, turn->parser.argc);
    turn->call.now_ms = conn->worker->now_ms;
    struct output_mark mark = output_mark(&turn->out);
    command_refuse_long(&turn->call, turn->parser.expected);
    if (session_is_silent(session))
        output_rewind(&turn->out, mark);
    if (session->reply == REPLY_SKIP)
        session->reply = REPLY_ON;
    parser_skip(&turn->parser);
    conn_drop_skipped(turn);
    return true;
}

void conn_drop_skipped(struct turn *turn)
{
    if (!turn->parser.skipping)
        return;
    size_t dropped = parser_dropped(&turn->parser);
    turn->at += dropped;
    turn->len -= dropped;
    turn->bytes += dropped;
}
