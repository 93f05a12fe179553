/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading from many, then serving them; see intake.h. */

#include "intake.h"

#include <stdlib.h>

#include "batch.h"
#include "limits.h"
#include "round.h"
#include "server.h"
#include "turn.h"

enum {
    MEMBERS = SKIM_REQUESTS,
    ROOM_LEAST = LIMIT_READ_BUFFER / 4, /* for one to read into */
};

struct member {
    struct conn *conn; /* NULL: it is gone */
    struct turn_input input;
};

struct intake {
    struct worker *worker;
    struct event *end; /* active while there are members */
    size_t used;       /* bytes of the worker's buffer */
    size_t count, at;
    struct member members[MEMBERS];
    struct batch *batch;
};

static void on_end(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    intake_serve(ctx);
}

struct intake *intake_new(struct worker *worker)
{
    struct intake *intake = calloc(1, sizeof *intake);
    if (!intake)
        return NULL;
    intake->worker = worker;
    intake->batch = batch_new();
    intake->end = event_new(worker->base, -1, 0, on_end, intake);
    if (intake->batch && intake->end)
        return intake;
    intake_free(intake);
    return NULL;
}

void intake_free(struct intake *intake)
{
    if (!intake)
        return;
    batch_free(intake->batch);
    if (intake->end)
        event_free(intake->end);
    free(intake);
}

static bool is_full(const struct intake *intake)
{
    return intake->count == MEMBERS ||
           intake->batch->skim.count == SKIM_REQUESTS ||
           LIMIT_READ_BUFFER - intake->used < ROOM_LEAST;
}

void intake_read(struct intake *intake, struct conn *conn)
{
    struct worker *worker = intake->worker;
    conn->since_ms = worker->clock_ms;
    struct member *member = &intake->members[intake->count];
    *member = (struct member){.conn = conn};
    struct turn_input *input = &member->input;
    input->at = worker->buffer + intake->used;
    size_t room = LIMIT_READ_BUFFER - intake->used;
    size_t most = LIMIT_READ_BUFFER / round_parts(worker);
    input->got =
        conn_read(conn, input->at, room < most ? room : most, &input->len);
    if (input->got == FILL_NONE)
        return;
    intake->used += input->len;
    if (input->got == FILL_SOME) {
        struct parse_limits limits;
        conn_limits(conn, &limits);
        input->batch = intake->batch;
        input->first = intake->batch->skim.count;
        input->count =
            batch_add(intake->batch, worker->server, conn->session.db,
                      input->at, input->len, &limits);
    }
    if (intake->count++ == 0)
        event_active(intake->end, 0, 0);
    if (is_full(intake))
        intake_serve(intake);
}

void intake_serve(struct intake *intake)
{
    if (intake->count == 0)
        return;
    worker_read_clock(intake->worker);
    batch_fetch(intake->batch, intake->worker->server);
    for (intake->at = 0; intake->at < intake->count; intake->at++) {
        struct member *member = &intake->members[intake->at];
        if (member->conn)
            conn_serve(member->conn, &member->input);
    }
    batch_clear(intake->batch);
    intake->count = intake->used = intake->at = 0;
}

void intake_forget(struct intake *intake, const struct conn *conn)
{
    for (size_t i = intake->at; i < intake->count; i++)
        if (intake->members[i].conn == conn)
            intake->members[i].conn = NULL;
}
