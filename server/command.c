/* SPDX-License-Identifier: BSD-3-Clause */

/* From a request to its command: find the row, check, run, count. */

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "acl.h"
#include "acl_admit.h"
#include "call.h"
#include "call_look.h"
#include "changes.h"
#include "conn.h"
#include "monitor.h"
#include "multi.h"
#include "pause.h"
#include "pubsub.h"
#include "stats.h"
#include "timing.h"
#include "tracking.h"
#include "worker.h"

#define ERROR_TOO_LONG                                                         \
    "OOM the request does not fit into the memory that clients may use"

/* ---------------------------------------------------------------- checks */

static struct command_stats *stats_of(const struct call *call)
{
    return &call->worker->by_command[command_row(call->command)];
}

/* Counts what was replied if it is an error: true then. */
static inline bool count_error(struct call *call, size_t replied)
{
    const struct buf *out = call->reply.out;
    if (call->pinned || buf_len(out) <= replied)
        return false;
    const char *text = out->data + out->start + replied;
    if (*text != '-')
        return false;
    worker_count(call->worker, error_replies, 1);
    stats_count_error(call->server->stats, text + 1,
                      buf_len(out) - replied - 1);
    return true;
}

static int echo_len(const struct arg *arg, size_t most)
{
    return (int)(arg->len < most ? arg->len : most);
}

/* What was asked for, so that a typo is seen at once; cut to be short. */
__attribute__((noinline, cold)) static void refuse_unknown(struct call *call)
{
    char args[LIMIT_ERROR_ECHO + 8];
    size_t len = 0;
    for (size_t i = 1; i < call->argc && len < LIMIT_ERROR_ECHO; i++) {
        const struct arg *arg = &call->argv[i];
        size_t left = LIMIT_ERROR_ECHO - len;
        size_t take = arg->ptr && arg->len < left ? arg->len
                      : arg->ptr                  ? left
                                                  : 0;
        const char *end = take ? memchr(arg->ptr, 0, take) : NULL;
        if (end)
            take = (size_t)(end - arg->ptr);
        args[len++] = '\'';
        memcpy(args + len, arg->ptr ? arg->ptr : "", take);
        len += take;
        args[len++] = '\'';
        args[len++] = ' ';
    }
    reply_errorf(&call->reply,
                 "ERR unknown command '%.*s', with args beginning with: %.*s",
                 echo_len(&call->argv[0], LIMIT_ERROR_ECHO), call->argv[0].ptr,
                 (int)len, args);
}

__attribute__((noinline, cold)) static void
refuse_unknown_sub(struct call *call, const struct command *container)
{
    char upper[COMMAND_UPPER];
    command_upper(container, upper);
    const struct arg *sub = &call->argv[1];
    reply_errorf(&call->reply, "ERR unknown subcommand '%.*s'. Try %s HELP.",
                 echo_len(sub, LIMIT_ERROR_ECHO), sub->ptr, upper);
}

__attribute__((noinline)) static bool many_fit(const struct command *row,
                                               const struct call *call)
{
    struct command_keys keys;
    if (!command_keys(row, call->argv, call->argc, &keys))
        return true;
    for (size_t i = 0; i < keys.count; i++)
        if (call->argv[keys.first + i * keys.step].len > CACHE_KEY_MAX)
            return false;
    return true;
}

/* Of one key, or none, the row tells where it is; no name is too long. */
static bool keys_fit(const struct command *row, const struct call *call)
{
    if (row->keys.first == row->keys.last && !row->keys.counted_by)
        return call->argv[row->keys.first].len <= CACHE_KEY_MAX;
    return many_fit(row, call);
}

/* The row of a request of argc arguments, by the first of them; NULL: there is
 * none, or it takes another number, which was replied. */
static const struct command *find_of(struct call *call,
                                     const struct command *row, size_t argc)
{
    if (!row) {
        refuse_unknown(call);
        return NULL;
    }
    if (row->flags & COMMAND_HEAD && call->argc > 1) {
        const struct command *sub =
            command_find_sub(row, call->argv[1].ptr, call->argv[1].len);
        if (!sub) {
            refuse_unknown_sub(call, row);
            return NULL;
        }
        row = sub;
    }
    call->command = row;
    if (command_arity_fits(row, argc) && row->run)
        return row;
    reply_errorf(&call->reply, "ERR wrong number of arguments for '%s' command",
                 row->name);
    return NULL;
}

