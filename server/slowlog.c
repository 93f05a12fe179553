/* SPDX-License-Identifier: BSD-3-Clause */
/* A list of slow commands, kept in the form in which they are shown. */

#include "slowlog.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "limits.h"
#include "pool.h"
#include "secrets.h"

enum { ARGS_MAX = 32, ARG_BYTES_MAX = 128, POOL_SHARE = 8 };

struct entry {
    struct entry *older, *newer;
    uint64_t id;
    int64_t at_s, us;
    size_t len;
    char shown[]; /* the reply's part behind those numbers */
};

struct slowlog {
    pthread_mutex_t lock;
    struct pool *pool;
    struct entry *newest, *oldest;
    uint64_t next_id, count, max;
    size_t bytes;
};

struct slowlog *slowlog_new(struct pool *pool)
{
    struct slowlog *log = calloc(1, sizeof *log);
    if (!log)
        return NULL;
    pthread_mutex_init(&log->lock, NULL);
    log->pool = pool;
    return log;
}

/* ---------------------------------------------------------------- leaving */

static size_t bytes_of(const struct entry *entry)
{
    return sizeof *entry + entry->len;
}

static void drop_oldest(struct slowlog *log)
{
    struct entry *entry = log->oldest;
    log->oldest = entry->newer;
    if (entry->newer)
        entry->newer->older = NULL;
    else
        log->newest = NULL;
    log->count--;
    log->bytes -= bytes_of(entry);
    pool_give(log->pool, bytes_of(entry));
    free(entry);
}

static void trim(struct slowlog *log)
{
    size_t most = pool_limit(log->pool) / POOL_SHARE;
    if (most > LIMIT_SLOWLOG_BYTES)
        most = LIMIT_SLOWLOG_BYTES;
    while (log->count > log->max || (log->bytes > most && log->count > 0))
        drop_oldest(log);
}

void slowlog_reset(struct slowlog *log)
{
    pthread_mutex_lock(&log->lock);
    while (log->count > 0)
        drop_oldest(log);
    pthread_mutex_unlock(&log->lock);
}

void slowlog_free(struct slowlog *log)
{
    if (!log)
        return;
    slowlog_reset(log);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

void slowlog_set_max(struct slowlog *log, uint64_t entries)
{
    pthread_mutex_lock(&log->lock);
    log->max = entries;
    trim(log);
    pthread_mutex_unlock(&log->lock);
}

/* ----------------------------------------------------------------- coming */

/* One argument, cut.  Of a value that went straight to its place only the
 * length is left. */
static void show_arg(struct reply *reply, const struct arg *arg)
{
    char cut[ARG_BYTES_MAX + 48];
    size_t kept = !arg->ptr                   ? 0
                  : arg->len <= ARG_BYTES_MAX ? arg->len
                                              : ARG_BYTES_MAX;
    if (kept == arg->len) {
        reply_bulk(reply, arg->ptr, arg->len);
        return;
    }
    if (kept > 0)
        memcpy(cut, arg->ptr, kept);
    int more = snprintf(cut + kept, sizeof cut - kept, "... (%zu more bytes)",
                        arg->len - kept);
    reply_bulk(reply, cut, kept + (size_t)more);
}

static void show_args(struct reply *reply, const struct call *call)
{
    size_t shown = call->argc <= ARGS_MAX ? call->argc : ARGS_MAX - 1;
    reply_array(reply, shown < call->argc ? shown + 1 : shown);
    for (size_t i = 0; i < shown; i++) {
        if (secret_arg(call->command, call->argv, i))
            reply_bulk_text(reply, SECRET_SHOWN);
        else
            show_arg(reply, &call->argv[i]);
    }
    if (shown < call->argc) {
        char more[48];
        snprintf(more, sizeof more, "... (%zu more arguments)",
                 call->argc - shown);
        reply_bulk_text(reply, more);
    }
}

static void show_client(struct reply *reply, const struct call *call)
{
    const char *name = call->session->name ? call->session->name : "";
    size_t len = strlen(name);
    struct conn_info info;
    conn_describe(call->conn, call->now_ms, &info);
    reply_bulk_text(reply, info.addr);
    reply_bulk(reply, name, len < ARG_BYTES_MAX ? len : ARG_BYTES_MAX);
}

static struct entry *entry_new(const struct call *call, int64_t us)
{
    struct buf shown = {0};
    struct reply reply = {&shown, 2};
    show_args(&reply, call);
    show_client(&reply, call);
    size_t len = buf_len(&shown);
    struct entry *entry = shown.failed ? NULL : malloc(sizeof *entry + len);
    if (entry) {
        *entry =
            (struct entry){.at_s = call->now_ms / 1000, .us = us, .len = len};
        memcpy(entry->shown, shown.data + shown.start, len);
    }
    buf_release(&shown);
    return entry;
}

void slowlog_note(struct slowlog *log, const struct call *call, int64_t us)
{
    struct entry *entry = entry_new(call, us);
    if (!entry)
        return;
    pool_charge(log->pool, bytes_of(entry));
    pthread_mutex_lock(&log->lock);
    entry->id = log->next_id++;
    entry->older = log->newest;
    if (log->newest)
        log->newest->newer = entry;
    else
        log->oldest = entry;
    log->newest = entry;
    log->count++;
    log->bytes += bytes_of(entry);
    trim(log);
    pthread_mutex_unlock(&log->lock);
}

/* ------------------------------------------------------------------ shown */

uint64_t slowlog_len(struct slowlog *log)
{
    pthread_mutex_lock(&log->lock);
    uint64_t count = log->count;
    pthread_mutex_unlock(&log->lock);
    return count;
}

void slowlog_reply(struct slowlog *log, uint64_t most, struct reply *reply)
{
    pthread_mutex_lock(&log->lock);
    size_t count = most < log->count ? most : log->count;
    const struct entry *entry = log->newest;
    reply_array(reply, count);
    for (size_t i = 0; i < count; i++, entry = entry->older) {
        reply_array(reply, 6);
        reply_int(reply, (int64_t)entry->id);
        reply_int(reply, entry->at_s);
        reply_int(reply, entry->us);
        buf_add(reply->out, entry->shown, entry->len);
    }
    pthread_mutex_unlock(&log->lock);
}
