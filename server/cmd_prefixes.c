/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * MEMORY PREFIXES: which keys the memory is used for, from a sample.
 *
 * The index is in the order of the keys' hashes, which nobody can foresee.  So
 * the entries of any stretch of it are a random sample of all, whatever they
 * are called and whenever they came:
 *
 *   0                   start                 end              2^32
 *   |                     |--- some 10,000 ---|                  |
 *
 * All databases are looked at, and what has expired but was not dropped yet,
 * because they use memory too.  So the whole is known exactly, and what the
 * sample makes of it can be compared.
 */

#include "call.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hits.h"
#include "platform.h"
#include "pool.h"
#include "prefixes.h"

enum {
    SAMPLE = 10000,      /* keys */
    SLICE_BUCKETS = 128, /* looked at before others have a turn */
    COUNT = 10,          /* prefixes in the reply, unless told otherwise */
    COUNT_MAX = 1000,
    DEPTH_MAX = 16,
};

struct walk {
    struct call *call;
    struct prefixes *prefixes;
    uint64_t cursor, start;
    bool wrapped;       /* the cursor has been at the end of the index */
    uint32_t databases; /* bit i: there are keys in database i */
    unsigned db;        /* being looked at */
    struct buf seen;    /* what has to be counted, outside locks */
    size_t charged;     /* to the client pool */
};

struct seen {
    size_t bytes, key_len;
    char key[PREFIXES_KEY]; /* how it begins */
    uint8_t db;
};

static void walk_free(void *state)
{
    struct walk *walk = state;
    pool_give(walk->call->server->pool, walk->charged);
    prefixes_free(walk->prefixes);
    buf_release(&walk->seen);
    free(walk);
}

/* -------------------------------------------------------------- the sample */

static void see(void *ctx, const struct cache_view *view)
{
    struct walk *walk = ctx;
    char scratch[CACHE_KEY_MAX];
    const char *key = cache_view_key(view, scratch);
    struct seen seen = {
        .bytes = cache_view_resident(view),
        .key_len = view->key_len < PREFIXES_KEY ? view->key_len : PREFIXES_KEY,
        .db = (uint8_t)walk->db,
    };
    memcpy(seen.key, key, seen.key_len);
    buf_add(&walk->seen, &seen, sizeof seen);
}

/* The same bucket in every database; without keys of a database in a shard the
 * cache goes on to the next one at once, so the nearest counts. */
static void look(struct walk *walk, cache_see *show)
{
    struct cache *cache = walk->call->server->cache;
    uint64_t nearest = 0;
    for (walk->db = 0; walk->db < CACHE_DATABASES_MAX; walk->db++) {
        if (!(walk->databases >> walk->db & 1))
            continue;
        uint64_t next =
            cache_scan(cache, walk->db, walk->cursor, 0, show, walk);
        if (next != 0 && (nearest == 0 || next < nearest))
            nearest = next;
    }
    walk->cursor = nearest;
    walk->wrapped |= nearest == 0;
}

static void ignore(void *ctx, const struct cache_view *view)
{
    (void)ctx, (void)view;
}

static uint64_t count_keys(const struct call *call, uint32_t *databases)
{
    uint64_t keys = 0;
    *databases = 0;
    for (int db = 0; db < call->server->conf.databases; db++) {
        uint64_t count = cache_count(call->server->cache, (unsigned)db);
        if (count > 0)
            *databases |= UINT32_C(1) << db;
        keys += count;
    }
    return keys;
}

/* Begins where a bucket does, so that the last one ends there. */
static void begin(struct walk *walk, uint64_t random)
{
    count_keys(walk->call, &walk->databases);
    walk->cursor = cache_scan_somewhere(walk->call->server->cache, random);
    look(walk, ignore);
    walk->start = walk->cursor;
    walk->wrapped = false;
}

static bool complete(const struct walk *walk)
{
    return (walk->wrapped && walk->cursor >= walk->start) ||
           prefixes_all(walk->prefixes)->keys >= SAMPLE;
}