/* Finds the row and checks all that needs no more than the row. */
static enum admission admit(struct call *call)
{
    struct session *session = call->session;
    const struct command *row =
        call->row ? call->row
                  : command_find(call->argv[0].ptr, call->argv[0].len);
    /* The password may have been taken away since it connected. */
    if (!session->authenticated && acl_is_open(call->server->acl))
        session->authenticated = true;
    if (!session->authenticated && !(row && row->flags & COMMAND_NO_AUTH)) {
        call->command = row;
        reply_error(&call->reply, "NOAUTH Authentication required.");
        return DENIED;
    }
    row = find_of(call, row, call->argc);
    if (!row)
        return DENIED;
    session->last_command = (uint16_t)command_row(row);
    if (session->acl_pass != atomic_load_explicit(&call->server->acl_version,
                                                  memory_order_relaxed)) {
        enum admission admission = acl_admit(call);
        if (admission != ADMITTED)
            return admission;
    }
    if (session->multi && row->flags & COMMAND_NO_MULTI) {
        reply_error(&call->reply,
                    "ERR Command not allowed inside a transaction");
        return DENIED;
    }
    if (!keys_fit(row, call)) {
        reply_errorf(&call->reply, "ERR key is too long, at most %d bytes",
                     CACHE_KEY_MAX);
        return DENIED;
    }
    if (session->subscriber && !subscriber_may(call, row))
        return DENIED;
    session->active_ms = call->now_ms;
    return ADMITTED;
}

/* --------------------------------------------------------------- running */

/*
 * What a run lacked that has changed nothing.  COMMAND_DONE: it may be run
 * again.
 */
static enum command_result provide(struct call *call, enum command_result lacks)
{
    if (lacks == COMMAND_LOOK)
        return call_look_on(call) ? COMMAND_DONE : COMMAND_AGAIN;
    if (lacks == COMMAND_NO_ROOM)
        return timing_make_room(call) ? COMMAND_DONE : lacks;
    assert(lacks == COMMAND_LONG);
    const struct arg *arg = &call->argv[call->command->blob_arg];
    call->blob = call_blob_of(call, arg->ptr, arg->len);
    return call->blob ? COMMAND_DONE : lacks;
}

/*
 * One transaction over one key.  A run that found no room, or a long value
 * where it needs a blob, or has to look at one, has changed nothing and is
 * repeated:
 *
 *   begin -> run -> end -> done
 *     ^              |
 *     +-- make room <+
 */
static enum command_result run_in_tx(struct call *call)
{
    struct server *server = call->server;
    if (call->state && !call_look_on(call))
        return COMMAND_AGAIN;
    size_t replied = buf_len(call->reply.out);
    if (!call->key.ptr)
        call->key = call_key_of(call, (size_t)call->command->keys.first);
    cache_begin(&call->tx, server->cache, call->now_ms, &call->key, 1);
    enum command_result result;
    for (;;) {
        result = call->command->run(call);
        cache_end(&call->tx);
        if (result == COMMAND_DONE)
            break;
        call->rerun = true;
        buf_truncate(call->reply.out, replied);
        if (call->holds)
            cache_unpin(&call->held);
        call->holds = false;
        result = provide(call, result);
        if (result != COMMAND_DONE)
            break;
        cache_begin_again(&call->tx, &call->key, 1);
    }
    if (call->rerun)
        cache_tx_close(&call->tx);
    return result;
}

static enum command_result run(struct call *call)
{
    const struct command *command = call->command;
    enum command_result result;
    if (command->keys.first && !(command->flags & COMMAND_OWN_TX))
        result = run_in_tx(call);
    else
        result = command->run(call);
    if (result == COMMAND_NO_ROOM || result == COMMAND_LONG) {
        reply_error(&call->reply, ERROR_NO_ROOM);
        return COMMAND_NO_ROOM;
    }
    return result;
}

/* -------------------------------------------------------------- counting */

enum beginning { RUN_NOW, RUN_LATER, RUN_WAIT, RUN_NEVER };

