/* SPDX-License-Identifier: BSD-3-Clause */
/* Worker threads: their event bases, their clocks, their beginning and end. */

#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"
#include "cache/pages.h"
#include "hits.h"
#include "intake.h"
#include "loop.h"
#include "mailbox.h"
#include "platform.h"
#include "pool.h"
#include "publish.h"
#include "push.h"
#include "round.h"
#include "server.h"
#include "turn.h"

enum {
    TICK_MS = 100,
    TICK_LONGEST_MS = 1000, /* a longer one was not the clients' fault */
    IDLE_MS = 1000,         /* then a worker gives back what it can */
    LATER_US = 1000,        /* then sockets are looked at again */
    STACK = 512 * 1024,
    BUCKETS = 16,
};

typedef void worker_run(struct worker *worker, void *ctx);

static void deliver(void *owner, mailbox_run *run, void *ctx)
{
    struct worker *worker = owner;
    intake_serve(worker->intake);
    ((worker_run *)run)(worker, ctx);
}

void worker_post(struct worker *worker,
                 void (*run)(struct worker *worker, void *ctx), void *ctx)
{
    mailbox_post(worker->mailbox, (mailbox_run *)run, ctx, NULL);
}

void worker_post_owned(struct worker *worker,
                       void (*run)(struct worker *worker, void *ctx), void *ctx,
                       void (*drop)(void *ctx))
{
    mailbox_post(worker->mailbox, (mailbox_run *)run, ctx, drop);
}

/* ------------------------------------------------------------------- time */

void worker_read_clock(struct worker *worker)
{
    const struct platform *platform = worker->server->platform;
    worker->now_ms = platform->wall_ms(platform->ctx);
}

static void give_back(struct worker *worker)
{
    if (worker->flushed || worker->clock_ms - worker->served_ms < IDLE_MS)
        return;
    worker->flushed = true;
    turn_free(worker->spare);
    worker->spare = NULL;
    free(worker->warm);
    worker->warm = NULL;
    pages_flush_thread();
}

static void mind_stop(struct worker *worker)
{
    uint32_t waited_ms = worker->clock_ms - worker->stop_ms;
    if (worker->open > 0 && waited_ms < worker->server->limits.stop_ms)
        return;
    while (worker->conns)
        conn_free(worker->conns);
    event_base_loopbreak(worker->base);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
    struct worker *worker = ctx;
    const struct platform *platform = worker->server->platform;
    (void)fd, (void)what;
    intake_serve(worker->intake);
    intake_fit(worker->intake);
    int64_t now_us = platform->monotonic_us(platform->ctx);
    int64_t passed_ms = (now_us - worker->ticked_us) / 1000;
    worker->ticked_us += passed_ms * 1000;
    if (passed_ms > TICK_LONGEST_MS)
        passed_ms = TICK_LONGEST_MS;
    worker->clock_ms += (uint32_t)passed_ms;
    worker_mind_memory(worker);
    worker_mind_time(worker);
    give_back(worker);
    if (worker->stopping)
        mind_stop(worker);
}

/* ------------------------------------------------------------ later, adopt */

static const struct timeval at_once = {0, 0}, soon = {0, 1000};

void worker_wake_later(struct worker *worker)
{
    if (!event_pending(worker->later, EV_TIMEOUT, NULL))
        event_add(worker->later, &at_once);
}

/* Nobody can go on before other workers have brought something on. */
static bool only_crowded(const struct worker *worker)
{
    const struct conn *conn = worker->later_first;
    while (conn && conn->crowded)
        conn = conn->later_next;
    return !conn && push_crowded(worker->server);
}

/* Connections that wait have one more turn, as many as a millisecond allows: up
 * to who is the last of them now, since some will come back to wait again.  A
 * timer that is due at once lets the loop look at sockets in between. */
static void on_later(evutil_socket_t fd, short what, void *ctx)
{
    struct worker *worker = ctx;
    const struct platform *platform = worker->server->platform;
    (void)fd, (void)what;
    intake_serve(worker->intake);
    int64_t end_us = platform->monotonic_us(platform->ctx) + LATER_US;
    struct conn **end = worker->later_end;
    bool last = false;
    while (worker->later_first && !last) {
        struct conn *conn = worker->later_first;
        last = end == &conn->later_next;
        worker->later_first = conn->later_next;
        if (conn->later_next)
            conn->later_next->later_link = &worker->later_first;
        else
            worker->later_end = &worker->later_first;
        conn->later = false;
        conn_go_on(conn);
        last |= platform->monotonic_us(platform->ctx) >= end_us;
    }
    if (worker->later_first)
        event_add(worker->later, only_crowded(worker) ? &soon : &at_once);
}

static void on_pushes(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    worker_send_pushes(ctx);
}

static void adopt(struct worker *worker, void *ctx)
{
    struct server *server = worker->server;
    int fd = (int)(intptr_t)ctx;
    if (!worker->stopping &&
        conn_new(worker, fd, atomic_fetch_add(&server->next_client_id, 1) + 1))
        return;
    if (worker->stopping)
        close(fd);
    pool_give(server->pool, POOL_CONNECTION);
    atomic_fetch_sub(&worker->conn_count, 1);
    atomic_fetch_sub(&server->client_count, 1);
}

