/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Millions of random operations on a cache beside a plain model of it.
 *
 * TEST_SEED repeats a run, TEST_OPS sets the operations of each scenario,
 * TEST_SCENARIO picks one by its number.
 */

#include "tests/cache_model.h"
#include "tests/sanitized.h"

// clang-format off
static const struct scenario scenarios[] = {
    {.name = "small values, one shard", .shards = 1, .databases = 1,
     .keys = 30000, .ops = 600000, .limit_least = MB / 2, .limit_most = 4 * MB,
     .value_most = 200, .ttl_permille = 50, .ttl_most_ms = 100000,
     .rare_permille = 1, .policy = CACHE_ALLKEYS_LRU, .listening = CACHE_TELL_CUTS},
    {.name = "values of all sizes, one shard", .shards = 1, .databases = 3,
     .keys = 4000, .ops = 400000, .limit_least = MB, .limit_most = 16 * MB,
     .value_most = CACHE_INLINE_MAX, .blob_permille = 20,
     .blob_most = 40000, .ttl_permille = 200, .ttl_most_ms = 30000,
     .rare_permille = 2, .policy = CACHE_ALLKEYS_LRU, .listening = CACHE_TELL_EACH},
    {.name = "long values, one shard", .shards = 1, .databases = 1,
     .keys = 60, .ops = 20000, .limit_least = MB, .limit_most = 32 * MB,
     .value_most = CACHE_INLINE_MAX, .blob_permille = 600,
     .blob_most = 3 * MB, .ttl_permille = 100, .ttl_most_ms = 5000,
     .rare_permille = 5, .policy = CACHE_ALLKEYS_LRU},
    {.name = "limits in flight, one shard", .shards = 1, .databases = 2,
     .keys = 20000, .ops = 200000, .limit_least = 0, .limit_most = 12 * MB,
     .value_most = 1000, .blob_permille = 5, .blob_most = 200000,
     .ttl_permille = 20, .ttl_most_ms = 60000, .rare_permille = 30,
     .policy = CACHE_ALLKEYS_LRU, .listening = CACHE_TELL_CUTS, .switching = true},
    {.name = "times to live, one shard, a clock that jumps back", .shards = 1,
     .databases = 16, .keys = 800, .ops = 300000, .limit_least = 2 * MB,
     .limit_most = 8 * MB, .value_most = 300, .ttl_permille = 900,
     .ttl_most_ms = 3000, .rare_permille = 2, .policy = CACHE_ALLKEYS_LRU,
     .clock_jumps_back = true, .listening = CACHE_TELL_EACH},
    {.name = "no evicting, one shard", .shards = 1, .databases = 2,
     .keys = 8000, .ops = 200000, .limit_least = 8 * MB, .limit_most = 8 * MB,
     .value_most = 2000, .blob_permille = 20, .blob_most = 100000,
     .ttl_permille = 100, .ttl_most_ms = 20000, .rare_permille = 1,
     .listening = CACHE_TELL_EACH},
    {.name = "long values among others, 16 shards", .shards = 16,
     .databases = 1, .keys = 10000, .ops = 300000, .limit_least = 4 * MB,
     .limit_most = 32 * MB, .value_most = 3000, .blob_permille = 100,
     .blob_most = 70000, .ttl_permille = 20, .ttl_most_ms = 60000,
     .rare_permille = 5, .policy = CACHE_ALLKEYS_LRU, .slack_ms = 300,
     .listening = CACHE_TELL_EACH},
    {.name = "64 shards", .shards = 64, .databases = 4,
     .keys = 20000, .ops = 600000, .limit_least = 2 * MB,
     .limit_most = 16 * MB, .value_most = 1500, .blob_permille = 10,
     .blob_most = 300000, .ttl_permille = 100, .ttl_most_ms = 60000,
     .rare_permille = 2, .policy = CACHE_ALLKEYS_LRU, .slack_ms = 300,
     .listening = CACHE_TELL_CUTS, .switching = true},
    {.name = "volatile-lru, one shard", .shards = 1, .databases = 2,
     .keys = 8000, .ops = 300000, .limit_least = MB, .limit_most = 4 * MB,
     .value_most = 500, .blob_permille = 10, .blob_most = 100000,
     .ttl_permille = 700, .ttl_most_ms = 10000000, .rare_permille = 2,
     .policy = CACHE_VOLATILE_LRU, .listening = CACHE_TELL_EACH},
    {.name = "volatile-lru, 16 shards", .shards = 16, .databases = 4,
     .keys = 8000, .ops = 300000, .limit_least = MB, .limit_most = 8 * MB,
     .value_most = 500, .ttl_permille = 600, .ttl_most_ms = 100000,
     .rare_permille = 2, .policy = CACHE_VOLATILE_LRU, .slack_ms = 300,
     .listening = CACHE_TELL_CUTS, .switching = true},
    {.name = "volatile-ttl", .shards = 4, .databases = 2,
     .keys = 8000, .ops = 300000, .limit_least = MB, .limit_most = 8 * MB,
     .value_most = 500, .blob_permille = 10, .blob_most = 100000,
     .ttl_permille = 700, .ttl_most_ms = 1000000, .rare_permille = 2,
     .policy = CACHE_VOLATILE_TTL, .listening = CACHE_TELL_CUTS},
    {.name = "allkeys-random", .shards = 64, .databases = 2,
     .keys = 8000, .ops = 300000, .limit_least = MB, .limit_most = 8 * MB,
     .value_most = 500, .ttl_permille = 200, .ttl_most_ms = 100000,
     .rare_permille = 2, .policy = CACHE_ALLKEYS_RANDOM,
     .listening = CACHE_TELL_CUTS, .switching = true},
    {.name = "volatile-random", .shards = 4, .databases = 2,
     .keys = 8000, .ops = 300000, .limit_least = MB, .limit_most = 8 * MB,
     .value_most = 500, .ttl_permille = 400, .ttl_most_ms = 1000000,
     .rare_permille = 2, .policy = CACHE_VOLATILE_RANDOM,
     .listening = CACHE_TELL_EACH},
};
// clang-format on

