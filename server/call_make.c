/* SPDX-License-Identifier: BSD-3-Clause */
/* Making a long value from an old one, a slice a turn. */

#include "call_make.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "server.h"
#include "timing.h"

struct make {
    struct call *call;
    struct call_old old;
    struct call_reader reader; /* of the old one, behind what was copied */
    struct cache_blob *made;   /* NULL: nothing was copied yet, or stored */
    size_t done;               /* bytes of it */
    size_t least;              /* of them before others have a turn */
    const struct call_part *parts;
    size_t count;
    struct call_part few[CALL_PARTS];
    void *plan;
    void (*plan_free)(void *plan);
};

static void forget(struct make *make)
{
    call_old_drop(&make->old);
    cache_blob_free(make->made);
    make->made = NULL;
    if (make->plan)
        make->plan_free(make->plan);
    make->plan = NULL;
    make->call->owned_bytes = 0;
}

static void make_free(void *state)
{
    forget(state);
    free(state);
}

static struct make *make_of(struct call *call)
{
    struct make *make = call->state;
    if (make)
        return make;
    make = calloc(1, sizeof *make);
    if (!make)
        abort();
    make->call = call;
    call->state = make;
    call->state_free = make_free;
    call->state_bytes = sizeof *make;
    return make;
}

void call_make_begin(struct call *call, const struct cache_view *old,
                     const struct call_part *parts, size_t count)
{
    struct make *make = make_of(call);
    assert(count <= CALL_PARTS);
    for (size_t i = 0; i < count; i++)
        make->few[i] = parts[i];
    make->parts = make->few;
    make->count = count;
    call_old_take(&make->old, old);
    make->reader = call_reader(&make->old);
    make->done = 0;
    call->owned_bytes = call_old_pinned(&make->old);
}

bool call_make_begun(const struct call *call)
{
    const struct make *make = call->state;
    return make && make->old.taken;
}

const struct call_old *call_make_old(const struct call *call)
{
    const struct make *make = call->state;
    return &make->old;
}

void call_make_plan(struct call *call, void *plan, void (*plan_free)(void *))
{
    struct make *make = call->state;
    assert(!make->plan);
    make->plan = plan;
    make->plan_free = plan_free;
}

void *call_make_planned(const struct call *call)
{
    const struct make *make = call->state;
    return make->plan;
}

void call_make_parts(struct call *call, const struct call_part *parts,
                     size_t count)
{
    struct make *make = call->state;
    make->parts = parts;
    make->count = count;
}

/* ---------------------------------------------------------------- copying */

void call_argument_copy(const struct call *call, size_t arg, size_t at,
                        char *to, size_t len)
{
    if (arg == 0)
        arg = call->command->blob_arg;
    if (call->argv[arg].ptr)
        memcpy(to, call->argv[arg].ptr + at, len);
    else
        cache_blob_copy(call->blob, at, to, len);
}

struct cache_span call_argument_span(const struct call *call, size_t arg,
                                     size_t at)
{
    const struct arg *bytes = &call->argv[arg];
    if (bytes->ptr)
        return (struct cache_span){bytes->ptr + at, bytes->len - at};
    return cache_blob_span(call->blob, at);
}

void call_change_bits(char *bytes, size_t len, uint8_t clear, uint8_t set)
{
    for (size_t i = 0; i < len && (clear | set); i++)
        bytes[i] = (char)((bytes[i] & ~clear) | set);
}

/* Copies up to `len` bytes of a part, from `at` in it; how many. */
static size_t copy(struct make *make, const struct call_part *part, size_t at,
                   char *to, size_t len)
{
    struct cache_span span;
    switch (part->from) {
    case CALL_OLD:
        span = call_reader_next(&make->reader, part->at + at, len);
        len = span.len;
        memcpy(to, span.ptr, len);
        break;
    case CALL_ARGUMENT:
        call_argument_copy(make->call, part->arg, part->at + at, to, len);
        break;
    case CALL_ZEROS:
        memset(to, 0, len);
        break;
    case CALL_TEXT:
        memcpy(to, part->text + part->at + at, len);
        break;
    }
    call_change_bits(to, len, part->clear, part->set);
    return len;
}

/* Copies `len` bytes of a part, from `at` in it, or less if that takes long;
 * false: there is no room. */
static bool copy_part(struct make *make, const struct call_part *part,
                      size_t at, size_t len)
{
    const struct worker *worker = make->call->worker;
    bool enough = false;
    while (len > 0 && !enough) {
        size_t room;
        char *to = cache_blob_room(make->made, make->call->now_ms, &room);
        if (!to)
            return false;
        room = copy(make, part, at, to, less_of(room, len));
        cache_blob_advance(make->made, room);
        make->done += room;
        at += room;
        len -= room;
        enough =
            make->done >= make->least && timing_enough(worker, worker->ticks);
    }
    return true;
}

bool call_make_slice(struct call *call)
{
    struct make *make = call->state;
    const struct call_part *parts = make->parts;
    size_t len = 0, start = 0;
    for (size_t i = 0; i < make->count; i++)
        len += parts[i].len;
    if (!make->made)
        make->made = cache_blob_new(call->server->cache, len);
    if (!make->made)
        return false;
    size_t end = less_of(len, make->done + CALL_SLICE_BYTES);
    make->least = make->done + CALL_SLICE_LEAST;
    for (size_t i = 0; i < make->count && start < end; i++) {
        size_t stop = less_of(end, start + parts[i].len);
        if (make->done < stop &&
            !copy_part(make, &parts[i], make->done - start, stop - make->done))
            return false;
        if (make->done < stop)
            break;
        start += parts[i].len;
    }
    call->owned_bytes = call_old_pinned(&make->old) + make->done;
    return true;
}

bool call_make_done(const struct call *call)
{
    const struct make *make = call->state;
    return make->made && make->done == cache_blob_len(make->made);
}

enum command_result call_make_go_on(struct call *call)
{
    if (!call_make_begun(call) || call_make_done(call))
        return COMMAND_DONE;
    if (!call_make_slice(call))
        return COMMAND_NO_ROOM;
    return call_make_done(call) ? COMMAND_DONE : COMMAND_AGAIN;
}

/* ---------------------------------------------------------------- storing */

bool call_make_current(const struct call *call, const struct cache_view *old)
{
    const struct make *make = call->state;
    return call_old_is(&make->old, old);
}

struct cache_blob *call_make_value(const struct call *call)
{
    const struct make *make = call->state;
    assert(call_make_done(call));
    return make->made;
}

void call_make_stored(struct call *call)
{
    struct make *make = call->state;
    make->made = NULL;
}

void call_make_forget(struct call *call)
{
    forget(call->state);
}
