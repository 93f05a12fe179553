/* SPDX-License-Identifier: BSD-3-Clause */
/* The server as a process: signals, sockets, files, its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/live.h"
#include "tests/sanitized.h"

static void term_and_int_end_it_well(void **state)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct live *live = live_start("--threads", "2", NULL);
        redisContext *redis = live_connect(live);
        assert_string_equal(live_text(redis, "PING"), "PONG");
        assert_int_equal(live_end(live, numbers[i]), 0);
        assert_null(redisCommand(redis, "PING"));
        redisFree(redis);
    }
}

static void shutdown_ends_it_well(void **state)
{
    (void)state;
    struct live *live = live_start("--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    assert_null(redisCommand(redis, "SHUTDOWN NOSAVE"));
    redisFree(redis);
    live_await_log(live, "Stopped");
    live_stop(live);
}

/* Makes the server hold a reply that is not read. */
static int unread_reply(const struct live *live)
{
    enum { LEN = 8 << 20 };
    redisContext *redis = live_connect(live);
    char *value = malloc(LEN);
    assert_non_null(value);
    memset(value, 'x', LEN);
    assert_string_equal(live_text(redis, "SET big %b", value, (size_t)LEN),
                        "OK");
    int fd = live_socket(live);
    int small = 1 << 18;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_true(live_send(fd, "GET big\r\n", 9));
    char first;
    assert_int_equal(live_read(fd, &first, 1), 1);
    free(value);
    redisFree(redis);
    return fd;
}

static void replies_under_way_are_finished(void **state)
{
    enum { REST = 7 + 1 + (8 << 20) + 2 };
    (void)state;
    struct live *live =
        live_start("--stop-timeout", "60", "--maxmemory", "64mb", NULL);
    int fd = unread_reply(live);
    kill(live_pid(live), SIGTERM);
    live_await_log(live, "Stopping");
    char *rest = malloc(REST + 100);
    assert_non_null(rest);
    size_t got = live_read(fd, rest, REST + 100);
    assert_int_equal(got, strlen("8388608\r\n") + (8 << 20) + 2);
    assert_memory_equal(rest + got - 3, "x\r\n", 3);
    free(rest);
    close(fd);
    live_await_log(live, "Stopped");
    live_stop(live);
}

static void a_second_signal_does_not_wait(void **state)
{
    (void)state;
    struct live *live =
        live_start("--stop-timeout", "60", "--maxmemory", "64mb", NULL);
    int fd = unread_reply(live);
    kill(live_pid(live), SIGTERM);
    live_await_log(live, "Stopping");
    assert_int_equal(live_end(live, SIGTERM), 1);
    close(fd);
}

static void other_signals_are_ignored(void **state)
{
    static const int numbers[] = {SIGPIPE, SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD};
    (void)state;
    struct live *live = live_start("--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        kill(live_pid(live), numbers[i]);
        assert_string_equal(live_text(redis, "PING"), "PONG");
    }
    redisFree(redis);
    live_stop(live);
}

/* The file's text, or "" while there is none. */
static const char *read_file(const char *path)
{
    static char text[4096];
    FILE *file = fopen(path, "r");
    size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[len] = '\0';
    if (file)
        fclose(file);
    return text;
}

static void await_text(const char *path, const char *wanted)
{
    for (int i = 0; i < 6000; i++) {
        if (strstr(read_file(path), wanted))
            return;
        usleep(10000);
    }
    fail_msg("%s never says '%s'", path, wanted);
}

/* The log goes to a file, so that the harness would not see the port. */
static void hup_opens_the_log_again(void **state)
{
    char folder[] = "/tmp/ebb-log-XXXXXX", path[64], moved[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(moved, sizeof moved, "%s/log.1", folder);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        execl(live_server(), "ebb-server", "--port", "0", "--metrics-port", "0",
              "--logfile", path, (char *)NULL);
        _exit(127);
    }
    await_text(path, "Ready to accept");
    assert_int_equal(rename(path, moved), 0);
    kill(pid, SIGHUP);
    await_text(path, "opened again");
    kill(pid, SIGTERM);
    await_text(path, "Stopped");
    unlink(path);
    unlink(moved);
    rmdir(folder);
}

