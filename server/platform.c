/* SPDX-License-Identifier: BSD-3-Clause */
/* The platform as Linux has it. */

#include "platform.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "governor.h"
#include "resident.h"

static int linux_accept(void *ctx, int fd, struct sockaddr *addr,
                        socklen_t *len)
{
    (void)ctx;
    return accept4(fd, addr, len, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static ssize_t linux_read(void *ctx, int fd, void *to, size_t len)
{
    (void)ctx;
    return recv(fd, to, len, 0);
}

static ssize_t linux_readv(void *ctx, int fd, const struct iovec *iov,
                           int count)
{
    (void)ctx;
    return readv(fd, iov, count);
}

static ssize_t linux_write(void *ctx, int fd, const void *from, size_t len)
{
    (void)ctx;
    return send(fd, from, len, MSG_NOSIGNAL);
}

static ssize_t linux_writev(void *ctx, int fd, const struct iovec *iov,
                            int count)
{
    (void)ctx;
    return writev(fd, iov, count);
}

static int64_t linux_wall_ms(void *ctx)
{
    (void)ctx;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t linux_monotonic_us(void *ctx)
{
    (void)ctx;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static size_t linux_resident(void *ctx)
{
    (void)ctx;
    return resident_read();
}

static uint64_t linux_memory(void *ctx)
{
    (void)ctx;
    return governor_machine_bytes("");
}

static bool linux_random(void *ctx, void *to, size_t len)
{
    (void)ctx;
    char *at = to;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        len -= (size_t)got;
    }
    return true;
}

const struct platform platform_linux = {
    .accept = linux_accept,
    .read = linux_read,
    .readv = linux_readv,
    .write = linux_write,
    .writev = linux_writev,
    .wall_ms = linux_wall_ms,
    .monotonic_us = linux_monotonic_us,
    .resident = linux_resident,
    .memory = linux_memory,
    .random = linux_random,
};
