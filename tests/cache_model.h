/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CACHE_MODEL_H
#define CACHE_MODEL_H

/*
 * A cache and a plain model of it side by side.
 *
 * What is there must be what the model has.  What is not there must have been
 * removed, flushed or expired, or be evicted in order: an entry may only be
 * missing if nothing that was used before it is still there.  With one shard
 * that is asserted entry by entry, with several to the millisecond of the
 * last use, give or take the scenario's slack.  So with the policies that go
 * by the last use; with all of them, what they protect must still be there.
 *
 * While the model listens it must have been told of everything that is gone.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "cache/cache.h"
#include "tests/cache_shadow.h"
#include "tests/rng.h"

enum { MODEL_PINS = 6, MODEL_MANY = 8, MB = 1 << 20 };

struct scenario {
    const char *name;
    unsigned shards, databases, keys;
    uint64_t ops;
    size_t limit_least, limit_most;
    size_t value_most;      /* of values that are put as they are */
    unsigned blob_permille; /* of the puts */
    size_t blob_most;
    unsigned ttl_permille; /* of the puts */
    int64_t ttl_most_ms;
    unsigned rare_permille; /* flushes, limits: of the operations */
    enum cache_policy policy;
    bool clock_jumps_back;
    enum cache_listening listening; /* at first */
    bool switching;                 /* it changes now and then */
    int64_t slack_ms;               /* 0: strict order */
};

struct held {
    struct cache_pin pin;
    uint64_t version;
    size_t offset; /* of the pin's next byte in the value */
};

struct model {
    const struct scenario *scenario;
    struct cache *cache;
    struct shadow shadow;
    struct rng rng;
    int64_t now_ms, latest_ms; /* the made-up clock; its furthest */
    uint64_t op;
    size_t limit, resident;     /* resident: after the last operation */
    size_t len_least, len_most; /* the band of sizes put now */
    enum cache_listening listening;
    uint64_t expired; /* so many were told to be */
    /* What is as old as that met a limit that was lowered below what was held:
     * then what the policy protects may go, too. */
    uint64_t lowered_version;
    bool looking; /* for what went without being told */
    struct held held[MODEL_PINS];
    unsigned held_count;
    uint64_t scan_cursor;
    unsigned scan_db;
    bool scanning;
    char *scratch; /* of the longest value */
};

/* What the scenario says must hold. */
#define hold(model, what, why)                                                 \
    do {                                                                       \
        if (!(what))                                                           \
            fail_msg("operation %llu of \"%s\": %s (%s)",                      \
                     (unsigned long long)(model)->op, (model)->scenario->name, \
                     why, #what);                                              \
    } while (0)

unsigned model_some_db(struct model *m);
unsigned model_some_key(struct model *m);
int64_t model_some_expiry(struct model *m); /* 0: none */

/* The policy lets it go; lets everything go. */
bool model_may_go(const struct model *m, const struct shadow_entry *entry);
bool model_all_may_go(const struct model *m);

/* Finds and compares; the model learns what was evicted. */
bool model_look(struct model *m, struct cache_tx *tx, unsigned db, unsigned key,
                unsigned how, struct cache_view *view);
void model_begin(struct model *m, struct cache_tx *tx, unsigned key);
/* From now on the model listens like that. */
void model_listen(struct model *m, enum cache_listening how);
/* Compares a view that cache_scan showed. */
struct shadow_entry *model_shown(struct model *m, unsigned db,
                                 const struct cache_view *view);

/* Looks for every key and compares the counters with what is there. */
void model_check_all(struct model *m);

/* Before the clock jumps back: the scan may have passed over what has expired,
 * and it may live on if its time to live is set anew. */
void model_scan_forgive(struct model *m);

/* Operations: each does one thing at random. */
void model_put(struct model *m);
void model_put_blob(struct model *m);
void model_put_many(struct model *m);
void model_scan(struct model *m); /* goes on with the scan under way */
void model_scan_anything(struct model *m);

#endif
