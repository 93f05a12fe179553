/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of connections: what they keep between turns, and how that is
 * charged to the client pool.
 *
 *   a worker's own      one turn and one buffer for replies, lent to whom it
 *                       serves; never charged
 *   its lease           bytes borrowed from the pool in advance, so that a
 *                       reply can grow without asking
 *   a connection's      whatever it keeps after its turn; charged
 */

#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "log.h"
#include "pool.h"
#include "push.h"
#include "server.h"
#include "turn.h"

/* Above every number of bytes. */
#define UNPROTECTED (SIZE_MAX / 2 + 1)

/* ------------------------------------------------------------------ books */

/* With half as much again for what the allocator makes of it: measured with a
 * thousand clients that do not read, it is more than a quarter. */
static size_t held(const struct conn *conn)
{
    const struct turn *turn = conn->turn;
    size_t bytes = session_bytes(&conn->session);
    if (turn)
        bytes += sizeof *turn + turn->parser.argv_cap * sizeof(struct arg) +
                 turn->in.cap + turn->wider.cap + turn->pushes.cap +
                 output_held(&turn->out);
    if (turn && turn->running)
        bytes += turn->call.state_bytes;
    return bytes + bytes / 2;
}

static void hold(struct conn *conn, bool holding)
{
    struct worker *worker = conn->worker;
    if (conn->holding == holding)
        return;
    conn->holding = holding;
    if (holding) {
        conn->holder_next = worker->holders;
        conn->holder_link = &worker->holders;
        if (conn->holder_next)
            conn->holder_next->holder_link = &conn->holder_next;
        worker->holders = conn;
    } else {
        *conn->holder_link = conn->holder_next;
        if (conn->holder_next)
            conn->holder_next->holder_link = conn->holder_link;
    }
}

size_t conn_rank(const struct conn *conn, size_t bytes)
{
    return conn->session.no_evict ? bytes : bytes | UNPROTECTED;
}

struct conn *worker_first_to_go(const struct worker *worker,
                                uint32_t without_ms)
{
    struct conn *found = NULL;
    for (struct conn *conn = worker->holders; conn; conn = conn->holder_next) {
        if (conn->serving || conn->doomed ||
            worker->clock_ms - conn->active_ms < without_ms)
            continue;
        if (!found ||
            conn_rank(conn, conn->charged) > conn_rank(found, found->charged))
            found = conn;
    }
    return found;
}

static void tell_evicted(const struct conn *conn)
{
    worker_count(conn->worker, closed_memory, 1);
    log_write(conn->worker->server->log, LOG_VERBOSE,
              "Client %llu is closed for the %zu bytes that it holds",
              (unsigned long long)conn->session.id,
              conn->charged + conn->pinned);
}

void conn_evict(struct conn *conn)
{
    tell_evicted(conn);
    if (conn->turn)
        output_release(&conn->turn->out);
    conn_free(conn);
}

void conn_evict_soon(struct conn *conn)
{
    tell_evicted(conn);
    conn_doom(conn);
}

/* Charges `need` more, if need be at the cost of a client that has to go before
 * this one would: usually, that holds more. */
static bool charge(struct conn *conn, size_t need)
{
    struct worker *worker = conn->worker;
    struct pool *pool = worker->server->pool;
    size_t total = conn->charged + need;
    size_t part = need < worker->lease ? need : worker->lease;
    if (part > 0)
        pool_keep(pool, part);
    worker->lease -= part;
    size_t taken = part;
    while ((taken += pool_take(pool, need - taken)) < need) {
        struct conn *other = worker_first_to_go(worker, 0);
        if (!other ||
            conn_rank(other, other->charged) <= conn_rank(conn, total)) {
            if (pool_demand(pool, need - taken))
                break;
            pool_give(pool, taken);
            return false;
        }
        conn_evict(other);
    }
    conn->charged = total;
    return true;
}

/* It holds `now` bytes: what it is charged for beyond these goes back. */
static void give_back(struct conn *conn, size_t now)
{
    if (now >= conn->charged)
        return;
    pool_give(conn->worker->server->pool, conn->charged - now);
    conn->charged = now;
}

static void count_pins(struct conn *conn)
{
    const struct turn *turn = conn->turn;
    size_t now = session_owned(&conn->session);
    if (turn)
        now += turn->out.pinned;
    if (turn && turn->running)
        now += command_owned(&turn->call);
    pool_pin(conn->worker->server->pool,
             (ptrdiff_t)now - (ptrdiff_t)conn->pinned);
    conn->pinned = now;
}

bool turn_put(struct conn *conn)
{
    if (!turn_rest(conn))
        return false;
    hold(conn, conn->turn || conn->session.multi);
    count_pins(conn);
    size_t now = held(conn);
    if (now > conn->charged)
        return charge(conn, now - conn->charged);
    give_back(conn, now);
    return true;
}