static void count_seen(struct walk *walk)
{
    while (buf_len(&walk->seen) > 0) {
        struct seen seen;
        memcpy(&seen, walk->seen.data + walk->seen.start, sizeof seen);
        buf_drain(&walk->seen, sizeof seen);
        prefixes_add_key(walk->prefixes, seen.db, seen.key, seen.key_len,
                         seen.bytes);
    }
}

/* False: the clients' buffers may not grow that far. */
static bool charge(struct walk *walk)
{
    struct pool *pool = walk->call->server->pool;
    size_t held = sizeof *walk + walk->seen.cap + prefixes_held(walk->prefixes);
    size_t more = held > walk->charged ? held - walk->charged : 0;
    if (pool_used(pool) + more > pool_limit(pool))
        return false;
    pool_charge(pool, more);
    walk->charged += more;
    return true;
}

/* The earliest of those noted; 0 without any. */
static uint32_t add_hits(struct walk *walk)
{
    struct hit hits[HITS_KEPT];
    size_t count = hits_copy(walk->call->server->hits, hits);
    uint32_t first_s = count > 0 ? hits[0].at_s : 0;
    for (size_t i = 0; i < count; i++) {
        const struct hit *hit = &hits[i];
        prefixes_add_hit(walk->prefixes, hit->db, hit->key, hit->len);
        if (hit->at_s < first_s)
            first_s = hit->at_s;
    }
    return first_s;
}

/* --------------------------------------------------------------- the reply */

/* What the sample stands for. */
struct whole {
    const struct prefix *sample;
    uint64_t keys, bytes;
    double each; /* keys that one of the sample stands for */
};

static void reply_field(struct reply *reply, const char *name, double value)
{
    reply_bulk_text(reply, name);
    reply_int(reply, llround(value));
}

static void reply_percent(struct reply *reply, const char *name, double share)
{
    double percent = round(fmin(share, 100) * 10000) / 100;
    char text[32];
    reply_bulk_text(reply, name);
    snprintf(text, sizeof text, "%.2f", percent);
    if (reply->resp < 3)
        reply_bulk_text(reply, text);
    else
        reply_double(reply, percent);
}

static double part(double some, double all)
{
    return all > 0 ? some / all : 0;
}

static double bytes_margin(const struct whole *whole, const struct prefix *row)
{
    return part(prefixes_sum_margin(row->bytes, row->squares,
                                    whole->sample->keys, whole->keys),
                (double)whole->bytes);
}

static void reply_whole(struct call *call, const struct whole *whole,
                        uint32_t first_s)
{
    const struct prefix *sample = whole->sample;
    struct reply *reply = &call->reply;
    reply_map(reply, 7);
    reply_field(reply, "keys", (double)whole->keys);
    reply_field(reply, "keys.sampled", sample->keys);
    reply_field(reply, "bytes", (double)whole->bytes);
    reply_field(reply, "bytes.estimated", sample->bytes * whole->each);
    reply_percent(reply, "bytes.margin", bytes_margin(whole, sample));
    reply_field(reply, "hits.sampled", sample->hits);
    double passed_s = (double)call->now_ms / 1000 - first_s;
    reply_field(reply, "hits.seconds",
                sample->hits > 0 ? fmax(passed_s, 0) : 0);
}

static void reply_row(struct reply *reply, const struct whole *whole,
                      const struct prefix *row, bool named)
{
    const struct prefix *sample = whole->sample;
    double bytes = row->bytes * whole->each;
    reply_map(reply, 10);
    reply_bulk_text(reply, "prefix");
    if (named)
        reply_bulk(reply, row->text, row->len);
    else
        reply_null(reply);
    reply_bulk_text(reply, "db");
    if (named)
        reply_int(reply, row->db);
    else
        reply_null(reply);
    reply_field(reply, "bytes", bytes);
    reply_percent(reply, "bytes.percent", part(bytes, (double)whole->bytes));
    reply_percent(reply, "bytes.margin", bytes_margin(whole, row));
    reply_field(reply, "keys", row->keys * whole->each);
    reply_percent(reply, "keys.percent", part(row->keys, sample->keys));
    reply_percent(reply, "keys.margin",
                  prefixes_share_margin(row->keys, sample->keys, whole->keys));
    reply_percent(reply, "hits.percent", part(row->hits, sample->hits));
    reply_percent(reply, "hits.margin",
                  prefixes_share_margin(row->hits, sample->hits, UINT64_MAX));
}

