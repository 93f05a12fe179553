/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading from many, then serving them; see intake.h. */

#include "intake.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "conn_io.h"
#include "limits.h"
#include "pool.h"
#include "round.h"
#include "server.h"
#include "timing.h"
#include "turn.h"

enum {
    REPLY_MAX = 16 * 1024,
    REPLIES_LEAST = REPLY_MAX,
    REPLIES_MOST = 8 * REPLY_MAX,
    REPLIES_SHARE = 16, /* of the pool's limit, for all workers */
    MEMBERS = 64,
    ROOM_LEAST = LIMIT_READ_BUFFER / 4, /* for one to read into */
};

struct member {
    struct conn *conn; /* NULL: it is gone */
    struct turn_input input;
    char *reply; /* that is still to be sent */
    size_t reply_len;
};

struct intake {
    struct worker *worker;
    struct event *end; /* active while there are members */
    size_t count;
    struct member members[MEMBERS];
    char *replies;
    size_t replies_size, replied; /* bytes that fit, and that are there */
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
    intake_fit(intake);
    if (intake->batch && intake->end && intake->replies)
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
    free(intake->replies);
    free(intake);
}

/* Of sizes that are far apart, so that it seldom changes. */
static size_t replies_wanted(const struct server *server)
{
    size_t share =
        pool_limit(server->pool) / REPLIES_SHARE / server->worker_count;
    size_t size = REPLIES_LEAST;
    while (size < REPLIES_MOST && 2 * size <= share)
        size *= 2;
    return size;
}

void intake_fit(struct intake *intake)
{
    size_t size = replies_wanted(intake->worker->server);
    assert(intake->count == 0);
    if (size == intake->replies_size)
        return;
    char *replies = malloc(size);
    if (!replies)
        return;
    /* Touched now, so that it does not grow when there is much to do. */
    memset(replies, 0, size);
    free(intake->replies);
    intake->replies = replies;
    intake->replies_size = size;
}

void intake_add(struct intake *intake, struct conn *conn)
{
    if (intake->count == 0)
        event_active(intake->end, 0, 0);
    intake->members[intake->count++].conn = conn;
    if (intake->count == MEMBERS)
        intake_serve(intake);
}

/* Of one that holds nothing still: false, nothing came. */
static bool read_one(struct member *member, char *to, size_t room)
{
    struct conn *conn = member->conn;
    struct turn_input *input = &member->input;
    if (!conn || !(conn->watched & EV_READ))
        return false;
    conn->since_ms = conn->worker->clock_ms;
    *input = (struct turn_input){.at = to};
    input->got = conn_read(conn, to, room, &input->len);
    return input->got != FILL_NONE;
}

/* From this member on, as many as the buffer has room for; the result: the
 * first that was not read from. */
static size_t read_some(struct intake *intake, size_t at)
{
    struct worker *worker = intake->worker;
    size_t most = LIMIT_READ_BUFFER / round_parts(worker), used = 0;
    for (; at < intake->count; at++) {
        struct member *member = &intake->members[at];
        size_t room = LIMIT_READ_BUFFER - used;
        if (room < ROOM_LEAST)
            break;
        member->reply_len = 0;
        if (read_one(member, worker->buffer + used, room < most ? room : most))
            used += member->input.len;
        else
            member->conn = NULL;
    }
    return at;
}

/* Takes requests of members, until the batch is full; the result: the first
 * that has none in it. */
static size_t take_requests(struct intake *intake, size_t at, size_t end)
{
    struct server *server = intake->worker->server;
    struct batch *batch = intake->batch;
    batch_clear(batch);
    do {
        const struct conn *conn = intake->members[at].conn;
        struct turn_input *input = &intake->members[at++].input;
        if (!conn || input->got != FILL_SOME)
            continue;
        struct parse_limits limits;
        conn_limits(conn, &limits);
        input->batch = batch;
        input->first = batch->skim.count;
        input->count =
            batch_add(batch, conn->session.db, input->at, input->len, &limits);
    } while (at < end && !batch_is_full(batch));
    batch_hash(batch, server);
    return at;
}

/* Runs a member's requests.  A short reply waits until all have run. */
static void run(struct intake *intake, struct member *member)
{
    size_t room = intake->replies_size - intake->replied;
    char *reply = intake->replies + intake->replied;
    if (!member->conn)
        return;
    member->reply = reply;
    member->reply_len = conn_serve(member->conn, &member->input, reply,
                                   room < REPLY_MAX ? room : REPLY_MAX);
    intake->replied += member->reply_len;
}

static void run_some(struct intake *intake, size_t at, size_t end)
{
    struct worker *worker = intake->worker;
    intake->replied = 0;
    worker_read_clock(worker);
    worker_enter(worker);
    for (size_t taken = at; at < end; at++) {
        if (at == taken) {
            taken = take_requests(intake, at, end);
            timing_start(worker);
        }
        run(intake, &intake->members[at]);
    }
    worker_leave(worker);
}

static void send_some(const struct intake *intake, size_t at, size_t end)
{
    for (; at < end; at++) {
        const struct member *member = &intake->members[at];
        if (member->conn && member->reply_len > 0)
            conn_send(member->conn, member->reply, member->reply_len);
    }
}

void intake_serve(struct intake *intake)
{
    for (size_t at = 0, end; at < intake->count; at = end) {
        end = read_some(intake, at);
        run_some(intake, at, end);
        send_some(intake, at, end);
    }
    intake->count = 0;
}

void intake_forget(struct intake *intake, const struct conn *conn)
{
    for (size_t i = 0; i < intake->count; i++)
        if (intake->members[i].conn == conn)
            intake->members[i].conn = NULL;
}
