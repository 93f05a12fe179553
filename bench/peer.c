/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting, asking and stopping the servers that are compared. */

#include "bench/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/args.h"
#include "bench/host.h"
#include "bench/peer_command.h"

enum { START_TRIES = 20000, START_STEP_MS = 1, STOP_MS = 20000 };

static const struct kind {
    const char *name;
    enum wire_kind wire;
} kinds[PEER_COUNT] = {
    [PEER_EBB] = {"ebb-server", WIRE_RESP},
    [PEER_REDIS] = {"redis-server", WIRE_RESP},
    [PEER_MEMCACHED] = {"memcached", WIRE_MEMCACHED},
    [PEER_FLOOR] = {"floor", WIRE_RESP},
    [PEER_OTHER] = {"other", WIRE_RESP},
};

const char *peer_name(enum peer_id id)
{
    return kinds[id].name;
}

void peer_check_only(const char *only, enum peer_id end)
{
    const char *names[PEER_COUNT + 1] = {NULL};
    for (unsigned i = 0; i < end; i++)
        names[i] = kinds[i].name;
    if (only != NULL)
        args_word("only", only, names);
}

/* As the shell looks for a program. */
static bool program_found(const char *name)
{
    const char *path = getenv("PATH");
    char file[2 * PATH_MAX];
    if (strchr(name, '/') != NULL)
        return access(name, X_OK) == 0;
    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", (int)len, path, name);
        if (access(file, X_OK) == 0)
            return true;
        path += len + (path[len] == ':');
    }
    return false;
}

bool peer_present(enum peer_id id, const char *ebb, const char *only)
{
    if (only != NULL && strcmp(only, kinds[id].name) != 0)
        return false;
    struct peer_options options = {.ebb = ebb};
    struct peer_command command = peer_command(id, 0, &options);
    bool found = program_found(command.argv[0]);
    if (!found)
        fprintf(stderr, "%s is not there; it is left out\n", command.argv[0]);
    peer_command_free(&command);
    return found;
}

int peer_take_cores(void)
{
    if (host_cores() > 1) {
        host_pin(GENERATOR_CORE);
        return PEER_CORE;
    }
    fprintf(stderr, "one core only: server and generator share it\n");
    return PEER_ANY_CORE;
}

static bool join(const char *group)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/cgroup.procs", group);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, "0", 1) == 1;
}

