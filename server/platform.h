/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLATFORM_H
#define PLATFORM_H

/*
 * What connections, listeners and the governor ask of the system, as
 * functions, so that tests can put a made-up world under them.  Those that have
 * the name of a system call behave as it does, errno included.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

struct platform {
    void *ctx; /* given to each function */
    /* The accepted socket does not block and is closed on exec. */
    int (*accept)(void *ctx, int fd, struct sockaddr *addr, socklen_t *len);
    ssize_t (*read)(void *ctx, int fd, void *to, size_t len);
    ssize_t (*readv)(void *ctx, int fd, const struct iovec *iov, int count);
    ssize_t (*write)(void *ctx, int fd, const void *from, size_t len);
    ssize_t (*writev)(void *ctx, int fd, const struct iovec *iov, int count);
    int64_t (*wall_ms)(void *ctx);
    int64_t (*monotonic_us)(void *ctx);
    size_t (*resident)(void *ctx); /* bytes of the process in memory */
    uint64_t (*memory)(void *ctx); /* bytes that the machine or the container
                                      has; 0: nothing tells */
    bool (*random)(void *ctx, void *to, size_t len); /* false: there is none */
};

extern const struct platform platform_linux;

#endif
