/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * RESTORE: makes a key of what DUMP gave.  The checksum is looked at and the
 * value made outside of any lock, a slice a turn:
 *
 *   is the key there? -> check -> read the head -> make -> store
 *
 * The payload may be long, and lie in a blob.
 */

#include "call.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "call_make.h"
#include "changes.h"
#include "crc64.h"
#include "dump.h"
#include "lzf.h"
#include "timing.h"

enum {
    PAYLOAD = 3,             /* its argument */
    SLICE_BYTES = 64 * 1024, /* checked or made before others have a turn */
    LZF_MOST = LZF_OUT / 3,  /* bytes made of one, at the most */
};

#define ERROR_CHECKSUM "ERR DUMP payload version or checksum are wrong"
#define ERROR_BUSY     "BUSYKEY Target key name already exists."
#define ERROR_FORMAT   "ERR Bad data format"

struct options {
    bool replace, absolute;
    int64_t ttl_ms;
};

struct restore {
    enum { CHECK, MAKE, STORE } stage;
    uint64_t crc, expected;
    size_t at; /* in the payload */
    struct dump_string string;
    size_t made;             /* bytes of the value */
    struct cache_blob *blob; /* a long value */
    char value[CACHE_INLINE_MAX];
    struct lzf *lzf; /* of one that is compressed */
};

/* What has become of one step. */
enum step {
    STEP_DONE,
    STEP_MORE,
    STEP_NO_ROOM,
    STEP_REFUSED, /* an error was replied */
};

static void restore_free(void *state)
{
    struct restore *restore = state;
    cache_blob_free(restore->blob);
    free(restore->lzf);
    free(restore);
}

static enum step refuse(struct call *call, const char *error)
{
    reply_error(&call->reply, error);
    return STEP_REFUSED;
}

/* ------------------------------------------------------------------ options */

/* A number behind a word; false: an error was replied. */
static bool bounded(struct call *call, size_t arg, int64_t most,
                    const char *error)
{
    int64_t number;
    if (!call_int(call, arg, &number))
        return false;
    if (number >= 0 && number <= most)
        return true;
    reply_error(&call->reply, error);
    return false;
}

/* IDLETIME and FREQ are checked, and no more: what was restored was just used.
 * False: an error was replied. */