/* In the child: becomes the server. */
static void become(const struct peer_command *command,
                   const struct peer_options *options)
{
    const char *log = getenv("BENCH_LOG"); /* what the servers print */
    int out = open(log != NULL ? log : "/dev/null",
                   O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (options->core != PEER_ANY_CORE)
        host_pin((unsigned)options->core);
    if (options->group != NULL && !join(options->group))
        _exit(126);
    execvp(command->argv[0], command->argv);
    _exit(127);
}

/* Waits up to `ms` for its end. */
static bool ended_within(const struct peer *peer, int ms)
{
    struct pollfd poller = {.fd = peer->pidfd, .events = POLLIN};
    return poll(&poller, 1, ms) == 1;
}

static bool connect_control(struct peer *peer)
{
    for (int i = 0; i < START_TRIES; i++) {
        peer->control = host_connect(peer->port);
        if (peer->control >= 0)
            return true;
        if (ended_within(peer, START_STEP_MS))
            return false;
    }
    return false;
}

/* Another one is called as its program is. */
static void take_name(struct peer *peer, const struct peer_options *options)
{
    const char *name = kinds[peer->id].name, *slash;
    if (peer->id == PEER_OTHER)
        name = options->other;
    size_t len = strcspn(name, " ");
    while ((slash = memchr(name, '/', len)) != NULL) {
        len -= (size_t)(slash + 1 - name);
        name = slash + 1;
    }
    snprintf(peer->name, sizeof peer->name, "%.*s", (int)len, name);
}

bool peer_start(struct peer *peer, enum peer_id id,
                const struct peer_options *options)
{
    *peer = (struct peer){.id = id};
    take_name(peer, options);
    peer->wire = kinds[id].wire;
    peer->port = host_free_port();
    struct peer_command command = peer_command(id, peer->port, options);
    peer->pid = fork();
    if (peer->pid == 0)
        become(&command, options);
    peer_command_free(&command);
    peer->pidfd = (int)syscall(SYS_pidfd_open, peer->pid, 0);
    if (connect_control(peer))
        return true;
    fprintf(stderr, "%s: does not start, or not accept on port %d\n",
            peer->name, peer->port);
    kill(peer->pid, SIGKILL);
    waitpid(peer->pid, NULL, 0);
    close(peer->pidfd);
    return false;
}

bool peer_alive(const struct peer *peer)
{
    return !ended_within(peer, 0);
}

bool peer_stop(struct peer *peer)
{
    int status = 0;
    bool alive = !ended_within(peer, 0);
    if (alive) {
        kill(peer->pid, SIGTERM);
        if (!ended_within(peer, STOP_MS)) {
            fprintf(stderr, "%s: did not stop when told to\n", peer->name);
            kill(peer->pid, SIGKILL);
        }
    }
    waitpid(peer->pid, &status, 0);
    close(peer->pidfd);
    close(peer->control);
    if (!alive && WIFSIGNALED(status))
        fprintf(stderr, "%s: died of signal %d\n", peer->name,
                WTERMSIG(status));
    else if (!alive)
        fprintf(stderr, "%s: exited with %d by itself\n", peer->name,
                WEXITSTATUS(status));
    return alive;
}

/* Sends a line and reads until the answer ends with `end`; empty if the
 * server is gone. */
static void ask(struct peer *peer, const char *request, const char *end,
                char *answer, size_t size)
{
    size_t len = 0, end_len = strlen(end);
    answer[0] = '\0';
    if (write(peer->control, request, strlen(request)) < 0)
        return;
    while (len < end_len || strcmp(answer + len - end_len, end) != 0) {
        ssize_t got = read(peer->control, answer + len, size - 1 - len);
        if (got <= 0)
            return;
        len += (size_t)got;
        answer[len] = '\0';
    }
}

/* The number behind a name in what it tells of itself; 0 if there is none. */
static uint64_t told(struct peer *peer, const char *request, const char *end,
                     const char *name)
{
    char answer[16384];
    ask(peer, request, end, answer, sizeof answer);
    const char *found = strstr(answer, name);
    return found == NULL ? 0 : strtoull(found + strlen(name), NULL, 10);
}

uint64_t peer_entries(struct peer *peer)
{
    if (peer->wire == WIRE_RESP)
        return told(peer, "DBSIZE\r\n", "\r\n", ":");
    return told(peer, "stats\r\n", "END\r\n", "STAT curr_items ");
}

uint64_t peer_evicted(struct peer *peer)
{
    /* The PING tells where the answer ends. */
    if (peer->wire == WIRE_RESP)
        return told(peer, "INFO stats\r\nPING\r\n", "+PONG\r\n",
                    "\nevicted_keys:");
    return told(peer, "stats\r\n", "END\r\n", "STAT evictions ");
}

/* Gives an order; false (with a sentence on stderr) if it is refused. */
static bool order(struct peer *peer, const char *request)
{
    char answer[512];
    ask(peer, request, "\r\n", answer, sizeof answer);
    bool done = strstr(answer, "OK\r\n") != NULL;
    if (!done)
        fprintf(stderr, "%s: refuses %.*s: %s\n", peer->name,
                (int)strcspn(request, "\r"), request, answer);
    return done;
}

bool peer_set_budget(struct peer *peer, uint64_t bytes)
{
    char request[80];
    if (peer->wire == WIRE_RESP)
        snprintf(request, sizeof request, "CONFIG SET maxmemory %llu\r\n",
                 (unsigned long long)bytes);
    else
        snprintf(request, sizeof request, "cache_memlimit %llu\r\n",
                 (unsigned long long)(bytes >> 20));
    return order(peer, request);
}

bool peer_flush(struct peer *peer)
{
    return order(peer,
                 peer->wire == WIRE_RESP ? "FLUSHALL\r\n" : "flush_all\r\n");
}
