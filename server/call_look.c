/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking at a long value a slice a turn. */

#include "call_look.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "call_old.h"

struct looking {
    struct call_old old;
    struct call_reader reader;
    size_t at, end; /* of the value */
    struct call_look look;
    bool stale; /* the value has changed: to be begun anew */
    _Alignas(max_align_t) char sum[CALL_LOOK_SUM];
};

static void looking_free(void *state)
{
    struct looking *looking = state;
    call_old_drop(&looking->old);
    free(looking);
}

static bool is_done(const struct looking *looking)
{
    return looking->old.taken && looking->at == looking->end;
}

static void begin(struct call *call, const struct cache_view *view,
                  const struct call_look *look)
{
    struct looking *looking = call->state;
    if (!looking) {
        looking = calloc(1, sizeof *looking);
        if (!looking)
            abort();
        call->state = looking;
        call->state_free = looking_free;
        call->state_bytes = sizeof *looking;
    }
    assert(look->sum_size <= sizeof looking->sum);
    call_old_take(&looking->old, view);
    looking->reader = call_reader(&looking->old);
    looking->at = look->from;
    looking->end = look->from + look->len;
    looking->look = *look;
    memcpy(looking->sum, look->sum, look->sum_size);
    call->owned_bytes = call_old_pinned(&looking->old);
}

bool call_look(struct call *call, const struct cache_view *view,
               const struct call_look *look)
{
    struct looking *looking = call->state;
    if (!cache_view_is_long(view)) {
        look->see(call, look->sum, 0, view->bytes + look->from, look->len);
        return true;
    }
    if (looking && is_done(looking) && call_old_is(&looking->old, view)) {
        memcpy(look->sum, looking->sum, look->sum_size);
        return true;
    }
    if (looking && looking->old.taken)
        looking->stale = true; /* it cannot be unpinned here */
    else
        begin(call, view, look);
    return false;
}

bool call_looked(const struct call *call, void *sum, size_t sum_size)
{
    const struct looking *looking = call->state;
    if (!looking || !is_done(looking))
        return false;
    memcpy(sum, looking->sum, sum_size);
    return true;
}

bool call_look_on(struct call *call)
{
    struct looking *looking = call->state;
    if (looking->stale) {
        call_old_drop(&looking->old);
        call->owned_bytes = 0;
        looking->stale = false;
        return true;
    }
    size_t stop = looking->end;
    if (stop - looking->at > CALL_LOOK_BYTES)
        stop = looking->at + CALL_LOOK_BYTES;
    while (looking->at < stop) {
        struct cache_span span =
            call_reader_next(&looking->reader, looking->at, stop - looking->at);
        looking->look.see(call, looking->sum, looking->at - looking->look.from,
                          span.ptr, span.len);
        looking->at += span.len;
    }
    return is_done(looking);
}