/* ---------------------------------------------------------------- sockets */

static int connect_unix(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
    return live_dial((struct sockaddr *)&addr, sizeof addr);
}

static void a_unix_socket_serves_and_goes(void **state)
{
    char folder[] = "/tmp/ebb-unix-XXXXXX", path[64], pong[7];
    struct stat info;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);

    struct live *live =
        live_start("--unixsocket", path, "--unixsocketperm", "750", NULL);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0750);
    int fd = connect_unix(path);
    assert_true(live_send(fd, "PING\r\n", 6));
    assert_int_equal(live_read(fd, pong, 7), 7);
    close(fd);
    /* It ends without a chance to clean up; the next one replaces what it
     * left, and cleans up. */
    assert_int_equal(live_end(live, SIGKILL), -SIGKILL);
    assert_int_equal(stat(path, &info), 0);
    live = live_start("--unixsocket", path, NULL);
    close(connect_unix(path));
    live_stop(live);
    assert_int_equal(stat(path, &info), -1);
    rmdir(folder);
}

static void all_addresses_get_the_port_that_was_chosen(void **state)
{
    (void)state;
    struct live *live = live_start("--bind", "127.0.0.1 127.0.0.2", NULL);
    redisContext *redis = live_connect(live);
    assert_string_equal(live_text(redis, "PING"), "PONG");
    redisFree(redis);
    redis = redisConnect("127.0.0.2", live_port(live));
    assert_int_equal(redis->err, 0);
    assert_string_equal(live_text(redis, "PING"), "PONG");
    redisFree(redis);
    live_stop(live);
}

/* Runs the server with options that cannot work; what it says. */
static const char *refusal(const char *options)
{
    static char text[1024];
    char command[512];
    snprintf(command, sizeof command, "%s --metrics-port 0 %s 2>&1",
             live_server(), options);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t len = fread(text, 1, sizeof text - 1, pipe);
    text[len] = '\0';
    int status = pclose(pipe);
    assert_int_equal(WEXITSTATUS(status), 1);
    return text;
}

static void what_cannot_work_is_said(void **state)
{
    char options[128];
    (void)state;
    struct live *live = live_start("--threads", "2", NULL);
    snprintf(options, sizeof options, "--port %d", live_port(live));
    assert_non_null(strstr(refusal(options), "Address already in use"));
    live_stop(live);
    assert_non_null(strstr(refusal("--port 0 --bind 203.0.113.1"),
                           "Cannot assign requested address"));
    assert_non_null(
        strstr(refusal("--port 0 --bind nowhere"), "'nowhere' is no address"));
    assert_non_null(strstr(refusal("--port 0 --logfile /nonexistent/log"),
                           "Cannot open the log file /nonexistent/log"));
    assert_non_null(strstr(refusal("--port 0 --unixsocket /tmp"), "/tmp"));
}

static void the_pidfile_is_there_while_it_runs(void **state)
{
    char folder[] = "/tmp/ebb-pid-XXXXXX", path[64], pid[16];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pid", folder);
    struct live *live = live_start("--pidfile", path, NULL);
    snprintf(pid, sizeof pid, "%d\n", (int)live_pid(live));
    assert_string_equal(read_file(path), pid);
    live_stop(live);
    assert_int_equal(access(path, F_OK), -1);
    rmdir(folder);
}

static void the_lower_levels_tell_more(void **state)
{
    (void)state;
    struct live *live = live_start("--loglevel", "debug", NULL);
    live_await_log(live, "clients are connected");
    redisContext *redis = live_connect(live);
    live_await_log(live, "Client 1 connected from 127.0.0.1:");
    redisFree(redis);
    live_await_log(live, "Client 1 is closed, of 127.0.0.1:");
    live_stop(live);
}

/* A server that is started with what a line of a shell sets. */
struct wrapped {
    char folder[32], path[64], server[512];
};