static bool parse(struct call *call, struct options *options)
{
    bool idle = false, freq = false;
    for (size_t i = 4; i < call->argc; i++) {
        const struct arg *arg = &call->argv[i];
        bool more = i + 1 < call->argc;
        if (arg_is(arg, "replace")) {
            options->replace = true;
        } else if (arg_is(arg, "absttl")) {
            options->absolute = true;
        } else if (arg_is(arg, "idletime") && more && !freq) {
            idle = true;
            if (!bounded(call, ++i, INT64_MAX,
                         "ERR Invalid IDLETIME value, must be >= 0"))
                return false;
        } else if (arg_is(arg, "freq") && more && !idle) {
            freq = true;
            if (!bounded(call, ++i, 255,
                         "ERR Invalid FREQ value, must be >= 0 and <= 255"))
                return false;
        } else {
            reply_error(&call->reply, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

/* False: an error was replied. */
static bool parse_ttl(struct call *call, struct options *options)
{
    if (!call_int(call, 2, &options->ttl_ms))
        return false;
    if (options->ttl_ms < 0)
        reply_error(&call->reply, "ERR Invalid TTL value, must be >= 0");
    return options->ttl_ms >= 0;
}

/* In Redis's order: first the key.  False: an error was replied. */
static bool admit(struct call *call, struct options *options)
{
    struct cache_view view;
    bool found;
    if (!parse(call, options))
        return false;
    cache_begin(&call->tx, call->server->cache, call->now_ms, &call->key, 1);
    found = !options->replace && call_find(call, 0, &view);
    cache_end(&call->tx);
    if (found)
        reply_error(&call->reply, ERROR_BUSY);
    return !found && parse_ttl(call, options);
}

/* -------------------------------------------------------------------- steps */

static size_t body_len(const struct call *call)
{
    return call->argv[PAYLOAD].len - DUMP_FOOT;
}

static enum step begin(struct call *call)
{
    size_t len = call->argv[PAYLOAD].len;
    char foot[DUMP_FOOT];
    uint64_t expected;
    if (len < DUMP_FOOT)
        return refuse(call, ERROR_CHECKSUM);
    call_argument_copy(call, PAYLOAD, len - DUMP_FOOT, foot, DUMP_FOOT);
    if (!dump_checksum(foot, &expected))
        return refuse(call, ERROR_CHECKSUM);
    struct restore *restore = calloc(1, sizeof *restore);
    if (!restore)
        return STEP_NO_ROOM;
    restore->expected = expected;
    call->state = restore;
    call->state_free = restore_free;
    call->state_bytes = sizeof *restore;
    return STEP_DONE;
}

/* Reads the head, once the checksum is right. */
static enum step read_head(struct call *call, struct restore *restore)
{
    struct dump_string *string = &restore->string;
    char head[DUMP_HEAD];
    size_t here = less_of(body_len(call), DUMP_HEAD);
    call_argument_copy(call, PAYLOAD, 0, head, here);
    if (restore->crc != restore->expected)
        return refuse(call, ERROR_CHECKSUM);
    if (!dump_read(head, here, body_len(call), string) ||
        (string->kind == DUMP_LZF && string->len / LZF_MOST > string->stored))
        return refuse(call, ERROR_FORMAT);
    restore->at = string->at;
    if (string->len > CACHE_INLINE_MAX) {
        restore->blob = cache_blob_new(call->server->cache, string->len);
        if (!restore->blob)
            return STEP_NO_ROOM;
    }
    if (string->kind == DUMP_LZF) {
        restore->lzf = calloc(1, sizeof *restore->lzf);
        if (!restore->lzf)
            return STEP_NO_ROOM;
        call->state_bytes += sizeof *restore->lzf;
    }
    restore->stage = MAKE;
    return STEP_DONE;
}

static enum step check(struct call *call, struct restore *restore, size_t most)
{
    size_t end = call->argv[PAYLOAD].len - 8;
    size_t stop = less_of(end, restore->at + most);
    while (restore->at < stop) {
        struct cache_span span = call_argument_span(call, PAYLOAD, restore->at);
        size_t n = less_of(stop - restore->at, span.len);
        restore->crc = crc64(restore->crc, span.ptr, n);
        restore->at += n;
    }
    return restore->at < end ? STEP_MORE : read_head(call, restore);
}

/* Adds to the value; false: there is no room. */
static bool add(struct call *call, struct restore *restore, const char *bytes,
                size_t len)
{
    restore->made += len;
    if (restore->blob)
        return call_blob_add(call, restore->blob, bytes, len);
    memcpy(restore->value + restore->made - len, bytes, len);
    return true;
}

static enum step copy_raw(struct call *call, struct restore *restore,
                          size_t most)
{
    size_t left = less_of(restore->string.len - restore->made, most);
    while (left > 0) {
        struct cache_span span = call_argument_span(call, PAYLOAD, restore->at);
        size_t n = less_of(left, span.len);
        if (!add(call, restore, span.ptr, n))
            return STEP_NO_ROOM;
        restore->at += n;
        left -= n;
    }
    return restore->made < restore->string.len ? STEP_MORE : STEP_DONE;
}

/* Decodes some of `left` bytes of the payload.  False: it is malformed. */
static bool decode(struct call *call, struct restore *restore, size_t left,
                   size_t *used)
{
    struct cache_span span = call_argument_span(call, PAYLOAD, restore->at);
    char both[LZF_IN]; /* an instruction, where it lies in two runs */
    size_t n = less_of(left, span.len);
    if (!lzf_decode(restore->lzf, span.ptr, n, n == left, used))
        return false;
    if (*used > 0 || n == left)
        return true;
    n = less_of(left, sizeof both);
    call_argument_copy(call, PAYLOAD, restore->at, both, n);
    return lzf_decode(restore->lzf, both, n, n == left, used);
}

static enum step unpack_some(struct call *call, struct restore *restore)
{
    const struct dump_string *string = &restore->string;
    size_t left = string->at + string->stored - restore->at, used = 0;
    const char *bytes;
    if (left > 0 && !decode(call, restore, left, &used))
        return refuse(call, ERROR_FORMAT);
    restore->at += used;
    size_t ready = lzf_ready(restore->lzf, &bytes);
    size_t wanted = string->len - restore->made;
    if (ready > wanted || (used == left && ready < wanted))
        return refuse(call, ERROR_FORMAT);
    if (!add(call, restore, bytes, ready))
        return STEP_NO_ROOM;
    lzf_take(restore->lzf, ready);
    return used == left ? STEP_DONE : STEP_MORE;
}

static enum step unpack(struct call *call, struct restore *restore, size_t most)
{
    size_t stop = restore->made + most;
    enum step step;
    do
        step = unpack_some(call, restore);
    while (step == STEP_MORE && restore->made < stop);
    return step;
}

static enum step make(struct call *call, struct restore *restore, size_t most)
{
    const struct dump_string *string = &restore->string;
    enum step step = STEP_DONE;
    if (string->kind == DUMP_RAW)
        step = copy_raw(call, restore, most);
    else if (string->kind == DUMP_LZF)
        step = unpack(call, restore, most);
    else
        add(call, restore, string->text, string->len);
    if (step == STEP_DONE)
        restore->stage = STORE;
    call->owned_bytes = restore->blob ? restore->made : 0;
    return step;
}

/* ------------------------------------------------------------------ storing */

/* With the transaction open; false: there is no room. */
static bool put(struct call *call, struct restore *restore,
                const struct options *options)
{
    struct cache_write write = {.type = CACHE_STRING,
                                .value = restore->value,
                                .len = restore->made,
                                .blob = restore->blob};
    struct cache_view view;
    if (!options->replace && call_find(call, 0, &view)) {
        reply_error(&call->reply, ERROR_BUSY);
        return true;
    }
    if (options->ttl_ms) /* one that is too long is over, as in Redis */
        write.expires_at_ms =
            (int64_t)((uint64_t)options->ttl_ms +
                      (options->absolute ? 0 : (uint64_t)call->now_ms));
    if (options->ttl_ms && write.expires_at_ms <= call->now_ms) {
        if (cache_remove(&call->tx, call->session->db, &call->key))
            call_changed(call, &call->key, CHANGE_GENERIC, "del");
        reply_ok(&call->reply);
        return true;
    }
    if (call_put(call, &write) != COMMAND_DONE)
        return false;
    restore->blob = NULL;
    call_changed(call, &call->key, CHANGE_GENERIC, "restore");
    reply_ok(&call->reply);
    return true;
}

static enum command_result store(struct call *call, struct restore *restore,
                                 const struct options *options)
{
    bool stored, room = true;
    cache_begin(&call->tx, call->server->cache, call->now_ms, &call->key, 1);
    for (;;) {
        stored = put(call, restore, options);
        cache_end(&call->tx);
        if (!stored)
            room = timing_make_room(call);
        if (stored || !room)
            break;
        cache_begin_again(&call->tx, &call->key, 1);
    }
    cache_tx_close(&call->tx);
    return stored ? COMMAND_DONE : COMMAND_NO_ROOM;
}

enum command_result cmd_restore(struct call *call)
{
    struct options options = {0};
    enum step step = STEP_DONE;
    call->key = call_key_of(call, 1);
    if (!call->state) {
        if (!admit(call, &options))
            return COMMAND_DONE;
        step = begin(call);
    } else if (!parse(call, &options) || !parse_ttl(call, &options)) {
        return COMMAND_DONE;
    }
    struct restore *restore = call->state;
    if (step == STEP_DONE && restore->stage == CHECK)
        step = check(call, restore, SLICE_BYTES);
    if (step == STEP_DONE && restore->stage == MAKE)
        step = make(call, restore, SLICE_BYTES);
    switch (step) {
    case STEP_DONE:
        return store(call, restore, &options);
    case STEP_MORE:
        return COMMAND_AGAIN;
    case STEP_NO_ROOM:
        return COMMAND_NO_ROOM;
    default:
        return COMMAND_DONE;
    }
}
