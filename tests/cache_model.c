/* SPDX-License-Identifier: BSD-3-Clause */
/* Comparing a cache with its model. */

#include "tests/cache_model.h"

unsigned model_some_db(struct model *m)
{
    return (unsigned)rng_below(&m->rng, m->shadow.databases);
}

/* A few keys are used much more than the others. */
unsigned model_some_key(struct model *m)
{
    return (unsigned)(rng_chance(&m->rng, 500)
                          ? rng_skewed(&m->rng, m->shadow.keys)
                          : rng_below(&m->rng, m->shadow.keys));
}

int64_t model_some_expiry(struct model *m)
{
    if (!rng_chance(&m->rng, m->scenario->ttl_permille))
        return 0;
    return m->now_ms + 1 +
           (int64_t)rng_below(&m->rng, (uint64_t)m->scenario->ttl_most_ms);
}

/* ----------------------------------------------------------- comparisons */

static bool same_part(struct model *m, const struct cache_view *view,
                      uint64_t version, size_t offset, size_t len)
{
    cache_view_copy(view, offset, m->scratch, len);
    return shadow_same(version, offset, m->scratch, len);
}

static void compare_value(struct model *m, const struct cache_view *view,
                          const struct shadow_entry *entry)
{
    size_t len = view->len, window = 4096;
    hold(m, view->bytes_len <= len, "more bytes than the value has");
    hold(m,
         shadow_same(entry->version, len - view->bytes_len, view->bytes,
                     view->bytes_len),
         "the value's last bytes differ");
    if (len <= 4 * window) {
        hold(m, same_part(m, view, entry->version, 0, len),
             "the value differs");
        return;
    }
    hold(m, same_part(m, view, entry->version, 0, window),
         "the value's beginning differs");
    hold(m, same_part(m, view, entry->version, len - window, window),
         "the value's end differs");
    for (unsigned i = 0; i < 4; i++) {
        size_t offset = rng_below(&m->rng, len - window);
        hold(m, same_part(m, view, entry->version, offset, window),
             "the value's middle differs");
    }
}

static void compare_key(struct model *m, const struct cache_view *view,
                        const struct cache_key *key)
{
    static char scratch[CACHE_KEY_MAX];
    hold(m, view->key_len == key->len, "the key's length differs");
    hold(m, memcmp(cache_view_key(view, scratch), key->ptr, key->len) == 0,
         "the key differs");
}

bool model_all_may_go(const struct model *m)
{
    return m->scenario->policy == CACHE_ALLKEYS_LRU ||
           m->scenario->policy == CACHE_ALLKEYS_RANDOM;
}

bool model_may_go(const struct model *m, const struct shadow_entry *entry)
{
    return model_all_may_go(m) || entry->version <= m->lowered_version ||
           (m->scenario->policy != CACHE_NO_EVICTION &&
            entry->expires_at_ms != 0);
}

static void compare_order(struct model *m, const struct shadow_entry *entry)
{
    bool strict = m->scenario->policy == CACHE_ALLKEYS_LRU ||
                  (m->scenario->policy == CACHE_VOLATILE_LRU &&
                   entry->version > m->lowered_version);
    if (!strict || !model_may_go(m, entry))
        return;
    if (m->scenario->slack_ms == 0)
        hold(m, entry->used > m->shadow.evicted_used,
             "one that was used after it was evicted before it");
    else
        hold(m,
             entry->used_at_ms + m->scenario->slack_ms >=
                 m->shadow.evicted_used_at_ms,
             "one that was used well after it was evicted before it");
}

static void compare(struct model *m, const struct cache_view *view,
                    const struct cache_key *key,
                    const struct shadow_entry *entry)
{
    hold(m, entry->version != 0, "it is there, but was removed");
    hold(m, !shadow_expired(entry, m->now_ms), "it is there, but expired");
    hold(m, view->len == entry->len, "the length differs");
    hold(m, view->type == entry->type, "the type differs");
    hold(m, view->expires_at_ms == entry->expires_at_ms, "the expiry differs");
    int64_t idle_ms = m->now_ms - entry->used_at_ms;
    if (!m->scenario->clock_jumps_back)
        hold(m,
             view->idle_ms + 1000 >= idle_ms && view->idle_ms <= idle_ms + 1000,
             "the time since its last use is off by more than a second");
    compare_key(m, view, key);
    compare_value(m, view, entry);
    compare_order(m, entry);
}

static void evict(struct model *m, struct shadow_entry *entry)
{
    hold(m, model_may_go(m, entry), "it is gone, and the policy protects it");
    shadow_evict(&m->shadow, entry);
}

bool model_look(struct model *m, struct cache_tx *tx, unsigned db, unsigned key,
                unsigned how, struct cache_view *view)
{
    struct shadow_entry *entry = shadow_at(&m->shadow, db, key);
    if (cache_find(tx, db, &m->shadow.key[key], how, view)) {
        compare(m, view, &m->shadow.key[key], entry);
        if (how & CACHE_TOUCH)
            shadow_touch(&m->shadow, entry, m->now_ms);
        return true;
    }
    if (entry->version == 0)
        return false;
    hold(m, m->listening == CACHE_TELL_NOTHING || m->looking,
         "it is gone, and nobody was told");
    if (shadow_expired(entry, m->latest_ms))
        shadow_forget(entry);
    else
        evict(m, entry);
    return false;
}

