/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * MULTI, EXEC, DISCARD.
 *
 * EXEC closes the gate, looks whether what was watched is as it was, and runs
 * what was put off.  So that nobody is kept waiting for long it opens the gate
 * after MULTI_ALONE units of work, or when the reply must be sent before there
 * can be more of it; what is left then goes on in slices like any other long
 * command, with others in between.  It also opens the gate while a command of
 * its own waits for other workers.
 */

#include "call.h"

#include <stdlib.h>
#include <string.h>

#include "acl_admit.h"
#include "conn.h"
#include "debug.h"
#include "multi.h"
#include "timing.h"
#include "watch.h"
#include "worker.h"

enum {
    /* Units: a key or a command without one, and so many bytes. */
    MULTI_ALONE = CALL_ATOMIC_KEYS,
    UNIT_BYTES = CALL_ATOMIC_BYTES / MULTI_ALONE,
};

/* ------------------------------------------------------------ putting off */

enum command_result cmd_multi(struct call *call)
{
    struct session *session = call->session;
    if (session->multi)
        return call_error(call, "ERR MULTI calls can not be nested");
    session->multi = multi_new();
    if (!session->multi)
        return call_error(call, ERROR_NO_ROOM);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

/* EXEC would not run it: there is no sense in keeping it. */
static bool in_vain(const struct session *session)
{
    return multi_failed(session->multi) ||
           (session->watcher && watch_is_dirty(session->watcher));
}

/* What is to be stored, as far as a request tells. */
struct wanted {
    size_t key, value;
};

static void want(struct wanted *most, const struct command *command,
                 const struct arg *argv, size_t argc)
{
    struct command_keys keys;
    if (!(command->flags & COMMAND_DENYOOM) ||
        !command_keys(command, argv, argc, &keys))
        return;
    if (argv[keys.first].len >= most->key)
        most->key = argv[keys.first].len;
    for (size_t i = keys.first + 1; i < argc; i++)
        if (argv[i].len > most->value)
            most->value = less_of(argv[i].len, CACHE_INLINE_MAX);
}

/* Where nothing is evicted: the cache is full, and an entry like that would be
 * refused now. */
static bool is_denied(struct call *call, const struct wanted *wanted)
{
    struct cache *cache = call->server->cache;
    const struct cache_write write = {.type = CACHE_STRING,
                                      .len = wanted->value};
    struct cache_tx tx;
    if (wanted->key == 0 || cache_evicts(cache))
        return false;
    cache_tx_init(&tx, cache, call->now_ms);
    bool room = cache_provide(&tx, wanted->key, &write);
    cache_tx_close(&tx);
    return !room;
}

/* All or nothing: what would find no room keeps the rest from being run. */
static bool all_denied(struct call *call)
{
    const struct multi *multi = call->session->multi;
    struct wanted most = {0};
    if (!(multi_flags(multi) & COMMAND_DENYOOM) ||
        cache_evicts(call->server->cache))
        return false;
    for (const struct multi_request *request = multi_first(multi); request;
         request = request->next)
        want(&most, request->command, request->argv, request->argc);
    return is_denied(call, &most);
}

/* False: there is no room for it, and the error was replied. */
static bool make_room(struct call *call)
{
    struct multi *multi = call->session->multi;
    struct wanted wanted = {0};
    want(&wanted, call->command, call->argv, call->argc);
    if (is_denied(call, &wanted)) {
        reply_error(&call->reply, ERROR_NO_ROOM);
        return false;
    }
    size_t size = multi_size(call);
    size_t growth = multi_growth(multi, size);
    size_t most = conn_request_most(call->server);
    if (multi_used(multi) + size > most) {
        reply_errorf(&call->reply,
                     "ERR transaction is too long, at most %zu bytes", most);
        return false;
    }
    if (growth == 0 || conn_hold(call->conn, growth))
        return true;
    reply_error(&call->reply, "OOM the transaction does not fit into the "
                              "memory that clients may use");
    return false;
}

/* It may never be used here, whoever asks, and that was replied. */
static bool is_forbidden(struct call *call)
{
    if (call->command->run == cmd_debug)
        return debug_forbids(call);
    return call->command->run == cmd_module_load &&
           cmd_module_load(call) == COMMAND_DONE;
}

void multi_put_off(struct call *call)
{
    struct session *session = call->session;
    if (is_forbidden(call)) {
        multi_fail(session->multi);
    } else if (in_vain(session)) {
        reply_status(&call->reply, "QUEUED");
    } else if (!make_room(call)) {
        multi_fail(session->multi);
    } else if (!multi_add(session->multi, call)) {
        multi_fail(session->multi);
        reply_error(&call->reply, ERROR_NO_ROOM);
    } else {
        reply_status(&call->reply, "QUEUED");
    }
}

void multi_refuse(struct call *call, size_t replied)
{
    session_fail_multi(call->session);
    if (!call->session->authenticated || !call->command ||
        call->command->run != cmd_exec)
        return;
    struct buf *out = call->reply.out;
    char why[LIMIT_ERROR_ECHO];
    size_t len = 0;
    const char *text = out->data + out->start + replied + 1;
    if (out->failed)
        return; /* and so will be closed */
    for (; len < sizeof why && text[len] != '\r'; len++)
        why[len] = text[len];
    size_t code = len > 4 && memcmp(why, "ERR ", 4) == 0 ? 4 : 0;
    buf_truncate(out, replied);
    reply_errorf(&call->reply,
                 "EXECABORT Transaction discarded because of: %.*s",
                 (int)(len - code), why + code);
    session_end_multi(call->session);
}

enum command_result cmd_discard(struct call *call)
{
    if (!call->session->multi)
        return call_error(call, "ERR DISCARD without MULTI");
    session_end_multi(call->session);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

/* ----------------------------------------------------------------- running */

/* What EXEC knows of itself between its turns. */
struct exec {
    struct call call; /* the command under way; without one it is zeroed */
    size_t done;      /* units of work */
    bool begun;       /* the head of the reply was made */
    bool admitted;    /* that command: its user may still run it */
};

static void exec_free(void *state)
{
    struct exec *exec = state;
    command_drop(&exec->call);
    free(exec);
}

static struct exec *exec_of(struct call *call)
{
    if (!call->state) {
        call->state = calloc(1, sizeof(struct exec));
        call->state_free = exec_free;
    }
    return call->state;
}

static size_t work_of(const struct multi_request *request)
{
    struct command_keys keys = {.count = 1};
    size_t bytes = 0;
    command_keys(request->command, request->argv, request->argc, &keys);
    for (size_t i = 0; i < request->argc; i++)
        if (request->argv[i].ptr)
            bytes += request->argv[i].len;
    return keys.count + bytes / UNIT_BYTES;
}

static void begin_request(struct call *call, struct exec *exec)
{
    struct multi *multi = call->session->multi;
    const struct multi_request *request = multi_first(multi);
    exec->done += work_of(request);
    exec->call = (struct call){
        .server = call->server,
        .worker = call->worker,
        .conn = call->conn,
        .session = call->session,
        .argv = request->argv,
        .argc = request->argc,
        .command = request->command,
        .blob = multi_take_blob(multi),
        .reply = {call->reply.out, call->session->resp},
        .begun = true,
        .in_exec = true,
    };
}

/* The user's rules may have changed since it was put off.  COMMAND_DONE: the
 * error was replied. */
static enum command_result refuse_request(struct call *inner, bool *refused)
{
    enum admission admission = ADMITTED;
    if (inner->session->acl_pass != inner->server->acl_version)
        admission = acl_admit(inner);
    *refused = admission != ADMITTED;
    if (admission == ADMITTED_LATER)
        return COMMAND_AGAIN;
    if (admission == DENIED) {
        worker_count(inner->worker, error_replies, 1);
        command_drop(inner);
    }
    return COMMAND_DONE;
}

static enum command_result serve_request(struct call *inner, struct exec *exec)
{
    bool refused = false;
    if (!exec->admitted) {
        enum command_result result = refuse_request(inner, &refused);
        if (refused)
            return result;
        exec->admitted = true;
    }
    return command_serve(inner);
}

/* Runs the first request, or goes on with it. */
static enum command_result run_request(struct call *call, struct exec *exec,
                                       bool alone)
{
    struct call *inner = &exec->call;
    if (!inner->command)
        begin_request(call, exec);
    size_t replied = buf_len(call->reply.out), pinned = inner->pinned;
    inner->now_ms = call->now_ms;
    inner->alone = alone;
    timing_add(call); /* what follows is the command's own */
    enum command_result result = serve_request(inner, exec);
    call->pinned += inner->pinned - pinned;
    if (session_is_silent(call->session) && !inner->silenced)
        buf_truncate(call->reply.out, replied);
    if (buf_len(call->reply.out) > replied)
        exec->done += (buf_len(call->reply.out) - replied) / UNIT_BYTES;
    if (result == COMMAND_DONE) {
        *inner = (struct call){0};
        exec->admitted = false;
        multi_drop_first(call->session->multi);
    } else if (result == COMMAND_AGAIN) {
        exec->done += CALL_SLICE_KEYS;
    }
    return result;
}

/* COMMAND_DONE: all have been run. */
static enum command_result run_some(struct call *call, struct exec *exec,
                                    bool alone)
{
    size_t enough = alone ? MULTI_ALONE : exec->done + CALL_SLICE_KEYS;
    while (multi_first(call->session->multi)) {
        if (exec->done >= enough || conn_room(call->conn) == 0)
            return COMMAND_AGAIN;
        enum command_result result = run_request(call, exec, alone);
        if (result == COMMAND_WAIT || (result == COMMAND_AGAIN && !alone))
            return result;
    }
    return COMMAND_DONE;
}

/* False: it is over before it began, and that was replied. */
static bool begin(struct call *call, struct exec *exec)
{
    struct session *session = call->session;
    size_t replied = buf_len(call->reply.out);
    if (session->watcher && !watch_stands(session->watcher, call->now_ms)) {
        reply_null_array(&call->reply);
        return false;
    }
    reply_array(&call->reply, multi_count(session->multi));
    if (session_is_silent(session))
        buf_truncate(call->reply.out, replied);
    call->silenced = exec->begun = true;
    return true;
}

static enum command_result turn(struct call *call, struct exec *exec,
                                bool alone)
{
    if (conn_room(call->conn) == 0)
        return COMMAND_AGAIN;
    if (!exec->begun && !begin(call, exec))
        return COMMAND_DONE;
    enum command_result result = run_some(call, exec, alone);
    call->owned_bytes = command_owned(&exec->call);
    call->state_bytes = exec->call.state_bytes;
    return result;
}

static enum command_result run_all(struct call *call)
{
    struct exec *exec = exec_of(call);
    if (!exec)
        return call_error(call, ERROR_NO_ROOM);
    bool alone = exec->done < MULTI_ALONE;
    if (alone)
        call_close_gate(call);
    enum command_result result = turn(call, exec, alone);
    if (alone)
        call_open_gate(call);
    return result;
}

enum command_result cmd_exec(struct call *call)
{
    struct session *session = call->session;
    enum command_result result;
    if (!session->multi)
        return call_error(call, "ERR EXEC without MULTI");
    if (multi_failed(session->multi))
        result = call_error(call, "EXECABORT Transaction discarded because of "
                                  "previous errors.");
    else if (!call->state && all_denied(call))
        result = call_error(call, "EXECABORT Transaction discarded because "
                                  "of: " ERROR_NO_ROOM);
    else
        result = run_all(call);
    if (result == COMMAND_DONE)
        session_end_multi(session);
    return result;
}
