/* SPDX-License-Identifier: BSD-3-Clause */
/* The load generator. */

#include "bench/drive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/host.h"

enum { INPUT_SIZE = 256 << 10, EVENTS = 256, SILENCE_MS = 60000 };

struct link {
    int fd;
    bool watches_out;          /* a request is not yet wholly sent */
    uint64_t sent_ns, waiting; /* requests without a reply yet */
    size_t out_len, out_at;
    char *out;
    struct wire_reader reader;
};

struct drive {
    const struct drive_plan *plan;
    struct drive_result *result;
    struct wire wire, big;
    struct keys keys;
    uint64_t mix_state, left, until_ns, made;
    unsigned busy; /* links that wait for replies */
    int epoll;
    struct link *links;
    char *input;
};

/* Sends what it can; false if the server hung up. */
static bool link_flush(struct drive *drive, struct link *link)
{
    while (link->out_at < link->out_len) {
        ssize_t sent = write(link->fd, link->out + link->out_at,
                             link->out_len - link->out_at);
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0)
            return false;
        link->out_at += (size_t)sent;
    }
    bool more = link->out_at < link->out_len;
    if (more == link->watches_out)
        return true;
    struct epoll_event event = {.data.ptr = link};
    event.events = EPOLLIN | (more ? EPOLLOUT : 0);
    link->watches_out = more;
    return epoll_ctl(drive->epoll, EPOLL_CTL_MOD, link->fd, &event) == 0;
}

/* Writes the next request and returns its end. */
static char *drive_write(struct drive *drive, char *end)
{
    const struct drive_plan *plan = drive->plan;
    const struct wire_template *template = &drive->wire.get;
    if (plan->big_every != 0 && ++drive->made % plan->big_every == 0)
        return wire_write(&drive->big.set, end,
                          plan->big_first + drive->made / plan->big_every - 1);
    if (plan->deletes)
        template = &drive->wire.del;
    else if (keys_below(&drive->mix_state, 100) < plan->sets_percent)
        template = &drive->wire.set;
    return wire_write(template, end, plan->first_key + keys_next(&drive->keys));
}

/* Sends the next batch, if the plan has one left. */
static bool link_send(struct drive *drive, struct link *link, uint64_t now_ns)
{
    const struct drive_plan *plan = drive->plan;
    uint64_t count = drive->left < plan->depth ? drive->left : plan->depth;
    if (count == 0 || now_ns >= drive->until_ns)
        return true;
    char *end = link->out;
    for (uint64_t i = 0; i < count; i++) {
        end = drive_write(drive, end);
    }
    drive->left -= count;
    drive->busy++;
    link->waiting = count;
    link->out_at = 0;
    link->out_len = (size_t)(end - link->out);
    link->sent_ns = host_now_ns();
    return link_flush(drive, link);
}

static bool link_receive(struct drive *drive, struct link *link)
{
    ssize_t len = read(link->fd, drive->input, INPUT_SIZE);
    if (len < 0 && errno == EAGAIN)
        return true;
    if (len <= 0)
        return false;
    uint64_t now_ns = host_now_ns();
    uint64_t replies = wire_read(&link->reader, drive->input, (size_t)len);
    if (replies == 0)
        return true;
    if (replies > link->waiting)
        return false;
    link->waiting -= replies;
    drive->result->operations += replies;
    hist_add(&drive->result->waits, now_ns - link->sent_ns, replies);
    if (link->waiting > 0)
        return true;
    drive->busy--;
    return link_send(drive, link, now_ns);
}

static bool drive_loop(struct drive *drive)
{
    struct epoll_event events[EVENTS];
    while (drive->busy > 0) {
        int count = epoll_wait(drive->epoll, events, EVENTS, SILENCE_MS);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        for (int i = 0; i < count; i++) {
            struct link *link = events[i].data.ptr;
            if ((events[i].events & EPOLLOUT) && !link_flush(drive, link))
                return false;
            if ((events[i].events & ~(uint32_t)EPOLLOUT) &&
                !link_receive(drive, link))
                return false;
        }
    }
    return true;
}

static bool drive_connect(struct drive *drive)
{
    const struct drive_plan *plan = drive->plan;
    size_t longest = drive->wire.set.len > drive->wire.get.len
                         ? drive->wire.set.len
                         : drive->wire.get.len;
    if (drive->big.set.len > longest)
        longest = drive->big.set.len;
    for (unsigned i = 0; i < plan->connections; i++) {
        struct link *link = &drive->links[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
        wire_reader_init(&link->reader, plan->wire);
        link->out = malloc(longest * plan->depth);
        link->fd = host_connect(plan->port);
        if (link->out == NULL || link->fd < 0 ||
            fcntl(link->fd, F_SETFL, O_NONBLOCK) != 0 ||
            epoll_ctl(drive->epoll, EPOLL_CTL_ADD, link->fd, &event) != 0)
            return false;
    }
    return true;
}

static bool drive_send_first(struct drive *drive, uint64_t now_ns)
{
    for (unsigned i = 0; i < drive->plan->connections; i++) {
        if (!link_send(drive, &drive->links[i], now_ns))
            return false;
    }
    return true;
}

static void drive_close(struct drive *drive)
{
    struct drive_result *result = drive->result;
    for (unsigned i = 0; i < drive->plan->connections; i++) {
        struct link *link = &drive->links[i];
        const struct wire_reader *reader = &link->reader;
        if (result->errors == 0 && reader->errors > 0)
            memcpy(result->error, reader->error, sizeof result->error);
        result->hits += reader->hits;
        result->misses += reader->misses;
        result->errors += reader->errors;
        free(link->out);
        if (link->fd >= 0)
            close(link->fd);
    }
    close(drive->epoll);
    wire_free(&drive->wire);
    wire_free(&drive->big);
    free(drive->links);
    free(drive->input);
}

bool drive_run(const struct drive_plan *plan, struct drive_result *result)
{
    struct drive drive = {.plan = plan, .result = result};
    memset(result, 0, sizeof *result);
    wire_init(&drive.wire, plan->wire, plan->value_bytes, plan->ttl_s);
    wire_init(&drive.big, plan->wire, plan->big_bytes, plan->ttl_s);
    keys_init(&drive.keys, plan->order, plan->keys, plan->theta_percent,
              plan->seed);
    drive.mix_state = plan->seed;
    drive.left = plan->operations != 0 ? plan->operations : UINT64_MAX;
    drive.epoll = epoll_create1(EPOLL_CLOEXEC);
    drive.links = calloc(plan->connections, sizeof *drive.links);
    drive.input = malloc(INPUT_SIZE);
    for (unsigned i = 0; i < plan->connections; i++)
        drive.links[i].fd = -1;

    bool done = drive_connect(&drive);
    uint64_t start_ns = host_now_ns();
    drive.until_ns = plan->for_ns != 0 ? start_ns + plan->for_ns : UINT64_MAX;
    done = done && drive_send_first(&drive, start_ns) && drive_loop(&drive);
    result->took_ns = host_now_ns() - start_ns;
    drive_close(&drive);
    if (!done)
        fprintf(stderr, "port %d: the server hung up or does not answer\n",
                plan->port);
    return done;
}

void drive_tell(const struct drive_result *result, const char *name)
{
    if (result->errors + result->misses > 0)
        fprintf(stderr, "%s: %llu misses, %llu errors %s\n", name,
                (unsigned long long)result->misses,
                (unsigned long long)result->errors, result->error);
}