/* RUN_NEVER: not at all, or by EXEC, and that was answered. */
static enum beginning begin(struct call *call, size_t replied)
{
    enum admission admission = call->command ? ADMITTED : admit(call);
    if (admission == ADMITTED_LATER) {
        call->command = NULL;
        return RUN_LATER;
    }
    if (admission == DENIED) {
        if (call->command)
            worker_count(stats_of(call), rejected, 1);
        multi_refuse(call, replied);
        return RUN_NEVER;
    }
    if (pause_holds(call)) {
        conn_halt(call->conn);
        call->command = NULL; /* what may be run then is asked then */
        return RUN_WAIT;
    }
    call->begun = true;
    if (!call->session->multi || call->command->flags & COMMAND_AT_ONCE)
        return RUN_NOW;
    multi_put_off(call);
    return RUN_NEVER;
}

static enum command_result end_unrun(struct call *call, size_t replied)
{
    count_error(call, replied);
    if (call->session->tracker)
        tracking_served(call);
    command_drop(call);
    return COMMAND_DONE;
}

static void tell_listeners(struct call *call, enum command_result result)
{
    struct server *server = call->server;
    if (changes_listened(server, LISTENER_MONITOR) && result == COMMAND_DONE)
        monitor_tell(call);
    changes_send(server, call->conn);
}

/* The reply found no memory.  If none of it was sent it becomes an error; else
 * the connection cannot go on. */
static void say_too_long(struct call *call, size_t replied)
{
    if (call->answering || call->pinned || !conn_take_back(call->conn, replied))
        return;
    reply_error(&call->reply, "OOM the reply does not fit into the memory that "
                              "clients may use");
}

enum command_result command_serve(struct call *call)
{
    size_t replied = buf_len(call->reply.out);
    switch (call->begun ? RUN_NOW : begin(call, replied)) {
    case RUN_NOW:
        break;
    case RUN_LATER:
        return COMMAND_AGAIN;
    case RUN_WAIT:
        return COMMAND_WAIT;
    case RUN_NEVER:
        return end_unrun(call, replied);
    }
    enum command_result result = run(call);
    bool over = result != COMMAND_AGAIN && result != COMMAND_WAIT;
    if (call->reply.out->failed && over)
        say_too_long(call, replied);
    timing_add(call);
    if (atomic_load_explicit(&call->server->listened, memory_order_relaxed))
        tell_listeners(call, result);
    if (!over) {
        call->answering |= call->pinned || buf_len(call->reply.out) != replied;
        call->key.ptr = NULL; /* the arguments may move */
        return result;
    }
    struct command_stats *stats = stats_of(call);
    bool error = count_error(call, replied);
    bool ran = result != COMMAND_NO_ROOM;
    if (ran) {
        worker_count(call->worker, commands, 1);
        if (error)
            worker_count(stats, failed, 1);
    } else {
        worker_count(stats, rejected, 1);
    }
    timing_end(call, stats, ran);
    if (call->session->tracker)
        tracking_served(call);
    command_drop(call);
    return COMMAND_DONE;
}

static void end_refused(struct call *call, size_t replied)
{
    if (call->command)
        worker_count(stats_of(call), rejected, 1);
    multi_refuse(call, replied);
    end_unrun(call, replied);
}

void command_refuse(struct call *call)
{
    size_t replied = buf_len(call->reply.out);
    if (admit(call) != DENIED)
        reply_error(&call->reply, command_diverted(call->argv, call->argc)
                                      ? ERROR_NO_ROOM
                                      : ERROR_TOO_LONG);
    end_refused(call, replied);
}

void command_refuse_long(struct call *call, size_t argc)
{
    size_t replied = buf_len(call->reply.out);
    const struct arg *name = &call->argv[0];
    bool known = call->argc > 0;
    if (!known || find_of(call, command_find(name->ptr, name->len), argc))
        reply_error(&call->reply, ERROR_TOO_LONG);
    end_refused(call, replied);
}

void command_drop(struct call *call)
{
    if (call->state && call->state_free)
        call->state_free(call->state);
    call->state = NULL;
    call->state_bytes = 0;
    if (call->blob)
        cache_blob_free(call->blob);
    call->blob = NULL;
}
