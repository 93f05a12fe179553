/* SPDX-License-Identifier: BSD-3-Clause */
/* A ring of samples for each event, behind a lock that is rarely taken. */

#include "latency.h"

#include <pthread.h>
#include <stdlib.h>

struct series {
    struct latency_sample samples[LATENCY_SAMPLES]; /* a ring */
    size_t taken;                                   /* since the last reset */
    int64_t longest_ms;
};

struct latency {
    pthread_mutex_t lock;
    struct series series[LATENCY_EVENTS];
};

struct latency *latency_new(void)
{
    struct latency *latency = calloc(1, sizeof *latency);
    if (latency)
        pthread_mutex_init(&latency->lock, NULL);
    return latency;
}

void latency_free(struct latency *latency)
{
    if (!latency)
        return;
    pthread_mutex_destroy(&latency->lock);
    free(latency);
}

const char *latency_name(enum latency_event event)
{
    static const char *const names[LATENCY_EVENTS] = {
        [LATENCY_COMMAND] = "command",
        [LATENCY_FAST_COMMAND] = "fast-command",
        [LATENCY_EVICTION] = "eviction-cycle",
        [LATENCY_EXPIRE] = "expire-cycle",
        [LATENCY_REBUILD] = "rebuild-step",
    };
    return names[event];
}

static struct latency_sample *sample_at(struct series *series, size_t i)
{
    return &series->samples[i % LATENCY_SAMPLES];
}

void latency_note(struct latency *latency, enum latency_event event, int64_t ms,
                  int64_t now_s)
{
    struct series *series = &latency->series[event];
    pthread_mutex_lock(&latency->lock);
    struct latency_sample *last =
        series->taken > 0 ? sample_at(series, series->taken - 1) : NULL;
    if (!last || last->at_s != now_s) {
        last = sample_at(series, series->taken++);
        *last = (struct latency_sample){now_s, ms};
    } else if (last->ms < ms) {
        last->ms = ms;
    }
    if (series->longest_ms < ms)
        series->longest_ms = ms;
    pthread_mutex_unlock(&latency->lock);
}

size_t latency_history(struct latency *latency, enum latency_event event,
                       struct latency_sample samples[LATENCY_SAMPLES],
                       int64_t *longest_ms)
{
    struct series *series = &latency->series[event];
    pthread_mutex_lock(&latency->lock);
    size_t count =
        series->taken < LATENCY_SAMPLES ? series->taken : LATENCY_SAMPLES;
    for (size_t i = 0; i < count; i++)
        samples[i] = *sample_at(series, series->taken - count + i);
    *longest_ms = series->longest_ms;
    pthread_mutex_unlock(&latency->lock);
    return count;
}

bool latency_reset(struct latency *latency, enum latency_event event)
{
    struct series *series = &latency->series[event];
    pthread_mutex_lock(&latency->lock);
    bool known = series->taken > 0;
    *series = (struct series){.taken = 0};
    pthread_mutex_unlock(&latency->lock);
    return known;
}
