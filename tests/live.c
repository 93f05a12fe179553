/* SPDX-License-Identifier: BSD-3-Clause */
/* A forked server, its log on a pipe, and connections to it. */

#include "tests/live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, ARGS_MAX = 64, LOG_MAX = 1 << 16 };

struct live {
    pid_t pid;
    int port, log; /* log: the reading end of its standard output */
    char folder[32];
    char lines[LOG_MAX]; /* read and not yet looked at */
    size_t len;
    char line[1024];
};

static void die(struct live *live, const char *what) __attribute__((noreturn));

static void die(struct live *live, const char *what)
{
    fprintf(stderr, "live: %s\n", what);
    if (live)
        fprintf(stderr, "live: the log so far:\n%.*s\n", (int)live->len,
                live->lines);
    if (live && live->pid > 0)
        kill(live->pid, SIGKILL);
    exit(1);
}

/* ---------------------------------------------------------------- process */

static void run_server(char **args, int log)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(log, STDOUT_FILENO);
    execv(args[0], args);
    _exit(127);
}

const char *live_server(void)
{
    static char path[512];
    const char *given = getenv("EBB_SERVER"), *build = getenv("BUILD");
    if (given)
        snprintf(path, sizeof path, "%s", given);
    else
        snprintf(path, sizeof path, "%s/ebb-server", build ? build : "build");
    return path;
}

struct live *live_start(const char *option, ...)
{
    char *args[ARGS_MAX + 8];
    size_t count = 0;
    va_list options;
    va_start(options, option);
    args[count++] = (char *)live_server();
    if (option && option[0] != '-') {
        args[count++] = (char *)option;
        option = va_arg(options, const char *);
    }
    const char *const own[] = {"--port",         "0", "--bind", "127.0.0.1",
                               "--metrics-port", "0"};
    for (size_t i = 0; i < 6; i++)
        args[count++] = (char *)own[i];
    for (; option && count < ARGS_MAX; option = va_arg(options, const char *))
        args[count++] = (char *)option;
    va_end(options);
    args[count] = NULL;

    struct live *live = calloc(1, sizeof *live);
    int log[2];
    if (!live || pipe2(log, O_CLOEXEC) != 0)
        die(NULL, "no memory or pipe");
    strcpy(live->folder, "/tmp/ebb-live-XXXXXX");
    if (!mkdtemp(live->folder))
        die(NULL, "no temporary folder");
    live->log = log[0];
    fflush(NULL);
    live->pid = fork();
    if (live->pid == 0)
        run_server(args, log[1]);
    close(log[1]);
    if (live->pid < 0)
        die(live, "cannot fork");
    const char *ready = live_await_log(live, "Ready to accept connections");
    const char *port = strstr(ready, "127.0.0.1:");
    live->port = port ? atoi(port + 10) : 0;
    return live;
}

static void forget(struct live *live)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", live->folder);
    if (system(command) != 0)
        fprintf(stderr, "live: %s stays\n", live->folder);
    close(live->log);
    free(live);
}

/* The pipe must be read meanwhile only so that the log is complete: the server
 * never waits for it. */
static int wait_end(struct live *live)
{
    int status;
    for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 10) {
        const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
        if (waitpid(live->pid, &status, WNOHANG) == live->pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        nanosleep(&pause, NULL);
    }
    die(live, "the server does not end");
}

int live_end(struct live *live, int number)
{
    kill(live->pid, number);
    int status = wait_end(live);
    forget(live);
    return status;
}

void live_stop(struct live *live)
{
    kill(live->pid, SIGTERM);
    int status = wait_end(live);
    if (status != 0) {
        fprintf(stderr, "live: the server ended with status %d\n", status);
        live->pid = 0;
        die(live, "the server did not end well");
    }
    forget(live);
}

int live_setup(void **state)
{
    *state = live_start("--maxmemory", "64mb", "--threads", "2", NULL);
    return 0;
}

int live_setup_debug(void **state)
{
    *state = live_start("--maxmemory", "64mb", "--threads", "1",
                        "--enable-debug-command", "yes", NULL);
    return 0;
}