static void wrap(struct wrapped *wrapped, const char *line)
{
    strcpy(wrapped->folder, "/tmp/ebb-wrap-XXXXXX");
    snprintf(wrapped->server, sizeof wrapped->server, "%s", live_server());
    assert_non_null(mkdtemp(wrapped->folder));
    snprintf(wrapped->path, sizeof wrapped->path, "%s/server", wrapped->folder);
    FILE *file = fopen(wrapped->path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\nexec '%s' \"$@\"\n", line, wrapped->server);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(wrapped->path, 0700), 0);
    setenv("EBB_SERVER", wrapped->path, 1);
}

static void unwrap(const struct wrapped *wrapped)
{
    setenv("EBB_SERVER", wrapped->server, 1);
    unlink(wrapped->path);
    rmdir(wrapped->folder);
}

/* With few descriptors there are fewer clients, and the log says so. */
static void few_descriptors_are_for_fewer_clients(void **state)
{
    (void)state;
    struct wrapped wrapped;
    wrap(&wrapped, "ulimit -n $FILES");
    setenv("FILES", "80", 1);
    struct live *live = live_start("--threads", "2", NULL);
    redisContext *redis = live_connect(live);
    assert_int_equal(live_info(redis, "maxclients"), 40);
    redisReply *reply = redisCommand(redis, "CONFIG SET maxclients 41");
    assert_non_null(reply);
    assert_non_null(strstr(reply->str, "try with 40"));
    freeReplyObject(reply);
    redisFree(redis);
    live_stop(live);
    setenv("FILES", "20", 1);
    assert_non_null(strstr(refusal("--port 0"), "allows 20 open files"));
    unwrap(&wrapped);
}

/* Sanitizers need more addresses than there are then. */
static void few_addresses_are_enough_for_less(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    struct wrapped wrapped;
    wrap(&wrapped, "ulimit -v $ADDRESSES");
    setenv("ADDRESSES", "2000000", 1);
    struct live *live =
        live_start("--threads", "2", "--maxmemory", "2gb", NULL);
    live_await_log(live, "raise ulimit -v");
    redisContext *redis = live_connect(live);
    assert_string_equal(live_text(redis, "SET k v"), "OK");
    redisFree(redis);
    live_stop(live);
    setenv("ADDRESSES", "200000", 1);
    assert_non_null(strstr(refusal("--port 0"), "look at ulimit -v"));
    unwrap(&wrapped);
}

static void what_redis_conf_says_in_vain_is_logged(void **state)
{
    char path[] = "/tmp/ebb-conf-XXXXXX";
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    dprintf(fd, "save \"\"\nrdbcompression yes\nhz 10\n");
    close(fd);
    struct live *live = live_start(path, NULL);
    redisContext *redis = live_connect(live);
    assert_string_equal(live_text(redis, "PING"), "PONG");
    assert_string_equal(live_text(redis, "CONFIG REWRITE"), "OK");
    assert_non_null(strstr(read_file(path), "rdbcompression yes\n"));
    redisFree(redis);
    live_stop(live);
    assert_non_null(strstr(refusal("--port 0 --hz 10 --bind nowhere"),
                           "hz has no meaning here and is ignored"));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(term_and_int_end_it_well),
        cmocka_unit_test(shutdown_ends_it_well),
        cmocka_unit_test(replies_under_way_are_finished),
        cmocka_unit_test(a_second_signal_does_not_wait),
        cmocka_unit_test(other_signals_are_ignored),
        cmocka_unit_test(hup_opens_the_log_again),
        cmocka_unit_test(a_unix_socket_serves_and_goes),
        cmocka_unit_test(all_addresses_get_the_port_that_was_chosen),
        cmocka_unit_test(what_cannot_work_is_said),
        cmocka_unit_test(the_pidfile_is_there_while_it_runs),
        cmocka_unit_test(the_lower_levels_tell_more),
        cmocka_unit_test(few_descriptors_are_for_fewer_clients),
        cmocka_unit_test(few_addresses_are_enough_for_less),
        cmocka_unit_test(what_redis_conf_says_in_vain_is_logged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
