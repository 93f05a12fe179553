/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests at fixed times, whether or not answers come. */

#include "bench/pace.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/host.h"
#include "bench/keys.h"

enum {
    EVENTS = 64,
    IN_A_ROW = 16,      /* requests sent before answers are looked for */
    DUE_MAX = 1 << 16,  /* requests of a connection without an answer */
    OUT_SIZE = 8 << 20, /* bytes of a connection not yet sent */
    INPUT_SIZE = 256 << 10
};

#define SILENCE_NS (60 * 1000000000ULL)

struct lane {
    int fd;
    uint64_t sent, answered; /* requests */
    uint64_t *due_ns;        /* a ring */
    size_t out_at, out_len;
    char *out;
    struct wire_reader reader;
};

struct pace {
    const char *name;
    struct pace_plan plan;
    struct wire wire;
    uint64_t random, due_ns, heard_ns;
    unsigned turn, unsent; /* lanes: whose turn it is; how many hold bytes */
    int epoll;
    struct lane *lanes;
    char *input;
    atomic_bool begun, stop;
    bool broken;
    pthread_t thread;
    struct pace_result result;
};

/* Sends what it can; false if the server hung up. */
static bool lane_flush(struct pace *pace, struct lane *lane)
{
    ssize_t sent = send(lane->fd, lane->out + lane->out_at,
                        lane->out_len - lane->out_at, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN;
    lane->out_at += (size_t)sent;
    if (lane->out_at == lane->out_len) {
        lane->out_at = lane->out_len = 0;
        pace->unsent--;
    }
    return true;
}

static bool flush_all(struct pace *pace)
{
    for (unsigned i = 0; i < pace->plan.connections && pace->unsent > 0; i++) {
        struct lane *lane = &pace->lanes[i];
        if (lane->out_len > 0 && !lane_flush(pace, lane))
            return false;
    }
    return true;
}

/* The request that is due; false: the server hung up, or there is no room to
 * note it. */
static bool send_next(struct pace *pace)
{
    const struct pace_plan *plan = &pace->plan;
    struct lane *lane = &pace->lanes[pace->turn++ % plan->connections];
    bool set = keys_below(&pace->random, 100) < plan->sets_percent;
    const struct wire_template *template =
        set ? &pace->wire.set : &pace->wire.get;
    uint64_t key = plan->first_key + keys_below(&pace->random, plan->keys);
    if (lane->sent - lane->answered == DUE_MAX ||
        OUT_SIZE - lane->out_len < template->len)
        return false;
    bool waits = lane->out_len > 0;
    wire_write(template, lane->out + lane->out_len, key);
    lane->out_len += template->len;
    lane->due_ns[lane->sent++ % DUE_MAX] = pace->due_ns;
    pace->result.sent++;
    hist_add(&pace->result.late, host_now_ns() - pace->due_ns, 1);
    if (waits)
        return true;
    pace->unsent++;
    return lane_flush(pace, lane);
}

/* What is due by now, or some of it; when the next one is due is drawn as if
 * it did not matter when the last one was, as with many clients. */
static bool send_due(struct pace *pace)
{
    uint64_t now_ns = host_now_ns();
    for (unsigned i = 0; i < IN_A_ROW && pace->due_ns <= now_ns; i++) {
        if (!send_next(pace))
            return false;
        double share = (double)((keys_random(&pace->random) >> 11) + 1);
        double wait_s = -log(share / (double)(1ULL << 53)) / pace->plan.rate;
        pace->due_ns += (uint64_t)(wait_s * 1e9);
    }
    return true;
}

static bool lane_receive(struct pace *pace, struct lane *lane)
{
    ssize_t len = recv(lane->fd, pace->input, INPUT_SIZE, 0);
    if (len <= 0)
        return len < 0 && errno == EAGAIN;
    uint64_t now_ns = host_now_ns();
    uint64_t replies = wire_read(&lane->reader, pace->input, (size_t)len);
    struct hist *hist = pace->begun ? &pace->result.act : &pace->result.calm;
    if (replies > lane->sent - lane->answered)
        return false;
    pace->heard_ns = now_ns;
    for (; replies > 0; replies--)
        hist_add(hist, now_ns - lane->due_ns[lane->answered++ % DUE_MAX], 1);
    return true;
}

static bool receive(struct pace *pace)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(pace->epoll, events, EVENTS, 0);
    for (int i = 0; i < count; i++) {
        if (!lane_receive(pace, events[i].data.ptr))
            return false;
    }
    return true;
}

