/* SPDX-License-Identifier: BSD-3-Clause */
/* The output queue: sealing it at pins, and sending it with few calls. */

#include "output.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"

enum {
    COPY_MAX = 4096, /* bytes before a pin that are copied, not moved */
    SPANS = 64,      /* pieces given to one writev */
};

static size_t segment_memory(const struct output_segment *segment)
{
    return sizeof *segment + segment->bytes.cap;
}

/* Moves what the tail holds to the segment; few bytes are copied, so that the
 * tail keeps its memory for the replies to come. */
static void take_tail(struct output *output, struct output_segment *segment)
{
    struct buf *tail = &output->tail;
    size_t len = buf_len(tail);
    char *copy = len > 0 && len <= COPY_MAX ? malloc(len) : NULL;
    if (copy) {
        memcpy(copy, tail->data + tail->start, len);
        segment->bytes = (struct buf){.data = copy, .end = len, .cap = len};
        buf_drain(tail, len);
    } else if (len > 0) {
        segment->bytes = *tail;
        size_t rest = tail->max > tail->cap ? tail->max - tail->cap : 1;
        *tail = (struct buf){.max = tail->max ? rest : 0};
    }
}

void output_ready(struct output *output)
{
    if (!output->spare)
        output->spare = calloc(1, sizeof *output->spare);
    if (!output->spare)
        output->tail.failed = true;
}

void output_pin(struct output *output, struct cache_pin pin)
{
    struct output_segment *segment = output->spare;
    assert(segment);
    output->spare = NULL;
    take_tail(output, segment);
    segment->pin = pin;
    if (output->last)
        output->last->next = segment;
    else
        output->first = segment;
    output->last = segment;
    output->sealed += buf_len(&segment->bytes) + pin.left;
    output->pinned += pin.left;
    output->memory += segment_memory(segment);
    output_ready(output);
}

static void segment_free(struct output *output, struct output_segment *segment)
{
    output->sealed -= buf_len(&segment->bytes) + segment->pin.left;
    output->pinned -= segment->pin.left;
    output->memory -= segment_memory(segment);
    if (segment->pin.cache)
        cache_unpin(&segment->pin);
    buf_release(&segment->bytes);
    free(segment);
}

static void free_from(struct output *output, struct output_segment *segment)
{
    while (segment) {
        struct output_segment *next = segment->next;
        segment_free(output, segment);
        segment = next;
    }
}

void output_rewind(struct output *output, struct output_mark mark)
{
    struct output_segment *segment =
        mark.last ? mark.last->next : output->first;
    if (!segment) {
        buf_truncate(&output->tail, mark.tail);
        return;
    }
    /* The first new segment begins with what was in the tail at the mark. */
    free_from(output, segment->next);
    segment->next = NULL;
    output->sealed -= buf_len(&segment->bytes) - mark.tail;
    buf_truncate(&segment->bytes, mark.tail);
    output->sealed -= segment->pin.left;
    output->pinned -= segment->pin.left;
    if (segment->pin.cache)
        cache_unpin(&segment->pin);
    segment->pin = (struct cache_pin){0};
    output->last = segment;
    buf_truncate(&output->tail, 0);
}

/* Adds a run of bytes; returns the new number of runs. */
static int add_run(struct iovec *iov, int count, const void *ptr, size_t len)
{
    if (len == 0 || count == SPANS)
        return count;
    iov[count] = (struct iovec){(void *)ptr, len};
    return count + 1;
}

static int add_bytes(struct iovec *iov, int count, const struct buf *bytes)
{
    if (buf_len(bytes) == 0)
        return count;
    return add_run(iov, count, bytes->data + bytes->start, buf_len(bytes));
}

/* The next bytes to send; runs end before a pin with more than fit. */
static int gather(const struct output *output, struct iovec *iov)
{
    int count = 0;
    for (const struct output_segment *segment = output->first; segment;
         segment = segment->next) {
        const struct buf *bytes = &segment->bytes;
        count = add_bytes(iov, count, bytes);
        if (segment->pin.left > 0) {
            struct cache_span spans[SPANS];
            size_t listed = 0;
            unsigned got = cache_pin_spans(&segment->pin, spans,
                                           (unsigned)(SPANS - count));
            for (unsigned i = 0; i < got; i++) {
                count = add_run(iov, count, spans[i].ptr, spans[i].len);
                listed += spans[i].len;
            }
            if (listed < segment->pin.left)
                return count;
        }
        if (count == SPANS)
            return count;
    }
    return add_bytes(iov, count, &output->tail);
}

static void consume(struct output *output, size_t len)
{
    while (len > 0 && output->first) {
        struct output_segment *segment = output->first;
        size_t part = buf_len(&segment->bytes);
        part = part < len ? part : len;
        buf_drain(&segment->bytes, part);
        output->sealed -= part;
        len -= part;
        part = segment->pin.left < len ? segment->pin.left : len;
        if (part > 0)
            cache_pin_consume(&segment->pin, part);
        output->sealed -= part;
        output->pinned -= part;
        len -= part;
        if (buf_len(&segment->bytes) > 0 || segment->pin.left > 0)
            return;
        output->first = segment->next;
        if (!output->first)
            output->last = NULL;
        segment_free(output, segment);
    }
    buf_drain(&output->tail, len);
}

enum output_result output_write(struct output *output,
                                const struct platform *platform, int fd,
                                size_t most, size_t *sent, size_t *calls)
{
    size_t done = 0;
    while (output_len(output) > 0) {
        if (done >= most)
            return OUTPUT_MORE;
        ssize_t n;
        if (!output->first) {
            n = platform->write(platform->ctx, fd,
                                output->tail.data + output->tail.start,
                                buf_len(&output->tail));
        } else {
            struct iovec iov[SPANS];
            int count = gather(output, iov);
            n = platform->writev(platform->ctx, fd, iov, count);
        }
        ++*calls;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return OUTPUT_BLOCKED;
        if (n <= 0)
            return OUTPUT_DEAD;
        consume(output, (size_t)n);
        *sent += (size_t)n;
        done += (size_t)n;
    }
    /* Segments that a rewind left empty. */
    free_from(output, output->first);
    output->first = output->last = NULL;
    return OUTPUT_SENT;
}

void output_settle(struct output *output)
{
    for (struct output_segment *segment = output->first; segment;
         segment = segment->next)
        if (segment->pin.cache)
            cache_pin_settle(&segment->pin);
}

void output_release(struct output *output)
{
    free_from(output, output->first);
    output->first = output->last = NULL;
    buf_release(&output->tail);
    free(output->spare);
    output->spare = NULL;
}
