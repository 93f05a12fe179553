/* SPDX-License-Identifier: BSD-3-Clause */
/* The ways to store a value, beside the model. */

#include "tests/cache_model.h"

/* Sizes keep to a band for a while, so that whole classes of them go. */
static size_t some_len(struct model *m)
{
    return m->len_least + rng_skewed(&m->rng, m->len_most - m->len_least + 1);
}

/* Nothing outside the entries holds memory, and none is owed. */
static bool unencumbered(struct model *m)
{
    struct cache_stats stats;
    cache_stats(m->cache, m->now_ms, &stats);
    return m->held_count == 0 && stats.resident_bytes <= stats.limit_bytes;
}

static bool put_once(struct model *m, struct cache_tx *tx, unsigned db,
                     unsigned key, const struct cache_write *write)
{
    struct cache_view view;
    size_t len = write->blob ? cache_blob_len(write->blob) : write->len;
    struct shadow_entry *entry = shadow_at(&m->shadow, db, key);
    /* Either look first, or store without: then what was there is unknown. */
    if (rng_chance(&m->rng, 700))
        model_look(m, tx, db, key, 0, &view);
    else
        entry->owed = false;
    if (cache_put(tx, db, &m->shadow.key[key], write) != CACHE_OK)
        return false;
    /* Before the transaction ends, which may evict it again. */
    shadow_put(&m->shadow, entry, len, write->expires_at_ms, write->type,
               m->now_ms);
    return true;
}

static bool put(struct model *m, unsigned db, unsigned key,
                const struct cache_write *write)
{
    struct cache_tx tx;
    model_begin(m, &tx, key);
    bool stored = put_once(m, &tx, db, key, write);
    cache_end(&tx);
    while (!stored && cache_make_room(&tx)) {
        cache_begin_again(&tx, &m->shadow.key[key], 1);
        stored = put_once(m, &tx, db, key, write);
        cache_end(&tx);
    }
    cache_tx_close(&tx);
    return stored;
}

static void put_and_note(struct model *m, unsigned db, unsigned key,
                         const struct cache_write *write)
{
    size_t len = write->blob ? cache_blob_len(write->blob) : write->len;
    bool free_before = unencumbered(m);
    if (put(m, db, key, write))
        return;
    hold(m,
         !model_all_may_go(m) || !free_before ||
             !cache_fits(m->cache, m->shadow.key[key].len, len),
         "no room was made for what fits");
    cache_blob_free(write->blob);
}

void model_put(struct model *m)
{
    unsigned db = model_some_db(m), key = model_some_key(m);
    struct cache_write write = {
        .value = m->scratch,
        .len = some_len(m),
        .expires_at_ms = model_some_expiry(m),
        .type = rng_chance(&m->rng, 900) ? CACHE_STRING : CACHE_HASH,
    };
    char *value = test_malloc(write.len + 1);
    shadow_bytes(m->shadow.versions + 1, 0, value, write.len);
    write.value = value; /* compare() writes to the scratch */
    put_and_note(m, db, key, &write);
    test_free(value);
}

/* Receives a value of len bytes; NULL if there was no room. */
static struct cache_blob *receive(struct model *m, size_t len)
{
    struct cache_blob *blob = cache_blob_new(m->cache, len);
    for (size_t done = 0; blob && done < len;) {
        size_t room = 0;
        char *to = cache_blob_room(blob, m->now_ms, &room);
        if (!to) {
            cache_blob_free(blob);
            return NULL;
        }
        hold(m, room > 0, "room for nothing");
        size_t part = 1 + rng_below(&m->rng, room);
        if (part > len - done)
            part = len - done;
        shadow_bytes(m->shadow.versions + 1, done, to, part);
        cache_blob_advance(blob, part);
        done += part;
    }
    return blob;
}

void model_put_blob(struct model *m)
{
    unsigned db = model_some_db(m), key = model_some_key(m);
    size_t len = rng_skewed(&m->rng, m->scenario->blob_most + 1);
    if (rng_chance(&m->rng, 300))
        len = rng_below(&m->rng, m->scenario->blob_most + 1);
    bool free_before = unencumbered(m);
    bool fits = cache_fits(m->cache, m->shadow.key[key].len, len);
    struct cache_blob *blob = receive(m, len);
    if (!blob) {
        hold(m, !model_all_may_go(m) || !free_before || !fits,
             "no room was made for a long value that fits");
        return;
    }
    hold(m, cache_blob_len(blob) == len, "the announced length differs");
    size_t offset = rng_below(&m->rng, len + 1);
    size_t part = rng_below(&m->rng, len - offset + 1);
    cache_blob_copy(blob, offset, m->scratch, part);
    hold(m, shadow_same(m->shadow.versions + 1, offset, m->scratch, part),
         "what was received differs");
    if (rng_chance(&m->rng, 100)) {
        cache_blob_free(blob); /* the client went away */
        return;
    }
    struct cache_write write = {.blob = blob,
                                .expires_at_ms = model_some_expiry(m)};
    put_and_note(m, db, key, &write);
}

/* Begins when the index has room for the keys; false: it never will. */
static bool begin_ready(struct cache_tx *tx, const struct cache_key *keys,
                        size_t count)
{
    for (;;) {
        cache_begin_again(tx, keys, count);
        if (cache_ready(tx, keys, count) == CACHE_OK)
            return true;
        cache_end(tx);
        if (!cache_make_room(tx))
            return false;
    }
}

/* Several keys, stored together or not at all. */
void model_put_many(struct model *m)
{
    unsigned db = model_some_db(m), key[MODEL_MANY];
    unsigned count = 1 + (unsigned)rng_below(&m->rng, MODEL_MANY);
    struct cache_key keys[MODEL_MANY];
    struct cache_write write[MODEL_MANY];
    struct cache_tx tx;
    bool provided = true;
    cache_tx_init(&tx, m->cache, m->now_ms);
    for (unsigned i = 0; i < count; i++) {
        key[i] = model_some_key(m);
        keys[i] = m->shadow.key[key[i]];
        size_t len = some_len(m);
        char *value = test_malloc(len + 1);
        shadow_bytes(m->shadow.versions + 1 + i, 0, value, len);
        write[i] = (struct cache_write){
            .value = value, .len = len, .expires_at_ms = model_some_expiry(m)};
        provided = provided && cache_provide(&tx, keys[i].len, &write[i]);
    }
    if (provided && begin_ready(&tx, keys, count)) {
        for (unsigned i = 0; i < count; i++) {
            struct shadow_entry *entry = shadow_at(&m->shadow, db, key[i]);
            entry->owed = false;
            hold(m, cache_put(&tx, db, &keys[i], &write[i]) == CACHE_OK,
                 "all was made ready, and there is no room");
            shadow_put(&m->shadow, entry, write[i].len, write[i].expires_at_ms,
                       CACHE_STRING, m->now_ms);
        }
        cache_end(&tx);
    }
    cache_tx_close(&tx);
    for (unsigned i = 0; i < count; i++)
        test_free((char *)(uintptr_t)write[i].value);
}
