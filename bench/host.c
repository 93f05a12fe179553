/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks, cores, sockets and /proc. */

#include "bench/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t ns_of(struct timespec time)
{
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint64_t host_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ns_of(now);
}

void host_wait_until(uint64_t ns)
{
    struct timespec until = {(time_t)(ns / 1000000000),
                             (long)(ns % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
        continue;
}

unsigned host_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

void host_pin(unsigned core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        perror("sched_setaffinity");
}

uint64_t host_longest_gap_ns(uint64_t for_ns)
{
    uint64_t start = host_now_ns(), last = start, longest = 0;
    while (last - start < for_ns) {
        uint64_t now = host_now_ns();
        if (now - last > longest)
            longest = now - last;
        last = now;
    }
    return longest;
}

uint64_t host_allow_files(uint64_t count)
{
    struct rlimit limit = {.rlim_cur = count, .rlim_max = count};
    struct rlimit now;
    if (getrlimit(RLIMIT_NOFILE, &now) != 0)
        return 0;
    if (limit.rlim_max < now.rlim_max)
        limit.rlim_max = now.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return count;
    now.rlim_cur = now.rlim_max;
    setrlimit(RLIMIT_NOFILE, &now);
    return now.rlim_cur;
}

static struct sockaddr_in local(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int host_free_port(void)
{
    struct sockaddr_in address = local(0);
    socklen_t len = sizeof address;
    int port = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, len) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &len) == 0)
        port = ntohs(address.sin_port);
    close(fd);
    return port;
}

int host_connect(int port)
{
    struct sockaddr_in address = local(port);
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

int host_begin_connect(int port)
{
    struct sockaddr_in address = local(port);
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ||
        errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

/* The text of a file; empty if there is none. */
static void read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, text, size - 1);
    text[len > 0 ? len : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

static void read_proc(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    read_text(path, text, size);
}

uint64_t host_tcp_bytes(void)
{
    char text[1024];
    read_text("/proc/net/sockstat", text, sizeof text);
    const char *line = strstr(text, "TCP: ");
    const char *pages = line == NULL ? NULL : strstr(line, " mem ");
    return pages == NULL ? 0
                         : strtoull(pages + 5, NULL, 10) *
                               (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t status_bytes(pid_t pid, const char *name)
{
    char text[4096];
    read_proc(pid, "status", text, sizeof text);
    const char *line = strstr(text, name);
    return line == NULL ? 0 : strtoull(line + strlen(name), NULL, 10) << 10;
}

uint64_t host_resident(pid_t pid)
{
    return status_bytes(pid, "VmRSS:");
}

uint64_t host_peak(pid_t pid)
{
    return status_bytes(pid, "VmHWM:");
}

void host_reset_peak(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/clear_refs", (int)pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "5", 1) != 1)
        perror(path);
    if (fd >= 0)
        close(fd);
}

struct host_cpu host_cpu(pid_t pid)
{
    char text[1024];
    unsigned long long user = 0, system = 0;
    clockid_t clock;
    struct timespec all = {0};
    if (clock_getcpuclockid(pid, &clock) == 0)
        clock_gettime(clock, &all);
    read_proc(pid, "stat", text, sizeof text);
    /* The name is in brackets and may hold anything; the fields after it are
     * state, ten numbers, then these two. */
    const char *after = strrchr(text, ')');
    if (after != NULL)
        sscanf(after + 1,
               " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu", &user,
               &system);
    uint64_t tick_ns = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
    return (struct host_cpu){ns_of(all), user * tick_ns, system * tick_ns};
}

struct host_cpu host_cpu_since(pid_t pid, struct host_cpu then)
{
    struct host_cpu now = host_cpu(pid);
    uint64_t all = now.all_ns - then.all_ns;
    uint64_t user = now.user_ns - then.user_ns;
    uint64_t sampled = user + now.system_ns - then.system_ns;
    user = sampled == 0
               ? 0
               : (uint64_t)((double)all * (double)user / (double)sampled);
    return (struct host_cpu){all, user, all - user};
}
