/* SPDX-License-Identifier: BSD-3-Clause */
/* Turns: lent to a connection, kept by it if something is unfinished, and given
 * back. */

#include "turn.h"

#include <stdlib.h>
#include <string.h>

#include "limits.h"

struct turn *turn_take(struct worker *worker)
{
    struct turn *turn = worker->spare;
    worker->spare = NULL;
    if (!turn) {
        turn = calloc(1, sizeof *turn);
        if (turn)
            parser_init(&turn->parser);
    }
    if (turn)
        turn->parts = 1;
    return turn;
}

void turn_free(struct turn *turn)
{
    if (!turn)
        return;
    if (turn->running)
        command_drop(&turn->call);
    cache_blob_free(turn->blob);
    parser_release(&turn->parser);
    buf_release(&turn->in);
    buf_release(&turn->wider);
    buf_release(&turn->pushes);
    output_release(&turn->out);
    free(turn);
}

struct turn *turn_borrow(struct conn *conn)
{
    struct worker *worker = conn->worker;
    struct turn *turn = turn_take(worker);
    conn->turn = turn;
    if (!turn)
        return NULL;
    turn_resume(turn);
    turn_warm(turn, worker);
    return turn;
}

void turn_warm(struct turn *turn, struct worker *worker)
{
    struct buf *tail = &turn->out.tail;
    if (tail->data || !worker->warm)
        return;
    tail->data = worker->warm;
    tail->cap = worker->warm_cap;
    worker->warm = NULL;
}

/* Keeps the tail's memory for whom the worker serves next. */
static void keep_warm(struct worker *worker, struct buf *tail)
{
    if (!worker->warm && tail->cap <= LIMIT_SPARE_OUTPUT) {
        worker->warm = tail->data;
        worker->warm_cap = tail->cap;
    } else {
        free(tail->data);
    }
    *tail = (struct buf){0};
}

/* Nothing of it is unfinished. */
static void turn_return(struct conn *conn)
{
    struct worker *worker = conn->worker;
    struct turn *turn = conn->turn;
    conn->turn = NULL;
    if (worker->spare)
        turn_free(turn);
    else
        worker->spare = turn;
}

/* Few bytes need not hold a large buffer. */
static void shrink(struct buf *buf)
{
    size_t len = buf_len(buf);
    if (buf->cap < 4096 || len > buf->cap / 2)
        return;
    char *data = malloc(len);
    if (!data)
        return;
    memcpy(data, buf->data + buf->start, len);
    free(buf->data);
    *buf = (struct buf){.data = data, .end = len, .cap = len};
}

/* Makes the unfinished input the turn's own.  A call that goes on must find
 * its arguments where they are then. */
static bool keep_input(struct turn *turn)
{
    struct buf *in = &turn->in;
    if (turn->lent || turn->len != buf_len(in))
        buf_release(&turn->wider); /* what was moved is not what is there */
    if (turn->len == 0) {
        buf_release(in);
        return true;
    }
    if (!turn->lent) {
        buf_drain(in, buf_len(in) - turn->len);
        if (turn->parser.skipping)
            shrink(in);
        return true;
    }
    buf_drain(in, buf_len(in)); /* what did not fit into the pool before */
    if (in->cap < turn->len)
        buf_release(in);
    in->max = in->cap > turn->len ? in->cap : turn->len;
    in->failed = false;
    buf_add(in, turn->at, turn->len);
    if (in->failed)
        return false;
    if (turn->running) {
        struct arg *argv = turn->parser.argv;
        for (size_t i = 0; i < turn->parser.argc; i++)
            if (argv[i].ptr)
                argv[i].ptr = in->data + (argv[i].ptr - turn->at);
    }
    return true;
}

bool turn_rest(struct conn *conn)
{
    struct turn *turn = conn->turn;
    if (!keep_input(turn))
        return false;
    if (output_empty(&turn->out)) {
        keep_warm(conn->worker, &turn->out.tail);
        if (buf_len(&turn->in) == 0 && !turn->running && !turn->parser.skipping)
            turn_return(conn);
    } else {
        shrink(&turn->out.tail);
    }
    return true;
}
