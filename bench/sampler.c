/* SPDX-License-Identifier: BSD-3-Clause */
/* Watches a peer: its resident memory, and how long a reader waits. */

#include "bench/sampler.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/hist.h"
#include "bench/host.h"
#include "bench/keys.h"
#include "bench/wire.h"

struct sampler {
    const struct peer *peer;
    struct sampler_options options;
    uint64_t start_ns;
    pthread_t watcher, reader;
    int connection;
    atomic_bool stop, broken, begun;
    _Atomic uint64_t newest;
    struct hist calm, waits;
    struct sampler_result result;
};

static void *watch(void *argument)
{
    struct sampler *sampler = argument;
    struct sampler_result *result = &sampler->result;
    uint64_t next_ns = sampler->start_ns;
    while (!sampler->stop && result->count < SAMPLER_MAX) {
        host_wait_until(next_ns);
        uint64_t bytes = host_resident(sampler->peer->pid);
        result->resident[result->count] = bytes;
        result->at_ns[result->count++] = host_now_ns() - sampler->start_ns;
        sampler->newest = bytes;
        next_ns += SAMPLER_STEP_MS * 1000000ULL;
    }
    return NULL;
}

/* One request and its reply. */
static bool exchange(const struct sampler *sampler, struct wire_reader *reader,
                     const char *request, size_t len)
{
    char in[WIRE_VALUE_MAX / 16];
    if (write(sampler->connection, request, len) != (ssize_t)len)
        return false;
    for (uint64_t replies = 0; replies == 0;) {
        ssize_t got = read(sampler->connection, in, sizeof in);
        if (got <= 0)
            return false;
        replies = wire_read(reader, in, (size_t)got);
    }
    /* A SET may be refused for want of memory. */
    return sampler->options.sets || reader->errors == 0;
}

static void *read_keys(void *argument)
{
    struct sampler *sampler = argument;
    struct wire wire;
    struct wire_reader reader;
    const struct sampler_options *options = &sampler->options;
    uint64_t random = options->seed;
    wire_init(&wire, sampler->peer->wire, options->value_bytes, 0);
    const struct wire_template *template =
        options->sets ? &wire.set : &wire.get;
    char *request = malloc(template->len);
    if (request == NULL)
        abort();
    wire_reader_init(&reader, sampler->peer->wire);
    while (!sampler->stop && !sampler->broken) {
        uint64_t key = options->first + keys_below(&random, options->keys);
        const char *end = wire_write(template, request, key);
        uint64_t sent_ns = host_now_ns();
        if (!exchange(sampler, &reader, request, (size_t)(end - request)))
            sampler->broken = true;
        hist_add(sampler->begun ? &sampler->waits : &sampler->calm,
                 host_now_ns() - sent_ns, 1);
        if (options->pause_us > 0)
            usleep(options->pause_us);
    }
    if (sampler->broken)
        fprintf(stderr, "%s: the reader got no answer: %s\n",
                sampler->peer->name,
                reader.errors > 0 ? reader.error : "it hung up");
    wire_free(&wire);
    free(request);
    return NULL;
}

struct sampler *sampler_start(const struct peer *peer,
                              const struct sampler_options *options)
{
    struct sampler *sampler = calloc(1, sizeof *sampler);
    if (sampler == NULL)
        return NULL;
    sampler->peer = peer;
    sampler->options = *options;
    sampler->connection = host_connect(peer->port);
    if (sampler->connection < 0) {
        perror(peer->name);
        free(sampler);
        return NULL;
    }
    sampler->newest = UINT64_MAX;
    sampler->start_ns = host_now_ns();
    if (pthread_create(&sampler->watcher, NULL, watch, sampler) != 0 ||
        pthread_create(&sampler->reader, NULL, read_keys, sampler) != 0)
        abort();
    return sampler;
}

uint64_t sampler_started_ns(const struct sampler *sampler)
{
    return sampler->start_ns;
}

void sampler_begin(struct sampler *sampler)
{
    sampler->begun = true;
}

uint64_t sampler_resident(const struct sampler *sampler)
{
    return sampler->newest;
}

bool sampler_stop(struct sampler *sampler, struct sampler_result *result)
{
    sampler->stop = true;
    pthread_join(sampler->watcher, NULL);
    pthread_join(sampler->reader, NULL);
    close(sampler->connection);
    *result = sampler->result;
    result->calm_wait_ns = sampler->calm.longest_ns;
    result->longest_wait_ns = sampler->waits.longest_ns;
    result->calm_p99_ns = hist_quantile_ns(&sampler->calm, 0.99);
    result->p999_ns = hist_quantile_ns(&sampler->waits, 0.999);
    result->p99_ns = hist_quantile_ns(&sampler->waits, 0.99);
    bool whole = !sampler->broken;
    free(sampler);
    return whole;
}
