/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * DEBUG POPULATE count [prefix [size]]: stores "value:N" at "prefix:N" for all
 * N below count, with zeros behind or cut when a size is given.  Keys that
 * exist are left alone.  A slice at a time, within the budget: with too many,
 * the first are evicted for the last.
 */

#include "debug.h"

#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "timing.h"

enum {
    SLICE_KEYS = 100,
    VALUE_MAX = 1 << 20, /* bytes of one value */
    TEXT_MAX = 32,       /* "value:" and a number */
    ZEROS = 4096,
};

struct populate {
    int64_t count, next, size; /* size 0: as long as it is */
    struct cache_blob *blob;   /* a value that is being made, or NULL */
    size_t filled;             /* bytes of it */
    size_t prefix_len;
    char key[]; /* the prefix, and room for ':' and a number */
};

static void populate_free(void *state)
{
    struct populate *populate = state;
    cache_blob_free(populate->blob);
    free(populate);
}

/* What has become of a value. */
enum outcome { POPULATED, UNFINISHED, NO_ROOM };

/* Makes a long value that begins with the text, for as long as a slice lasts:
 * much may have to go for it. */
static enum outcome make_long(struct call *call, struct populate *populate,
                              const char *text, size_t len)
{
    static const char zeros[ZEROS];
    size_t size = (size_t)populate->size;
    if (!populate->blob) {
        populate->blob = cache_blob_new(call->server->cache, size);
        populate->filled = 0;
        call->owned_bytes = size;
    }
    if (!populate->blob)
        return NO_ROOM;
    while (populate->filled < size) {
        bool first = populate->filled == 0;
        size_t part = first ? len : less_of(size - populate->filled, ZEROS);
        if (!call_blob_add(call, populate->blob, first ? text : zeros, part))
            return NO_ROOM;
        populate->filled += part;
        if (timing_enough(call->worker, call->worker->ticks))
            break;
    }
    return populate->filled < size ? UNFINISHED : POPULATED;
}

/* False: there is no room. */
static bool store(struct call *call, const struct cache_key *key,
                  struct cache_write *write)
{
    struct cache_view view;
    bool done = false, room = true;
    cache_begin(&call->tx, call->server->cache, call->now_ms, key, 1);
    for (;;) {
        bool exists = cache_find(&call->tx, call->session->db, key, 0, &view);
        if (!exists &&
            cache_put(&call->tx, call->session->db, key, write) == CACHE_OK) {
            write->blob = NULL;
            call_changed(call, key, CHANGE_STRING, "set");
            done = true;
        }
        cache_end(&call->tx);
        done = done || exists;
        if (done)
            break;
        room = timing_make_room(call);
        if (!room)
            break;
        cache_begin_again(&call->tx, key, 1);
    }
    cache_tx_close(&call->tx);
    return room;
}

static enum outcome populate_one(struct call *call, struct populate *populate)
{
    char text[ZEROS] = {0};
    char *digits = populate->key + populate->prefix_len;
    size_t digits_len =
        (size_t)snprintf(digits, TEXT_MAX, ":%lld", (long long)populate->next);
    size_t len = (size_t)snprintf(text, TEXT_MAX, "value%s", digits);
    size_t size = populate->size == 0 ? len : (size_t)populate->size;
    struct cache_key key = cache_key_of(call->server->cache, populate->key,
                                        populate->prefix_len + digits_len);
    struct cache_write write = {
        .type = CACHE_STRING, .value = text, .len = size};
    if (size > CACHE_INLINE_MAX) {
        enum outcome outcome = make_long(call, populate, text, len);
        if (outcome != POPULATED)
            return outcome;
        write.blob = populate->blob;
        populate->blob = NULL;
        call->owned_bytes = 0;
    } else if (size < len) {
        memset(text + size, 0, len - size);
    }
    bool stored = store(call, &key, &write);
    cache_blob_free(write.blob);
    return stored ? POPULATED : NO_ROOM;
}

static bool take_count(struct call *call, size_t arg, int64_t *count)
{
    if (text_to_int(call->argv[arg].ptr, call->argv[arg].len, count) &&
        *count >= 0)
        return true;
    reply_error(&call->reply, "ERR value is out of range, must be positive");
    return false;
}

/* False: an error was replied. */
static bool begin(struct call *call)
{
    static const char usual[] = "key";
    int64_t count, size = 0;
    struct arg prefix = {usual, sizeof usual - 1};
    if (call->argc > 3)
        prefix = call->argv[3];
    if (!take_count(call, 2, &count) ||
        (call->argc > 4 && !take_count(call, 4, &size)))
        return false;
    if (size > VALUE_MAX) {
        reply_errorf(&call->reply, "ERR values have at most %d bytes",
                     VALUE_MAX);
        return false;
    }
    if (prefix.len > CACHE_KEY_MAX - TEXT_MAX) {
        reply_error(&call->reply, "ERR prefix is too long");
        return false;
    }
    struct populate *populate =
        malloc(sizeof *populate + prefix.len + TEXT_MAX);
    if (!populate) {
        reply_error(&call->reply, ERROR_NO_ROOM);
        return false;
    }
    *populate = (struct populate){
        .count = count, .size = size, .prefix_len = prefix.len};
    memcpy(populate->key, prefix.ptr, prefix.len);
    call->state = populate;
    call->state_free = populate_free;
    return true;
}

enum command_result debug_populate(struct call *call)
{
    if (!call->state && !begin(call))
        return COMMAND_DONE;
    struct populate *populate = call->state;
    int64_t end = populate->next + SLICE_KEYS;
    while (populate->next < populate->count) {
        enum outcome outcome = populate_one(call, populate);
        if (outcome == NO_ROOM)
            return call_error(call, ERROR_NO_ROOM);
        if (outcome == UNFINISHED)
            return COMMAND_AGAIN;
        populate->next++;
        if (populate->next == end ||
            timing_enough(call->worker, call->worker->ticks))
            break;
    }
    if (populate->next < populate->count)
        return COMMAND_AGAIN;
    reply_ok(&call->reply);
    return COMMAND_DONE;
}
