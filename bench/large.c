/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One large value among small ones: how long does a client that reads small
 * values wait while the large one arrives, is copied out, is replaced and is
 * deleted?  memcached is left out: its values end at a fraction of that.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/args.h"
#include "bench/host.h"
#include "bench/peer.h"
#include "bench/sampler.h"
#include "bench/table.h"
#include "bench/work.h"

enum { SMALL_KEYS = 100000, SMALL_VALUE = 100, PART = 1 << 20, LINE = 64 };

enum act { ARRIVES, READ, REPLACED, DELETED, ACTS };

static const char *const acts[ACTS] = {"arrives", "is read", "is replaced",
                                       "is deleted"};

struct arguments {
    uint64_t value, control_ms, rest_ms, seed;
    const char *ebb, *only;
};

struct outcome {
    uint64_t took_ns, calm_ns, longest_ns, gap_ns;
};

static bool send_all(int fd, const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, bytes + at, len - at, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

/* What is not needed of an answer is thrown away. */
static bool skip(int fd, size_t len)
{
    static char part[PART];
    while (len > 0) {
        ssize_t n = recv(fd, part, len < PART ? len : PART, 0);
        if (n <= 0)
            return false;
        len -= (size_t)n;
    }
    return true;
}

/* A line, without its end, that must begin so. */
static bool expect(int fd, const char *start, char line[LINE])
{
    size_t len = 0;
    while (len < LINE - 1 && recv(fd, line + len, 1, 0) == 1)
        if (line[len++] == '\n')
            break;
    line[len] = '\0';
    if (strncmp(line, start, strlen(start)) == 0)
        return true;
    fprintf(stderr, "large: answered %s", line);
    return false;
}

static bool set(int fd, uint64_t len)
{
    static char part[PART];
    char line[LINE];
    int head = snprintf(line, sizeof line,
                        "*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n$%llu\r\n",
                        (unsigned long long)len);
    bool sent = send_all(fd, line, (size_t)head);
    for (uint64_t left = len; sent && left > 0;) {
        size_t some = left < PART ? (size_t)left : PART;
        sent = send_all(fd, part, some);
        left -= some;
    }
    return sent && send_all(fd, "\r\n", 2) && expect(fd, "+OK", line);
}

static bool get(int fd)
{
    char line[LINE];
    return send_all(fd, "GET large\r\n", 11) && expect(fd, "$", line) &&
           skip(fd, strtoull(line + 1, NULL, 10) + 2);
}

static bool del(int fd)
{
    char line[LINE];
    return send_all(fd, "DEL large\r\n", 11) && expect(fd, ":1", line);
}

static bool perform(int fd, enum act act, uint64_t len)
{
    if (act == READ)
        return get(fd);
    return act == DELETED ? del(fd) : set(fd, len);
}

static bool watch(const struct arguments *a, const struct peer *peer, int fd,
                  enum act act, struct outcome *outcome)
{
    static struct sampler_result watched;
    struct sampler_options options = {.keys = SMALL_KEYS, .seed = a->seed};
    struct sampler *sampler = sampler_start(peer, &options);
    if (sampler == NULL)
        return false;
    host_wait_until(host_now_ns() + a->control_ms * 1000000);
    sampler_begin(sampler);
    uint64_t since_ns = host_now_ns();
    bool done = perform(fd, act, a->value);
    outcome->took_ns = host_now_ns() - since_ns;
    host_wait_until(host_now_ns() + a->rest_ms * 1000000);
    done = sampler_stop(sampler, &watched) && done;
    outcome->calm_ns = watched.calm_wait_ns;
    outcome->longest_ns = watched.longest_wait_ns;
    return done;
}

static bool run(const struct arguments *a, enum peer_id id, struct table *table)
{
    struct peer peer;
    struct peer_options options = {.budget_bytes = ((a->value * 3 >> 20) + 128)
                                                   << 20,
                                   .core = PEER_ANY_CORE,
                                   .ebb = a->ebb};
    if (!peer_start(&peer, id, &options))
        return false;
    int fd = host_connect(peer.port);
    bool done = fd >= 0 && work_fill(&peer, 0, SMALL_KEYS, SMALL_VALUE, 0);
    for (unsigned act = 0; done && act < ACTS; act++) {
        struct outcome outcome = {
            .gap_ns = host_longest_gap_ns(a->control_ms * 1000000)};
        done = watch(a, &peer, fd, (enum act)act, &outcome);
        table_cell(table, "%s", peer_name(id));
        table_cell(table, "%s", acts[act]);
        table_cell(table, "%.1f", (double)outcome.took_ns / 1e6);
        table_cell(table, "%.1f", (double)outcome.longest_ns / 1e6);
        table_cell(table, "%.1f", (double)outcome.calm_ns / 1e6);
        table_cell(table, "%.1f", (double)outcome.gap_ns / 1e6);
    }
    if (fd >= 0)
        close(fd);
    return peer_stop(&peer) && done;
}

int main(int argc, char **argv)
{
    struct arguments a = {
        .value = 512 << 20, .control_ms = 2000, .rest_ms = 500, .seed = 1};
    const struct args_row rows[] = {
        {"value", &a.value, NULL, "bytes of the large value"},
        {"control", &a.control_ms, NULL, "ms of calm before; of spinning"},
        {"rest", &a.rest_ms, NULL, "ms to watch after each act"},
        {"seed", &a.seed, NULL, "of the random numbers"},
        {"only", NULL, &a.only, "server to run, by name, not the others"},
        {"ebb", NULL, &a.ebb, "the program, if not the one built here"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "large: one large value among small ones", argc, argv);
    args_within("value", a.value, 1, 512 << 20);
    args_within("control", a.control_ms, 0, 60000);
    args_within("rest", a.rest_ms, 0, 60000);
    peer_check_only(a.only, PEER_MEMCACHED);

    const char *const headings[] = {
        "server",      "the value",  "took ms", "reader max ms",
        "calm max ms", "control ms", NULL};
    static struct table table;
    table_init(&table, headings);
    printf("A value of %llu MiB; one client reads %d others of %d B\n\n",
           (unsigned long long)a.value >> 20, (int)SMALL_KEYS,
           (int)SMALL_VALUE);
    table_follow(&table, stdout);
    bool whole = true;
    for (enum peer_id id = PEER_EBB; id < PEER_MEMCACHED; id++)
        if (peer_present(id, a.ebb, a.only))
            whole = run(&a, id, &table) && whole;
    return whole ? 0 : 1;
}
