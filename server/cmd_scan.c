/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Commands on the keyspace as a whole.  SCAN and KEYS collect what they find
 * in a buffer of their own, because the reply begins with its count; they look
 * at one bucket of the index at a time, and match patterns outside its lock:
 *
 *   index -> bucket: keys just seen -> match -> keys: the reply
 */

#include "call.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "parts.h"
#include "scan_options.h"
#include "watch.h"

enum {
    SLICE_BUCKETS = 1000,     /* looked at before others have a turn */
    SLICE_STEPS = 64 * 1024,  /* of matching, likewise */
    SLICE_BYTES = 256 * 1024, /* of keys found, likewise; of SCAN's reply */
    BUCKETS_PER_KEY = 10,     /* SCAN gives up its COUNT after so many */
};

struct scan {
    struct call *call;
    uint64_t cursor;
    const struct arg *pattern, *type; /* NULL: all */
    struct buf bucket;                /* keys just seen: length, bytes, ... */
    struct text_glob glob;            /* how far the first of them is matched */
    struct parts found;               /* those that match; of SCAN one part */
    struct reply reply;               /* into found.last */
    size_t looked, buckets;           /* entries, buckets so far */
    bool begun;                       /* the cursor has moved */
};

static void scan_free(void *state)
{
    struct scan *scan = state;
    parts_release(&scan->found);
    buf_release(&scan->bucket);
    free(scan);
}

static struct scan *scan_of(struct call *call)
{
    struct scan *scan = call->state;
    if (scan)
        return scan;
    scan = calloc(1, sizeof *scan);
    if (!scan)
        abort();
    scan->call = call;
    parts_init(&scan->found, call->server->pool);
    scan->reply = (struct reply){&scan->found.last, call->reply.resp};
    call->state = scan;
    call->state_free = scan_free;
    return scan;
}

/* ------------------------------------------------------------- one bucket */

static void see(void *ctx, const struct cache_view *view)
{
    struct scan *scan = ctx;
    scan->looked++;
    const struct arg *type = scan->type;
    if (type && !text_is(type->ptr, type->len, call_type_name(view->type)))
        return;
    char scratch[CACHE_KEY_MAX];
    const char *key = cache_view_key(view, scratch);
    buf_add(&scan->bucket, &view->key_len, sizeof view->key_len);
    buf_add(&scan->bucket, key, view->key_len);
}

/* The pattern and the first key of the bucket. */
static enum text_match match_key(struct scan *scan, const char *key, size_t len,
                                 size_t *steps)
{
    const struct arg *pattern = scan->pattern;
    if (!pattern)
        return TEXT_YES;
    return text_glob_some(&scan->glob, pattern->ptr, pattern->len, key, len,
                          false, steps);
}

/* Until the bucket is empty or no steps are left. */
static void match_bucket(struct scan *scan, size_t *steps)
{
    struct buf *bucket = &scan->bucket;
    while (!bucket->failed && buf_len(bucket) > 0) {
        const char *at = bucket->data + bucket->start;
        size_t len;
        memcpy(&len, at, sizeof len);
        enum text_match match = match_key(scan, at + sizeof len, len, steps);
        if (match == TEXT_MORE)
            return;
        if (match == TEXT_YES) {
            reply_bulk(&scan->reply, at + sizeof len, len);
            scan->found.count++;
        }
        buf_drain(bucket, sizeof len + len);
        scan->glob = (struct text_glob){0};
    }
}

/* False: the clients' buffers may not grow that far. */
static bool charge(struct scan *scan)
{
    return parts_charge(&scan->found, scan->bucket.cap);
}

/* Looks at a slice of the index, or until `wanted` entries were seen, or their
 * keys are long. */
static void scan_slice(struct scan *scan, size_t wanted)
{
    struct call *call = scan->call;
    size_t steps = SLICE_STEPS;
    size_t end = scan->buckets + SLICE_BUCKETS;
    size_t enough = scan->looked + CALL_SLICE_KEYS;
    if (enough > wanted)
        enough = wanted;
    match_bucket(scan, &steps);
    while (buf_len(&scan->bucket) == 0 && scan->looked < enough &&
           scan->buckets < end && buf_len(&scan->found.last) < SLICE_BYTES &&
           !(scan->begun && scan->cursor == 0)) {
        scan->begun = true;
        scan->cursor = cache_scan(call->server->cache, call->session->db,
                                  scan->cursor, call->now_ms, see, scan);
        scan->buckets++;
        match_bucket(scan, &steps);
    }
}

