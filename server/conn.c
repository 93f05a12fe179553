/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections: their beginning, their end, and what can be said of them. */

#include "conn.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "acl.h"
#include "address.h"
#include "intake.h"
#include "log.h"
#include "platform.h"
#include "pool.h"
#include "pubsub.h"
#include "server.h"
#include "turn.h"

enum { DRAIN_READS = 128, DRAIN_BYTES = 8192 }; /* at one time */

static void discard(struct conn *conn);

static void on_event(evutil_socket_t fd, short what, void *ctx)
{
    struct conn *conn = ctx;
    (void)fd;
    conn->worker->served_ms = conn->worker->clock_ms;
    conn->worker->flushed = false;
    if (conn->lingering) {
        discard(conn);
        return;
    }
    if ((what & EV_CLOSED) && conn->halted) {
        conn_free(conn);
        return;
    }
    if ((what & EV_WRITE) && !conn_writable(conn))
        return;
    if (!(what & EV_READ) || !(conn->watched & EV_READ))
        return;
    struct worker *worker = conn->worker;
    if (!conn->turn) {
        intake_add(worker->intake, conn);
        return;
    }
    /* Those who are served first may end this one. */
    uint64_t id = conn->session.id;
    intake_serve(worker->intake);
    if (worker_conn(worker, id) == conn && conn->watched & EV_READ)
        conn_readable(conn);
}

/* Who is held back is not read from, or the loop would go round for what it has
 * sent. */
static bool reads(const struct conn *conn)
{
    bool held_back = conn->later && conn->crowded;
    return !conn->closing && !conn->ended && !conn->blocked && !conn->paused &&
           !held_back;
}

void conn_watch(struct conn *conn)
{
    short want = 0;
    if ((reads(conn) && !conn->waiting) || conn->lingering)
        want |= EV_READ;
    if (conn->turn && output_len(&conn->turn->out) > 0)
        want |= EV_WRITE;
    if (conn->halted)
        want |= EV_CLOSED;
    if (want == conn->watched)
        return;
    if (conn->watched)
        event_del(&conn->event);
    conn->watched = want;
    if (!want)
        return;
    event_assign(&conn->event, conn->worker->base, conn->fd, want | EV_PERSIST,
                 on_event, conn);
    event_add(&conn->event, NULL);
}

/* ------------------------------------------------------------------ lists */

static struct conn **bucket(struct worker *worker, uint64_t id)
{
    uint64_t hash = id * 0x9e3779b97f4a7c15u;
    return &worker->by_id[(hash >> 32) & (worker->by_id_count - 1)];
}

/* Doubles the buckets when there are fewer than connections; without memory
 * chains just get longer. */
static void grow_by_id(struct worker *worker)
{
    size_t count = worker->by_id_count * 2;
    if (worker->open < worker->by_id_count)
        return;
    struct conn **buckets = calloc(count, sizeof *buckets);
    if (!buckets)
        return;
    free(worker->by_id);
    worker->by_id = buckets;
    worker->by_id_count = count;
    for (struct conn *conn = worker->conns; conn; conn = conn->next) {
        struct conn **head = bucket(worker, conn->session.id);
        conn->id_next = *head;
        *head = conn;
    }
}

static void enlist(struct worker *worker, struct conn *conn)
{
    grow_by_id(worker);
    struct conn **head = bucket(worker, conn->session.id);
    conn->id_next = *head;
    *head = conn;
    conn->next = worker->conns;
    conn->link = &worker->conns;
    if (conn->next)
        conn->next->link = &conn->next;
    worker->conns = conn;
    worker->open++;
}

static void delist(struct worker *worker, struct conn *conn)
{
    struct conn **at = bucket(worker, conn->session.id);
    while (*at != conn)
        at = &(*at)->id_next;
    *at = conn->id_next;
    if (worker->walk == conn)
        worker->walk = conn->next;
    *conn->link = conn->next;
    if (conn->next)
        conn->next->link = conn->link;
    worker->open--;
    conn_leave_halt(conn);
    if (conn->later) {
        *conn->later_link = conn->later_next;
        if (conn->later_next)
            conn->later_next->later_link = conn->later_link;
        else
            worker->later_end = conn->later_link;
    }
    conn_unlist_pushed(conn);
    conn_unlist_behind(conn);
    intake_forget(worker->intake, conn);
}

struct conn *worker_conn(struct worker *worker, uint64_t id)
{
    struct conn *conn = *bucket(worker, id);
    while (conn && conn->session.id != id)
        conn = conn->id_next;
    return conn;
}

struct conn *conn_next(struct conn *conn)
{
    return conn->next;
}

/* ---------------------------------------------------------- begin and end */

static void tell(struct conn *conn, const char *what)
{
    struct log *log = conn->worker->server->log;
    struct conn_info info;
    if (!log_wants(log, LOG_VERBOSE))
        return;
    conn_describe(conn, 0, &info);
    log_write(log, LOG_VERBOSE, "Client %llu %s %s, at %s",
              (unsigned long long)conn->session.id, what, info.addr,
              info.laddr);
}

struct conn *conn_new(struct worker *worker, int fd, uint64_t id)
{
    struct server *server = worker->server;
    struct conn *conn = calloc(1, sizeof *conn);
    if (!conn) {
        close(fd);
        return NULL;
    }
    conn->worker = worker;
    conn->fd = fd;
    conn->active_ms = conn->born_ms = worker->clock_ms;
    session_init(&conn->session, id, false,
                 server->platform->wall_ms(server->platform->ctx));
    acl_enter(server->acl, &conn->session);
    enlist(worker, conn);
    worker_count(worker, connections, 1);
    tell(conn, "connected from");
    conn_watch(conn);
    return conn;
}

