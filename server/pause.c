/* SPDX-License-Identifier: BSD-3-Clause */
/* When clients are paused, and which. */

#include "pause.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>

#include "commands.h"
#include "conn.h"
#include "multi.h"
#include "platform.h"
#include "worker.h"

enum { LOOK_MS = 60000 }; /* the timer's longest, when the end is far off */

struct pause {
    pthread_mutex_t lock;
    struct server *server;
    struct event *timer;
    int64_t until_ms; /* monotonic */
};

static int64_t clock_ms(const struct server *server)
{
    const struct platform *platform = server->platform;
    return platform->monotonic_us(platform->ctx) / 1000;
}

/* With the lock held. */
static void end(struct pause *pause)
{
    struct server *server = pause->server;
    if (server->pausing == PAUSE_NONE)
        return;
    atomic_store(&server->pausing, PAUSE_NONE);
    for (unsigned i = 0; i < server->worker_count; i++)
        worker_post(&server->workers[i], worker_end_halt, NULL);
}

/* Ends the pause, or looks again when that is due. */
static void look(struct server *server, void *ctx)
{
    struct pause *pause = server->pause;
    (void)ctx;
    pthread_mutex_lock(&pause->lock);
    int64_t left_ms = pause->until_ms - clock_ms(server);
    if (left_ms <= 0) {
        end(pause);
    } else if (server->pausing != PAUSE_NONE) {
        if (left_ms > LOOK_MS)
            left_ms = LOOK_MS;
        const struct timeval after = {left_ms / 1000, left_ms % 1000 * 1000};
        event_add(pause->timer, &after);
    }
    pthread_mutex_unlock(&pause->lock);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct pause *pause = ctx;
    (void)fd, (void)what;
    look(pause->server, NULL);
}

struct pause *pause_new(struct server *server)
{
    struct pause *pause = calloc(1, sizeof *pause);
    if (!pause)
        return NULL;
    pthread_mutex_init(&pause->lock, NULL);
    pause->server = server;
    pause->timer = event_new(server->base, -1, 0, on_timer, pause);
    if (!pause->timer) {
        pause_free(pause);
        return NULL;
    }
    return pause;
}

void pause_free(struct pause *pause)
{
    if (!pause)
        return;
    if (pause->timer)
        event_free(pause->timer);
    pthread_mutex_destroy(&pause->lock);
    free(pause);
}

void pause_begin(struct pause *pause, enum pause_mode mode, int64_t ms)
{
    struct server *server = pause->server;
    int64_t until_ms;
    if (__builtin_add_overflow(clock_ms(server), ms, &until_ms))
        until_ms = INT64_MAX;
    pthread_mutex_lock(&pause->lock);
    if (server->pausing == PAUSE_NONE || until_ms > pause->until_ms)
        pause->until_ms = until_ms;
    if (mode > (enum pause_mode)server->pausing)
        atomic_store(&server->pausing, mode);
    pthread_mutex_unlock(&pause->lock);
    server_post(server, look, NULL);
}

void pause_end(struct pause *pause)
{
    pthread_mutex_lock(&pause->lock);
    end(pause);
    pthread_mutex_unlock(&pause->lock);
}

bool pause_wants(const struct call *call)
{
    const struct command *command = call->command;
    if (command->flags & COMMAND_NO_AUTH || command->run == cmd_client_pause ||
        command->run == cmd_client_unpause)
        return false;
    if (call->server->pausing == PAUSE_ALL)
        return true;
    /* As Redis has it, messages are changes as well. */
    if (command->run == cmd_publish || command->run == cmd_spublish)
        return true;
    unsigned flags = command->flags;
    if (command->run == cmd_exec && call->session->multi)
        flags |= multi_flags(call->session->multi);
    return flags & COMMAND_WRITE;
}
