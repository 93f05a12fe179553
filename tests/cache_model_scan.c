/* SPDX-License-Identifier: BSD-3-Clause */
/* Scans, beside the model. */

#include "tests/cache_model.h"

struct showing {
    struct model *model;
    unsigned db, shown;
};

static void show(void *ctx, const struct cache_view *view)
{
    struct showing *showing = ctx;
    model_shown(showing->model, showing->db, view);
    showing->shown++;
}

static void show_scanned(void *ctx, const struct cache_view *view)
{
    struct showing *showing = ctx;
    model_shown(showing->model, showing->db, view)->owed = false;
}

static void scan_begin(struct model *m)
{
    m->scan_db = model_some_db(m);
    m->scan_cursor = 0;
    m->scanning = true;
    for (unsigned key = 0; key < m->shadow.keys; key++) {
        struct cache_tx tx;
        struct cache_view view;
        model_begin(m, &tx, key);
        shadow_at(&m->shadow, m->scan_db, key)->owed =
            model_look(m, &tx, m->scan_db, key, 0, &view);
        cache_end(&tx);
    }
}

/* What was there from the beginning and was not shown must be gone. */
static void scan_end(struct model *m)
{
    m->scanning = false;
    for (unsigned key = 0; key < m->shadow.keys; key++) {
        struct shadow_entry *entry = shadow_at(&m->shadow, m->scan_db, key);
        struct cache_tx tx;
        struct cache_view view;
        if (!entry->owed || shadow_expired(entry, m->latest_ms))
            continue;
        model_begin(m, &tx, key);
        hold(m, !model_look(m, &tx, m->scan_db, key, 0, &view),
             "it was there throughout, and the scan did not show it");
        cache_end(&tx);
    }
}

void model_scan_forgive(struct model *m)
{
    for (unsigned key = 0; m->scanning && key < m->shadow.keys; key++) {
        struct shadow_entry *entry = shadow_at(&m->shadow, m->scan_db, key);
        if (shadow_expired(entry, m->latest_ms))
            entry->owed = false;
    }
}

void model_scan(struct model *m)
{
    if (!m->scanning)
        scan_begin(m);
    struct showing showing = {m, m->scan_db, 0};
    for (uint64_t left = rng_skewed(&m->rng, 2000); left > 0; left--) {
        m->scan_cursor = cache_scan(m->cache, m->scan_db, m->scan_cursor,
                                    m->now_ms, show_scanned, &showing);
        hold(m, m->scan_cursor < 1ull << 53, "a cursor that is no double");
        if (m->scan_cursor == 0) {
            scan_end(m);
            return;
        }
    }
}

void model_scan_anything(struct model *m)
{
    struct showing showing = {m, model_some_db(m), 0};
    uint64_t cursor = rng_next(&m->rng) >> rng_below(&m->rng, 64);
    cache_scan(m->cache, showing.db, cursor, m->now_ms, show, &showing);
}