/*
 * What the peer has sent and nobody will read makes close() a reset, which
 * would throw away replies that are still on their way.  False: nothing more
 * will come.
 */
static bool drain(struct conn *conn)
{
    struct worker *worker = conn->worker;
    const struct platform *platform = worker->server->platform;
    char bytes[DRAIN_BYTES]; /* others' input may be in the worker's */
    for (int i = 0; i < DRAIN_READS; i++) {
        ssize_t n =
            platform->read(platform->ctx, conn->fd, bytes, sizeof bytes);
        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        worker_count(worker, read_bytes, (size_t)n);
        conn->discarded += (size_t)n;
    }
    return true;
}

static void discard(struct conn *conn)
{
    if (!drain(conn) || conn->discarded > LIMIT_LINGER_BYTES)
        conn_free(conn);
}

void conn_finish(struct conn *conn)
{
    if (!conn->refused || conn->ended || conn->worker->stopping) {
        conn_free(conn);
        return;
    }
    shutdown(conn->fd, SHUT_WR);
    turn_free(conn->turn);
    conn->turn = NULL;
    conn_discharge(conn);
    conn->lingering = true;
    conn->since_ms = conn->worker->clock_ms;
    conn_watch(conn);
}

void conn_free(struct conn *conn)
{
    struct worker *worker = conn->worker;
    struct server *server = worker->server;
    assert(!conn->serving);
    subscriber_leave(conn);
    tell(conn, "is closed, of");
    if (conn->closing && !conn->lingering) {
        shutdown(conn->fd, SHUT_WR);
        drain(conn);
    }
    if (conn->watched)
        event_del(&conn->event);
    delist(worker, conn);
    turn_free(conn->turn);
    conn->turn = NULL;
    conn_discharge(conn);
    acl_leave(server->acl, &conn->session);
    session_release(&conn->session);
    close(conn->fd);
    free(conn);
    pool_give(server->pool, POOL_CONNECTION);
    atomic_fetch_sub(&worker->conn_count, 1);
    atomic_fetch_sub(&server->client_count, 1);
}

void conn_close_after_reply(struct conn *conn)
{
    conn->closing = true;
    if (conn->serving || conn->owed)
        return;
    if (conn->turn && output_len(&conn->turn->out) > 0)
        conn_watch(conn);
    else
        conn_free(conn);
}

void conn_resume(struct conn *conn)
{
    if (!conn->waiting)
        return;
    conn->waiting = false;
    conn_watch(conn);
    conn_later(conn);
}

bool conn_unblock(struct conn *conn, bool with_error)
{
    struct call *call = conn->turn ? &conn->turn->call : NULL;
    if (!conn->waiting || !call || !call->may_unblock)
        return false;
    call->unblocked = with_error ? UNBLOCK_ERROR : UNBLOCK_TIMEOUT;
    conn_resume(conn);
    return true;
}

void conn_send_pin(struct conn *conn, struct cache_pin pin)
{
    output_pin(&conn->turn->out, pin);
}

struct session *conn_session(struct conn *conn)
{
    return &conn->session;
}

struct worker *conn_worker(const struct conn *conn)
{
    return conn->worker;
}

/* ------------------------------------------------------------ description */

typedef int name_of(int fd, struct sockaddr *addr, socklen_t *len);

static void write_address(int fd, name_of *name, char *text, size_t size)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    char host[INET6_ADDRSTRLEN];
    snprintf(text, size, "?:0");
    if (name(fd, (struct sockaddr *)&addr, &len) != 0)
        return;
    if (addr.ss_family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)&addr;
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        snprintf(text, size, "%s:%d", host, ntohs(in->sin_port));
    } else if (addr.ss_family == AF_INET6) {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)&addr;
        inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
        snprintf(text, size, "[%s]:%d", host, ntohs(in->sin6_port));
    } else if (addr.ss_family == AF_UNIX) {
        /* The peer has no name; both ends are called by the server's. */
        struct sockaddr_un un = {0};
        len = sizeof un;
        getsockname(fd, (struct sockaddr *)&un, &len);
        snprintf(text, size, "%.*s:0", (int)size - 3, un.sun_path);
    }
}

void conn_peer(const struct conn *conn, char *text, size_t size)
{
    char address[64];
    write_address(conn->fd, getpeername, address, sizeof address);
    if (strchr("/?", address[0]) == NULL)
        snprintf(text, size, "%s", address);
    else
        snprintf(text, size, "unix:%.*s", (int)(strlen(address) - strlen(":0")),
                 address);
}

bool conn_is_local(const struct conn *conn)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    return getpeername(conn->fd, (struct sockaddr *)&addr, &len) == 0 &&
           address_is_local(&addr);
}

void conn_describe(struct conn *conn, int64_t now_ms, struct conn_info *info)
{
    const struct turn *turn = conn->turn;
    const struct session *session = &conn->session;
    *info = (struct conn_info){
        .fd = conn->fd,
        .idle_s = (now_ms - session->active_ms) / 1000,
        .age_s = (now_ms - session->created_ms) / 1000,
        .closing = conn->closing,
        .halted = conn->halted,
        .readable = reads(conn),
        .writable = (conn->watched & EV_WRITE) != 0,
    };
    write_address(conn->fd, getpeername, info->addr, sizeof info->addr);
    write_address(conn->fd, getsockname, info->laddr, sizeof info->laddr);
    info->memory_bytes = sizeof *conn + session_bytes(session);
    if (!turn)
        return;
    info->input_bytes = conn->serving ? turn->len : buf_len(&turn->in);
    info->output_bytes = output_len(&turn->out);
    info->memory_bytes += sizeof *turn + turn->in.cap + turn->pushes.cap +
                          output_held(&turn->out) + conn->pinned;
}
