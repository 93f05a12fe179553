/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes in a sorted array, each with the longest that it begins with. */

#include "track_prefixes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct track_prefixes {
    pthread_rwlock_t lock;
    unsigned workers;
    _Atomic size_t count;
    size_t cap;
    struct track_prefix **sorted;
};

int track_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int diff = memcmp(a, b, a_len < b_len ? a_len : b_len);
    if (diff != 0)
        return diff;
    return a_len < b_len ? -1 : a_len > b_len;
}

bool track_overlap(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return memcmp(a, b, a_len < b_len ? a_len : b_len) == 0;
}

static bool begins(const char *key, size_t len,
                   const struct track_prefix *prefix)
{
    return len >= prefix->len && memcmp(key, prefix->bytes, prefix->len) == 0;
}

struct track_prefixes *track_prefixes_new(unsigned workers)
{
    struct track_prefixes *prefixes = calloc(1, sizeof *prefixes);
    if (!prefixes)
        return NULL;
    pthread_rwlock_init(&prefixes->lock, NULL);
    prefixes->workers = workers;
    return prefixes;
}

void track_prefixes_free(struct track_prefixes *prefixes)
{
    if (!prefixes)
        return;
    for (size_t i = 0; i < prefixes->count; i++)
        free(prefixes->sorted[i]);
    free(prefixes->sorted);
    pthread_rwlock_destroy(&prefixes->lock);
    free(prefixes);
}

size_t track_prefixes_count(const struct track_prefixes *prefixes)
{
    return atomic_load_explicit(&prefixes->count, memory_order_relaxed);
}

/* How many sort before the text or are equal to it. */
static size_t rank(const struct track_prefixes *prefixes, const char *text,
                   size_t len)
{
    size_t low = 0, high = prefixes->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct track_prefix *at = prefixes->sorted[middle];
        if (track_compare(at->bytes, at->len, text, len) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The longest that the text begins with, or NULL. */
static struct track_prefix *longest(const struct track_prefixes *prefixes,
                                    const char *text, size_t len)
{
    size_t i = rank(prefixes, text, len);
    struct track_prefix *at = i > 0 ? prefixes->sorted[i - 1] : NULL;
    while (at && !begins(text, len, at))
        at = at->parent;
    return at;
}

uint64_t track_prefixes_match(struct track_prefixes *prefixes, const char *key,
                              size_t len)
{
    uint64_t workers = 0;
    if (track_prefixes_count(prefixes) == 0)
        return 0;
    pthread_rwlock_rdlock(&prefixes->lock);
    for (const struct track_prefix *at = longest(prefixes, key, len); at;
         at = at->parent)
        workers |= at->workers;
    pthread_rwlock_unlock(&prefixes->lock);
    return workers;
}

/* ---------------------------------------------------------------- changing */

/* Those behind place i that begin with the prefix have it as their parent, or
 * one that begins with it. */
static void adopt(struct track_prefixes *prefixes, size_t i,
                  struct track_prefix *prefix, struct track_prefix *from,
                  struct track_prefix *to)
{
    for (; i < prefixes->count; i++) {
        struct track_prefix *at = prefixes->sorted[i];
        if (!begins(at->bytes, at->len, prefix))
            break;
        if (at->parent == from)
            at->parent = to;
    }
}

static bool grow(struct track_prefixes *prefixes)
{
    size_t cap = prefixes->cap ? prefixes->cap * 2 : 8;
    if (prefixes->count < prefixes->cap)
        return true;
    if (prefixes->count >= TRACK_PREFIXES_MAX)
        return false;
    struct track_prefix **sorted =
        realloc(prefixes->sorted, cap * sizeof *sorted);
    if (!sorted)
        return false;
    prefixes->sorted = sorted;
    prefixes->cap = cap;
    return true;
}

static size_t counts_at(size_t len)
{
    return (sizeof(struct track_prefix) + len + 7) & ~(size_t)7;
}

size_t track_prefix_size(const struct track_prefixes *prefixes, size_t len)
{
    return counts_at(len) + prefixes->workers * sizeof(uint32_t) +
           2 * sizeof(void *);
}

static struct track_prefix *insert(struct track_prefixes *prefixes,
                                   const char *bytes, size_t len)
{
    if (!grow(prefixes))
        return NULL;
    struct track_prefix *prefix = calloc(1, track_prefix_size(prefixes, len));
    if (!prefix)
        return NULL;
    prefix->len = len;
    memcpy(prefix->bytes, bytes, len);
    prefix->clients = (void *)((char *)prefix + counts_at(len));
    size_t i = rank(prefixes, bytes, len), count = prefixes->count;
    prefix->parent = longest(prefixes, bytes, len);
    memmove(prefixes->sorted + i + 1, prefixes->sorted + i,
            (count - i) * sizeof *prefixes->sorted);
    prefixes->sorted[i] = prefix;
    prefixes->count = count + 1;
    adopt(prefixes, i + 1, prefix, prefix->parent, prefix);
    return prefix;
}

static void take_out(struct track_prefixes *prefixes,
                     struct track_prefix *prefix)
{
    size_t i = rank(prefixes, prefix->bytes, prefix->len) - 1;
    adopt(prefixes, i + 1, prefix, prefix, prefix->parent);
    prefixes->count--;
    memmove(prefixes->sorted + i, prefixes->sorted + i + 1,
            (prefixes->count - i) * sizeof *prefixes->sorted);
    free(prefix);
}

struct track_prefix *track_prefix_add(struct track_prefixes *prefixes,
                                      const char *bytes, size_t len,
                                      unsigned worker)
{
    pthread_rwlock_wrlock(&prefixes->lock);
    struct track_prefix *prefix = longest(prefixes, bytes, len);
    if (!prefix || prefix->len != len)
        prefix = insert(prefixes, bytes, len);
    if (prefix) {
        prefix->clients[worker]++;
        prefix->workers |= UINT64_C(1) << worker;
    }
    pthread_rwlock_unlock(&prefixes->lock);
    return prefix;
}

void track_prefix_drop(struct track_prefixes *prefixes,
                       struct track_prefix *prefix, unsigned worker)
{
    pthread_rwlock_wrlock(&prefixes->lock);
    if (--prefix->clients[worker] == 0)
        prefix->workers &= ~(UINT64_C(1) << worker);
    if (prefix->workers == 0)
        take_out(prefixes, prefix);
    pthread_rwlock_unlock(&prefixes->lock);
}