int live_teardown(void **state)
{
    live_stop(*state);
    return 0;
}

int live_port(const struct live *live)
{
    return live->port;
}

pid_t live_pid(const struct live *live)
{
    return live->pid;
}

const char *live_folder(const struct live *live)
{
    return live->folder;
}

/* -------------------------------------------------------------------- log */

/* Takes one line off; false: there is no whole one. */
static bool take_line(struct live *live)
{
    char *end = memchr(live->lines, '\n', live->len);
    if (!end)
        return false;
    size_t len = (size_t)(end - live->lines);
    size_t part = len < sizeof live->line - 1 ? len : sizeof live->line - 1;
    memcpy(live->line, live->lines, part);
    live->line[part] = '\0';
    live->len -= len + 1;
    memmove(live->lines, end + 1, live->len);
    return true;
}

const char *live_await_log(struct live *live, const char *text)
{
    for (;;) {
        while (take_line(live))
            if (strstr(live->line, text))
                return live->line;
        struct pollfd ready = {.fd = live->log, .events = POLLIN};
        if (poll(&ready, 1, PATIENCE_MS) != 1)
            die(live, text);
        ssize_t got = read(live->log, live->lines + live->len,
                           sizeof live->lines - live->len);
        if (got <= 0)
            die(live, "the server has ended");
        live->len += (size_t)got;
    }
}

/* ----------------------------------------------------------------- memory */

/* A size of /proc/PID/status, bytes. */
static size_t status_bytes(const struct live *live, const char *field)
{
    char path[64], line[128];
    size_t kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)live->pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0)
            kib = strtoull(line + strlen(field) + 1, NULL, 10);
    if (file)
        fclose(file);
    return kib * 1024;
}

size_t live_resident(const struct live *live)
{
    return status_bytes(live, "VmRSS");
}

size_t live_peak(const struct live *live)
{
    return status_bytes(live, "VmHWM");
}

void live_peak_reset(const struct live *live)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/clear_refs", (int)live->pid);
    FILE *file = fopen(path, "w");
    if (file) {
        fputs("5\n", file);
        fclose(file);
    }
}

/* ------------------------------------------------------------ connections */

redisContext *live_connect(const struct live *live)
{
    const struct timeval patience = {PATIENCE_MS / 1000, 0};
    redisContext *redis =
        redisConnectWithTimeout("127.0.0.1", live->port, patience);
    if (!redis || redis->err) {
        fprintf(stderr, "live: cannot connect: %s\n",
                redis ? redis->errstr : "no memory");
        exit(1);
    }
    redisSetTimeout(redis, patience);
    return redis;
}

/* room: for what has come and was not read; 0: as much as the system gives. */
static int dial(const struct sockaddr *addr, socklen_t len, int room)
{
    const struct timeval patience = {PATIENCE_MS / 1000, 0};
    int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (room > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (fd < 0 || connect(fd, addr, len) != 0) {
        perror("live: cannot connect");
        exit(1);
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return fd;
}

int live_dial(const struct sockaddr *addr, socklen_t len)
{
    return dial(addr, len, 0);
}

static int dial_live(const struct live *live, int room)
{
    const struct sockaddr_in addr = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)live->port),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    return dial((const struct sockaddr *)&addr, sizeof addr, room);
}

int live_socket(const struct live *live)
{
    return dial_live(live, 0);
}

int live_narrow_socket(const struct live *live)
{
    enum { LEAST = 2304 }; /* that Linux gives */
    return dial_live(live, LEAST);
}

bool live_send(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            fprintf(stderr, "live: the server takes no more input\n");
            exit(1);
        }
        if (sent <= 0)
            return false;
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

size_t live_read(int fd, void *to, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got = recv(fd, (char *)to + done, len - done, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            fprintf(stderr, "live: no reply for a minute\n");
            exit(1);
        }
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

bool live_is_closed(int fd)
{
    char byte;
    return live_read(fd, &byte, 1) == 0;
}

const char *live_read_all(int fd)
{
    static char text[1 << 20];
    size_t len = live_read(fd, text, sizeof text - 1);
    text[len] = '\0';
    return text;
}
