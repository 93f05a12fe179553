/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Coming up: how long after a server was started does it answer, and how long
 * does it take until many clients that come at once are all answered?
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/args.h"
#include "bench/hist.h"
#include "bench/host.h"
#include "bench/peer.h"
#include "bench/table.h"

enum {
    EVENTS = 256,
    SILENCE_MS = 60000,
    SPARE = 100,
    LINE = 128,
    AT_ONCE_FEW = 50, /* beside all of them */
};

struct arguments {
    uint64_t starts, rounds, connections, budget, threads;
    const char *ebb, *only;
};

struct client {
    int fd;
    bool asked;
    uint64_t began_ns;
};

/* Clients that connect, at most so many under way at a time, and ask. */
struct rush {
    const struct peer *peer;
    uint64_t count, most, joined, answered;
    int epoll;
    struct client *clients;
    struct hist waits; /* from connecting to having the answer */
};

struct outcome {
    struct hist starts, rushes, waits;
    double cpu_ns; /* the server's, for one connection */
};

static const char *question(const struct peer *peer)
{
    return peer->wire == WIRE_RESP ? "PING\r\n" : "version\r\n";
}

/* Answers are one line, which comes in one piece. */
static bool ask(const struct peer *peer)
{
    char line[LINE];
    size_t len = strlen(question(peer));
    return write(peer->control, question(peer), len) == (ssize_t)len &&
           read(peer->control, line, sizeof line) > 0;
}

static bool client_join(struct rush *rush)
{
    struct client *client = &rush->clients[rush->joined++];
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = client};
    client->began_ns = host_now_ns();
    client->fd = host_begin_connect(rush->peer->port);
    return client->fd >= 0 &&
           epoll_ctl(rush->epoll, EPOLL_CTL_ADD, client->fd, &event) == 0;
}

/* It is connected, or the answer is there; false: it is neither. */
static bool client_go_on(struct rush *rush, struct client *client)
{
    char line[LINE];
    const char *text = question(rush->peer);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (!client->asked) {
        client->asked = true;
        return send(client->fd, text, strlen(text), MSG_NOSIGNAL) > 0 &&
               epoll_ctl(rush->epoll, EPOLL_CTL_MOD, client->fd, &event) == 0;
    }
    if (read(client->fd, line, sizeof line) <= 0 || line[0] == '-')
        return false;
    hist_add(&rush->waits, host_now_ns() - client->began_ns, 1);
    rush->answered++;
    return epoll_ctl(rush->epoll, EPOLL_CTL_DEL, client->fd, NULL) == 0;
}

static bool rush_run(struct rush *rush)
{
    struct epoll_event events[EVENTS];
    while (rush->answered < rush->count) {
        /* In turns with reading answers, as different clients would. */
        for (unsigned i = 0; i < EVENTS && rush->joined < rush->count &&
                             rush->joined - rush->answered < rush->most;
             i++) {
            if (!client_join(rush))
                return false;
        }
        bool more = rush->joined < rush->count &&
                    rush->joined - rush->answered < rush->most;
        int count =
            epoll_wait(rush->epoll, events, EVENTS, more ? 0 : SILENCE_MS);
        if (count < 0 || (count == 0 && !more))
            return false;
        for (int i = 0; i < count; i++) {
            if (!client_go_on(rush, events[i].data.ptr))
                return false;
        }
    }
    return true;
}

/* A new server, and all who come. */
static bool measure_rush(const struct arguments *a, enum peer_id id,
                         uint64_t most, struct outcome *outcome)
{
    struct peer peer;
    struct peer_options options = {.budget_bytes = a->budget,
                                   .threads = (unsigned)a->threads,
                                   .connections =
                                       (unsigned)a->connections + SPARE,
                                   .core = PEER_ANY_CORE,
                                   .ebb = a->ebb};
    if (!peer_start(&peer, id, &options))
        return false;
    static struct rush rush;
    rush = (struct rush){
        .peer = &peer,
        .count = a->connections,
        .most = most,
    };
    rush.epoll = epoll_create1(EPOLL_CLOEXEC);
    rush.clients = calloc(a->connections, sizeof *rush.clients);
    if (rush.epoll < 0 || rush.clients == NULL)
        abort();
    bool done = ask(&peer);
    struct host_cpu before = host_cpu(peer.pid);
    uint64_t since_ns = host_now_ns();
    done = done && rush_run(&rush);
    uint64_t took_ns = host_now_ns() - since_ns;
    double cpu_ns = (double)host_cpu_since(peer.pid, before).all_ns;
    if (!done)
        fprintf(stderr, "%s: %llu of %llu connections were answered: %s\n",
                peer.name, (unsigned long long)rush.answered,
                (unsigned long long)rush.count, strerror(errno));
    hist_add(&outcome->rushes, took_ns, 1);
    hist_merge(&outcome->waits, &rush.waits);
    outcome->cpu_ns += cpu_ns / (double)(a->connections * a->rounds);
    for (uint64_t i = 0; i < rush.joined; i++)
        close(rush.clients[i].fd);
    close(rush.epoll);
    free(rush.clients);
    return peer_stop(&peer) && done;
}

static bool measure_start(const struct arguments *a, enum peer_id id,
                          struct outcome *outcome)
{
    struct peer peer;
    struct peer_options options = {.budget_bytes = a->budget,
                                   .threads = (unsigned)a->threads,
                                   .core = PEER_ANY_CORE,
                                   .ebb = a->ebb};
    uint64_t since_ns = host_now_ns();
    if (!peer_start(&peer, id, &options))
        return false;
    bool done = ask(&peer);
    hist_add(&outcome->starts, host_now_ns() - since_ns, 1);
    return peer_stop(&peer) && done;
}

