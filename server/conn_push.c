/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is pushed to connections.
 *
 *   being served, or in the middle of a reply    kept apart, and put behind
 *                                                the replies when the turn ends
 *   otherwise       straight into the output; sent when the event is over, all
 *                   that came meanwhile at once
 */

#include <event2/event.h>

#include "pool.h"
#include "push.h"
#include "server.h"
#include "turn.h"

enum {
    LIMIT_SHARE = 4, /* of the pool: the unsent output of one client */
    GROW_LEAST = 64,
    GROW_MOST = 32 * 1024,
};

size_t conn_push_limit(const struct conn *conn)
{
    const struct server *server = conn->worker->server;
    size_t limit = (size_t)server->limits.output_limit_bytes;
    size_t share = pool_limit(server->pool) / LIMIT_SHARE;
    return share < limit ? share : limit;
}

bool worker_push_full(const struct worker *worker)
{
    return worker->pushed_count >= PUSH_CLIENTS ||
           worker->pushed_bytes >= PUSH_BYTES;
}

static void list_pushed(struct conn *conn)
{
    struct worker *worker = conn->worker;
    if (conn->pushed || conn->serving)
        return;
    if (!worker->pushed)
        event_active(worker->pushes, EV_TIMEOUT, 1);
    conn->pushed = true;
    conn->pushed_next = worker->pushed;
    conn->pushed_link = &worker->pushed;
    if (conn->pushed_next)
        conn->pushed_next->pushed_link = &conn->pushed_next;
    worker->pushed = conn;
    worker->pushed_count++;
}

void conn_unlist_pushed(struct conn *conn)
{
    if (!conn->pushed)
        return;
    conn->pushed = false;
    *conn->pushed_link = conn->pushed_next;
    if (conn->pushed_next)
        conn->pushed_next->pushed_link = conn->pushed_link;
    conn->worker->pushed_count--;
}

void conn_doom(struct conn *conn)
{
    conn->doomed = true;
    conn_unlist_behind(conn);
    if (!conn->serving)
        conn_strip(conn);
    list_pushed(conn);
}

/* ---------------------------------------------------------------- adding */

/* Room for len bytes, and a little more so that it seldom grows. */
static bool grow(struct conn *conn, struct buf *buf, size_t len)
{
    size_t need = buf_len(buf) + len;
    size_t more = need / 4 < GROW_MOST ? need / 4 : GROW_MOST;
    size_t cap = buf->cap;
    if (need > cap) {
        cap = need + more + GROW_LEAST;
        if (!conn_overdraw(conn, cap - buf->cap))
            return false;
    }
    buf->max = cap;
    return buf_room(buf, len) != NULL;
}

static void add(struct buf *buf, const struct push *push, int resp)
{
    size_t first = push->len > 0 && push->bytes[0] == '>' && resp == 2;
    if (first)
        buf_add(buf, "*", 1);
    buf_add(buf, push->bytes + first, push->len - first);
}

/* Where what is pushed goes; NULL: there is no memory. */
static struct buf *place(struct conn *conn)
{
    struct turn *turn = conn->turn;
    if (!turn && conn_overdraw(conn, sizeof *turn))
        turn = turn_borrow(conn);
    if (!turn)
        return NULL;
    bool behind = conn->serving || conn->owed || turn->midway;
    return behind ? &turn->pushes : &turn->out.tail;
}

void conn_push(struct conn *conn, const struct push *push)
{
    size_t before = conn_unsent(conn);
    struct buf *to;
    if (conn->doomed || conn->closing || conn->lingering)
        return;
    if (before > 0)
        conn_list_behind(conn);
    worker_make_room(conn->worker);
    if (conn->doomed)
        return;
    if (before > 0 && before + push->len > conn_push_limit(conn)) {
        worker_count(conn->worker, closed_output, 1);
        conn_doom(conn);
    } else if ((to = place(conn)) != NULL && grow(conn, to, push->len)) {
        add(to, push, conn->session.resp);
        conn->worker->pushed_bytes += push->len;
    } else {
        worker_count(conn->worker, closed_memory, 1);
        conn_doom(conn);
    }
    list_pushed(conn);
}

void conn_take_pushes(struct conn *conn)
{
    struct turn *turn = conn->turn;
    struct buf *pushes = &turn->pushes;
    size_t len = buf_len(pushes);
    if (grow(conn, &turn->out.tail, len)) {
        buf_add(&turn->out.tail, pushes->data + pushes->start, len);
    } else {
        worker_count(conn->worker, closed_memory, 1);
        conn->doomed = true;
    }
    buf_release(pushes);
}

void conn_set_maker(struct conn *conn, bool maker)
{
    conn->maker = maker;
}

bool conn_is_maker(const struct conn *conn)
{
    return conn->maker;
}

void conn_hold_back(struct conn *conn)
{
    conn->crowded = true;
    conn_later(conn);
}

/* --------------------------------------------------------------- sending */

/* A small turn: sends, keeps the rest, and settles with the pool. */
static void send_pushed(struct conn *conn)
{
    struct turn *turn = conn->turn;
    bool alive = !conn->doomed;
    if (!turn && alive)
        return; /* it had a turn since then */
    if (alive) {
        conn->serving = true;
        turn_resume(turn);
        if (!(conn->watched & EV_WRITE)) {
            alive = conn_flush(conn);
            if (output_len(&turn->out) > 0) {
                conn->sent_ms = conn->worker->clock_ms;
                conn_list_behind(conn);
            }
        }
        if (alive && !turn_put(conn)) {
            worker_count(conn->worker, closed_memory, 1);
            alive = false;
        }
        conn->serving = false;
    }
    if (alive)
        conn_watch(conn);
    else
        conn_free(conn);
}

void worker_send_pushes(struct worker *worker)
{
    const struct timeval at_once = {0, 0};
    struct conn *conn;
    int left = PUSH_CLIENTS;
    while ((conn = worker->pushed) != NULL && left > 0) {
        left -= conn->doomed ? PUSH_CLOSING : 1;
        conn_unlist_pushed(conn);
        send_pushed(conn);
    }
    if (conn)
        event_add(worker->pushes, &at_once);
    else
        worker->pushed_bytes = 0;
    worker_cover(worker);
}