static bool owed(const struct pace *pace)
{
    for (unsigned i = 0; i < pace->plan.connections; i++) {
        if (pace->lanes[i].sent != pace->lanes[i].answered)
            return true;
    }
    return false;
}

static void *run(void *argument)
{
    struct pace *pace = argument;
    bool fine = true;
    pace->due_ns = pace->heard_ns = host_now_ns();
    while (fine && !pace->stop) {
        fine = send_due(pace) && flush_all(pace) && receive(pace) &&
               host_now_ns() - pace->heard_ns < SILENCE_NS;
    }
    while (fine && owed(pace)) {
        fine = flush_all(pace) && receive(pace) &&
               host_now_ns() - pace->heard_ns < SILENCE_NS;
    }
    pace->broken = !fine;
    return NULL;
}

static bool lane_open(const struct pace *pace, struct lane *lane, int port)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = lane};
    wire_reader_init(&lane->reader, pace->wire.kind);
    lane->due_ns = malloc(DUE_MAX * sizeof *lane->due_ns);
    lane->out = malloc(OUT_SIZE);
    lane->fd = host_connect(port);
    if (lane->due_ns == NULL || lane->out == NULL)
        abort();
    return lane->fd >= 0 && fcntl(lane->fd, F_SETFL, O_NONBLOCK) == 0 &&
           epoll_ctl(pace->epoll, EPOLL_CTL_ADD, lane->fd, &event) == 0;
}

static void pace_free(struct pace *pace)
{
    for (unsigned i = 0; i < pace->plan.connections; i++) {
        if (pace->lanes[i].fd >= 0)
            close(pace->lanes[i].fd);
        free(pace->lanes[i].due_ns);
        free(pace->lanes[i].out);
    }
    close(pace->epoll);
    wire_free(&pace->wire);
    free(pace->lanes);
    free(pace->input);
    free(pace);
}

struct pace *pace_start(const struct peer *peer, const struct pace_plan *plan)
{
    struct pace *pace = calloc(1, sizeof *pace);
    if (pace == NULL)
        abort();
    pace->plan = *plan;
    pace->name = peer->name;
    pace->random = plan->seed;
    pace->epoll = epoll_create1(EPOLL_CLOEXEC);
    pace->lanes = calloc(plan->connections, sizeof *pace->lanes);
    pace->input = malloc(INPUT_SIZE);
    if (pace->lanes == NULL || pace->input == NULL)
        abort();
    wire_init(&pace->wire, peer->wire, plan->value_bytes, 0);
    for (unsigned i = 0; i < plan->connections; i++)
        pace->lanes[i].fd = -1;
    for (unsigned i = 0; i < plan->connections; i++) {
        if (!lane_open(pace, &pace->lanes[i], peer->port)) {
            perror(peer->name);
            pace_free(pace);
            return NULL;
        }
    }
    if (pthread_create(&pace->thread, NULL, run, pace) != 0)
        abort();
    return pace;
}

void pace_begin(struct pace *pace)
{
    pace->begun = true;
}

bool pace_stop(struct pace *pace, struct pace_result *result)
{
    pace->stop = true;
    pthread_join(pace->thread, NULL);
    bool whole = !pace->broken;
    *result = pace->result;
    for (unsigned i = 0; i < pace->plan.connections; i++) {
        const struct wire_reader *reader = &pace->lanes[i].reader;
        if (result->errors == 0 && reader->errors > 0)
            memcpy(result->error, reader->error, sizeof result->error);
        result->hits += reader->hits;
        result->misses += reader->misses;
        result->errors += reader->errors;
    }
    if (!whole)
        fprintf(stderr, "%s: hung up, or fell too far behind\n", pace->name);
    pace_free(pace);
    return whole;
}