static void do_get(struct model *m)
{
    unsigned db = model_some_db(m), key = model_some_key(m);
    struct cache_tx tx;
    struct cache_view view;
    model_begin(m, &tx, key);
    model_look(m, &tx, db, key, CACHE_TOUCH | CACHE_COUNT, &view);
    cache_end(&tx);
}

static void do_remove(struct model *m)
{
    unsigned db = model_some_db(m), key = model_some_key(m);
    struct shadow_entry *entry = shadow_at(&m->shadow, db, key);
    struct cache_tx tx;
    struct cache_view view;
    model_begin(m, &tx, key);
    bool there = model_look(m, &tx, db, key, 0, &view);
    hold(m, cache_remove(&tx, db, &m->shadow.key[key]) == there,
         "removing says otherwise than finding");
    hold(m, !cache_find(&tx, db, &m->shadow.key[key], 0, &view),
         "it is there after it was removed");
    cache_end(&tx);
    shadow_forget(entry);
}

/* Giving an entry an expiry may need a larger cell, hence room. */
static void do_expire(struct model *m)
{
    unsigned db = model_some_db(m), key = model_some_key(m);
    struct shadow_entry *entry = shadow_at(&m->shadow, db, key);
    int64_t at = rng_chance(&m->rng, 300)
                     ? 0
                     : m->now_ms + 1 +
                           (int64_t)rng_below(
                               &m->rng, (uint64_t)m->scenario->ttl_most_ms);
    struct cache_tx tx;
    struct cache_view view;
    bool again = true, there, done;
    model_begin(m, &tx, key);
    do {
        done = true;
        there = model_look(m, &tx, db, key, CACHE_TOUCH, &view);
        if (there)
            done =
                cache_set_expiry(&tx, db, &m->shadow.key[key], at) == CACHE_OK;
        cache_end(&tx);
        again = !done && cache_make_room(&tx);
        if (again)
            cache_begin_again(&tx, &m->shadow.key[key], 1);
    } while (again);
    cache_tx_close(&tx);
    if (there && done)
        entry->expires_at_ms = at;
}

static void forget_database(struct model *m, unsigned db)
{
    for (unsigned key = 0; key < m->shadow.keys; key++)
        shadow_forget(shadow_at(&m->shadow, db, key));
}

static void do_flush(struct model *m)
{
    unsigned db = model_some_db(m);
    if (rng_chance(&m->rng, 700)) {
        if (cache_flush(m->cache, db))
            forget_database(m, db);
        return;
    }
    if (!cache_flush_all(m->cache))
        return;
    for (db = 0; db < m->shadow.databases; db++) {
        forget_database(m, db);
        hold(m, cache_count(m->cache, db) == 0, "flushed, and not empty");
    }
}

/* A scan that is under way owes nothing of either any more. */
static void do_swap(struct model *m)
{
    unsigned db = model_some_db(m), other = model_some_db(m);
    cache_swap(m->cache, db, other);
    for (unsigned key = 0; key < m->shadow.keys; key++) {
        struct shadow_entry *a = shadow_at(&m->shadow, db, key);
        struct shadow_entry *b = shadow_at(&m->shadow, other, key);
        struct shadow_entry was = *a;
        *a = *b;
        *b = was;
        a->owed = b->owed = false;
    }
}