/* Keys were seen that have not all been matched. */
static bool matching(const struct scan *scan)
{
    return buf_len(&scan->bucket) > 0;
}

static bool failed(const struct scan *scan)
{
    return scan->found.last.failed || scan->bucket.failed;
}

/* ------------------------------------------------------------------ SCAN */

enum command_result cmd_scan(struct call *call)
{
    bool first = !call->state;
    struct scan *scan = scan_of(call);
    struct scan_options options;
    uint64_t cursor;
    if (!scan_cursor(call, 1, &cursor) ||
        !scan_options(call, 2, true, &options))
        return COMMAND_DONE;
    if (first)
        scan->cursor = cursor;
    scan->pattern = options.pattern;
    scan->type = options.type;
    size_t wanted = (size_t)options.count;
    scan_slice(scan, wanted);
    bool room = charge(scan);
    if (failed(scan))
        return call_error(call, ERROR_NO_ROOM);
    if (matching(scan) || (scan->cursor && room && scan->looked < wanted &&
                           scan->buckets / BUCKETS_PER_KEY < wanted &&
                           parts_len(&scan->found) < SLICE_BYTES))
        return COMMAND_AGAIN;
    char text[TEXT_INT_MAX];
    reply_array(&call->reply, 2);
    reply_bulk(&call->reply, text, text_of_int((int64_t)scan->cursor, text));
    return parts_reply(&scan->found, call);
}

/* ------------------------------------------------------------------ KEYS */

enum command_result cmd_keys(struct call *call)
{
    if (!call_pattern_fits(call, call->argv[1].len, LIMIT_PATTERN))
        return COMMAND_DONE;
    struct scan *scan = scan_of(call);
    if (scan->found.begun)
        return parts_reply(&scan->found, call);
    size_t most = (size_t)atomic_load(&call->server->limits.output_limit_bytes);
    scan->pattern = &call->argv[1];
    scan_slice(scan, SIZE_MAX);
    parts_seal(&scan->found);
    if (!charge(scan) || failed(scan) || parts_len(&scan->found) > most)
        return call_error(
            call, "ERR too many keys match for one reply, use SCAN instead");
    return scan->cursor || matching(scan) ? COMMAND_AGAIN
                                          : parts_reply(&scan->found, call);
}

/* --------------------------------------------------------------- the rest */

enum command_result cmd_dbsize(struct call *call)
{
    reply_int(&call->reply,
              (int64_t)cache_count(call->server->cache, call->session->db));
    return COMMAND_DONE;
}

static bool flush_options_ok(struct call *call)
{
    return call->argc == 1 ||
           (call->argc == 2 && (arg_is(&call->argv[1], "async") ||
                                arg_is(&call->argv[1], "sync")));
}

enum command_result cmd_flushdb(struct call *call)
{
    if (!flush_options_ok(call))
        return call_error(call, ERROR_SYNTAX);
    if (!cache_flush(call->server->cache, call->session->db))
        return COMMAND_AGAIN;
    changes_flushed(call->server, call->session->db);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

enum command_result cmd_flushall(struct call *call)
{
    if (!flush_options_ok(call))
        return call_error(call, ERROR_SYNTAX);
    if (!cache_flush_all(call->server->cache))
        return COMMAND_AGAIN;
    changes_flushed(call->server, CHANGES_ALL_DBS);
    reply_ok(&call->reply);
    return COMMAND_DONE;
}

/* The number of a database in an argument, an int as Redis has it; false: it is
 * none. */
static bool arg_is_db(const struct arg *arg, int64_t *db)
{
    return text_to_int(arg->ptr, arg->len, db) && *db >= INT_MIN &&
           *db <= INT_MAX;
}

enum command_result cmd_swapdb(struct call *call)
{
    int64_t databases = call->server->conf.databases, db, other;
    if (!arg_is_db(&call->argv[1], &db))
        return call_error(call, "ERR invalid first DB index");
    if (!arg_is_db(&call->argv[2], &other))
        return call_error(call, "ERR invalid second DB index");
    if (db < 0 || db >= databases || other < 0 || other >= databases)
        return call_error(call, "ERR DB index is out of range");
    if (db != other) {
        call_close_gate(call);
        watch_swapped(call->server->watches, (unsigned)db, (unsigned)other,
                      call->now_ms);
        cache_swap(call->server->cache, (unsigned)db, (unsigned)other);
        call_open_gate(call);
        changes_flushed(call->server, (int)db);
        changes_flushed(call->server, (int)other);
    }
    reply_ok(&call->reply);
    return COMMAND_DONE;
}