static double ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

static bool starts(const struct arguments *a, const bool *present)
{
    static const char *const headings[] = {"server", "first answer ms",
                                           "worst ms", NULL};
    static struct table table;
    static struct outcome outcomes[PEER_FLOOR];
    bool whole = true;
    table_init(&table, headings);
    printf("From fork to the first answer: median and worst of %llu\n\n",
           (unsigned long long)a->starts);
    table_follow(&table, stdout);
    for (uint64_t i = 0; i < a->starts; i++)
        for (enum peer_id id = PEER_EBB; id < PEER_FLOOR; id++)
            if (present[id])
                whole = measure_start(a, id, &outcomes[id]) && whole;
    for (enum peer_id id = PEER_EBB; id < PEER_FLOOR; id++) {
        if (!present[id])
            continue;
        table_cell(&table, "%s", peer_name(id));
        table_cell(&table, "%.1f",
                   ms(hist_quantile_ns(&outcomes[id].starts, 0.5)));
        table_cell(&table, "%.1f", ms(outcomes[id].starts.longest_ns));
    }
    return whole;
}

static void add_rush(struct table *table, const char *name, uint64_t most,
                     const struct outcome *outcome)
{
    const struct hist *rushes = &outcome->rushes, *waits = &outcome->waits;
    table_cell(table, "%s", name);
    table_cell(table, "%llu", (unsigned long long)most);
    table_cell(table, "%.0f", ms(hist_quantile_ns(rushes, 0.5)));
    table_cell(table, "%.0f", ms(rushes->longest_ns));
    table_cell(table, "%.1f", ms(hist_quantile_ns(waits, 0.5)));
    table_cell(table, "%.1f", ms(hist_quantile_ns(waits, 0.999)));
    table_cell(table, "%.1f", ms(waits->longest_ns));
    table_cell(table, "%.1f", outcome->cpu_ns / 1e3);
}

/* Rounds take turns over the servers. */
static bool rushes_of(const struct arguments *a, const bool *present,
                      uint64_t most, struct table *table)
{
    static struct outcome outcomes[PEER_FLOOR];
    bool whole = true;
    memset(outcomes, 0, sizeof outcomes);
    for (uint64_t round = 0; round < a->rounds; round++) {
        fprintf(stderr, "%llu at once, round %llu of %llu\n",
                (unsigned long long)most, (unsigned long long)round + 1,
                (unsigned long long)a->rounds);
        for (enum peer_id id = PEER_EBB; id < PEER_FLOOR; id++)
            if (present[id])
                whole = measure_rush(a, id, most, &outcomes[id]) && whole;
    }
    for (enum peer_id id = PEER_EBB; id < PEER_FLOOR; id++)
        if (present[id])
            add_rush(table, peer_name(id), most, &outcomes[id]);
    return whole;
}

static bool rushes(const struct arguments *a, const bool *present)
{
    static const char *const headings[] = {
        "server",     "at once",     "all answered ms",
        "worst ms",   "one p50 ms",  "one p99.9 ms",
        "longest ms", "CPU us each", NULL};
    static struct table table;
    table_init(&table, headings);
    printf("\n%llu connections, each opened and answered once: median and "
           "worst of %llu\n\n",
           (unsigned long long)a->connections, (unsigned long long)a->rounds);
    table_follow(&table, stdout);
    bool whole = rushes_of(a, present, AT_ONCE_FEW, &table);
    return rushes_of(a, present, a->connections, &table) && whole;
}

int main(int argc, char **argv)
{
    struct arguments a = {
        .starts = 20, .rounds = 5, .connections = 10000, .budget = 1 << 30};
    const struct args_row rows[] = {
        {"starts", &a.starts, NULL, "of each server"},
        {"rounds", &a.rounds, NULL, "of connections, each to a new server"},
        {"connections", &a.connections, NULL, "that are opened"},
        {"threads", &a.threads, NULL, "that serve; 0: the default"},
        {"budget", &a.budget, NULL, "memory of each server"},
        {"only", NULL, &a.only, "server to run, by name, not the others"},
        {"ebb", NULL, &a.ebb, "the program, if not the one built here"},
        {NULL, NULL, NULL, NULL}};
    args_read(rows, "start: coming up, and many clients at once", argc, argv);
    args_within("starts", a.starts, 1, 10000);
    args_within("rounds", a.rounds, 1, 1000);
    args_within("connections", a.connections, 1, 1000000);
    args_within("threads", a.threads, 0, 128);
    args_within("budget", a.budget, 1 << 20, UINT64_MAX);
    peer_check_only(a.only, PEER_FLOOR);
    uint64_t files = host_allow_files(a.connections + 2 * SPARE);
    if (files < a.connections + 2 * SPARE) {
        a.connections = files - 2 * SPARE;
        fprintf(stderr, "only %llu connections: descriptors are limited\n",
                (unsigned long long)a.connections);
    }

    bool present[PEER_FLOOR];
    for (enum peer_id id = PEER_EBB; id < PEER_FLOOR; id++)
        present[id] = peer_present(id, a.ebb, a.only);
    bool whole = starts(&a, present);
    whole = rushes(&a, present) && whole;
    return whole ? 0 : 1;
}
