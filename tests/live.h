/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LIVE_H
#define LIVE_H

/*
 * The real server under test: started on a port of the system's choice, known
 * from its log, spoken to, and stopped.  What goes wrong here is printed and
 * ends the test program: a test has nothing to check then.
 */

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

struct live;

/*
 * Starts the server that EBB_SERVER names ($BUILD/ebb-server, build/ebb-server
 * when there is no such variable) and waits until it is ready.  Options are
 * pairs, NULL at the end: live_start("--maxmemory", "64mb", NULL); the name of
 * a configuration file may come first.  It listens on 127.0.0.1 with the
 * metrics port off, unless the options say otherwise, and dies with the test.
 */
struct live *live_start(const char *option, ...) __attribute__((sentinel));

/* For cmocka: a server of two threads and 64 MiB in *state, or one of a single
 * thread that has DEBUG, too; and the end of either. */
int live_setup(void **state);
int live_setup_debug(void **state);
int live_teardown(void **state);

/* The program that live_start runs. */
const char *live_server(void);

/* Asks it to stop, waits for its end, and requires exit status 0. */
void live_stop(struct live *live);
/* Sends a signal, waits for its end: the exit status, or minus the signal. */
int live_end(struct live *live, int number);

int live_port(const struct live *live);
pid_t live_pid(const struct live *live);
/* An empty folder of its own, removed with what is in it by live_stop. */
const char *live_folder(const struct live *live);

/*
 * Waits for a log line that contains the text, from the first that was not
 * yet looked at; the line, valid until the next call.
 */
const char *live_await_log(struct live *live, const char *text);
/* Resident bytes now; the most since live_peak_reset. */
size_t live_resident(const struct live *live);
size_t live_peak(const struct live *live);
void live_peak_reset(const struct live *live);

/* A connection whose calls time out after a minute. */
redisContext *live_connect(const struct live *live);
/* A plain socket to it, or to any address, with the same patience. */
int live_socket(const struct live *live);
/* One that has little room for what has come and was not read. */
int live_narrow_socket(const struct live *live);
int live_dial(const struct sockaddr *addr, socklen_t len);

/* Sends all of it; false if the server closed the connection. */
bool live_send(int fd, const void *bytes, size_t len);
/* Reads up to len bytes, fewer only at the end of the stream. */
size_t live_read(int fd, void *to, size_t len);
/* Waits until something comes, or the server closes: whether it did that. */
bool live_is_closed(int fd);
/* Reads until the server closes; the text, without its end, valid until the
 * next call. */
const char *live_read_all(int fd);

/* One command and its reply, which is the caller's. */
redisReply *live_ask(redisContext *redis, const char *format, ...);
/* One command; the reply must be of the kind that the name says and is freed.
 * The text is valid until the next call. */
const char *live_text(redisContext *redis, const char *format, ...);
long long live_int(redisContext *redis, const char *format, ...);
/* A number of INFO. */
long long live_info(redisContext *redis, const char *field);
/* Bytes of a client, by its id, that it has not read and the kernel has not
 * taken; -1: it is gone. */
long long live_unsent(redisContext *redis, const char *id);
/* No entries in the slow log from now on.  They count as clients' memory, and
 * on a busy machine any command may be slow. */
void live_without_slowlog(redisContext *redis);

/* Repeats the command until its integer reply or INFO field is at least, or at
 * most, the value: ends the test after a minute. */
void live_await_info(redisContext *redis, const char *field, long long least,
                     long long most);

#endif
