/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections that never read. */

#include "bench/crowd.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/host.h"
#include "bench/keys.h"

void crowd_init(struct crowd *crowd, uint64_t most, enum wire_kind kind,
                uint64_t depth, uint64_t first, uint64_t keys, uint64_t seed)
{
    struct wire wire;
    uint64_t random = seed;
    wire_init(&wire, kind, 0, 0);
    memset(crowd, 0, sizeof *crowd);
    crowd->fds = calloc(most, sizeof *crowd->fds);
    crowd->sent = calloc(most, sizeof *crowd->sent);
    crowd->requests = malloc(depth * wire.get.len);
    if (crowd->fds == NULL || crowd->sent == NULL || crowd->requests == NULL)
        abort();
    char *end = crowd->requests;
    for (uint64_t i = 0; i < depth; i++)
        end = wire_write(&wire.get, end, first + keys_below(&random, keys));
    crowd->len = (size_t)(end - crowd->requests);
    wire_free(&wire);
}

bool crowd_join(struct crowd *crowd, int port, uint64_t count)
{
    while (crowd->count < count) {
        int fd = host_connect(port);
        if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
            perror("connecting those that do not read");
            return false;
        }
        crowd->fds[crowd->count++] = fd;
    }
    return true;
}

void crowd_ask(struct crowd *crowd)
{
    for (uint64_t i = 0; i < crowd->count; i++) {
        size_t left = crowd->len - crowd->sent[i];
        if (left == 0)
            continue;
        ssize_t sent = send(crowd->fds[i], crowd->requests + crowd->sent[i],
                            left, MSG_NOSIGNAL);
        if (sent > 0)
            crowd->sent[i] += (size_t)sent;
    }
}

uint64_t crowd_open(const struct crowd *crowd)
{
    uint64_t open = 0;
    for (uint64_t i = 0; i < crowd->count; i++) {
        struct pollfd poller = {.fd = crowd->fds[i], .events = POLLRDHUP};
        open += poll(&poller, 1, 0) == 0;
    }
    return open;
}

void crowd_leave(struct crowd *crowd)
{
    for (uint64_t i = 0; i < crowd->count; i++)
        close(crowd->fds[i]);
    free(crowd->fds);
    free(crowd->sent);
    free(crowd->requests);
}
