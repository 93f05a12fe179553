/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is let in: not too many, and what happens without descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/still.h"

static const char full[] = "-ERR max number of clients reached\r\n";

static void clients_beyond_maxclients_are_refused(void **state)
{
    (void)state;
    struct live *live = live_start("--maxclients", "3", NULL);
    redisContext *first = live_connect(live), *second = live_connect(live);
    redisContext *third = live_connect(live);
    assert_string_equal(live_text(first, "PING"), "PONG");
    assert_string_equal(live_text(second, "PING"), "PONG");
    assert_string_equal(live_text(third, "PING"), "PONG");

    int fd = live_socket(live);
    assert_string_equal(live_read_all(fd), full);
    close(fd);
    assert_int_equal(live_info(first, "rejected_connections"), 1);

    redisFree(third);
    live_await_info(first, "connected_clients", 2, 2);
    third = live_connect(live);
    assert_string_equal(live_text(third, "PING"), "PONG");
    redisFree(first);
    redisFree(second);
    redisFree(third);
    live_stop(live);
}

/* Half of the clients' memory is for buffers: what is left is not enough for
 * as many connections as maxclients says. */
static void clients_beyond_their_memory_are_told(void **state)
{
    enum { MOST = 1000 };
    static const char want[] = "-ERR max number of clients reached: "
                               "maxmemory-clients has no room for more\r\n";
    int fds[MOST], count = 0;
    char first = '+';
    (void)state;
    struct live *live = live_start("--maxmemory", "64mb", "--maxmemory-clients",
                                   "1mb", "--maxclients", "1000", NULL);
    redisContext *redis = live_connect(live);
    assert_string_equal(live_text(redis, "PING"), "PONG");
    while (first == '+') {
        assert_true(count < MOST);
        fds[count] = live_socket(live);
        live_send(fds[count], "PING\r\n", 6);
        assert_int_equal(live_read(fds[count++], &first, 1), 1);
    }
    assert_string_equal(live_read_all(fds[count - 1]), want + 1);
    assert_true(live_info(redis, "connected_clients") < MOST);
    live_await_log(live, "maxmemory-clients has no room for more");
    while (count > 0)
        close(fds[--count]);
    redisFree(redis);
    live_stop(live);
}

/* ----------------------------------------------------------- descriptors */

/* Changes how many descriptors the server may have; 0: as many as at first. */
static void limit_descriptors(const struct live *live, rlim_t count)
{
    struct rlimit limit;
    assert_int_equal(prlimit(live_pid(live), RLIMIT_NOFILE, NULL, &limit), 0);
    limit.rlim_cur = count ? count : limit.rlim_max;
    assert_int_equal(prlimit(live_pid(live), RLIMIT_NOFILE, &limit, NULL), 0);
}

/* Connects and asks; true if it was served. */
static bool served(const struct live *live, int *fd)
{
    char first;
    *fd = live_socket(live);
    assert_true(live_send(*fd, "PING\r\n", 6));
    return live_read(*fd, &first, 1) == 1 && first == '+';
}

/* Descriptors run out: clients are refused one by one, those that are there
 * are served, and all is well when there are descriptors again, be it that
 * one is free or that there may be more. */
static void without_descriptors_clients_are_refused(void **state)
{
    enum { LIMIT = 64 };
    int fds[LIMIT + 1], count = 0, refused;
    (void)state;
    struct live *live = live_start("--threads", "1", NULL);
    redisContext *redis = live_connect(live);
    assert_string_equal(live_text(redis, "PING"), "PONG");
    limit_descriptors(live, LIMIT);
    while (served(live, &fds[count]))
        assert_true(++count < LIMIT);
    close(fds[count]);
    for (int i = 0; i < 3; i++) {
        assert_false(served(live, &refused));
        close(refused);
        assert_string_equal(live_text(redis, "PING"), "PONG");
    }
    assert_true(live_info(redis, "rejected_connections") >= 4);

    close(fds[--count]);
    live_await_info(redis, "connected_clients", 1 + count, 1 + count);
    assert_true(served(live, &fds[count++]));
    /* Once one more was refused, it accepts nobody for a while: there is no
     * look under way that found no descriptor and may refuse who comes next. */
    assert_false(served(live, &refused));
    close(refused);
    limit_descriptors(live, 0);
    assert_true(served(live, &fds[count++]));
    while (count > 0)
        close(fds[--count]);
    redisFree(redis);
    live_stop(live);
}

/* How often the server's main thread has slept, and how long it has run. */
struct effort {
    unsigned long sleeps, ticks;
};

static struct effort effort_of(const struct live *live)
{
    struct effort effort = {0};
    char path[64], text[1024], *at;
    int pid = (int)live_pid(live);
    unsigned long user, kernel;

    snprintf(path, sizeof path, "/proc/%d/task/%d/status", pid, pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(text, sizeof text, file))
        sscanf(text, "voluntary_ctxt_switches: %lu", &effort.sleeps);
    fclose(file);

    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, pid);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    at = strrchr(text, ')');
    assert_non_null(at);
    assert_int_equal(
        sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
               &user, &kernel),
        2);
    effort.ticks = user + kernel;
    return effort;
}

/* Not even the descriptor kept for refusing can be had: who comes waits, and
 * is served when there are descriptors again.  Meanwhile the server is no
 * busier for it: it goes to sleep a hundred times before it has run for a
 * second. */