void model_begin(struct model *m, struct cache_tx *tx, unsigned key)
{
    cache_begin(tx, m->cache, m->now_ms, &m->shadow.key[key], 1);
}

/* -------------------------------------------------------------- listening */

/* Finds out what went without being told. */
static void look_again(struct model *m)
{
    m->looking = true;
    for (unsigned db = 0; db < m->shadow.databases; db++)
        for (unsigned key = 0; key < m->shadow.keys; key++) {
            struct cache_tx tx;
            struct cache_view view;
            if (shadow_at(&m->shadow, db, key)->version == 0)
                continue;
            model_begin(m, &tx, key);
            model_look(m, &tx, db, key, 0, &view);
            cache_end(&tx);
        }
    m->looking = false;
}

static void hear(void *ctx, enum cache_why why, unsigned db,
                 const struct cache_view *view)
{
    static char scratch[CACHE_KEY_MAX];
    struct model *m = ctx;
    if (why == CACHE_CUT) {
        hold(m, m->listening == CACHE_TELL_CUTS, "a cut, told or not");
        look_again(m);
        return;
    }
    int key =
        shadow_key(&m->shadow, cache_view_key(view, scratch), view->key_len);
    hold(m, key >= 0, "a key that nobody stored was lost");
    hold(m, db < m->shadow.databases, "of a database that there is not");
    struct shadow_entry *entry = shadow_at(&m->shadow, db, (unsigned)key);
    hold(m, entry->version != 0, "it was lost, but not there");
    hold(m, entry->expires_at_ms == view->expires_at_ms, "the expiry differs");
    if (why == CACHE_EVICTED) {
        evict(m, entry);
        return;
    }
    hold(m, shadow_expired(entry, m->latest_ms), "it has not expired");
    m->expired++;
    shadow_forget(entry);
}

void model_listen(struct model *m, enum cache_listening how)
{
    bool before = m->listening != CACHE_TELL_NOTHING;
    cache_set_listener(m->cache, hear, m);
    cache_listen(m->cache, how);
    m->listening = how;
    if (!before)
        look_again(m);
}

/* ---------------------------------------------------------------- showing */

struct shadow_entry *model_shown(struct model *m, unsigned db,
                                 const struct cache_view *view)
{
    static char scratch[CACHE_KEY_MAX];
    int key =
        shadow_key(&m->shadow, cache_view_key(view, scratch), view->key_len);
    hold(m, key >= 0, "a key that nobody stored is shown");
    struct shadow_entry *entry = shadow_at(&m->shadow, db, (unsigned)key);
    compare(m, view, &m->shadow.key[key], entry);
    return entry;
}

/* ------------------------------------------------------------- everything */

struct sums {
    uint64_t entries, expiring, payload;
};

static void look_at_all(struct model *m, unsigned db, struct sums *all)
{
    struct sums here = {0};
    for (unsigned key = 0; key < m->shadow.keys; key++) {
        struct cache_tx tx;
        struct cache_view view;
        model_begin(m, &tx, key);
        if (model_look(m, &tx, db, key, 0, &view)) {
            here.entries++;
            here.expiring += view.expires_at_ms != 0;
            here.payload += view.len + view.key_len;
        }
        cache_end(&tx);
    }
    hold(m, cache_count(m->cache, db) == here.entries,
         "the database's count differs");
    hold(m, cache_count_expiring(m->cache, db) == here.expiring,
         "the database's count of expiring entries differs");
    all->entries += here.entries;
    all->expiring += here.expiring;
    all->payload += here.payload;
}

void model_check_all(struct model *m)
{
    struct sums all = {0};
    for (unsigned db = 0; db < m->shadow.databases; db++)
        look_at_all(m, db, &all);
    cache_check(m->cache);
    struct cache_stats stats;
    cache_stats(m->cache, m->now_ms, &stats);
    hold(m, stats.entries - stats.flushed_entries == all.entries,
         "the count of entries differs");
    if (stats.flushed_entries == 0) {
        hold(m, stats.expiring == all.expiring,
             "the count of expiring entries differs");
        hold(m, stats.payload_bytes == all.payload,
             "the bytes of keys and values differ");
    }
    hold(m, stats.live_bytes >= stats.payload_bytes, "cells without bytes");
    hold(m, stats.resident_bytes >= stats.live_bytes + stats.stock_bytes,
         "less is resident than is in use");
    hold(m, m->shadow.evicted <= stats.evicted,
         "more was evicted than was counted");
    if (m->scenario->listening == CACHE_TELL_EACH && !m->scenario->switching)
        hold(m,
             m->shadow.evicted == stats.evicted && m->expired == stats.expired,
             "not all that was counted was told");
}