static void do_limit(struct model *m)
{
    const struct scenario *s = m->scenario;
    size_t span = s->limit_most - s->limit_least + 1;
    m->limit = s->limit_least + (rng_chance(&m->rng, 800)
                                     ? span - 1 - rng_skewed(&m->rng, span)
                                     : rng_skewed(&m->rng, span));
    cache_set_limit(m->cache, m->limit);
}

static void do_band(struct model *m)
{
    m->len_least = 0;
    m->len_most = m->scenario->value_most;
    if (rng_chance(&m->rng, 700)) {
        m->len_most = rng_below(&m->rng, m->scenario->value_most + 1);
        m->len_least = m->len_most - m->len_most / 8;
    }
}

static void do_steps(struct model *m)
{
    for (uint64_t left = rng_skewed(&m->rng, 50); left > 0; left--)
        if (!cache_step(m->cache, m->now_ms))
            return;
}

/* Steps until nothing is left to do: then the limit is kept. */
static void settle(struct model *m)
{
    uint64_t steps = 0;
    while (cache_step(m->cache, m->now_ms))
        hold(m, ++steps < 10000000, "the steps do not end");
    struct cache_stats stats;
    cache_stats(m->cache, m->now_ms, &stats);
    hold(m, stats.flushed_entries == 0, "flushed entries are left");
    if (m->held_count > 0 || stats.resident_bytes <= stats.limit_bytes)
        return;
    hold(m, stats.entries == 0,
         "the limit is not kept though there are entries to evict");
}

/* ----------------------------------------------------------------- pinning */

static void do_pin(struct model *m)
{
    if (m->held_count == MODEL_PINS)
        return;
    struct held *held = &m->held[m->held_count];
    unsigned db = model_some_db(m), key = model_some_key(m);
    struct cache_tx tx;
    struct cache_view view;
    model_begin(m, &tx, key);
    if (model_look(m, &tx, db, key, CACHE_TOUCH, &view) &&
        cache_view_is_long(&view)) {
        *held =
            (struct held){.pin = cache_view_pin(&view),
                          .version = shadow_at(&m->shadow, db, key)->version};
        hold(m, held->pin.left == view.len - view.bytes_len,
             "the pin covers something else");
        m->held_count++;
    }
    cache_end(&tx);
}

/* Sends a part of a pinned value, whatever became of its entry. */
static void do_send(struct model *m)
{
    if (m->held_count == 0)
        return;
    unsigned i = (unsigned)rng_below(&m->rng, m->held_count);
    struct held *held = &m->held[i];
    struct cache_span spans[4];
    unsigned count = cache_pin_spans(&held->pin, spans, 4);
    size_t shown = 0;
    for (unsigned span = 0; span < count; span++) {
        hold(m,
             shadow_same(held->version, held->offset + shown, spans[span].ptr,
                         spans[span].len),
             "a pinned value has changed");
        shown += spans[span].len;
    }
    hold(m, (shown > 0) == (held->pin.left > 0), "spans for nothing");
    hold(m, shown <= held->pin.left, "more spans than the pin covers");
    size_t sent = shown > 0 ? 1 + rng_below(&m->rng, shown) : 0;
    cache_pin_consume(&held->pin, sent);
    held->offset += sent;
    if (held->pin.left == 0 || rng_chance(&m->rng, 50)) {
        cache_unpin(&held->pin);
        *held = m->held[--m->held_count];
    }
}

/* ------------------------------------------------------------------ running */

static void do_rare(struct model *m)
{
    if (m->scenario->switching && rng_chance(&m->rng, 10))
        model_listen(m, (enum cache_listening)rng_below(&m->rng, 3));
    switch (rng_below(&m->rng, 9)) {
    case 0:
    case 1:
        do_limit(m);
        break;
    case 2:
        do_flush(m);
        break;
    case 3:
        settle(m);
        break;
    case 4:
        m->now_ms += (int64_t)rng_skewed(&m->rng, 100000);
        break;
    case 5:
        do_swap(m);
        break;
    default:
        do_band(m);
        break;
    }
}

static void do_something(struct model *m)
{
    static const struct {
        unsigned weight;
        void (*run)(struct model *m);
    } operations[] = {
        {420, do_get},    {280, model_put},         {30, model_put_many},
        {70, do_remove},  {60, do_expire},          {60, do_steps},
        {10, model_scan}, {5, model_scan_anything}, {20, do_pin},
        {40, do_send},
    };
    if (rng_chance(&m->rng, m->scenario->rare_permille)) {
        do_rare(m);
        return;
    }
    uint64_t pick = rng_below(&m->rng, 1000);
    for (unsigned i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (pick < operations[i].weight) {
            bool blob = operations[i].run == model_put &&
                        rng_chance(&m->rng, m->scenario->blob_permille);
            (blob ? model_put_blob : operations[i].run)(m);
            return;
        }
        pick -= operations[i].weight;
    }
}