bool turn_book(struct conn *conn)
{
    const struct turn *turn = conn->turn;
    size_t now = held(conn), spare = LIMIT_SPARE_OUTPUT;
    if (turn->lent) /* what would be kept of it */
        now += turn->len + turn->len / 2;
    /* Its reply needs some as well. */
    spare -= turn->out.tail.cap < spare ? turn->out.tail.cap : spare;
    spare += spare / 2;
    if (now + spare <= conn->charged)
        return true;
    if (!charge(conn, now + spare - conn->charged))
        return false;
    conn->charged -= spare;
    pool_give(conn->worker->server->pool, spare);
    return true;
}

bool conn_hold(struct conn *conn, size_t bytes)
{
    return conn_reserve(conn, bytes + bytes / 2);
}

void conn_let_go(struct conn *conn)
{
    bool running = conn->turn && conn->turn->running;
    if (session_owned(&conn->session) == 0 || running) {
        conn_evict(conn);
        return;
    }
    session_fail_multi(&conn->session);
    count_pins(conn);
    give_back(conn, held(conn));
}

/* --------------------------------------------------------------- the lease */

/* A worker's part of what is free, with something left for growing input. */
static size_t lease_share(const struct worker *worker)
{
    const struct pool *pool = worker->server->pool;
    size_t limit = pool_limit(pool), used = pool_used(pool);
    size_t left = used < limit ? limit - used : 0;
    return left / 4 * 3 / worker->server->worker_count;
}

void worker_renew_lease(struct worker *worker)
{
    struct pool *pool = worker->server->pool;
    size_t share = lease_share(worker);
    if (worker->lease > share) {
        pool_repay(pool, worker->lease - share);
        worker->lease = share;
    } else {
        worker->lease += pool_borrow(pool, share - worker->lease);
    }
}

void worker_end_lease(struct worker *worker)
{
    pool_repay(worker->server->pool, worker->lease);
    worker->lease = 0;
}

void turn_allow(struct conn *conn)
{
    struct worker *worker = conn->worker;
    struct buf *tail = &conn->turn->out.tail;
    turn_warm(conn->turn, worker);
    output_ready(&conn->turn->out);
    if (worker->lease < lease_share(worker) / 2)
        worker_renew_lease(worker);
    size_t max =
        tail->cap > LIMIT_SPARE_OUTPUT ? tail->cap : LIMIT_SPARE_OUTPUT;
    size_t limit = (size_t)worker->server->limits.output_limit_bytes;
    size_t grow = max < limit ? limit - max : 0;
    tail->max = max + (worker->lease < grow ? worker->lease : grow);
    conn->turn->easy = conn_output_easy(conn);
}

bool conn_reserve(struct conn *conn, size_t bytes)
{
    struct worker *worker = conn->worker;
    struct pool *pool = worker->server->pool;
    if (worker->lease < bytes)
        worker->lease += pool_borrow(pool, bytes - worker->lease);
    if (worker->lease < bytes)
        return false;
    pool_keep(pool, bytes);
    worker->lease -= bytes;
    conn->charged += bytes;
    return true;
}

void conn_strip(struct conn *conn)
{
    struct turn *turn = conn->turn;
    if (turn) {
        buf_release(&turn->pushes);
        output_release(&turn->out);
    } else {
        session_fail_multi(&conn->session);
    }
    count_pins(conn);
    give_back(conn, held(conn));
}

bool conn_overdraw(struct conn *conn, size_t bytes)
{
    struct worker *worker = conn->worker;
    bytes += bytes / 2; /* as held() counts */
    while (!conn_reserve(conn, bytes)) {
        if (pool_demand(worker->server->pool, bytes)) {
            conn->charged += bytes;
            return true;
        }
        if (worker->overdraft + bytes <= PUSH_OVERDRAFT) {
            worker->overdraft += bytes;
            pool_charge(worker->server->pool, bytes);
            conn->charged += bytes;
            return true;
        }
        struct conn *other = worker_first_to_go(worker, 0);
        if (!other || conn_rank(other, other->charged) <=
                          conn_rank(conn, conn->charged + bytes))
            return false;
        conn_evict_soon(other);
    }
    return true;
}

void worker_cover(struct worker *worker)
{
    const struct pool *pool = worker->server->pool;
    struct conn *conn;
    if (worker->overdraft == 0)
        return;
    worker->overdraft = 0;
    while (pool_used(pool) > pool_limit(pool) &&
           (conn = worker_first_to_go(worker, 0)) != NULL)
        conn_evict(conn);
}

void conn_discharge(struct conn *conn)
{
    hold(conn, false);
    count_pins(conn);
    pool_give(conn->worker->server->pool, conn->charged);
    conn->charged = 0;
}

void conn_pause(struct conn *conn)
{
    conn->paused = true;
}
