/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections and their events, and nothing else. */

#include "bench/loop.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, BACKLOG = 511 };

bool loop_send(const struct loop_link *link, const char *out, size_t left)
{
    while (left > 0) {
        ssize_t sent = send(link->fd, out, left, MSG_NOSIGNAL);
        if (sent < 0)
            return false;
        out += sent;
        left -= (size_t)sent;
    }
    return true;
}

static int listen_on(int port)
{
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, BACKLOG) != 0)
        return -1;
    return fd;
}

static void welcome(int epoll, int listener, size_t link_bytes)
{
    int on = 1;
    struct loop_link *link = calloc(1, link_bytes);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
    if (link == NULL)
        abort();
    link->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, link->fd, &event) != 0)
        free(link);
}

bool loop_run(int port, size_t link_bytes, loop_serve *serve, void *ctx)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC), listener = listen_on(port);
    struct epoll_event event = {.events = EPOLLIN}, events[EVENTS];
    if (listener < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        return false;
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct loop_link *link = events[i].data.ptr;
            if (link == NULL) {
                welcome(epoll, listener, link_bytes);
            } else if (!serve(link, ctx)) {
                close(link->fd);
                free(link);
            }
        }
    }
}
