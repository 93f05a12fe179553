/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OUTPUT_H
#define OUTPUT_H

/*
 * What a connection has yet to send: bytes, and pinned values that are sent
 * from where they lie, in the order they were replied.
 *
 *   first                               last
 *   | bytes | pin | -> | bytes | pin | -> | bytes | pin |    tail
 *   '----- sealed when a pin came ---------------------'    replies go here
 */

#include <stdbool.h>
#include <stddef.h>

#include "cache/cache.h"
#include "protocol/buf.h"

struct platform;

struct output_segment {
    struct output_segment *next;
    struct buf bytes;
    struct cache_pin pin;
};

/* Zeroed: empty, without memory. */
struct output {
    struct buf tail;
    struct output_segment *first, *last;
    struct output_segment *spare; /* for the next pin; see output_ready */
    size_t sealed; /* unsent bytes of all segments, pinned ones included */
    size_t pinned; /* of these, pinned */
    size_t memory; /* bytes that the segments occupy, pinned ones excluded */
};

/* Unsent bytes. */
static inline size_t output_len(const struct output *output)
{
    return output->sealed + buf_len(&output->tail);
}

/* Nothing to send and nothing to free. */
static inline bool output_empty(const struct output *output)
{
    return !output->first && buf_len(&output->tail) == 0;
}

/* Bytes of memory held, pinned ones not counted. */
static inline size_t output_held(const struct output *output)
{
    return output->memory + output->tail.cap;
}

/*
 * A pin often comes while the cache is locked, where it could not be given
 * back: so there is always a segment ready for it.  To be called before
 * replies are made; without memory tail.failed is set, and then no more values
 * may be pinned.
 */
void output_ready(struct output *output);
/* Takes the pin over.  May set tail.failed. */
void output_pin(struct output *output, struct cache_pin pin);

/* A place to which output_rewind can go back while nothing was written. */
struct output_mark {
    struct output_segment *last;
    size_t tail;
};
static inline struct output_mark output_mark(const struct output *output)
{
    return (struct output_mark){output->last, buf_len(&output->tail)};
}
void output_rewind(struct output *output, struct output_mark mark);

enum output_result {
    OUTPUT_SENT,    /* nothing is left */
    OUTPUT_BLOCKED, /* the peer must read first */
    OUTPUT_MORE,    /* `most` bytes were sent: others may have a turn */
    OUTPUT_DEAD,    /* the connection is gone */
};

/* Sends until one of these; adds the bytes to *sent and the calls to *calls. */
enum output_result output_write(struct output *output,
                                const struct platform *platform, int fd,
                                size_t most, size_t *sent, size_t *calls);

/* Lets pinned values be moved that keep nearly empty slabs. */
void output_settle(struct output *output);

/* Drops everything and frees the memory; the tail's max and failed stay. */
void output_release(struct output *output);

#endif