void worker_adopt(struct worker *worker, int fd)
{
    atomic_fetch_add(&worker->conn_count, 1);
    atomic_fetch_add(&worker->server->client_count, 1);
    mailbox_leave(worker->mailbox, (mailbox_run *)adopt, (void *)(intptr_t)fd,
                  NULL);
    worker->ungreeted = true;
}

void workers_greet(struct server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct worker *worker = &server->workers[i];
        if (worker->ungreeted)
            mailbox_wake(worker->mailbox);
        worker->ungreeted = false;
    }
}

/* ------------------------------------------------------------- start, stop */

static bool worker_init(struct worker *worker, struct server *server,
                        unsigned id)
{
    const struct timeval tick = {0, TICK_MS * 1000};
    worker->server = server;
    worker->id = id;
    worker->later_end = &worker->later_first;
    worker->behind_end = &worker->behind;
    worker->halted_end = &worker->halted_first;
    worker->by_id_count = BUCKETS;
    worker->hits_random = id;
    worker->hits_unnoted = hits_until_next(&worker->hits_random);
    worker->by_id = calloc(BUCKETS, sizeof *worker->by_id);
    worker->by_command = calloc(command_count, sizeof *worker->by_command);
    worker->buffer = malloc(LIMIT_READ_BUFFER);
    worker->batch = worker->own_batch = batch_new();
    worker->base = loop_base();
    if (!worker->by_id || !worker->batch || !worker->by_command ||
        !worker->buffer || !worker->base)
        return false;
    /* Touched now, so that it is part of the base from the start. */
    memset(worker->buffer, 0, LIMIT_READ_BUFFER);
    worker->intake = intake_new(worker);
    worker->mailbox = mailbox_new(worker->base, deliver, worker);
    worker->later = event_new(worker->base, -1, 0, on_later, worker);
    worker->delivering = delivering_new(worker);
    worker->pushes = event_new(worker->base, -1, 0, on_pushes, worker);
    worker->tick = event_new(worker->base, -1, EV_PERSIST, on_tick, worker);
    worker->ticked_us = server->platform->monotonic_us(server->platform->ctx);
    return worker->intake && worker->mailbox && worker->later &&
           worker->pushes && worker->delivering && worker->tick &&
           event_add(worker->tick, &tick) == 0;
}

bool workers_new(struct server *server)
{
    size_t size = server->worker_count * sizeof(struct worker);
    server->workers = aligned_alloc(_Alignof(struct worker), size);
    if (!server->workers)
        return false;
    memset(server->workers, 0, size);
    server->hits = hits_new();
    if (!server->hits)
        return false;
    for (unsigned i = 0; i < server->worker_count; i++)
        if (!worker_init(&server->workers[i], server, i))
            return false;
    return true;
}

static void *worker_main(void *ctx)
{
    struct worker *worker = ctx;
    worker_mind_memory(worker);
    do
        round_end(worker);
    while (event_base_loop(worker->base, EVLOOP_ONCE) == 0 &&
           !event_base_got_break(worker->base));
    server_worker_done(worker->server);
    return NULL;
}

bool workers_start(struct server *server)
{
    pthread_attr_t attr;
    sigset_t all, old;
    int error = 0;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (unsigned i = 0; i < server->worker_count && !error; i++) {
        struct worker *worker = &server->workers[i];
        error = pthread_create(&worker->thread, &attr, worker_main, worker);
        worker->started = !error;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    errno = error;
    return !error;
}

static void stop(struct worker *worker, void *ctx)
{
    (void)ctx;
    if (worker->stopping)
        return;
    worker->stopping = true;
    worker->stop_ms = worker->clock_ms;
    struct conn *next;
    for (struct conn *conn = worker->conns; conn; conn = next) {
        next = conn->next;
        conn_close_after_reply(conn);
    }
    if (worker->open == 0)
        event_base_loopbreak(worker->base);
}

void workers_stop(struct server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++)
        worker_post(&server->workers[i], stop, NULL);
}

static void worker_release(struct worker *worker)
{
    if (!worker->server)
        return;
    if (worker->started)
        pthread_join(worker->thread, NULL);
    while (worker->conns)
        conn_free(worker->conns);
    worker_end_lease(worker);
    turn_free(worker->spare);
    free(worker->warm);
    mailbox_free(worker->mailbox);
    delivering_free(worker->delivering);
    if (worker->later)
        event_free(worker->later);
    if (worker->pushes)
        event_free(worker->pushes);
    if (worker->tick)
        event_free(worker->tick);
    intake_free(worker->intake);
    if (worker->base)
        event_base_free(worker->base);
    batch_free(worker->own_batch);
    free(worker->buffer);
    free(worker->by_command);
    free(worker->by_id);
}

void workers_free(struct server *server)
{
    if (!server->workers)
        return;
    for (unsigned i = 0; i < server->worker_count; i++)
        worker_release(&server->workers[i]);
    free(server->workers);
    server->workers = NULL;
    hits_free(server->hits);
    server->hits = NULL;
}