static void advance_clock(struct model *m)
{
    m->now_ms += rng_chance(&m->rng, 300);
    if (m->scenario->clock_jumps_back && rng_chance(&m->rng, 1)) {
        model_scan_forgive(m);
        m->now_ms -= (int64_t)rng_skewed(&m->rng, 10000);
    }
    if (m->now_ms > m->latest_ms)
        m->latest_ms = m->now_ms;
}

/* After each operation: no more is held than was, or than is allowed. */
static void check_resident(struct model *m)
{
    struct cache_stats stats;
    cache_stats(m->cache, m->now_ms, &stats);
    hold(m, stats.limit_bytes <= m->limit, "the limit is not the one given");
    hold(m,
         stats.resident_bytes <= m->limit ||
             stats.resident_bytes <= m->resident,
         "it grew beyond its limit");
    m->resident = stats.resident_bytes;
    if (stats.resident_bytes > stats.limit_bytes)
        m->lowered_version = m->shadow.versions;
}

static void model_start(struct model *m, const struct scenario *scenario,
                        uint64_t seed)
{
    struct cache_options options = {.shards = scenario->shards,
                                    .databases = scenario->databases};
    *m = (struct model){.scenario = scenario,
                        .rng = {seed},
                        .now_ms = 1700000000000,
                        .limit = scenario->limit_most,
                        .len_most = scenario->value_most};
    for (unsigned i = 0; i < sizeof options.hash_key; i++)
        options.hash_key[i] = (uint8_t)rng_next(&m->rng);
    m->cache = cache_new(&options);
    assert_non_null(m->cache);
    cache_set_policy(m->cache, scenario->policy);
    cache_set_limit(m->cache, m->limit);
    shadow_init(&m->shadow, m->cache, scenario->databases, scenario->keys);
    model_listen(m, scenario->listening);
    m->scratch = test_malloc(scenario->blob_most + CACHE_INLINE_MAX + 1);
    check_resident(m);
}

/* Empties it and looks whether all memory came back. */
static void model_stop(struct model *m)
{
    while (m->held_count > 0)
        cache_unpin(&m->held[--m->held_count].pin);
    model_check_all(m);
    settle(m);
    hold(m, cache_flush_all(m->cache), "an idle cache cannot be flushed");
    for (unsigned db = 0; db < m->shadow.databases; db++)
        forget_database(m, db);
    settle(m);
    model_check_all(m);
    struct cache_stats stats;
    cache_stats(m->cache, m->now_ms, &stats);
    hold(m,
         stats.entries == 0 && stats.payload_bytes == 0 &&
             stats.live_bytes == 0,
         "something is left in an empty cache");
    printf("%llu hits, %llu misses, %llu evicted, %llu expired, %llu moved, "
           "%llu slabs returned\n",
           (unsigned long long)stats.hits, (unsigned long long)stats.misses,
           (unsigned long long)stats.evicted, (unsigned long long)stats.expired,
           (unsigned long long)stats.moved,
           (unsigned long long)stats.slabs_returned);
    shadow_release(&m->shadow);
    test_free(m->scratch);
    cache_free(m->cache);
}

static void run_scenario(void **state)
{
    const struct scenario *scenario = *state;
    uint64_t usual = SANITIZED ? scenario->ops / 8 : scenario->ops;
    uint64_t ops = test_number("TEST_OPS", usual);
    struct model model;
    model_start(&model, scenario, test_seed());
    for (model.op = 1; model.op <= ops; model.op++) {
        do_something(&model);
        check_resident(&model);
        advance_clock(&model);
        if (model.op % (ops / 40 + 1) == 0)
            model_check_all(&model);
    }
    model_stop(&model);
}

int main(void)
{
    enum { COUNT = sizeof scenarios / sizeof *scenarios };
    struct CMUnitTest tests[COUNT];
    uint64_t only = test_number("TEST_SCENARIO", COUNT);
    unsigned count = 0;
    for (unsigned i = 0; i < COUNT; i++)
        if (only == COUNT || only == i)
            tests[count++] = (struct CMUnitTest){
                .name = scenarios[i].name,
                .test_func = run_scenario,
                .initial_state = (void *)(uintptr_t)&scenarios[i]};
    return _cmocka_run_group_tests("cache_model", tests, count, NULL, NULL);
}
