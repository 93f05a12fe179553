/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines, each written whole by one call that does not wait. */

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 1024 }; /* below PIPE_BUF: a ready pipe takes it whole */

struct log {
    _Atomic int level;
    pthread_mutex_t lock; /* guards the rest */
    int fd;
    char *path;      /* "": standard output */
    uint64_t untold; /* lines dropped since the last that was written */
    _Atomic uint64_t dropped;
};

static int open_path(const char *path)
{
    if (path[0] == '\0')
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
                0640);
}

struct log *log_new(const char *path, enum log_level level)
{
    struct log *log = calloc(1, sizeof *log);
    if (!log)
        return NULL;
    pthread_mutex_init(&log->lock, NULL);
    atomic_init(&log->level, level);
    log->path = strdup(path);
    log->fd = log->path ? open_path(path) : -1;
    if (log->fd < 0) {
        int error = errno;
        log_free(log);
        errno = error;
        return NULL;
    }
    return log;
}

void log_free(struct log *log)
{
    if (!log)
        return;
    if (log->fd >= 0)
        close(log->fd);
    pthread_mutex_destroy(&log->lock);
    free(log->path);
    free(log);
}

void log_set_level(struct log *log, enum log_level level)
{
    atomic_store_explicit(&log->level, level, memory_order_relaxed);
}

bool log_reopen(struct log *log)
{
    int fd = open_path(log->path);
    if (fd < 0)
        return false;
    pthread_mutex_lock(&log->lock);
    int old = log->fd;
    log->fd = fd;
    pthread_mutex_unlock(&log->lock);
    close(old);
    return true;
}

/* "2026-11-22T08:11:03.123Z notice "; returns its length. */
static size_t write_head(char *line, size_t size, enum log_level level)
{
    static const char *const words[] = {"debug", "verbose", "notice",
                                        "warning"};
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    return (size_t)snprintf(line, size, "%s.%03dZ %s ", text,
                            (int)(now.tv_nsec / 1000000), words[level]);
}

/* False if the line could not be written at once.  Under the lock. */
static bool write_line(const struct log *log, const char *line, size_t len)
{
    struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
    if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
        return false;
    return write(log->fd, line, len) == (ssize_t)len;
}

static void tell_dropped(struct log *log)
{
    char line[LINE_MAX_LEN];
    size_t len = write_head(line, sizeof line, LOG_WARNING);
    len += (size_t)snprintf(line + len, sizeof line - len,
                            "%llu lines could not be written and are lost\n",
                            (unsigned long long)log->untold);
    if (write_line(log, line, len))
        log->untold = 0;
}

static void write_args(struct log *log, enum log_level level,
                       const char *format, va_list args)
{
    char line[LINE_MAX_LEN];
    size_t head = write_head(line, sizeof line, level);
    int wanted = vsnprintf(line + head, sizeof line - head, format, args);
    if (wanted < 0)
        return;
    size_t len = head + (size_t)wanted;
    if (len > sizeof line - 2)
        len = sizeof line - 2;
    for (size_t i = head; i < len; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 127)
            line[i] = '?';
    line[len++] = '\n';

    pthread_mutex_lock(&log->lock);
    if (log->untold > 0)
        tell_dropped(log);
    if (!write_line(log, line, len)) {
        log->untold++;
        atomic_fetch_add_explicit(&log->dropped, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&log->lock);
}

bool log_wants(const struct log *log, enum log_level level)
{
    return (int)level >=
           atomic_load_explicit(&log->level, memory_order_relaxed);
}

void log_write(struct log *log, enum log_level level, const char *format, ...)
{
    if (!log_wants(log, level))
        return;
    va_list args;
    va_start(args, format);
    write_args(log, level, format, args);
    va_end(args);
}

void log_rarely(struct log *log, _Atomic int64_t *when, enum log_level level,
                const char *format, ...)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_s = now.tv_sec + 1; /* 0 is "never" */
    int64_t last_s = atomic_load_explicit(when, memory_order_relaxed);
    if (!log_wants(log, level) || (last_s != 0 && now_s - last_s < 60) ||
        !atomic_compare_exchange_strong(when, &last_s, now_s))
        return;
    va_list args;
    va_start(args, format);
    write_args(log, level, format, args);
    va_end(args);
}

uint64_t log_dropped(const struct log *log)
{
    return atomic_load_explicit(&log->dropped, memory_order_relaxed);
}
