/* SPDX-License-Identifier: BSD-3-Clause */
/* A server process that is compared with another. */

#include "tests/side.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, READ_BYTES = 65536 };

/* ---------------------------------------------------------------- process */

static void socket_path(const struct side *side, char path[64])
{
    snprintf(path, 64, "%s/socket", side->directory);
}

static void run_server(const struct side *side)
{
    char path[64], command[1024], log[64];
    socket_path(side, path);
    snprintf(log, sizeof log, "%s/log", side->directory);
    snprintf(command, sizeof command, "exec %s --unixsocket %s >%s 2>&1",
             side->command, path, log);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 &&
        connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Tries until it listens, ends, or ten seconds have passed. */
static int await_connection(struct side *side, const char *path)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    for (unsigned tries = 0; tries < 1000; tries++) {
        int fd = connect_to(path);
        if (fd >= 0)
            return fd;
        if (waitpid(side->pid, NULL, WNOHANG) == side->pid) {
            side->pid = 0;
            return -1;
        }
        nanosleep(&pause, NULL);
    }
    return -1;
}

static bool start_again(struct side *side)
{
    char path[64];
    socket_path(side, path);
    unlink(path);
    fflush(stdout);
    side->pid = fork();
    if (side->pid == 0)
        run_server(side);
    for (unsigned i = 0; side->pid > 0 && i < SIDE_CONNS; i++) {
        side->fds[i] = await_connection(side, path);
        if (side->fds[i] < 0)
            return false;
    }
    return side->pid > 0;
}

const char *side_command(const char *variable, const char *otherwise)
{
    const char *value = getenv(variable);
    return value && *value ? value : otherwise;
}

bool side_start(struct side *side, const char *name, const char *command)
{
    *side = (struct side){.name = name, .command = command};
    strcpy(side->directory, "/tmp/ebb-side-XXXXXX");
    return mkdtemp(side->directory) && start_again(side);
}

static void stop_process(struct side *side)
{
    for (unsigned i = 0; i < SIDE_CONNS; i++) {
        if (side->fds[i] >= 0)
            close(side->fds[i]);
        resp_release(&side->readers[i]);
        side->fds[i] = -1;
    }
    if (side->pid > 0) {
        kill(side->pid, SIGKILL);
        waitpid(side->pid, NULL, 0);
    }
    side->pid = 0;
}

void side_stop(struct side *side)
{
    char path[64];
    stop_process(side);
    socket_path(side, path);
    unlink(path);
    snprintf(path, sizeof path, "%s/log", side->directory);
    unlink(path);
    rmdir(side->directory);
}

bool side_restart(struct side *side)
{
    stop_process(side);
    return start_again(side);
}

/* --------------------------------------------------------------- exchange */

/* Feeds the reader with what has come; false: nothing ever will. */
static bool read_more(struct side *side, unsigned conn)
{
    char bytes[READ_BYTES];
    ssize_t got = recv(side->fds[conn], bytes, sizeof bytes, MSG_DONTWAIT);
    if (got > 0)
        resp_feed(&side->readers[conn], bytes, (size_t)got);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

bool side_exchange(struct side *side, unsigned conn, const char *bytes,
                   size_t len, struct resp **replies, size_t count)
{
    struct pollfd poll_fd = {.fd = side->fds[conn]};
    size_t sent = 0, taken = 0;
    memset(replies, 0, count * sizeof *replies);
    while (sent < len || taken < count) {
        poll_fd.events = (short)(POLLIN | (sent < len ? POLLOUT : 0));
        if (poll_fd.fd < 0 || poll(&poll_fd, 1, PATIENCE_MS) != 1)
            return false;
        if (poll_fd.revents & POLLOUT) {
            ssize_t put = send(poll_fd.fd, bytes + sent, len - sent,
                               MSG_DONTWAIT | MSG_NOSIGNAL);
            sent += put > 0 ? (size_t)put : 0;
        }
        if (poll_fd.revents & ~POLLOUT && !read_more(side, conn))
            return false;
        while (taken < count &&
               resp_next(&side->readers[conn], &replies[taken]) == RESP_READ)
            taken++;
        if (side->readers[conn].broken)
            return false;
    }
    return true;
}
