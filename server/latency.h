/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LATENCY_H
#define LATENCY_H

/*
 * The latency monitor: of each kind of event the last that took as long as
 * latency-monitor-threshold, at most one a second, the longest.  Any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum latency_event {
    LATENCY_COMMAND,
    LATENCY_FAST_COMMAND, /* whose time does not depend on what is stored */
    LATENCY_EVICTION,     /* a write had to wait until there was room */
    LATENCY_EXPIRE,       /* a slice of the upkeep: expired entries, stock */
    LATENCY_REBUILD,      /* a slice of the work for a lowered budget */
    LATENCY_EVENTS,
};

enum { LATENCY_SAMPLES = 160 }; /* kept of each event */

struct latency;

struct latency *latency_new(void); /* NULL: no memory */
void latency_free(struct latency *latency);

/* As Redis calls it. */
const char *latency_name(enum latency_event event);

void latency_note(struct latency *latency, enum latency_event event, int64_t ms,
                  int64_t now_s);

struct latency_sample {
    int64_t at_s, ms;
};

/* Copies what is known of an event, the oldest first; how many.  *longest_ms:
 * the longest since the last reset. */
size_t latency_history(struct latency *latency, enum latency_event event,
                       struct latency_sample samples[LATENCY_SAMPLES],
                       int64_t *longest_ms);

/* Forgets an event; true if anything was known of it. */
bool latency_reset(struct latency *latency, enum latency_event event);

#endif