/* The sums, then the first `count` prefixes, then all the others together. */
static void reply_prefixes(struct walk *walk, size_t count, uint32_t first_s)
{
    struct call *call = walk->call;
    struct whole whole = {.sample = prefixes_all(walk->prefixes)};
    struct prefix rest = *whole.sample;
    struct cache_stats stats;
    uint32_t databases;
    size_t known;
    const struct prefix *rows = prefixes_sorted(walk->prefixes, &known);
    cache_stats(call->server->cache, call->now_ms, &stats);
    whole.keys = count_keys(call, &databases);
    whole.bytes = stats.live_bytes;
    whole.each = part((double)whole.keys, rest.keys);
    if (count > known)
        count = known;
    for (size_t i = 0; i < count; i++) {
        rest.keys -= rows[i].keys;
        rest.hits -= rows[i].hits;
        rest.bytes -= rows[i].bytes;
        rest.squares -= rows[i].squares;
    }
    bool more = rest.keys > 0 || rest.hits > 0;
    reply_array(&call->reply, 1 + count + more);
    reply_whole(call, &whole, first_s);
    for (size_t i = 0; i < count; i++)
        reply_row(&call->reply, &whole, &rows[i], true);
    if (more)
        reply_row(&call->reply, &whole, &rest, false);
}

/* ------------------------------------------------------------- the command */

/* A number from 1 on; false: an error was replied. */
static bool parse_number(struct call *call, size_t arg, int64_t most,
                         int64_t *number)
{
    if (arg >= call->argc)
        return true;
    if (!call_int(call, arg, number))
        return false;
    if (*number >= 1 && *number <= most)
        return true;
    reply_errorf(&call->reply,
                 "ERR value is out of range, must be from 1 to %d", (int)most);
    return false;
}

/* False: an error was replied. */
static bool new_walk(struct call *call, int64_t depth)
{
    static const struct arg colon = {":", 1};
    const struct arg *sep = call->argc > 2 ? &call->argv[2] : &colon;
    const struct platform *platform = call->server->platform;
    struct walk *walk = calloc(1, sizeof *walk);
    uint64_t random[2] = {0};
    if (!platform->random(platform->ctx, random, sizeof random))
        random[0] = random[1] = (uint64_t)call->now_ms;
    if (!walk) {
        reply_error(&call->reply, ERROR_NO_ROOM);
        return false;
    }
    walk->call = call;
    call->state = walk;
    call->state_free = walk_free;
    walk->prefixes =
        prefixes_new(sep->ptr, sep->len, (unsigned)depth, random[0]);
    if (walk->prefixes)
        begin(walk, random[1]);
    else
        reply_error(&call->reply, ERROR_NO_ROOM);
    return walk->prefixes;
}

enum command_result cmd_memory_prefixes(struct call *call)
{
    int64_t count = COUNT, depth = 1;
    if (call->argc > 5 || (call->argc > 2 && call->argv[2].len == 0))
        return call_error(call, ERROR_SYNTAX);
    if (!parse_number(call, 3, COUNT_MAX, &count) ||
        !parse_number(call, 4, DEPTH_MAX, &depth) ||
        (!call->state && !new_walk(call, depth)))
        return COMMAND_DONE;
    struct walk *walk = call->state;
    for (int i = 0; i < SLICE_BUCKETS && !complete(walk); i++) {
        look(walk, see);
        count_seen(walk);
    }
    if (walk->seen.failed || !charge(walk))
        return call_error(call, ERROR_NO_ROOM);
    if (!complete(walk))
        return COMMAND_AGAIN;
    uint32_t first_s = add_hits(walk);
    reply_prefixes(walk, (size_t)count, first_s);
    return COMMAND_DONE;
}
