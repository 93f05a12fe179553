/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys of some hits, in a ring. */

#include "hits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct hits {
    pthread_mutex_t lock;
    size_t next; /* how many were noted, ever */
    struct hit ring[HITS_KEPT];
};

struct hits *hits_new(void)
{
    struct hits *hits = malloc(sizeof *hits);
    if (!hits)
        return NULL;
    /* Touched now, so that it is part of the base from the start. */
    memset(hits, 0, sizeof *hits);
    pthread_mutex_init(&hits->lock, NULL);
    return hits;
}

void hits_free(struct hits *hits)
{
    if (!hits)
        return;
    pthread_mutex_destroy(&hits->lock);
    free(hits);
}

void hits_note(struct hits *hits, unsigned db, const char *key, size_t len,
               int64_t now_ms)
{
    if (pthread_mutex_trylock(&hits->lock) != 0)
        return;
    struct hit *hit = &hits->ring[hits->next++ % HITS_KEPT];
    if (len > sizeof hit->key)
        len = sizeof hit->key;
    hit->at_s = (uint32_t)(now_ms / 1000);
    hit->db = (uint8_t)db;
    hit->len = (uint8_t)len;
    memcpy(hit->key, key, len);
    pthread_mutex_unlock(&hits->lock);
}

/* Between 0 and twice as many as there are on average, so that no rhythm of
 * the clients' meets one of ours. */
uint32_t hits_until_next(uint32_t *random)
{
    *random = *random * UINT32_C(1664525) + UINT32_C(1013904223);
    return (*random >> 8) % (2 * HITS_EVERY - 1);
}

size_t hits_copy(struct hits *hits, struct hit to[HITS_KEPT])
{
    pthread_mutex_lock(&hits->lock);
    size_t count = hits->next < HITS_KEPT ? hits->next : HITS_KEPT;
    memcpy(to, hits->ring, count * sizeof *to);
    pthread_mutex_unlock(&hits->lock);
    return count;
}
