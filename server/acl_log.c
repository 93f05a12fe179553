/* SPDX-License-Identifier: BSD-3-Clause */
/* A bounded list of what was denied. */

#include "acl_log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct acl_log {
    pthread_mutex_t lock;
    struct acl_entry *entries[ACL_LOG_MAX]; /* newest first */
    size_t count;
    uint64_t next_id;
};

struct acl_log *acl_log_new(void)
{
    struct acl_log *log = calloc(1, sizeof *log);
    if (log)
        pthread_mutex_init(&log->lock, NULL);
    return log;
}

static void shorten(struct acl_log *log, size_t most)
{
    while (log->count > most)
        free(log->entries[--log->count]);
}

void acl_log_free(struct acl_log *log)
{
    if (!log)
        return;
    shorten(log, 0);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

void acl_log_reset(struct acl_log *log)
{
    pthread_mutex_lock(&log->lock);
    shorten(log, 0);
    pthread_mutex_unlock(&log->lock);
}

/* ------------------------------------------------------------------ adding */

static bool same(struct arg a, struct arg b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static bool may_join(const struct acl_event *a, const struct acl_event *b)
{
    int64_t apart = a->at_ms - b->at_ms;
    return a->reason == b->reason && a->context == b->context &&
           apart <= ACL_LOG_GROUP_MS && apart >= -ACL_LOG_GROUP_MS &&
           same(a->object, b->object) && same(a->user, b->user);
}

static char *keep(struct arg *text, char *to)
{
    if (text->len > 0)
        memcpy(to, text->ptr, text->len);
    text->ptr = to;
    return to + text->len;
}

/* The event with texts of its own. */
static struct acl_entry *entry_new(const struct acl_event *event)
{
    size_t bytes = event->object.len + event->user.len + event->client.len;
    struct acl_entry *entry = malloc(sizeof *entry + bytes);
    if (!entry)
        return NULL;
    *entry = (struct acl_entry){.event = *event, .count = 1};
    char *to = keep(&entry->event.object, entry->bytes);
    to = keep(&entry->event.user, to);
    keep(&entry->event.client, to);
    return entry;
}

/* Takes an entry of the same out of the list and frees it; false: there is
 * none. */
static bool join(struct acl_log *log, struct acl_entry *entry)
{
    for (size_t i = 0; i < log->count && i < ACL_LOG_GROUP_LOOKED_AT; i++) {
        struct acl_entry *old = log->entries[i];
        if (!may_join(&entry->event, &old->event))
            continue;
        entry->id = old->id;
        entry->count = old->count + 1;
        entry->created_ms = old->created_ms;
        free(old);
        log->count--;
        memmove(&log->entries[i], &log->entries[i + 1],
                (log->count - i) * sizeof log->entries[0]);
        return true;
    }
    return false;
}

static void cut(struct arg *text, size_t most)
{
    if (text->len > most)
        text->len = most;
}

void acl_log_add(struct acl_log *log, const struct acl_event *event,
                 size_t most)
{
    struct acl_event kept = *event;
    cut(&kept.object, ACL_LOG_TEXT_MAX);
    cut(&kept.user, ACL_LOG_TEXT_MAX);
    cut(&kept.client, ACL_LOG_CLIENT_MAX);
    if (most > ACL_LOG_MAX)
        most = ACL_LOG_MAX;
    struct acl_entry *entry = entry_new(&kept);
    if (!entry)
        return;
    pthread_mutex_lock(&log->lock);
    if (!join(log, entry)) {
        entry->id = log->next_id++;
        entry->created_ms = event->at_ms;
        shorten(log, most > 0 ? most - 1 : 0);
    }
    if (most > 0) {
        memmove(&log->entries[1], &log->entries[0],
                log->count * sizeof log->entries[0]);
        log->entries[0] = entry;
        log->count++;
        shorten(log, most);
    } else {
        shorten(log, 0);
        free(entry);
    }
    pthread_mutex_unlock(&log->lock);
}

/* ----------------------------------------------------------------- reading */

void acl_log_each(struct acl_log *log, size_t most,
                  const struct acl_log_visit *visit)
{
    pthread_mutex_lock(&log->lock);
    size_t count = log->count < most ? log->count : most;
    visit->first(visit->ctx, count);
    for (size_t i = 0; i < count; i++)
        visit->each(visit->ctx, log->entries[i]);
    pthread_mutex_unlock(&log->lock);
}
