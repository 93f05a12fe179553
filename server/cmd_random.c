/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * RANDOMKEY: goes through the index from a random place on until a bucket has
 * entries of the database, and picks one of them.  In a database that is
 * sparse beside the others that may take many turns.
 */

#include "call.h"

#include <stdlib.h>
#include <string.h>

#include "platform.h"

enum { SLICE_BUCKETS = 256 }; /* looked at before others have a turn */

struct pick {
    struct call *call;
    uint64_t cursor, start;
    bool wrapped;    /* the cursor has been at the end of the index */
    uint64_t random; /* chooses among the entries of a bucket */
    uint64_t seen;   /* entries of it so far */
    struct buf key;  /* the one chosen */
};

static void pick_free(void *state)
{
    struct pick *pick = state;
    buf_release(&pick->key);
    free(pick);
}

static struct pick *pick_of(struct call *call)
{
    struct pick *pick = call->state;
    if (pick)
        return pick;
    pick = calloc(1, sizeof *pick);
    if (!pick)
        abort();
    const struct platform *platform = call->server->platform;
    uint64_t random[2] = {0};
    if (!platform->random(platform->ctx, random, sizeof random))
        random[0] = random[1] = (uint64_t)call->now_ms;
    pick->call = call;
    pick->random = random[0];
    pick->start = cache_scan_somewhere(call->server->cache, random[1]);
    pick->cursor = pick->start;
    call->state = pick;
    call->state_free = pick_free;
    return pick;
}

/* The n-th of a bucket takes the place of the one before with chance 1 in n:
 * so each of them is as likely in the end. */
static void see(void *ctx, const struct cache_view *view)
{
    struct pick *pick = ctx;
    pick->random = pick->random * UINT64_C(6364136223846793005) +
                   UINT64_C(1442695040888963407);
    pick->seen++;
    if ((pick->random >> 33) % pick->seen != 0)
        return;
    char scratch[CACHE_KEY_MAX];
    buf_drain(&pick->key, buf_len(&pick->key));
    buf_add(&pick->key, cache_view_key(view, scratch), view->key_len);
}

enum command_result cmd_randomkey(struct call *call)
{
    struct pick *pick = pick_of(call);
    for (unsigned i = 0; i < SLICE_BUCKETS; i++) {
        pick->cursor = cache_scan(call->server->cache, call->session->db,
                                  pick->cursor, call->now_ms, see, pick);
        if (pick->seen > 0) {
            reply_bulk(&call->reply, pick->key.data + pick->key.start,
                       buf_len(&pick->key));
            return COMMAND_DONE;
        }
        if ((pick->wrapped && pick->cursor >= pick->start) ||
            (pick->cursor == 0 && pick->wrapped)) {
            reply_null(&call->reply);
            return COMMAND_DONE;
        }
        pick->wrapped |= pick->cursor == 0;
    }
    return COMMAND_AGAIN;
}