static void who_cannot_be_refused_waits(void **state)
{
    enum { SLEEPS = 100 };
    const unsigned long second = (unsigned long)sysconf(_SC_CLK_TCK);
    char pong[7];
    (void)state;
    struct live *live = live_start("--threads", "1", NULL);
    redisContext *redis = live_connect(live);
    assert_string_equal(live_text(redis, "SET k v"), "OK");
    limit_descriptors(live, 1);
    int fd = live_socket(live);
    assert_true(live_send(fd, "PING\r\n", 6));
    live_await_log(live, "Clients cannot be accepted: Too many open files");

    struct effort before = effort_of(live), now = before;
    while (now.sleeps - before.sleeps < SLEEPS) {
        assert_string_equal(live_text(redis, "GET k"), "v");
        now = effort_of(live);
        if (now.ticks - before.ticks > second)
            fail_msg("it slept %lu times in a second of work",
                     now.sleeps - before.sleeps);
    }
    assert_int_equal(recv(fd, pong, sizeof pong, MSG_DONTWAIT), -1);
    assert_true(live_info(redis, "used_memory_rss") > 0);
    assert_int_equal(live_info(redis, "rejected_connections"), 0);
    assert_int_equal(live_info(redis, "connected_clients"), 1);

    limit_descriptors(live, 0);
    assert_int_equal(live_read(fd, pong, sizeof pong), sizeof pong);
    assert_memory_equal(pong, "+PONG\r\n", sizeof pong);
    assert_int_equal(live_info(redis, "connected_clients"), 2);
    close(fd);
    redisFree(redis);
    live_stop(live);
}

/* ------------------------------------------------------- many at once */

static void begin_connect(struct pollfd *at, const struct live *live)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)live_port(live)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    at->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(at->fd >= 0);
    if (connect(at->fd, (struct sockaddr *)&address, sizeof address) != 0)
        assert_int_equal(errno, EINPROGRESS);
}

static long system_backlog(void)
{
    long most = 0;
    FILE *file = fopen("/proc/sys/net/core/somaxconn", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &most), 1);
    fclose(file);
    return most;
}

enum { PATIENCE_MS = 10000 };

static void await(struct pollfd *at, short events)
{
    at->events = events;
    assert_int_equal(poll(at, 1, PATIENCE_MS), 1);
    assert_true(at->revents == events);
}

/* While the server has no time, more come than Redis lets wait: nobody has to
 * try again until it has, and all are served then. */
static void many_may_wait_to_be_accepted(void **state)
{
    enum { COUNT = 900 };
    static struct pollfd waiting[COUNT];
    char pong[7];
    (void)state;
    if (system_backlog() < COUNT)
        skip();
    struct live *live = live_start("--threads", "2", NULL);
    still_begin(live);
    for (int i = 0; i < COUNT; i++)
        begin_connect(&waiting[i], live);
    for (int i = 0; i < COUNT; i++)
        await(&waiting[i], POLLOUT);
    still_end(live);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(send(waiting[i].fd, "PING\r\n", 6, 0), 6);
    for (int i = 0; i < COUNT; i++) {
        await(&waiting[i], POLLIN);
        assert_int_equal(recv(waiting[i].fd, pong, sizeof pong, 0),
                         sizeof pong);
        assert_memory_equal(pong, "+PONG\r\n", sizeof pong);
        close(waiting[i].fd);
    }
    live_stop(live);
}

/* In hundredths of a second, when the kernel will probe a silent client of the
 * server, whose port is given; 0: never. */
static unsigned long probe_in(const struct live *live, unsigned client_port)
{
    char line[512];
    unsigned long when = 0;
    unsigned timer = 1; /* other than 0 and 2: something is being sent */
    while (timer == 1) {
        FILE *file = fopen("/proc/net/tcp", "r");
        assert_non_null(file);
        while (fgets(line, sizeof line, file)) {
            unsigned own, other, state, found;
            if (sscanf(line, " %*d: %*x:%x %*x:%x %x %*x:%*x %x:%lx", &own,
                       &other, &state, &found, &when) == 5 &&
                own == (unsigned)live_port(live) && other == client_port) {
                timer = found;
                break;
            }
        }
        fclose(file);
    }
    return timer == 2 ? when : 0;
}

static unsigned long newcomer_probed_in(const struct live *live)
{
    struct sockaddr_in own;
    socklen_t len = sizeof own;
    redisContext *redis = live_connect(live);
    assert_string_equal(live_text(redis, "PING"), "PONG");
    assert_int_equal(getsockname(redis->fd, (struct sockaddr *)&own, &len), 0);
    unsigned long when = probe_in(live, ntohs(own.sin_port));
    redisFree(redis);
    return when;
}

static void silent_clients_are_probed(void **state)
{
    enum { SECOND = 100 };
    (void)state;
    struct live *live = live_start("--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    unsigned long when = newcomer_probed_in(live);
    assert_in_range(when, 100 * SECOND + 1, 300 * SECOND);
    assert_string_equal(live_text(redis, "CONFIG SET tcp-keepalive 50"), "OK");
    assert_in_range(newcomer_probed_in(live), 1, 50 * SECOND);
    assert_string_equal(live_text(redis, "CONFIG SET tcp-keepalive 0"), "OK");
    assert_int_equal(newcomer_probed_in(live), 0);
    assert_string_equal(live_text(redis, "CONFIG SET tcp-keepalive 300"), "OK");
    when = newcomer_probed_in(live);
    assert_in_range(when, 100 * SECOND + 1, 300 * SECOND);
    redisFree(redis);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_beyond_maxclients_are_refused),
        cmocka_unit_test(clients_beyond_their_memory_are_told),
        cmocka_unit_test(without_descriptors_clients_are_refused),
        cmocka_unit_test(who_cannot_be_refused_waits),
        cmocka_unit_test(many_may_wait_to_be_accepted),
        cmocka_unit_test(silent_clients_are_probed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
